"""Delivering to the web page: the message lies in the house already, the page only has to be told."""

from __future__ import annotations

from bot.channels.web.reading import CHANNEL
from care.model.ids import OutboxId
from care.model.member import Identity
from care.model.message import Message
from care.model.pieces import PieceLimit


class WebSender:
    """Counts a message as delivered; pages are told once that is recorded, by `Delivery`'s `settled`."""

    channel = CHANNEL
    idempotent = True  # a page shows a message once, however often it is told
    limit: PieceLimit | None = None

    def send(self, to: Identity, message: Message, outbox_id: OutboxId) -> str:
        """Return our own name for the delivery."""
        return f"web:{outbox_id}"
