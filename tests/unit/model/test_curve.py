"""One member's course: what is expected, what reports change, when it leaves the band."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.adapters.curves import load_care_plan, load_curves
from care.adapters.pack_files import PackError
from care.adapters.packs import load_pack
from care.model.curve import (
    Curve,
    Curves,
    Observation,
    PainReport,
    distress_of,
    from_mood,
    from_silence,
    from_text,
    mood_of,
    replay,
)
from care.model.next_action import CarePlan
from care.settings import ROOT

DENTAL = ROOT / "packs" / "dental"


@pytest.fixture(scope="module")
def care() -> CarePlan:
    return load_care_plan(DENTAL, load_pack(DENTAL))


@pytest.fixture(scope="module")
def curves(care: CarePlan) -> Curves:
    return care.curves


def test_before_anybody_said_anything_the_first_days_are_the_likely_low_ones(curves: Curves) -> None:
    curve = Curve.prior(curves, "implant")

    chances = [curve.trough_probability(day) for day in range(15)]

    assert all(chance > 0.2 for chance in chances[:6])
    assert all(chance < 0.05 for chance in chances[9:])


def test_a_cleaning_is_expected_to_weigh_less_than_an_implant(curves: Curves) -> None:
    cleaning, implant = Curve.prior(curves, "scaling"), Curve.prior(curves, "implant")

    assert cleaning.trough_probability(2) < implant.trough_probability(2) / 2


def test_who_lives_alone_or_feared_the_treatment_is_expected_to_feel_worse(curves: Curves) -> None:
    usual = Curve.prior(curves, "implant")

    assert Curve.prior(curves, "implant", alone=True).expected(3)[0] > usual.expected(3)[0]
    assert Curve.prior(curves, "implant", anxious=True).expected(10)[0] > usual.expected(10)[0] + 0.8


def test_good_moods_make_a_low_day_unlikely(curves: Curves) -> None:
    curve = replay(Curve.prior(curves, "implant"), [from_mood(day, 5) for day in (0, 1, 3)])

    assert curve.trough_probability(4) < 0.15 < Curve.prior(curves, "implant").trough_probability(4)


def test_a_low_evening_makes_the_next_day_likely_low_and_shows_a_late_course(curves: Curves) -> None:
    curve = replay(Curve.prior(curves, "implant"), [from_mood(1, 4), from_mood(3, 3), from_mood(4, 2)])

    assert curve.trough_probability(5) > 0.5
    assert curve.trough_probability(5) > curve.trough_probability(9)


def test_a_mood_told_after_support_stands_for_a_somewhat_worse_one(curves: Curves) -> None:
    plain = Curve.prior(curves, "implant").hear(from_mood(2, 3))
    supported = Curve.prior(curves, "implant").hear(from_mood(2, 3, supported=True))

    assert supported.trough_probability(3) > plain.trough_probability(3)


def test_free_words_count_less_than_a_tap(curves: Curves) -> None:
    start = Curve.prior(curves, "implant")
    tap, words = start.hear(from_mood(2, 2)), start.hear(from_text(2, -0.875))  # the same distress

    assert tap.heard[0].distress == words.heard[0].distress
    assert start.trough_probability(3) < words.trough_probability(3) < tap.trough_probability(3)


def test_silence_of_somebody_who_answers_weighs_a_little(curves: Curves) -> None:
    start = Curve.prior(curves, "implant")

    silent = start.hear(from_silence(2))

    assert (
        start.trough_probability(3) < silent.trough_probability(3) < start.hear(from_mood(2, 2)).trough_probability(3)
    )


def test_pain_above_the_usual_course_weighs_on_the_mood(curves: Curves) -> None:
    start = Curve.prior(curves, "implant")

    assert start.hear_pain(PainReport(2, 7, 3)).trough_probability(2) > start.trough_probability(2) + 0.1
    assert start.hear_pain(PainReport(2, 1, 3)).trough_probability(2) == start.trough_probability(2)


def test_a_mood_far_below_what_was_expected_leaves_the_band_and_says_so(curves: Curves) -> None:
    curve = replay(Curve.prior(curves, "scaling"), [from_mood(0, 5), from_mood(1, 5)])
    assert curve.leaves_band() is None

    worse = curve.hear(from_mood(2, 1))

    alarm = worse.leaves_band()
    assert alarm is not None
    assert alarm.code == "mood"
    assert "第 2 天的心情（1）" in alarm.reason_zh
    assert worse.reason_zh == alarm.reason_zh


def test_two_moods_in_a_row_below_the_band_raise_an_alarm_that_one_would_not(curves: Curves) -> None:
    once = Curve.prior(curves, "scaling").hear(from_mood(1, 3))
    twice = Curve.prior(curves, "scaling").hear(from_mood(1, 2)).hear(from_mood(6, 2))

    assert once.leaves_band() is None
    assert twice.leaves_band() is not None


def test_pain_that_leaves_the_usual_course_raises_an_alarm(curves: Curves) -> None:
    start = Curve.prior(curves, "extraction")

    assert start.hear_pain(PainReport(3, 5.5, 4)).leaves_band() is None
    once = start.hear_pain(PainReport(3, 7, 4)).leaves_band()
    twice = start.hear_pain(PainReport(3, 5.6, 4)).hear_pain(PainReport(5, 4.5, 2.6)).leaves_band()

    assert once is not None
    assert once.reason_zh.startswith("第 3 天疼到 7 分")
    assert twice is not None


def test_mood_and_distress_are_two_ends_of_one_line() -> None:
    assert distress_of(1) == pytest.approx(9.88, abs=0.01)
    assert [round(mood_of(distress_of(mood))) for mood in (1, 2, 3, 4, 5)] == [1, 2, 3, 4, 5]


heard = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from([1, 2, 3, 4, 5, -1.0, -0.5, 0.5, None]), st.booleans()), max_size=8
)


def _told(items: list[tuple[int, float | None, bool]]) -> list[Observation]:
    found = []
    for day, said, supported in sorted(items, key=lambda item: item[0]):
        if said is None:
            found.append(from_silence(day))
        elif isinstance(said, int):
            found.append(from_mood(day, said, supported=supported))
        else:
            found.append(from_text(day, said, supported=supported))
    return found


@given(heard, st.integers(0, 20), st.sampled_from(["implant", "extraction", "ortho", "scaling", "whitening"]))
def test_whatever_is_heard_probabilities_and_bands_stay_sane(
    care: CarePlan, items: list[tuple[int, float | None, bool]], day: int, treatment: str
) -> None:
    curve = replay(Curve.prior(care.curves, treatment), _told(items))

    mean, low, high = curve.expected(day)

    assert 0 <= low <= mean <= high <= 10
    assert 0 <= curve.trough_probability(day) <= curve.cautious_probability(day) <= 1


@given(heard, st.integers(0, 14), st.integers(0, 3), st.sampled_from([5, 4, 3, 2]))
def test_a_worse_last_mood_never_lowers_the_probability_we_act_by(
    care: CarePlan, items: list[tuple[int, float | None, bool]], day: int, ahead: int, mood: int
) -> None:
    before = replay(Curve.prior(care.curves, "implant"), [one for one in _told(items) if one.day <= day])

    better, worse = before.hear(from_mood(day, mood)), before.hear(from_mood(day, mood - 1))

    assert worse.cautious_probability(day + ahead) >= better.cautious_probability(day + ahead) - 1e-9


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("{code: early, weight: 0.28", "{code: early, weight: 0.48", "加起来应该是 1"),
        ("width: 1.3", "width: 0", "宽度必须大于 0"),
        ("{amplitude: 3.4, first_day: 4.0}", "{amplitude: 34, first_day: 4.0}", "0 到 10"),
        ("  implant: {amplitude", "  implants: {amplitude", "implants"),
        ("theme: alone, facts", "theme: lonely, facts", "没有话术"),
        ("  - {theme: here}", "  - {theme: here, from_day: 2}", "对谁都合适"),
        ("  quiet: ", "  silent: ", "缺少理由 quiet"),
        ("（{百分}%），一起", "（{百分数}%），一起", "百分数"),
        ("sizes: [{value: 0.6, weight", "sizes: [{valeu: 0.6, weight", "没有这个字段"),
        ("今天想起您了", "亲爱的，限时优惠", "不要出现"),
    ],
)
def test_a_broken_file_of_curves_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    folder = tmp_path / "dental"
    folder.mkdir()
    text = (DENTAL / "curves.yml").read_text(encoding="utf-8")
    assert old in text
    (folder / "curves.yml").write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(PackError) as refused:
        load_curves(folder, load_pack(DENTAL))

    assert complaint in str(refused.value)
    problem = next(one for one in refused.value.problems if complaint in one.message)
    assert problem.file == "dental/curves.yml"
    assert problem.line > 1
