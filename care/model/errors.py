"""What can be refused, by name.

Every refusal carries a stable `code` for machines and never a member's words, name or number.
"""

from __future__ import annotations

from datetime import datetime


class CareError(Exception):
    """Something asked of the core was refused."""

    code = "care_error"


class NotFound(CareError):
    """Nothing of this kind has this id."""

    code = "not_found"

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} {key}")
        self.kind = kind
        self.key = key


class NotAllowed(CareError):
    """The member's choices, or the law, do not permit this use of their data."""

    code = "not_allowed"

    def __init__(self, purpose: str, reason: str) -> None:
        super().__init__(f"purpose {purpose} refused: {reason}")
        self.purpose = purpose
        self.reason = reason


class InvalidInput(CareError):
    """A value given from outside cannot be accepted; `field` says which."""

    code = "invalid_input"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NaiveDatetime(CareError):
    """A datetime came without a zone."""

    code = "naive_datetime"


class SlotTaken(CareError):
    """Somebody else holds or has booked this time."""

    code = "slot_taken"


class SlotUnavailable(CareError):
    """This time was never free: closed, on leave, too soon or in the past."""

    code = "slot_unavailable"


class HoldExpired(CareError):
    """The time kept for the member was released again."""

    code = "hold_expired"


class OwnershipLost(CareError):
    """The conversation changed hands since this was written; it must not be sent."""

    code = "ownership_lost"


class Conflict(CareError):
    """The thing is no longer in the state this change needs."""

    code = "conflict"


class DialogueUnavailable(CareError):
    """The dialogue model gave no answer; `reason` is a code, never member text."""

    code = "dialogue_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"dialogue unavailable: {reason}")
        self.reason = reason


class SendRefused(CareError):
    """The channel will never deliver this message; trying again is useless."""

    code = "send_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"send refused: {reason}")
        self.reason = reason


class SendLater(CareError):
    """The channel cannot deliver now; `after_s` seconds is its own wish, if it said one."""

    code = "send_later"

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(f"send later: {reason}")
        self.reason = reason
        self.after_s = after_s


class RightSpent(CareError):
    """The vendor says there is no right to write to this account now; the ledger was wrong or late."""

    code = "right_spent"

    def __init__(self, reason: str) -> None:
        super().__init__(f"no right to send: {reason}")
        self.reason = reason


class ChannelDown(CareError):
    """The whole channel refuses for now (quota of the day, credentials, configuration): nobody is to blame but us."""

    code = "channel_down"

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(f"channel down: {reason}")
        self.reason = reason
        self.after_s = after_s


class SendUnknown(CareError):
    """The vendor may or may not have accepted the message; it must not be repeated blindly."""

    code = "send_unknown"


class BadCredentials(CareError):
    """Login and password do not belong together; which of them is wrong is not told."""

    code = "bad_credentials"


class NotTheirs(CareError):
    """This is not for this colleague to decide; `reason` is a code that says why."""

    code = "not_theirs"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not theirs: {reason}")
        self.reason = reason


class HandBackTooSoon(CareError):
    """A human stays with this member for a while after something grave; `until` says how long."""

    code = "hand_back_too_soon"

    def __init__(self, level: str, until: datetime) -> None:
        super().__init__(f"not within a day of {level}")
        self.level = level
        self.until = until


class TooManyAttempts(CareError):
    """Too many failed logins for this account; it opens again by itself."""

    code = "too_many_attempts"
