"""The dental pack is complete, and a broken one names file and line."""

from __future__ import annotations

import shutil
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from care.adapters.calendar import PackCalendar, working_windows
from care.adapters.packs import PackError, load_pack
from care.adapters.shifts import ShiftSlots
from care.model.errors import InvalidInput
from care.model.pack import Pack
from care.settings import ROOT
from care.testing import FakeClock

DENTAL = ROOT / "packs" / "dental"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(DENTAL)


def test_the_clinic_has_two_branches_people_services_and_all_seven_recoveries(pack: Pack) -> None:
    assert len(pack.clinics) == 2
    assert len(pack.practitioners) >= 8
    assert len(pack.services) >= 16
    assert set(pack.protocols) == {
        "implant", "extraction", "root_canal", "ortho", "perio_surgery", "scaling", "whitening",
    }  # fmt: skip
    assert set(pack.leaflets) == set(pack.protocols)


def test_the_implant_protocol_asks_what_the_clinic_decided(pack: Pack) -> None:
    plans = {plan.code: plan for plan in pack.protocols["implant"].touchpoints}

    assert list(plans) == ["A0", "A1", "A2", "A3", "A5", "A7", "A10", "A30", "A90", "AC1"]
    assert plans["A0"].ask == ("pain", "bleed", "med")
    assert plans["A0"].window == (time(18), time(20, 30))
    assert plans["A1"].ask == ("pain", "bleed", "numb", "temp")
    assert {code for code, plan in plans.items() if plan.safety} == {"A0", "A1", "A3", "A5", "A7"}
    assert {code for code, plan in plans.items() if plan.support} == {"A2", "A5", "AC1"}


def test_the_usual_course_of_pain_falls_between_the_stated_days(pack: Pack) -> None:
    implant = pack.protocols["implant"]

    assert implant.prior(0) == 3.5
    assert implant.prior(4) == pytest.approx(1.75)
    assert implant.prior(60) == 0.2


