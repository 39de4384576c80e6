"""Which of the times in a text is meant: points linked into ranges and choices, one of them taken.

Taken is what the member wants: moved to rather than from, not refused, not over, nearest to a wish. Times that only
tell of something are kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from care.adapters.language.times_clock import bare_hour
from care.adapters.language.times_day import Day
from care.adapters.language.times_points import Point, points_in

RANGE = re.compile(r"^\s*(?:左右|钟)?\s*(?:一直)?(?:到|至|~|～|—|–|-|──)\s*(?:了|当天)?\s*$")
CHOICE = re.compile(
    r"^[\s,，、]*(?:左右|的)?[\s,，、]*(?:(?:或者?是?|或|要么|要不|还是|和|跟|以及|、|,|，|/)[\s,，]*(?:是|在|就)?)?\s*$"
)
AFTER = re.compile(r"^\s*(?:左右)?\s*(?:以后|之后|过后|往后|后(?!天|面|悔|槽|续|来)|开始|起(?!来))")
BEFORE = re.compile(r"^\s*(?:左右)?\s*(?:以前|之前|前(?!台|面|天|牙|后))")
#: The clause says that a time does not suit.
_REFUSED_AFTER = re.compile(
    r"^(?:的?(?:时间|那天|号|那个|话|这个|班|也|都|我|您|呢|就|又|突然|临时|可能|恐怕|实在|确实|还是|全|一整天|"
    r"整天|[,，]){0,4})"
    r"(?:不行|不可以|不太行|不太方便|不方便|不大方便|没空|没时间|没有空|没有时间|有事|有会|开会|有安排|来不了|"
    r"去不了|过不来|过不去|不能来|不能去|走不开|要上班|得上班|"
    r"加班|出差|不合适|不好约|不在|太早|太晚|赶不上|来不及|满了|约满|排不上|没号|没有号|不去了|不来了|没法|"
    r"有课|要上课|不约了|不要|不想|不成|不得|唔得|冇空|不得闲|抽不出)(?!吗|的话)"
)
_REFUSED_BEFORE = re.compile(
    r"(?:不是|不要|别|除了|不想(?:要|约)?|不约|不能|没法|不用|避开|唔系)(?:约|在|选|改到?|是)?\s*$"
)
_SOURCE_BEFORE = re.compile(
    r"(?:从|由|原来|原本|原定|原先|本来|之前约?的?|我约的?|约的是?|约了|约在|约的|约好了?|预约的?是?|预约了|"
    r"已经约|把|将|取消|定在|定的)(?:是|在|的|了|我|到|好)?\s*$"
)
_MOVED_AFTER = re.compile(r"^[^。！？!?;；\n]{0,12}?(?:改|换|挪|推|调|移|延|提前|改约|改期|顺延|往后|往前)")
_CORRECTED = re.compile(
    r"(?:改成|改到|改为|改约到?|改在|改|换成|换到|换|挪到|挪|调到|调成|调整到|推到|推迟到|推后到|延到|延后到|"
    r"延期到|提前到|移到|顺延到|而是|应该是|"
    r"(?:不对|说错了?|错了|记错了?|哦不|啊不|噢不|不不|不是)[,，。!！\s]*(?:应该)?(?:是)?|[,，\s]不[,，\s]?|"
    r"还是|算了|要不|那就|那|不如|宁愿|最好)(?:是|约|在|到|定)?\s*$"
)
WISH = re.compile(
    r"约|预约|挂|号(?!线)|(?<![起出下上原本从以])来(?!了)|(?<![过出下回失])去|看|过去|复查|复诊|可以|能|行|有空|方便|安排|改|排|有没有|"
    r"有时间|空(?!腹|调)|合适|吧|想|要|约个|到店|见|在吗|在不在|在么|上班吗"
)
#: Wanted for certain, even beside words of what is felt.
BOOKING = re.compile(r"约|挂|号(?!线)|有空|能[来去看]|过来|过去|可以[吗来去]|行吗|方便|复查|复诊|看牙|安排|改")
EVENT = re.compile(
    r"^\s*(?:的时候|那天|晚上|下午|上午|早上|中午|我|他|刚|才|就|在您们?(?:那|这)?(?:儿|里|边)?|在你们?(?:那|"
    r"这)?(?:儿|里|边)?|去|来|给|也){0,3}"
    r"(?:拔|种|做|洗|补|装|戴|贴|粘|摔|崩|掉|打|拍|缝|拆|换|修|吃|起|开始|手术|磕|咬|撞|发现|买|办|充|交|付|"
    r"来过|去过|看过|看的|来的|约的|取|出院)(?:完|好|掉)?(?:个|颗|了|的|过|牙了?的?|了?牙)?"
)
_EVENT_SURE = re.compile(r"(?:[了的过]|完|开始|手术)")
FUTURE_VERB = re.compile(r"想|要|能|可以|约|预约|挂|打算|准备|请|帮|号|行|吗|有空|方便|来得及")
FELT = re.compile(
    r"疼|痛|肿|血|睡|烧|醒|吃|喝|刷|戴|摘|药|难受|麻|胀|失眠|每天|天天|老是|总是|一直|酸|饭|起床|做梦|哭|想哭|"
    r"空落|漱口|咬|恶心|晕|冷|热"
)
_LISTED_ON = re.compile(r"^\s*(?:都|也|可以|行|有空|吧|$|[，,。、和或])")
_HABIT = re.compile(r"(?:每天|每日|天天|每晚|每早|每个?|每隔)的?$")
SOON = re.compile(
    r"越快越好|越早越好|尽快|尽早|尽量早|最快的?|最早的?|随时(?!取消|联系|找|问|喊|叫|可以?退)|马上(?=约|来|去|"
    r"过来|过去|就[来去能]|看|能|要)|立刻(?=约|来|去|看)|赶紧(?=约|来|去|看|给我约|帮我约)|近期|"
    r"(?:什么时候|啥时候|几时|哪天|哪一天|时间|几点|周几|星期几|任何时间|任何时候|早晚|上午下午|"
    r"哪个时间段?)都(?:行|可以|成|好|ok|方便|有空|没问题|能来)|时间(?:随便|不限|随意|[您你]们?(?:定|安排|看着)|"
    r"无所谓)|最近(?=有号|有空|能约|的号|的时间|可以约|一个号|一次|哪天|约|想约|的一个)|有号就(?:行|约|来)|"
    r"都(?:行|可以)(?=$|[,，。!！吧的啊])"
)
_SOON_ABOUT = re.compile(
    r"约|号|来|去|看牙|做|弄|安排|挂|排|时间|有空|空位|改|预约|过来|看医生|处理|哪天|时候|几点|周几"
)
_ANYONE = re.compile(r"(?:谁|哪个|哪位|医生|什么医生|哪家|店|门店|项目|男女|价格|多少钱|颜色|方式|人)[^,，。]{0,4}$")


@dataclass(frozen=True, slots=True)
class Choice:
    """The time that was taken, and how it stands.

    Attributes:
        start, end: where it stands in the words.
        first: the point, or where a range begins.
        last: where a range ends.
        others: the points that would do as well.
        relation: `before` or `after`, when the time bounds what is meant.
        wanted: whether the words beside it ask for something.
        refused: said not to suit.
        over: told of as past.
        anytime: no time in particular.
        problem: `impossible`.
        weight: how likely this is the one that is meant.
        reach: where the last of the others ends.
    """

    start: int
    end: int
    first: Point
    last: Point | None = None
    others: tuple[Point, ...] = ()
    relation: str | None = None
    wanted: bool = False
    refused: bool = False
    over: bool = False
    anytime: bool = False
    problem: str | None = None
    weight: int = 0
    reach: int = 0


def choose(words: str, today: date, asked: str) -> Choice | None:
    """Return the time that is meant, None when none is named.

    Args:
        words: the plain text.
        today: the member's day.
        asked: what the last question was about.
    """
    points = list(points_in(words, today))
    booking = asked.startswith(("booking", "reschedule")) or asked.endswith(".time")
    choices = [one for one in _linked(words, points) if _counts(words, one, booking=booking)]
    if not choices:
        bare = bare_hour(words) if asked.endswith(".time") else None
        if bare is not None:
            return Choice(bare.start, bare.end, Point(bare.start, bare.end, clock=bare), wanted=True)
        return _anytime(words, booking=booking)
    judged = [_judged(words, one, choices, today) for one in choices]
    best = max(judged, key=lambda one: (one.weight, -one.start))
    best = _completed(words, best, judged)
    return _with_impossible(best)


def _linked(words: str, points: list[Point]) -> Iterator[Choice]:
    place = 0
    while place < len(points):
        first = points[place]
        last: Point | None = None
        others: list[Point] = []
        end = first.end
        if place + 1 < len(points) and RANGE.match(words[first.end : points[place + 1].start]):
            last = points[place + 1]
            place += 1
            end = last.end
        while place + 1 < len(points) and CHOICE.match(words[points[place].end : points[place + 1].start]):
            gap = words[points[place].end : points[place + 1].start]
            if not gap.strip() and not _alike(points[place], points[place + 1]):
                break
            if gap.strip() in {",", "，"} and not _LISTED_ON.match(words[points[place + 1].end :]):
                break
            loose = gap.strip() in {",", "，", "还是"}
            if loose and (
                not _alike(points[place], points[place + 1]) or _REFUSED_BEFORE.search(words[: first.start])
            ):
                break
            place += 1
            others.append(_inheriting(first, points[place]))
        if others and last is None and first.clock is None and first.part is None and others[-1].day is not None:
            first = replace(first, part=others[-1].part, clock=others[-1].clock)  # 周四或周五的下午
        reach = others[-1].end if others else end
        relation = None
        if last is None and not others:
            after, before = AFTER.match(words[end:]), BEFORE.match(words[end:])
            relation = "after" if after else "before" if before else None
            bound = after or before
            end += bound.end() if bound else 0
            reach = end
        if first.day is not None and first.day.other is not None:
            others.insert(
                0, replace(first, day=replace(first.day, first=first.day.other, last=first.day.other, other=None))
            )
        yield Choice(first.start, end, first, last, tuple(others), relation, reach=max(reach, end))
        place += 1


def _alike(first: Point, second: Point) -> bool:
    return (first.day is None) == (second.day is None) and (first.clock is None) == (second.clock is None)


def _inheriting(first: Point, second: Point) -> Point:
    day = second.day or first.day
    part = second.part or (first.part if second.day is None and second.clock is not None else None)
    return replace(second, day=day, part=part)


def _counts(words: str, one: Choice, *, booking: bool) -> bool:
    """Whether a part of the day without a day is meant as a time, rather than when something is felt."""
    point = one.first
    if _HABIT.search(words[: one.start]):
        return False
    if point.day is not None or point.clock is not None or one.last is not None or booking:
        return True
    clause = _clause(words, one)
    rest = clause.replace(words[one.start : one.end], "", 1)
    if FELT.search(rest) and not re.search(r"约|挂|号|有空|看牙|能[来去]|过来|过去|方便", clause):
        return False
    return (
        bool(WISH.search(rest)) or not rest.strip("的吧呢啊呀 ") or len(words) <= len(words[one.start : one.end]) + 4
    )


def _clause(words: str, one: Choice) -> str:
    start = max(words.rfind(mark, 0, one.start) for mark in "。！？!?;；\n,，")
    ends = [place for mark in "。！？!?;；\n,，" if (place := words.find(mark, one.end)) >= 0]
    return words[start + 1 : min(ends, default=len(words))]


def _judged(words: str, one: Choice, choices: list[Choice], today: date) -> Choice:
    before, after = words[max(0, one.start - 16) : one.start], words[one.reach : one.reach + 24]
    clause = _clause(words, one)
    rest = clause.replace(words[one.start : one.end], "", 1)
    wanted = bool(WISH.search(rest)) or not rest.strip("的吧呢啊 ")
    wanted = wanted and not (FELT.search(rest) and not BOOKING.search(rest))
    refused = bool(_REFUSED_AFTER.match(after) or _REFUSED_BEFORE.search(before))
    later = any(other.start >= one.end for other in choices)
    source = later and bool(
        (_MOVED_AFTER.match(after) and _reaches(words, one, choices))
        or (_SOURCE_BEFORE.search(before) and _MOVED_AFTER.match(words[one.end :][:40]))
        or re.search(r"(?:不是|不要)\s*$", before)
    )
    corrected = bool(_CORRECTED.search(before)) and any(other.end <= one.start for other in choices)
    felt = one.first.day is None and not wanted and bool(FELT.search(rest))
    over = felt or _is_over(words, one, after, today)
    weight = 2 * wanted - 8 * refused - 6 * source + 5 * corrected - 4 * over
    weight -= 3 * bool(re.search(r"平时|一般|通常|往常", clause))
    weight -= 3 * (one.first.day is not None and one.first.day.last < today)
    if corrected:
        weight += sum(other.end <= one.start for other in choices)
    return replace(one, wanted=wanted, refused=refused, over=over, weight=weight)


def _reaches(words: str, one: Choice, choices: list[Choice]) -> bool:
    """Whether the verb of moving stands between this time and a later one."""
    later = min(other.start for other in choices if other.start >= one.end)
    return re.search(r"改|换|挪|推|调|移|延|提前|往后|往前", words[one.end : later]) is not None


def _is_over(words: str, one: Choice, after: str, today: date) -> bool:
    day = one.first.day
    if day is not None and day.last < today:
        if re.search(r"(?:约|挂|改到|换到|预约)(?:个|一个|一下|在|到)?$", words[: one.start]):
            return False
        return not re.match(r"^[^,，。!！?？]{0,4}(?:约|号|来得及)", after)
    if day is None and one.first.clock is None:
        return False
    event = EVENT.match(after)
    if event is None or not _EVENT_SURE.search(event[0][-3:]):
        return False
    if re.match(r"^\s*(?:的?(?:号|预约|约|吗|话|行|可以|时间))", after[event.end() :]):
        return False
    return (day is None or day.back is not None or day.first == today) and not FUTURE_VERB.search(
        words[max(0, one.start - 4) : one.start]
    )


def _completed(words: str, best: Choice, judged: list[Choice]) -> Choice:
    """Give the chosen time the day, or the hour, that stands apart from it (周六有空吗，我想下午三点去)."""
    day = None
    finer = [one for one in judged if _says_more(one, best)]
    if finer:
        return finer[0]
    if best.first.day is None:
        day = _day_beside(best, judged)
        best = best if day is None else _with_day(best, day)
    open_ended = best.last is None and best.relation is None and best.first.clock is None
    if not open_ended or (day is None and best.first.day is not None and best.first.day.instant is not None):
        return best
    for other in judged:
        if not _supplements(other, best):
            continue
        part = other.first.part or best.first.part
        first = replace(other.first, day=best.first.day, part=part)
        others = tuple(replace(each, part=part, clock=other.first.clock) for each in best.others)
        return replace(other, first=first, start=best.start, others=others or other.others, wanted=True)
    return best


def _says_more(other: Choice, best: Choice) -> bool:
    """Whether the same day is said again with an hour or a part of it (后天吧，后天下午)."""
    first, second = best.first, other.first
    if first.day is None or second.day is None or first.clock is not None or first.part is not None:
        return False
    same = first.day.first == second.day.first and first.day.last == second.day.last
    return same and not (other.refused or other.over) and (second.part is not None or second.clock is not None)


def _supplements(other: Choice, best: Choice) -> bool:
    """Whether a later time without a day says the hour or the part of the day that the chosen one leaves open."""
    if other.first.day is not None or other.refused or other.over or other.start < best.end or other.weight < 0:
        return False
    if best.first.part is not None and other.first.clock is None:
        return False
    return other.first.part is None or best.first.part is None


def _day_beside(best: Choice, judged: list[Choice]) -> Day | None:
    for other in sorted(judged, key=lambda one: abs(one.start - best.start)):
        day = other.first.day
        if (
            other is not best
            and day is not None
            and day.grain == "day"
            and not other.over
            and day.instant is None
            and other.last is None
        ):
            return None if other.refused and not other.first.clock else day
    return None


def _with_day(best: Choice, day: Day) -> Choice:
    first = replace(best.first, day=day)
    start = min(best.start, day.start) if day.start < best.start and best.start - day.end <= 12 else best.start
    return replace(
        best, first=first, start=start, others=tuple(replace(other, day=other.day or day) for other in best.others)
    )


def _with_impossible(best: Choice) -> Choice:
    points = [best.first, *([best.last] if best.last else [])]
    if any((point.clock and point.clock.hour > 24) or (point.day and point.day.problem) for point in points):
        return replace(best, problem="impossible")
    return best


def _anytime(words: str, *, booking: bool) -> Choice | None:
    for match in SOON.finditer(words):
        if match[0].startswith("都") and not booking:
            continue
        if match[0].startswith("都") and _ANYONE.search(words[: match.start()]):
            continue
        if booking or _SOON_ABOUT.search(words) or len(words) <= len(match[0]) + 4:
            point = Point(match.start(), match.end())
            return Choice(match.start(), match.end(), point, anytime=True, wanted=True)
    return None
