"""When a member means: what people say is resolved to the day and the hour, and what is no time stays none.

The phrases stand in `times.tsv`, so that libraries can be measured on them as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from care.adapters.language.times import TimeReader

ZONE = ZoneInfo("Asia/Shanghai")
NOWS = {
    "mon": datetime(2026, 11, 23, 10, tzinfo=ZONE),
    "fri": datetime(2026, 11, 27, 16, 30, tzinfo=ZONE),
    "sun": datetime(2026, 11, 29, 11, tzinfo=ZONE),
    "jan": datetime(2027, 1, 28, 9, tzinfo=ZONE),
    "sep": datetime(2026, 9, 28, 20, 15, tzinfo=ZONE),
}
MONDAY = NOWS["mon"]


@dataclass(frozen=True)
class Phrase:
    """One line of `times.tsv`; `start` is None when no time can be meant."""

    text: str
    now: datetime
    start: datetime | None
    end: datetime | None
    grain: str
    impossible: bool


def _moment(words: str, now: datetime) -> datetime:
    return now if words == "now" else datetime.fromisoformat(words).replace(tzinfo=ZONE)


def phrases() -> list[Phrase]:
    """Read every phrase of the table."""
    found = []
    for line in (Path(__file__).parent / "times.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        text, name, start, *rest = line.split("|")
        now = NOWS[name]
        if start in {"-", "!"}:
            found.append(Phrase(text, now, None, None, "", start == "!"))
        else:
            found.append(Phrase(text, now, _moment(start, now), _moment(rest[0], now), rest[1], False))
    return found


@pytest.fixture(scope="module")
def reader() -> TimeReader:
    return TimeReader(ZONE)


@pytest.mark.parametrize("phrase", phrases(), ids=lambda phrase: f"{phrase.text}@{phrase.now:%a}")
def test_what_people_say_is_the_time_they_mean(phrase: Phrase, reader: TimeReader) -> None:
    reading = reader.read(phrase.text, phrase.now)

    if phrase.start is None:
        assert reading.named is None
        assert bool(reading.problem) is phrase.impossible
    else:
        assert reading.named is not None
        found = (reading.named.start, reading.named.end, reading.named.grain)
        assert found == (phrase.start, phrase.end, phrase.grain)


@pytest.mark.parametrize(
    "text", ["昨天下午拔的", "上周三戴的牙套", "昨晚疼得睡不着", "周三不行", "周四我没空", "别约周一"]
)
def test_a_time_that_is_over_or_refused_is_told_and_never_booked(text: str, reader: TimeReader) -> None:
    reading = reader.read(text, MONDAY)

    assert reading.told is not None
    assert reading.span is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我想約後天晚上七點半的號", "後天晚上七點半"),
        ("那 周 三 下午可以吗", "周 三 下午"),
        ("　１１月２８号 上午行不行", "１１月２８号 上午"),
        ("王医生tomorrow下午在吗", "tomorrow下午"),
        ("😀明天三点😀", "明天三点"),
    ],
)
def test_the_words_of_a_time_are_the_members_own(text: str, words: str, reader: TimeReader) -> None:
    reading = reader.read(text, MONDAY)

    assert text[reading.start : reading.end] == words
    assert reading.span is not None
    assert reading.span.text == words


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("周三或者周四", "2026-11-26T00:00:00+08:00"),
        ("周六周日都行", "2026-11-29T00:00:00+08:00"),
        ("明天下午两点或三点", "2026-11-24T15:00:00+08:00"),
        ("28号或29号", "2026-11-29T00:00:00+08:00"),
        ("下个周六", "2026-11-28T00:00:00+08:00"),
        ("明天下午三点或者后天上午", "2026-11-25T08:00:00+08:00"),
    ],
)
def test_a_choice_keeps_its_other_half(text: str, other: str, reader: TimeReader) -> None:
    span = reader.read(text, MONDAY).span

    assert span is not None
    assert [each.start.isoformat() for each in span.alternatives] == [other]


@pytest.mark.parametrize(
    ("text", "hour"), [("9", 9), ("3", 15), ("十点", 10), ("那就4吧", 16), ("11", 11), ("两点", 14)]
)
def test_a_bare_number_is_an_hour_only_when_the_hour_was_asked(text: str, hour: int, reader: TimeReader) -> None:
    asked = reader.read(text, MONDAY, "booking.time")

    assert asked.span is not None
    assert asked.span.start.hour == hour
    if text.isdigit():
        assert reader.read(text, MONDAY).named is None
        assert reader.read(text, MONDAY, "checkin.pain").named is None


@pytest.mark.parametrize("text", ["再晚一点的有吗", "早一点的", "第2个", "2颗", "就一次"])
def test_asked_for_the_hour_a_number_that_counts_something_else_is_none(text: str, reader: TimeReader) -> None:
    assert reader.read(text, MONDAY, "booking.time").named is None


def test_everything_will_do_only_when_a_time_was_asked(reader: TimeReader) -> None:
    assert reader.read("都行", MONDAY).named is None

    span = reader.read("都行", MONDAY, "booking.time").span

    assert span is not None
    assert span.grain == "any"


def test_tomorrow_is_the_clinics_tomorrow_whatever_zone_the_clock_is_in(reader: TimeReader) -> None:
    late_in_london = datetime(2026, 11, 22, 17, tzinfo=UTC)  # already Monday in Shanghai

    span = reader.read("明天下午三点", late_in_london).span

    assert span is not None
    assert span.start == datetime(2026, 11, 24, 15, tzinfo=ZONE)


def test_a_holiday_whose_make_up_days_are_not_announced_has_its_usual_length(reader: TimeReader) -> None:
    span = reader.read("国庆期间", datetime(2027, 9, 1, 9, tzinfo=ZONE)).span

    assert span is not None
    assert (span.end - span.start).days == 7


def test_a_saturday_worked_for_a_holiday_is_the_next_workday(reader: TimeReader) -> None:
    friday_after_golden_week = datetime(2026, 10, 9, 10, tzinfo=ZONE)

    span = reader.read("下个工作日", friday_after_golden_week).span

    assert span is not None
    assert span.start.date().isoformat() == "2026-10-10"


HEAPS = (
    "一",
    "1",
    "三点到",
    "周",
    "十一点",
    "1.1",
    "下下个",
    "的 ",
    "月",
    "一二三四五六七八九十",
    "明天",
    "\0",
    "年底初",
    "dec ",
    "除了",
    "再等",
    "吃完饭",
    "下周今",
    "不是三点，是",
    "二零二七",
)
ODD = (
    "\ud800三点",
    "",
    " \n\t ",
    "٣点",
    "²号",
    "点点点号号号",
    "99999999999999999999号",
    "五千万号",
    "ⅫⅢ点",
    "明天3️⃣点",
    "\u202e点三天明",
)


@pytest.mark.parametrize(
    "text", [*(heap * (5000 // len(heap)) for heap in HEAPS), *ODD], ids=lambda text: ascii(text[:6])
)
def test_no_text_raises_or_takes_long(text: str, reader: TimeReader) -> None:
    reader.warm_up()
    began = time.perf_counter()

    reader.read(text, MONDAY, "booking.time")

    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "text",
    ["2月30日", "13月", "13月5日", "25点", "32号", "0号", "四月三十一号", "星期八", "20260230", "下午二十六点"],
)
def test_what_does_not_exist_is_never_booked(text: str, reader: TimeReader) -> None:
    assert reader.read(text, MONDAY, "booking.time").named is None


def test_twenty_thousand_characters_are_read_at_once(reader: TimeReader) -> None:
    began = time.perf_counter()

    span = reader.read("明天下午三点" + "，我牙疼" * 5_000, MONDAY).span

    assert time.perf_counter() - began < 0.2
    assert span is not None
    assert span.start == datetime(2026, 11, 24, 15, tzinfo=ZONE)


@pytest.mark.parametrize("zone", ["America/New_York", "America/St_Johns", "Pacific/Marquesas", "Australia/Lord_Howe"])
def test_any_zone_of_a_clinic_will_do(zone: str) -> None:
    there = ZoneInfo(zone)

    span = TimeReader(there).read("明天下午三点", datetime(2027, 3, 13, 12, tzinfo=there)).span

    assert span is not None
    assert span.start == datetime(2027, 3, 14, 15, tzinfo=there)


def test_in_an_hour_is_an_hour_away_even_when_the_clocks_change_meanwhile() -> None:
    there = ZoneInfo("America/New_York")
    before = datetime(2027, 3, 14, 1, 30, tzinfo=there)

    span = TimeReader(there).read("一个小时后到", before).span

    assert span is not None
    assert span.start.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=1)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.sampled_from(
            "一二三十两半几0123456789点时分号日月年周星期末天明后今上下午早晚前后到至-:./的，不是改初底节假国庆春"
        ),
        max_size=40,
    ),
    st.datetimes(datetime(2025, 1, 1), datetime(2029, 12, 31), timezones=st.just(ZONE)),  # noqa: DTZ001
)
def test_any_heap_of_time_words_gives_a_span_that_runs_forward(text: str, now: datetime) -> None:
    reading = TimeReader(ZONE).read(text, now)

    if reading.named is not None:
        assert reading.named.start < reading.named.end
        assert reading.named.start.utcoffset() == timedelta(hours=8)
        assert 0 <= reading.start < reading.end <= len(text)