def test_every_opening_is_short_and_free_of_selling(pack: Pack) -> None:
    for protocol in pack.protocols.values():
        for plan in protocol.touchpoints:
            assert len(plan.opening) <= 60
            assert "优惠" not in plan.opening


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("services.yml", "minutes: 45", "minutes: -30", "minutes"),
        ("services.yml", "minutes: 45", "minutes: 三刻钟", "应该是整数"),
        ("services.yml", "speciality: hygiene", "speciality: astrology", "没有人能做"),
        ("services.yml", "price_note: 含抛光", "pricenote: 含抛光", "没有这个字段"),
        ("practitioners.yml", "clinic: xihu, start: \"09:00\", end: \"17:30\"", "clinic: yuhang, start: \"09:00\", end: \"17:30\"", "yuhang"),
        ("practitioners.yml", "end: \"12:30\"", "end: \"23:30\"", "营业时间"),
        ("practitioners.yml", "- code: li_yating", "- code: wang_jianguo", "重复"),
        ("protocols.yml", "ask: [pain, bleed, med]", "ask: [pain, horoscope]", "horoscope"),
        ("protocols.yml", "今天辛苦您了", "亲，点击领取优惠", "优惠"),
        ("rules.yml", "values: [flowing]", "values: [spurting]", "spurting"),
        ("rules.yml", "with: [{question: swell", "with: [{question: swelling", "swelling"),
        ("rules.yml", "with: [{question: swell", "with: [{quetion: swell", "没有这个字段"),
        ("rules.yml", "values: [bad_taste, ear_pain]", "values: [bad_smell]", "没有的说法 bad_smell"),
        ("rules.yml", "treatments: [root_canal], from_day", "treatments: [rootcanal], from_day", "没有的恢复方案"),
        ("rules.yml", "plans: [C1]", "plans: [C11]", "没有的关怀点"),
        ("rules.yml", "recheck_minutes: 35, say: checkin.watch_bleed, reason: 吐", "recheck_minutes: 5, say: checkin.watch_bleed, reason: 吐", "太密"),
        ("rules.yml", "say: checkin.med_missed", "say: checkin.med_mist", "checkin.med_mist"),
        ("rules.yml", "- {id: pain.five", "- {id: pain.nine", "规则 pain.nine 重复"),
        ("rules.yml", "level: L1, reason: 疼到 9 分以上", "level: L9, reason: 疼到 9 分以上", "L9"),
        ("rules.yml", "- {id: swell.more_early, question: swell, values: [more], verdict: watch, recheck_minutes: 720", "- {id: swell.more_early, question: swell, values: [more], verdict: watch, recheck_minutes: 720, recheck_ask: [swell, temp]", "绕回了自己：swell → temp → swell"),
        ("protocols.yml", "      purpose: turn of the curve; reminder", "      porpoise: turn of the curve; reminder", "没有这个字段"),
        ("protocols.yml", 'window: ["18:30", "20:00"]', 'window: ["20:30", "21:30"]', "安静时间"),
        ("protocols.yml", 'window: ["09:00", "10:30"]', 'window: ["08:00", "10:30"]', "安静时间"),
        ("protocols.yml", "- code: F7\n      day: 7", "- code: F7\n      day: 9", "F7 在第 9 天，可恢复到第 8 天就结束了"),
        ("protocols.yml", "    keep: [E14]", "    keep: [E15]", "没有 E15"),
        ("protocols.yml", "    last_day: 10", "    last_day: 5", "早于 from_day"),
        ("protocols.yml", "先歇着，别的都不急。", "先歇着，别的都不急，想吃什么喝什么等麻药退干净了再说，枕头垫高一点。", "太长了"),
        ("protocols.yml", "  approved_by: 周明（医疗总监）\n", "", "approved_by：缺少这一项"),
        ("protocols.yml", "  approved_by: 周明（医疗总监）", '  approved_by: " "', "没有写由谁批准"),
        ("protocols.yml", "  approved_on: 2026-11-24", "  approved_on: 上周", "approved_on"),
        ("protocols.yml", "hours_after: 3", "hours_after: 30", "hours_after"),
        ("protocols.yml", '      plain: "明天拆线，{医生}会仔细看看。有想当面问的先告诉我，我替您记着，免得一躺下就忘了。"\n', "", "plain"),
        ("protocols.yml", "ask: [pain, bleed, med]", "ask: [pain, sign]", "只听不问"),
        ("protocols.yml", "    last_two_ok: true", "    last_three_ok: true", "没有这个字段"),
        ("rules.yml", "verdict: escalate, level: L1, reason: 疼到 9 分以上", "verdict: escalate, reason: 疼到 9 分以上", "级别"),
        ("wording.yml", "  l0: ", "  l00: ", "safety.l0"),
        ("wording.yml", "{机构}值班医生", "{门牌号}值班医生", "门牌号"),
        ("clinics.yml", "- code: xihu", "- code: [xihu", "YAML"),
        ("leaflets.yml", "- treatment: whitening", "- treatment: bleaching", "whitening"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, file: str, old: str, new: str, complaint: str) -> None:
    broken = tmp_path / "dental"
    shutil.copytree(DENTAL, broken)
    text = (broken / file).read_text()
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    (broken / file).write_text(text.replace(old, new, 1))

    with pytest.raises(PackError) as wrong:
        load_pack(broken)

    named = [problem for problem in wrong.value.problems if complaint in problem.message]
    assert named
    assert named[0].file == f"dental/{file}"
    if "缺少" not in named[0].message:
        assert abs(named[0].line - line) <= 12


def test_a_question_that_no_rule_reads_is_refused_where_it_is_asked(tmp_path: Path) -> None:
    broken = tmp_path / "dental"
    shutil.copytree(DENTAL, broken)
    rules = (broken / "rules.yml").read_text().splitlines()
    kept = [line for line in rules if "question: sens" not in line]
    (broken / "rules.yml").write_text("\n".join(kept))

    with pytest.raises(PackError) as wrong:
        load_pack(broken)

    asked = (broken / "protocols.yml").read_text().splitlines()
    places = [number for number, line in enumerate(asked, start=1) if "ask:" in line and "sens" in line]
    assert [problem.line for problem in wrong.value.problems] == places
    assert all("没有一条规则看它的回答" in problem.message for problem in wrong.value.problems)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="没有这个文件"):
        load_pack(tmp_path)


