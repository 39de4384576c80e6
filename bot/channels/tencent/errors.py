"""What Tencent's error codes mean to us, as data.

Sources: the error tables of 公众号 and 企业微信; which code calls for what is channels research section 1.5. A code
that stands in no table is tried again a few times, as every failure that may pass, and then a human sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NoReturn
from zoneinfo import ZoneInfo

from care.model.errors import ChannelDown, RightSpent, SendLater, SendRefused

COUNTING_ZONE = ZoneInfo("Asia/Shanghai")  # days are counted there, wherever the clinic is
MINUTE_S = 60.0
HOUR_S = 3_600.0


class Action(StrEnum):
    """What a code calls for."""

    REFUSED = "refused"  # never: this account, or this message
    LATER = "later"
    RIGHT_SPENT = "right_spent"
    DOWN = "down"  # the whole channel, for some time
    DOWN_TODAY = "down_today"  # the whole channel, until the day's counters start anew
    TOKEN = "token"  # noqa: S105 - a new access token and one more try


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code calls for, and why in our words; `after_s` seconds is how long to leave it alone."""

    action: Action
    reason: str
    after_s: float | None = None


Meanings = Mapping[int, Meaning]

WECHAT: Meanings = {
    -1: Meaning(Action.LATER, "busy"),
    40001: Meaning(Action.TOKEN, "token"),
    40014: Meaning(Action.TOKEN, "token"),
    42001: Meaning(Action.TOKEN, "token"),
    40003: Meaning(Action.REFUSED, "bad_account"),
    40007: Meaning(Action.REFUSED, "media_gone"),
    40013: Meaning(Action.DOWN, "bad_app_id", HOUR_S),
    40125: Meaning(Action.DOWN, "bad_secret", HOUR_S),
    41002: Meaning(Action.DOWN, "bad_app_id", HOUR_S),
    41004: Meaning(Action.DOWN, "bad_secret", HOUR_S),
    40164: Meaning(Action.DOWN, "address_not_listed", 10 * MINUTE_S),
    40037: Meaning(Action.REFUSED, "bad_template"),
    47003: Meaning(Action.REFUSED, "bad_template_field"),
    43004: Meaning(Action.REFUSED, "unfollowed"),
    46004: Meaning(Action.REFUSED, "unfollowed"),
    43019: Meaning(Action.REFUSED, "blacklisted"),
    43101: Meaning(Action.REFUSED, "refuses"),
    48002: Meaning(Action.REFUSED, "refuses"),
    45002: Meaning(Action.REFUSED, "too_long"),
    45008: Meaning(Action.REFUSED, "too_many_articles"),
    45009: Meaning(Action.DOWN_TODAY, "daily_quota"),
    45011: Meaning(Action.LATER, "too_many", MINUTE_S),
    45015: Meaning(Action.RIGHT_SPENT, "window_closed"),
    45047: Meaning(Action.RIGHT_SPENT, "count_used_up"),
    48001: Meaning(Action.DOWN, "not_authorised", HOUR_S),
    50002: Meaning(Action.DOWN, "account_limited", HOUR_S),
}

WECOM: Meanings = {
    -1: Meaning(Action.LATER, "busy"),
    40001: Meaning(Action.DOWN, "bad_secret", HOUR_S),
    40013: Meaning(Action.DOWN, "bad_corp_id", HOUR_S),
    40014: Meaning(Action.TOKEN, "token"),
    41001: Meaning(Action.TOKEN, "token"),
    42001: Meaning(Action.TOKEN, "token"),
    40003: Meaning(Action.REFUSED, "bad_account"),
    40007: Meaning(Action.REFUSED, "gone"),  # a file is kept for three days
    40096: Meaning(Action.REFUSED, "bad_account"),
    45002: Meaning(Action.REFUSED, "too_long"),
    45009: Meaning(Action.LATER, "too_many", MINUTE_S),
    45033: Meaning(Action.LATER, "too_many", 5.0),
    48002: Meaning(Action.DOWN, "not_authorised", HOUR_S),
    60011: Meaning(Action.DOWN, "not_authorised", HOUR_S),
    60020: Meaning(Action.DOWN, "address_not_listed", 10 * MINUTE_S),
    60111: Meaning(Action.REFUSED, "bad_account"),
    81013: Meaning(Action.REFUSED, "bad_account"),
    301002: Meaning(Action.DOWN, "not_authorised", HOUR_S),
    95014: Meaning(Action.LATER, "servicer_not_ready", MINUTE_S),
    95018: Meaning(Action.LATER, "not_our_session", MINUTE_S),
}


class Refusal(Exception):
    """The vendor answered with an error code. Carries no words of the vendor: they may name somebody."""

    def __init__(self, code: int, meaning: Meaning) -> None:
        super().__init__(f"errcode {code}: {meaning.reason}")
        self.code = code
        self.meaning = meaning

    def translate(self, now: datetime) -> NoReturn:
        """Say in the core's words what it means; `now` is aware.

        Raises:
            SendRefused: this account or this message never.
            SendLater: it can pass.
            RightSpent: nothing may be said to this account now.
            ChannelDown: nothing may be said to anybody for some time.
        """
        meaning = self.meaning
        match meaning.action:
            case Action.REFUSED:
                raise SendRefused(meaning.reason) from None
            case Action.RIGHT_SPENT:
                raise RightSpent(meaning.reason) from None
            case Action.DOWN | Action.TOKEN:
                raise ChannelDown(meaning.reason, meaning.after_s or 5 * MINUTE_S) from None
            case Action.DOWN_TODAY:
                raise ChannelDown(meaning.reason, seconds_left_today(now)) from None
            case _:
                raise SendLater(meaning.reason, meaning.after_s) from None


def meaning_of(code: int, table: Meanings) -> Meaning:
    """Return what a code calls for; an unknown one may pass, and keeps its number as the reason."""
    return table.get(code) or Meaning(Action.LATER, f"errcode_{code}")


def seconds_left_today(now: datetime) -> float:
    """Return the seconds until the vendor's counters start anew, with a minute for its clock."""
    here = now.astimezone(COUNTING_ZONE)
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - here).total_seconds() + MINUTE_S
