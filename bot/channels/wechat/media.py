"""Pictures and voices that WeChat keeps for three days, by the name it gave them.

Pictures come as JPEG, voices as AMR. An error comes as JSON where the file should be. Keeping what was fetched is
not done here.
"""

from __future__ import annotations

from bot.channels.tencent.api import BINARY_LIMIT, Api, Binary
from bot.channels.tencent.errors import Refusal
from bot.channels.tencent.line import TencentLine
from care.model.errors import SendLater
from care.ports import Clock

FETCH_WITHIN_S = 45.0


class WeChatMedia:
    """Fetches files through the line."""

    def __init__(self, line: TencentLine, api: Api, clock: Clock) -> None:
        self._line = line
        self._api = api
        self._clock = clock

    def fetch(self, vendor_id: str, *, limit: int = BINARY_LIMIT) -> Binary:
        """Return a file of at most `limit` bytes. Call it from any thread but the line's.

        Raises:
            SendRefused: it is gone, or too large.
            SendLater: try again.
            ChannelDown: the account is refused.
        """
        try:
            return self._line.call(
                self._api.download("media/get", {"media_id": vendor_id}, limit=limit), FETCH_WITHIN_S
            )
        except Refusal as refusal:
            refusal.translate(self._clock.now())
        except TimeoutError:
            raise SendLater("unreachable") from None
