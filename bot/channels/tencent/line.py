"""One connection to one of Tencent's servers: an HTTP client on a line of its own."""

from __future__ import annotations

import httpx

from bot.channels.line import Line

CONNECT_S = 3.0
READ_S = 8.0  # for writing, too
CONNECTIONS = 64


class TencentLine(Line):
    """A running HTTP client.

    Args:
        base_url: where the interface begins, e.g. `https://api.weixin.qq.com/cgi-bin/`.
        name: of the thread.
        connect_s: seconds for connecting.
        read_s: seconds for writing and for waiting for the answer, each.
    """

    http: httpx.AsyncClient

    def __init__(
        self, base_url: str, *, name: str = "tencent", connect_s: float = CONNECT_S, read_s: float = READ_S
    ) -> None:
        super().__init__(base_url if base_url.endswith("/") else base_url + "/", name=name)
        self._timeout = httpx.Timeout(read_s, connect=connect_s, pool=connect_s)
        self.patience_s = connect_s * 2 + read_s * 2  # seconds one request can take at most

    def _open(self) -> None:
        self.http = httpx.AsyncClient(
            base_url=self._base_url,
            timeout=self._timeout,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=not self.on_loopback,
        )

    async def _close(self) -> None:
        await self.http.aclose()
