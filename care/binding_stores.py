"""What the core needs from its database about one-time codes, accounts that change hands, and files members send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from care.model.attachment import Attachment, AttachmentId, Clean
from care.model.binding import BindingCode, Tries
from care.model.conversation import Conversation
from care.model.ids import IdentityId, InboxId, MemberId, MessageId
from care.model.member import Identity


class Bindings(Protocol):
    """Codes, and members that turn out to be one."""

    def add(self, code: BindingCode, words: str) -> None:
        """Store a code under a keyed hash of its words, and revoke the member's older ones of this kind."""

    def find(self, words: str) -> BindingCode | None:
        """Return the code with these words, locked; one that is no longer live too."""

    def save(self, code: BindingCode) -> None:
        """Store that a code was used."""

    def tries(self, identity_id: IdentityId) -> Tries:
        """Return how often an account was wrong lately."""

    def save_tries(self, tries: Tries) -> None:
        """Store how often an account was wrong lately."""

    def known_to_practice(self, member_id: MemberId) -> bool:
        """Whether the practice knows this member: by a reference, a phone or a treatment."""

    def move_identity(self, identity: Identity, to: MemberId) -> None:
        """Give an account to another member, sealed under their key."""

    def merge(self, old: Conversation, new: Conversation, *, turn: InboxId | None, by: str, at: datetime) -> None:
        """Move everything of the old conversation's member to the new one's, sealed anew, in their common order.

        Work that others have begun on the old conversation is fenced off and starts again; a message that is being
        sent this moment is settled as if nothing had happened. Consents and the access log stay where they are.

        Args:
            old: locked; of the member that is closed.
            new: locked; under whose epoch waiting messages go out.
            turn: the inbound message that is being worked on by the caller.
            by: who caused it.
            at: aware.
        """

    def merged_into(self, member_id: MemberId) -> MemberId | None:
        """Return the member this one turned out to be."""


class Attachments(Protocol):
    """Files beside messages."""

    def add(self, attachment: Attachment) -> None:
        """Store that there is a file."""

    def get(self, attachment_id: AttachmentId) -> Attachment:
        """Return one.

        Raises:
            NotFound: if there is none.
        """

    def of_messages(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Attachment]:
        """Return the files of these messages."""

    def save(self, attachment: Attachment) -> None:
        """Store its state; a stale lease number is refused.

        Raises:
            Conflict: if another worker has claimed it since.
        """

    def keep(self, attachment: Attachment, clean: Clean) -> None:
        """Store the file itself, sealed under its member's key."""

    def content(self, attachment: Attachment) -> bytes:
        """Return the file.

        Raises:
            NotFound: if it is not stored.
        """
