"""Chinese numerals as numbers."""

from __future__ import annotations

DIGITS = {
    "零": 0, "〇": 0, "一": 1, "壹": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "四": 4,
    "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "幺": 1,
}  # fmt: skip
UNITS = {"十": 10, "百": 100, "千": 1000, "廿": 20, "卅": 30}
NUMERAL = "零〇一二两三四五六七八九十廿卅百"
LONGEST = 12  # characters; nobody counts further in a message


def to_number(words: str) -> int | None:
    """Return a whole number written in digits or Chinese numerals (十五, 二十, 两百五), or None.

    A missing last unit counts as the next smaller one: 两百五 is 250.
    """
    if len(words) > LONGEST:
        return None
    if words.isdecimal():
        return int(words)
    if not words or any(character not in DIGITS and character not in UNITS for character in words):
        return None
    if all(character in DIGITS for character in words):
        return int("".join(str(DIGITS[character]) for character in words))
    total, digit, unit = 0, 0, 1
    for character in words:
        if character in DIGITS:
            digit = DIGITS[character]
            continue
        unit = UNITS[character]
        total += unit if unit in {20, 30} else (digit or 1) * unit
        digit = 0
    if digit and unit >= 100 and words[-1] in DIGITS and words[-2] in UNITS:
        digit *= unit // 10
    return total + digit


def roughly(words: str) -> tuple[int, int] | None:
    """Return the bounds of an amount: the same twice, but for 两三 and 几; None if there is none."""
    if len(words) == 2 and all(character in DIGITS for character in words) and words[0] != "零":
        first, second = DIGITS[words[0]], DIGITS[words[1]]
        if second == first + 1:
            return first, second
    if words in {"几", "好几"}:
        return 2, 6
    number = to_number(words)
    return None if number is None else (number, number)
