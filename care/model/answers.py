"""Reading a member's words as the answer to one question.

Words count only when they can hardly mean anything else: a bare number, a number with 分, or a phrase the question
lists in the pack. Everything else goes to the dialogue, and the question is asked again afterwards. An answer may be
one clause of a longer message; what the other clauses want is the dialogue's to see to.
"""

from __future__ import annotations

import re
import unicodedata

from care.model.protocol import Question

DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
FILLER = r"(?:大概|大约|差不多|可能|应该|也就|就|有|是|算|嗯+|哦|啊|得|吧|呢|了|的|左右|现在|今天|最疼|疼痛?|酸)*"
NUMBER = r"(10|[0-9]|[零一二两三四五六七八九十])"
WHOLE = re.compile(rf"{FILLER}{NUMBER}(?:\s*[到至~\-—]\s*{NUMBER})?\s*分?(?:钟)?{FILLER}")
SCORED = re.compile(rf"{NUMBER}\s*(?:[到至~\-—、]\s*{NUMBER}\s*)?分(?!钟)")
TEMPERATURE = re.compile(r"(3[4-9]|4[0-3])(?:\s*[.。点°度]\s*([0-9]))?")
COMPACT_TEMPERATURE = re.compile(r"(?<!\d)(3[5-9]|4[0-2])([0-9])(?!\d)")
SKIPS = ("跳过", "不想说", "不想答", "下一个")
NOTHING = re.compile(r"(?:都?没有?|没啥|没什么|不用|无|没事)(?:的|了|啦|呀|啊|担心的?|事)*")
CLAUSE = re.compile(r"[，。！？!?,;；\n]+|\s+")
CLAUSE_LIMIT = 14  # characters in which a clause answers and says nothing else
ASKING = re.compile(r"[?？吗]|能不能|可不可以|可以不|怎么|什么|要不要|会不会|多久|呢$")
DENIED = re.compile(r"(没有?|不|无|未|别|会不会|要是|万一|如果|怕).{0,2}$")
OVER = re.compile(r"^.{0,4}(好了|没了|没事了|退了|不了|消失了|怎么办)|^(吗|么|会不会)")
BUT = re.compile(r"就是|但|不过|只是|可是|还是有|倒是")


def read_answer(question: Question, text: str) -> str | None:
    """Return the answer's value, `skip`, or None when these words are not an answer to this question.

    Args:
        question: what was asked; `kind` is scale, choice, number or text.
        text: the member's words.
    """
    found = _read(question, text)
    parts = clauses(text)
    if len(parts) < 2:
        return found
    if question.kind == "text":
        nothing = _read(question, parts[0]) == "none" and not BUT.search(text)
        return "none" if nothing else found
    if found is not None:
        return found
    told = (_read(question, part) for part in parts if len(part) <= CLAUSE_LIMIT and not ASKING.search(part))
    return next((value for value in told if value is not None), None)


def says_more(question: Question, text: str) -> bool:
    """Whether words that answered this question may hold a wish of their own: 6分，另外我能喝咖啡吗."""
    if question.kind == "text":
        return _read(question, text) not in {"none", "skip"}
    parts = clauses(text)
    return any(len(part) > CLAUSE_LIMIT or ASKING.search(part) or _read(question, part) is None for part in parts)


def heard_signs(sign: Question | None, text: str) -> tuple[str, ...]:
    """Return the signs a member's words tell of, without those they deny, ask about or say are over.

    Args:
        sign: the pack's question that is never asked, with the phrases of each sign; None if the pack has none.
        text: the member's words.
    """
    if sign is None:
        return ()
    found = []
    for part in clauses(unicodedata.normalize("NFKC", text).replace("痛", "疼")):
        for value, phrases in sign.says.items():
            for phrase in phrases:
                place = part.find(phrase)
                if place >= 0 and not DENIED.search(part[:place]) and not OVER.search(part[place + len(phrase) :]):
                    found.append(value)
                    break
    return tuple(dict.fromkeys(found))


def is_question(text: str) -> bool:
    """Whether words ask something."""
    return bool(ASKING.search(text))


def clauses(text: str) -> list[str]:
    """Return the parts of a message between commas, stops and blanks; a blank inside a number parts nothing."""
    return [part for part in CLAUSE.split(text.strip()) if part]


def _read(question: Question, text: str) -> str | None:
    words = re.sub(r"[\s，。！？!?,、~～…\"“”]+", "", unicodedata.normalize("NFKC", text))
    if not words:
        return None
    if any(skip in words for skip in SKIPS) and len(words) <= 8:
        return "skip"
    if question.kind == "text":
        return "none" if NOTHING.fullmatch(words) else text.strip()
    if question.kind == "number":
        return _temperature(words) or _listed(question, words)
    if question.kind == "scale":
        return _score(words, question) or _listed(question, words)
    if NOTHING.fullmatch(words) and any(option.value == "none" for option in question.options):
        return "none"
    return _listed(question, words) or _by_label(question, words)


def _score(words: str, question: Question) -> str | None:
    found = WHOLE.fullmatch(words) or (SCORED.search(words) if len(words) <= 30 else None)
    if found is None:
        return None
    values = [int(part) if part.isdigit() else DIGITS[part] for part in found.groups() if part]
    worst = max(values)
    allowed = {option.value for option in question.options}
    return str(worst) if str(worst) in allowed else None


def _temperature(words: str) -> str | None:
    chinese = words
    for tens, value in (("三十", "3"), ("四十", "4")):
        chinese = re.sub(tens + "([一二三四五六七八九])", lambda m, v=value: v + str(DIGITS[m[1]]), chinese)  # type: ignore[misc]
    chinese = re.sub(r"([点度])([零一二三四五六七八九])", lambda m: m[1] + str(DIGITS[m[2]]), chinese).replace(
        "半", "5"
    )
    compact = COMPACT_TEMPERATURE.search(chinese)
    if compact:
        return f"{compact[1]}.{compact[2]}"
    found = TEMPERATURE.search(chinese)
    if found is None or len(words) > 30:
        return None
    return f"{found[1]}.{found[2] or 0}"


def _listed(question: Question, words: str) -> str | None:
    """Match the pack's phrases, the longest first, so that 不怎么疼 is not read as 疼."""
    if len(words) > 30:
        return None
    whole = {phrase[1:]: value for value, says in question.says.items() for phrase in says if phrase.startswith("=")}
    if words in whole:
        return whole[words]
    phrases = sorted(
        ((phrase, value) for value, says in question.says.items() for phrase in says if not phrase.startswith("=")),
        key=lambda pair: len(pair[0]),
        reverse=True,
    )
    return next((value for phrase, value in phrases if phrase in words), None)


def _by_label(question: Question, words: str) -> str | None:
    for option in question.options:
        label = re.sub(r"[\s，。！？!?,、]+", "", option.label)
        if words in (label, option.value):
            return option.value
    return None
