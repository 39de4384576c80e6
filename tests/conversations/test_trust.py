"""What members ask and decide about their own data, answered from what is stored."""

from __future__ import annotations

import pytest

from care.model.consent import Purpose
from tests.conversations.talk import Talk

pytestmark = pytest.mark.rasa


def test_what_is_held_is_listed_from_the_record(talk: Talk) -> None:
    talk.has_visit("scaling", "2026-11-26 15:00")

    answer = talk.say("你们存了我哪些信息")

    assert "尾号 1234" in answer
    assert "13800001234" not in answer
    assert "预约：1 个" in answer


def test_a_stranger_holds_almost_nothing(stranger: Talk) -> None:
    answer = stranger.say("你们有我哪些信息")

    assert "姓名" not in answer
    assert "尾号" not in answer


def test_who_looked_names_colleagues(talk: Talk) -> None:
    assert "还没有同事看过" in talk.say("谁看过我的资料")


def test_nobody_is_tagged(talk: Talk) -> None:
    assert "没有给您打任何标签" in talk.say("你们给我打了什么标签")


def test_what_it_is_used_for(talk: Talk) -> None:
    assert "三件事" in talk.say("你们收集我这些信息干什么用")


@pytest.mark.parametrize("words", ["把我的数据导出一份给我", "我要注销账号，资料全删了", "我电话换了，帮我改一下"])
def test_what_needs_the_members_identity_is_promised_to_a_human(talk: Talk, words: str) -> None:
    answer = talk.say(words)

    assert "李静" in answer
    assert talk.cases()
    assert talk.member().phone == "13800001234"


def test_promotion_is_switched_off_at_once(talk: Talk) -> None:
    talk.say("别再给我发广告了")

    choice = talk.member().choices[Purpose.MARKETING]
    assert not choice.given


def test_the_knob_goes_to_the_lowest(talk: Talk) -> None:
    assert "最低" in talk.say("别根据我的资料给我推荐东西，调到最低")

    assert talk.member().level == 0


def test_reminders_come_back_when_wanted(talk: Talk) -> None:
    talk.say("不要再回访我了")

    talk.say("还是恢复回访吧")

    assert talk.member().choices[Purpose.CHECK_INS].given


def test_feeling_watched_is_answered_with_two_doors(talk: Talk) -> None:
    talk.say("你们怎么什么都知道，感觉被监控了")
    assert "看看存了我什么" in talk.buttons()

    assert "最低" in talk.tap("调到最低")
    assert talk.member().level == 0
