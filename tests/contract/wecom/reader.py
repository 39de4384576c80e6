"""A process that reads a log until it is killed: `python -m tests.contract.wecom.reader FOLDER BASE_URL`."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from anxin.dev import wecom_callbacks as c
from bot.channels.wecom import sync
from bot.channels.wecom.app import Wecom
from bot.channels.wecom.sync import Busy
from care.bootstrap import SystemClock
from tests.contract.wecom.conftest import channel_settings
from tests.member_edge import a_small_house

PAUSE_S = 0.01


def main() -> None:
    """Read for ever, in small pages and under a lease that lapses quickly."""
    sync.PAGE, sync.LEASE = 5, timedelta(seconds=0.3)
    with a_small_house(Path(sys.argv[1]), **channel_settings(sys.argv[2])) as house:
        house.clock = SystemClock()
        wecom = Wecom(house, stored=lambda _: None)
        wecom.line.start()
        sys.stdout.write("reading\n")
        sys.stdout.flush()
        while True:
            with suppress(Busy):  # the one that was killed still holds it
                wecom.puller.pull(c.ACCOUNT)
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