def test_holidays_close_the_clinic_and_make_up_workdays_do_not(pack: Pack) -> None:
    calendar = PackCalendar(DENTAL, pack)

    assert calendar.is_closed(date(2026, 10, 1))
    assert calendar.is_closed(date(2026, 2, 17))
    assert not calendar.is_closed(date(2026, 10, 10))
    assert calendar.is_make_up_workday(date(2026, 10, 10))
    assert calendar.is_closed(date(2026, 12, 31))
    assert calendar.known(2026)
    assert not calendar.known(2027)


def test_nobody_works_on_leave_or_a_holiday(pack: Pack) -> None:
    calendar = PackCalendar(DENTAL, pack)
    chen = pack.practitioners["chen_hao"]

    assert list(working_windows(chen, date(2026, 12, 24), pack, calendar)) == []
    assert list(working_windows(chen, date(2026, 10, 1), pack, calendar)) == []
    [(clinic, start, end)] = working_windows(chen, date(2026, 12, 17), pack, calendar)
    assert clinic == "xihu"
    assert (start.time(), end.time()) == (time(9), time(20))


def test_an_implant_is_only_offered_with_a_days_notice_by_who_does_implants_in_a_surgery_chair(pack: Pack) -> None:
    clock = FakeClock("2026-11-23T10:00+08:00")
    slots = ShiftSlots(pack, PackCalendar(DENTAL, pack), clock)

    found = list(
        slots.openings("implant", clock.now(), clock.now() + timedelta(days=14), practitioner=None, clinic=None)
    )

    assert found
    assert {opening.practitioner for opening in found} == {"wang_jianguo"}
    assert min(opening.start_at for opening in found) >= clock.now() + timedelta(hours=24)
    assert {chair for opening in found for chair in opening.chairs} <= {"a1", "a2", "b1"}
    assert all(opening.end_at - opening.start_at == timedelta(minutes=90) for opening in found)


def test_every_service_has_a_free_time_within_two_weeks(pack: Pack) -> None:
    clock = FakeClock("2026-11-23T10:00+08:00")
    slots = ShiftSlots(pack, PackCalendar(DENTAL, pack), clock)

    for code in pack.services:
        openings = slots.openings(code, clock.now(), clock.now() + timedelta(days=14), practitioner=None, clinic=None)
        assert next(iter(openings), None) is not None, code


@pytest.mark.parametrize(
    ("service", "practitioner", "clinic"),
    [
        ("astrology", None, None),
        ("scaling", "nobody", None),
        ("scaling", "wang_jianguo", None),
        ("scaling", None, "mars"),
    ],
)
def test_what_does_not_exist_or_go_together_is_refused(
    pack: Pack, service: str, practitioner: str | None, clinic: str | None
) -> None:
    clock = FakeClock("2026-11-23T10:00+08:00")
    slots = ShiftSlots(pack, PackCalendar(DENTAL, pack), clock)

    with pytest.raises(InvalidInput):
        list(
            slots.openings(
                service, clock.now(), clock.now() + timedelta(days=7), practitioner=practitioner, clinic=clinic
            )
        )


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-24T15:00", "今天下午3点"),
        ("2026-11-25T09:30", "明天上午9点半"),
        ("2026-11-26T12:00", "后天中午12点"),
        ("2026-12-02T18:20", "12月2日周三晚上6点20分"),
        ("2026-11-25T08:30", "明天上午8点半"),
    ],
)
def test_a_moment_is_said_as_people_say_it(pack: Pack, at: str, words: str) -> None:
    now = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)

    assert pack.clock_words(datetime.fromisoformat(at).replace(tzinfo=SHANGHAI), now, SHANGHAI) == words


def test_whoever_has_told_no_name_is_not_hailed_with_a_bare_you(pack: Pack) -> None:
    assert pack.fill("{称呼}，我收到了。", 称呼="王女士") == "王女士，我收到了。"
    assert pack.fill("{称呼}，我收到了。", 称呼="您") == "我收到了。"
