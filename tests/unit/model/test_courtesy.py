"""Thanks want nothing; a yes is a yes only when it says so."""

from __future__ import annotations

import pytest

from care.model.courtesy import is_courtesy, says_solved


@pytest.mark.parametrize(
    "text",
    ["谢谢", "好的", "好的，谢谢您！", "嗯嗯", "收到～", "辛苦了", "OK", "知道了", "谢谢你们，辛苦了", "好的好的", "再见", "多谢医生",
     "明白了，谢谢", "非常感谢", "行吧", "没事了谢谢", "晚安"],
)  # fmt: skip
def test_thanks_and_acknowledgements_want_nothing(text: str) -> None:
    assert is_courtesy(text)


@pytest.mark.parametrize(
    "text",
    ["", "？", "谢谢，可是还在流血", "好的，我想改约", "好疼", "好了吗", "谢谢你们害我疼了三天", "收到假货怎么办", "知道了吗", "不行",
     "辛苦你们再看看", "行不行啊", "麻烦帮我约一下", "没事找事"],
)  # fmt: skip
def test_whoever_wants_something_beside_the_thanks_is_not_being_merely_polite(text: str) -> None:
    assert not is_courtesy(text)


@pytest.mark.parametrize(
    "text",
    [
        "解决了",
        "已经解决了，谢谢",
        "好了",
        "办好了",
        "满意",
        "可以了",
        "没问题了",
        "没有问题",
        "嗯，处理好了",
        "都好了谢谢",
    ],
)
def test_a_yes_closes(text: str) -> None:
    assert says_solved(text) is True


@pytest.mark.parametrize(
    "text",
    ["没有", "还没解决", "还差一点", "不满意", "没人联系我", "根本没解决", "钱还没退", "不行", "还没好", "没退款"],
)
def test_a_no_does_not(text: str) -> None:
    assert says_solved(text) is False


@pytest.mark.parametrize(
    "text", ["谢谢", "好的", "嗯", "我想约洗牙", "收到", "明天几点", "好疼啊", "解决什么了", "？"]
)
def test_politeness_and_other_wishes_are_neither(text: str) -> None:
    assert says_solved(text) is None
