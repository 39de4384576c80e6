"""A high is shown when it is a high: the clinic's conditions, one by one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from care.adapters.highs import load_highs
from care.adapters.packs import PackError, load_pack
from care.model.highs import High, MemberNow, PictureConsent, may_show
from care.settings import ROOT

NOW = datetime(2026, 3, 4, 4, tzinfo=UTC)
DENTAL = ROOT / "packs" / "dental"
BOTH = {PictureConsent.TAKE: True, PictureConsent.SEND_BACK: True}
WHITENED = MemberNow(now=NOW, treatment="whitening", day=7, mood=4, pain=0, consents=BOTH)


@pytest.fixture(scope="module")
def picture() -> High:
    found = load_highs(DENTAL, load_pack(DENTAL)).find("picture_whitening")
    assert found is not None
    return found


def test_the_doctors_tap_shows_a_picture_to_a_member_who_agreed_and_is_well(picture: High) -> None:
    assert may_show(picture, WHITENED, by_role="doctor", a_month=1).allowed


@pytest.mark.parametrize("role", ["nurse", "carer", "lead", "admin", None])
def test_nobody_but_the_doctor_sends_a_picture(picture: High, role: str | None) -> None:
    assert may_show(picture, WHITENED, by_role=role, a_month=1).reason == "not_by_the_doctor"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"open_levels": ("K1",)}, "open_case"),
        ({"open_levels": ("L3",)}, "open_case"),
        ({"open_levels": ("P2",)}, "open_case"),
        ({"mood": 2}, "low_mood"),
        ({"pain": 4}, "pain"),
        ({"facts": {"bereaved"}}, "bereaved"),
        ({"facts": {"treatment_failed"}}, "treatment_failed"),
        ({"facts": {"frozen"}}, "frozen"),
        ({"treatment": "implant"}, "other_treatment"),
        ({"day": 6}, "too_early"),
        ({"day": 15}, "too_late"),
        ({"consents": {PictureConsent.TAKE: True}}, "no_consent"),
        ({"consents": None}, "no_consent"),
        ({"consents": {PictureConsent.TAKE: True, PictureConsent.PUBLISH: True}}, "no_consent"),
    ],
)
def test_one_thing_that_is_not_right_holds_it_back_with_its_reason(
    picture: High, change: dict[str, object], reason: str
) -> None:
    member = replace(WHITENED, **change)  # type: ignore[arg-type]

    assert may_show(picture, member, by_role="doctor", a_month=1).reason == reason


def test_a_picture_needs_both_consents_even_if_the_pack_forgot_them(picture: High) -> None:
    forgotten = replace(picture, consents=())

    assert may_show(forgotten, replace(WHITENED, consents=None), by_role="doctor", a_month=1).reason == "no_consent"


def test_outside_treatment_there_is_one_high_a_month() -> None:
    birthday = load_highs(DENTAL, load_pack(DENTAL)).find("birthday")
    assert birthday is not None
    lately = MemberNow(now=NOW, highs_at=(NOW - timedelta(days=29),))
    long_ago = MemberNow(now=NOW, highs_at=(NOW - timedelta(days=31),))

    assert may_show(birthday, lately, by_role=None, a_month=1).reason == "budget"
    assert may_show(birthday, long_ago, by_role=None, a_month=1).allowed


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("a_month: 1", "a_month: 4", "每月最多"),
        ("生日快乐。", "生日快乐，洗牙有优惠。", "优惠"),
        ("新牙今天满一周岁。", "新牙今天满一周岁，发个朋友圈吧。", "朋友圈"),
        ("treatments: [whitening]", "treatments: [bleaching]", "bleaching"),
        ("consents: [a, b]", "consents: [a, z]", "consents"),
        ("    picture: true", "    pictures: true", "没有这个字段"),
        ("approved_by: 周明（医疗总监）", 'approved_by: ""', "批准"),
    ],
)
def test_a_high_that_sells_or_is_misspelt_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    pack = load_pack(DENTAL)
    shutil.copy(DENTAL / "highs.yml", tmp_path / "highs.yml")
    text = (tmp_path / "highs.yml").read_text()
    assert old in text
    (tmp_path / "highs.yml").write_text(text.replace(old, new, 1))

    with pytest.raises(PackError) as wrong:
        load_highs(tmp_path, pack)

    assert any(complaint in problem.message and problem.line > 1 for problem in wrong.value.problems)
