"""The carer sees of every message of ours whether it arrived, and why not."""

from __future__ import annotations

import pytest

from care.model.ids import ConversationId, IdentityId, MemberId, MessageId, OutboxId
from care.model.message import Author, OutboxItem, OutboxState
from care.testing import FakeClock
from console import words
from console.showing import _delivery


def shown(state: OutboxState, reason: str | None) -> dict[str, str]:
    item = OutboxItem(
        id=OutboxId("o"),
        key="k",
        conversation_id=ConversationId("c"),
        member_id=MemberId("m"),
        message_id=MessageId("s"),
        identity_id=IdentityId("i"),
        channel="wechat",
        author=Author.BOT,
        epoch=0,
        queued_at=FakeClock("2026-03-04T10:00+08:00").now(),
        state=state,
        reason=reason,
    )
    found = _delivery(item)
    assert found is not None
    return {name: str(value) for name, value in found.items()}


@pytest.mark.parametrize("state", OutboxState)
def test_every_state_of_a_message_has_a_word(state: OutboxState) -> None:
    assert words.DELIVERY[state]
    assert shown(state, None)["reason"] == ""


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (OutboxState.HELD, "no_right", ("等会员回话", "渠道的发送额度用完了")),
        (OutboxState.HELD, "window_closed", ("等会员回话", "会员两天没说话，渠道不让发")),
        (OutboxState.WITHDRAWN, "stale", ("已撤回", "等太久，已不合时宜")),
        (OutboxState.REFUSED, "refuses", ("没有送到", "会员拒收")),
        (OutboxState.DEAD, "unfollowed", ("失败", "会员取消了关注")),
        (OutboxState.UNKNOWN, "no_answer", ("未确认", "渠道没有回执")),
        (OutboxState.DELIVERED, None, ("已送达", "")),
        (OutboxState.READ, None, ("已读", "")),
        (OutboxState.SENT, "no_right", ("已发送", "")),
    ],
)
def test_what_did_not_arrive_says_why(state: OutboxState, reason: str | None, expected: tuple[str, str]) -> None:
    found = shown(state, reason)

    assert (found["words"], found["reason"]) == expected


def test_tasks_about_what_could_not_be_said_are_called_by_their_name() -> None:
    assert {"no_channel", "undelivered"} <= words.REASON.keys()
