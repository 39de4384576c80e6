"""Long texts are cut where people pause, and never inside what they see as one character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.model.pieces import PieceLimit, cut, is_boundary

FAMILY = "👨‍👩‍👧"
WORDS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=400)


def pieces(text: str, limit: PieceLimit, spare: str = "") -> list[str]:
    return [piece.of(text) for piece in cut(text, limit, spare=spare)]


@given(WORDS, st.integers(8, 40), st.sampled_from(["bytes", "utf16"]))
def test_pieces_are_short_enough_and_nothing_but_space_is_lost(text: str, size: int, unit: str) -> None:
    limit = PieceLimit(unit, size, 10_000)  # type: ignore[arg-type]

    parts = pieces(text, limit)

    assert all(limit.length(part) <= size for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.lists(st.sampled_from([*"牙a 。\n", FAMILY, "👍🏽", "🇨🇳", "é", "❤️", "1️⃣"]), max_size=60).map("".join))
def test_no_piece_begins_or_ends_inside_a_character(text: str) -> None:
    starts = {piece.start for piece in cut(text, PieceLimit("bytes", 30, 10_000))}
    ends = {piece.end for piece in cut(text, PieceLimit("bytes", 30, 10_000))}

    assert all(is_boundary(text, at) for at in starts | ends)


def test_a_channel_without_a_limit_gets_the_text_as_it_is() -> None:
    assert [piece.of("  疼  ") for piece in cut("  疼  ", None)] == ["  疼  "]


def test_a_long_answer_is_cut_after_a_sentence() -> None:
    text = "一二三四五六七八。" * 3

    assert pieces(text, PieceLimit("utf16", 20, 9)) == ["一二三四五六七八。" * 2, "一二三四五六七八。"]


def test_chinese_counts_three_bytes_a_character_and_an_emoji_two_units() -> None:
    assert PieceLimit("bytes", 9, 9).length("牙疼") == 6
    assert PieceLimit("utf16", 9, 9).length("😀") == 2
    assert pieces("😀😀😀", PieceLimit("utf16", 4, 9)) == ["😀😀", "😀"]


@pytest.mark.parametrize("cluster", [FAMILY, "👍🏽", "🇨🇳", "❤️", "1️⃣", "e\u0301"])
def test_what_people_see_as_one_character_stays_whole(cluster: str) -> None:
    text = f"{'牙' * 3}{cluster}疼"

    parts = pieces(text, PieceLimit("bytes", 9 + len(cluster.encode()) - 1, 9))

    assert parts[0] == "牙牙牙"
    assert parts[1].startswith(cluster)


def test_pieces_leave_room_for_the_line_that_asks_for_a_word() -> None:
    limit = PieceLimit("bytes", 90, 9)

    parts = pieces("牙" * 60, limit, spare="回我一个字")

    assert len(parts) > 1
    assert all(limit.length(part + "回我一个字") <= 90 for part in parts)


def test_a_text_that_pauses_often_still_fits_into_the_most_pieces_there_may_be() -> None:
    text = ("牙" * 6 + "。") * 11  # 77 characters; cut after sentences it would need one piece more

    parts = pieces(text, PieceLimit("utf16", 12, 7))

    assert len(parts) == 7
    assert "".join(parts) == text


def test_what_no_number_of_pieces_can_hold_says_that_it_goes_on() -> None:
    parts = pieces("牙" * 100, PieceLimit("utf16", 10, 3))

    assert len(parts) == 3
    assert parts[-1] == "牙" * 9 + "…"
