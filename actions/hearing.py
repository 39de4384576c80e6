"""What a member's words mean while something is being agreed: which of the times, another day, never mind.

Words of members only; what members read stands in the domain. Everything here is a hint for an open question and
never used on a message that opens a subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from care.bootstrap import House
from care.model.timespan import TimeSpan

GIVES_UP = re.compile(
    r"算了|不约了|不预约了|别约了|先不(约|弄|预约|挂|办|用|要|来)|不(弄|搞|挂|办)了|改天再(说|约)|下次再(说|约|来)|以后再(说|约|来)"
    r"|回头再(说|约|联系)|再(想想|考虑|看看)(再说|吧)?$|考虑(一下|考虑)|取消(吧|掉)?$|不用约|作罢|拉倒|当我没(说|讲)|退出"
)
OTHER_DAY = re.compile(
    r"(换|改)(一|个|到)*(别的)?(天|日子|日期)|(别|其他|其它|另外)的?(一)?(天|日子|日期)|哪天都(不|没)|这(几|两)?天都(不|没)|那天(不行|没空|有事)|改天$"
)
MORE = re.compile(
    r"都(不|没)(太|怎么)?(行|合适|方便|好|可以|想|空)|都有事|没(有)?合适|(还|有没)有(没有)?(别|其他|其它|另外)?的?(时间|时段|时候|号)|(别|其他|其它|另外)的?(时间|时段|时候|点)"
    r"|换(一)?(批|个时间|个点|个时段|几个)|再(往后|换)|有没有别的$|还有吗|还有别的|都来不了|赶不上|不合适|来不及|时间不(行|对|好)"
)
EARLIER = re.compile(r"(更|再)?早(一)?(点|些)|再早|更早|提前(一)?(点|些)|往前|太晚")
LATER = re.compile(r"(更|再)?晚(一)?(点|些)|再晚|更晚|往后(一)?(点|些)?|靠后|太早|迟(一)?(点|些)")
OTHER_PERSON = re.compile(
    r"(换|别|其他|其它|另|另外|再推荐).{0,4}(医生|大夫|医师|专家|老师|人)(吗|呢|吧|看|做)?|(医生|大夫)(能|可以)?换|换(个)?人|不(想|要)(找|看)?(他|她|这个医生|这位)"
)
ANY_PERSON = re.compile(
    r"(哪|随便|任何|什么).{0,3}(医生|大夫|医师|人)都|谁(都|来|做)?(行|可以|都行)|医生(随便|无所谓|不限|都行)|不挑医生|不限医生"
)
ANY_OF_THEM = re.compile(
    r"^(都(行|可以|好|成|ok)|随便|哪个都|你(们)?(定|安排|看着)|您(定|安排)|听(你|您)的|无所谓|(就)?(选)?最(近|早|快)的)"
)
LAST_OF_THEM = re.compile(r"最(后|晚)(一)?(个|那个|的)|末尾")
ORDINAL = re.compile(
    r"第\s*([一二两三四五1-5])\s*个?|^\s*(?:选|要|就|那就|我要|我选)?\s*([一二两三1-3])\s*(?:号|吧|个|）|\)|\.|。)?\s*$|(头一个|首个)|(中间)"
)
YES = re.compile(
    r"^(嗯+|恩|好+|好的|好啊|好呀|好嘞|好滴|行+|可以|可|对+|对的|是+|是的|没错|没问题|确认|确定|ok|okay|yes|y|就(这|那)(个|样|么)|定了|订吧|定(下来|这个|它)?吧?|约定|约(这个|上|了)?吧?|预约吧?|成|中|妥|要得|得|冇问题|👌|👍|必须的?|同意|帮我(订|定|约)|麻烦(您|你)?了?)"
    r"[\s,，。!！~～吧的啦了呀哦噢喔啊嘛\w]{0,12}$",
    re.IGNORECASE,
)
YES_TO_MOVE = re.compile(r"^(对|好的?|可以|行|嗯+|是的?|确认)?[\s,，]*(就)?(这么|这样)?改(吧|了|好了|掉)?[。.!！~]*$")
NO = re.compile(
    r"^(不+|不是|不对|不行|不要|不用|不了|别|no|没有|错了|不可以|不约|唔系|唔得|不好|不太)", re.IGNORECASE
)
BUT = re.compile(r"不过|但是|但|只是|能不能|可不可以|换|改")
DAY_WORD = re.compile(
    r"今|明|后天|大后|昨|周|星期|礼拜|拜|月|[0-9一二三四五六七八九十]+\s*(号|日)|节|假|周末|下旬|上旬|中旬|天"
)
HOUR_WORD = re.compile(r"[0-9一二三四五六七八九十两零〇]+\s*(点|时|:|：|點)|半$|[0-9]{1,2}[:：][0-9]{2}")
BEFORE_MOVE = re.compile(r"(改|换|挪|移|推|调|延|提)(到|成|为|至|去|在)?")
WITHOUT = re.compile(r"(不要|别|不想|不想找|不找|不看|不是|除了|不约|不选|不喜欢)(找|要|看|约|让)?$")
LEAD = re.compile(
    r"^(?:但是|不过|可是|就是|另外|此外|顺便|顺带|对了|还有|然后|再就是|再者|同时|最后|哦|噢|嗯|那|就是|也|请|and)*(?:问(?:一?下|个)|说一下)?[\s,，、:：]*"
)
EDGES = " \t\n,，。.;；、!！?？~～…:：—-"
EVERYTHING = re.compile(
    r"(都|全|什么都|全都|统统)(算了|不要了|不弄了|不办了|不用了|不约了|别弄了|不用管了|取消了吧)|都不(用|要|办|弄|约)了"
)
LUKEWARM = re.compile(r"一般+|一般吧|还行吧?|凑合吧?|马马虎虎|就那样吧?|还可以|还好吧?|不好说|说不好")
BARE_NUMBER = re.compile(r"(?:10|[0-9]|[零一二两三四五六七八九十])\s*分?[。.!！~～]*")
ADDS = re.compile(r"另外|顺便|同时|还(?:要|想|得)|再(?:给|帮|替|约|来)|也(?:给|帮|替|要|想|约)|我?自己")
HURTS = re.compile(r"(?<!不)(?<!会)(牙|牙龈|牙床|这颗|那颗|嘴里).{0,6}(疼|痛|酸|肿)(?!不|吗)|(疼|痛)得")
ORDERS = re.compile(r"^(?:请|麻烦)?(?:你|您)?(?:帮我|给我|替我)?(?:预约|预订|约|订|叫|买)")
#: What neither a clinic nor a club arranges; in a message that names nothing of ours it is not our business.
NOT_OURS = re.compile(
    r"外卖|快递|包裹|机票|高铁|火车票|车票|航班|登机|酒店|宾馆|民宿|餐厅|饭店|火锅|烧烤|(约|吃|订).{0,2}饭|聚餐|奶茶|理发|剪头|剪个头|美发|烫头"
    r"|美甲|按摩|足疗|电影|演唱会|门票|打车|约.{0,2}车|叫.{0,2}车|代驾|专车|驾校|核酸|疫苗|体检|骨科|眼科|内科|妇科|皮肤科|耳鼻喉|产检"
    r"|近视|配镜|眼镜|话费|水费|电费|银行|贷款|信用卡|股票|基金|彩票|家政|保洁|搬家|维修|空调|签证|护照|英语班|补习|健身房|瑜伽课"
)
OURS = re.compile(r"牙|齿|口腔|复查|拆线|种植|正畸|矫正|医生|大夫|洗漱|诊|门店|你们|预约单|号源")
ANIMALS = re.compile(r"(狗|猫|宠物|兔子|仓鼠|毛孩子|泰迪|金毛|柯基|边牧).{0,8}(牙|看病|挂号|约)")
PLAIN_LIMIT = 8  # characters of a clause that only chooses
PLAIN_YES = frozenset(
    {
        "好",
        "好的",
        "好啊",
        "行",
        "可以",
        "对",
        "对的",
        "是",
        "是的",
        "没错",
        "没问题",
        "确认",
        "确定",
        "约定",
        "就这个",
    }
)

NUMBERS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}


class Change(StrEnum):
    """How the offered times should be different."""

    OTHER_DAY = "other_day"
    MORE = "more"
    EARLIER = "earlier"
    LATER = "later"
    OTHER_PERSON = "other_person"
    ANY_PERSON = "any_person"


@dataclass(frozen=True, slots=True)
class Values:
    """What a message names."""

    service: str | None = None
    practitioner: str | None = None
    clinic: str | None = None
    span: TimeSpan | None = None
    relation: str | None = None
    phone: str | None = None
    shift: timedelta | None = None
    without: tuple[str, ...] = ()  # practitioners the member does not want
    problem: str | None = None  # the time that was named is over (`past`) or does not exist (`impossible`)

    @property
    def any(self) -> bool:
        """Whether anything was named that a booking can use."""
        return bool(self.service or self.practitioner or self.clinic or self.span or self.relation or self.without)


def values_in(text: str, house: House, *, now: datetime, asked: str | None) -> Values:
    """Return what a message names, in codes of the pack and aware moments.

    Args:
        text: the member's words.
        house: knows the readers.
        now: aware, in the clinic's zone.
        asked: what the last question was about; a bare 三点 is a time only then.
    """
    if not text.strip():
        return Values()
    named: dict[str, str] = {}
    without: list[str] = []
    for found in house.reading.entities.read(text, now, asked):
        value = str(found.value)
        if found.entity == "practitioner" and WITHOUT.search(text[: found.start]):
            without.append(value)
        elif found.entity == "service" and "service" in named:
            continue  # the first one named is the one to act on
        else:
            named[found.entity] = value
    reading = house.reading.times.read(text, now, asked)
    return Values(
        service=named.get("service"),
        practitioner=named.get("practitioner"),
        clinic=named.get("clinic"),
        span=reading.span,
        problem=reading.problem,
        relation=named.get("family_relation"),
        phone=named.get("phone"),
        shift=_shift(text),
        without=tuple(without),
    )


def is_for(relation: str, text: str) -> bool:
    """Whether a visit is for this relative (给我妈约), rather than the relative being only spoken of (我孙子要接)."""
    return bool(re.search(rf"(给|帮|替|为|带|陪|是|让|叫)(我|咱|俺|我们)?(的)?{re.escape(relation)}", text))


def change_in(text: str) -> Change | None:
    """Return how the offered times should be different, if the words say so."""
    for change, pattern in (
        (Change.ANY_PERSON, ANY_PERSON),
        (Change.OTHER_PERSON, OTHER_PERSON),
        (Change.OTHER_DAY, OTHER_DAY),
        (Change.EARLIER, EARLIER),
        (Change.LATER, LATER),
        (Change.MORE, MORE),
    ):
        if pattern.search(text):
            return change
    return None


def which_in(text: str, count: int) -> int | None:
    """Return the index of the offer that the words point to by its place in the list."""
    if not count:
        return None
    if ANY_OF_THEM.search(text):
        return 0
    if LAST_OF_THEM.search(text):
        return count - 1
    found = ORDINAL.search(text)
    if not found:
        return None
    number, bare, first, middle = found.groups()
    if first:
        return 0
    if middle:
        return 1 if count == 3 else None
    digit = number or bare
    index = (NUMBERS.get(digit) or int(digit)) - 1
    return index if index < count else None


def by_time(text: str, span: TimeSpan, starts: Sequence[datetime], zone: ZoneInfo) -> list[int]:
    """Return the indexes of the offers that a named time points to.

    A bare hour (三点那个) means the wall clock of an offer, whichever day it is on; with a day named, only offers
    inside the span count.
    """
    inside = [
        i for i, start in enumerate(starts) if span.start <= start < max(span.end, span.start + timedelta(minutes=1))
    ]
    if DAY_WORD.search(text):
        return inside
    wanted = span.start.astimezone(zone)
    same = [
        i
        for i, start in enumerate(starts)
        if (start.astimezone(zone).hour % 12, start.astimezone(zone).minute) == (wanted.hour % 12, wanted.minute)
    ]
    return same if HOUR_WORD.search(text) else inside


def is_yes(text: str) -> bool:
    """Whether the words are a plain yes, without a but."""
    return bool(YES.search(text.strip())) and not BUT.search(text) and not GIVES_UP.search(text)


def is_yes_to_move(text: str) -> bool:
    """Whether the words let a move be made: 对，改; 改吧. Elsewhere 改 asks for something else."""
    return bool(YES_TO_MOVE.search(text.strip()))


def is_no(text: str) -> bool:
    """Whether the words begin with a no."""
    return bool(NO.search(text.strip()))


def gives_up(text: str) -> bool:
    """Whether the words abandon what is under way."""
    return bool(GIVES_UP.search(text.strip())) and not re.search(r"(换|改)(成|到|个|为)", text)


def drops_everything(text: str) -> bool:
    """Whether the words drop not only what is under way but whatever else was wished too."""
    return bool(EVERYTHING.search(text))


def is_not_ours(text: str) -> bool:
    """Whether the words are about something that is arranged elsewhere: 取消我的外卖, 约个眼科."""
    return bool(NOT_OURS.search(text)) and not OURS.search(text)


def is_about_an_animal(text: str) -> bool:
    """Whether a treatment is wanted for an animal."""
    return bool(ANIMALS.search(text))


def is_bare_number(text: str) -> bool:
    """Whether the words are a number and nothing else: 9, 九, 9分."""
    return bool(BARE_NUMBER.fullmatch(text.strip()))


def is_lukewarm(text: str) -> bool:
    """Whether the words say only so-so, which chooses nothing."""
    return bool(LUKEWARM.fullmatch(text.strip(EDGES)))


def adds_another(text: str) -> bool:
    """Whether the words ask for one more: 给我妈也约一个, rather than saying the same wish again."""
    return bool(ADDS.search(text))


def without_lead(text: str) -> str:
    """Return a clause without what ties it to the one before: 另外，顺便问一下."""
    left = LEAD.sub("", text.strip(EDGES), count=1)
    return left or text


def trimmed(text: str) -> str:
    """Return words without the commas and dots around them."""
    return text.strip(EDGES)


def quoted(text: str, limit: int) -> str:
    """Return a clause as it is said back to the member: without its lead and its end, not too long."""
    words = without_lead(text).strip(EDGES)
    return words if len(words) <= limit else words[: limit - 1] + "…"


def names_place(text: str) -> bool:
    """Whether a clause only points into a list: 第二个, 就第一个吧."""
    return len(text) <= PLAIN_LIMIT and bool(re.search(r"第\s*[一二两三四五1-5]\s*个", text))


def is_plain_yes(text: str) -> bool:
    """Whether a clause is a yes and nothing else; 对了 and 嗯 only lead over to something."""
    return text in PLAIN_YES


def keeps_it(text: str) -> bool:
    """Whether the words leave a visit where it is: 还是留着, 先别取消."""
    return any(word in text for word in ("不取消", "别取消", "留着", "不用取消", "还是去"))


def hurts(text: str) -> bool:
    """Whether the words tell of pain: who is in pain and wants to come needs no list of treatments."""
    return bool(HURTS.search(text))


def books(text: str) -> bool:
    """Whether a clause asks for a visit in so many words."""
    return bool(re.search(r"(?<!不)(?<!预)(约|预约|挂)(?!好|了|的|过)", text)) and not drops_visit(text)


def books_another(text: str) -> bool:
    """Whether a clause asks for one more visit: 再约下周一的补牙."""
    return bool(re.search(r"(再|另外|还要|还想|顺便|重新|也).{0,8}(约|挂)(?!好|了|的)", text))


def drops_visit(text: str) -> bool:
    """Whether a clause drops a visit in so many words."""
    return "取消" in text and not re.search(r"(不|别|先别|没)(要|用)?取消|取消(不|吗|要)", text)


def is_order(text: str) -> bool:
    """Whether the words order something: 约辆车, 帮我订票."""
    return bool(ORDERS.search(text.strip()))


def part_before_move(text: str) -> str:
    """Return what stands before 改到, 挪到 …: where the old visit is named."""
    found = BEFORE_MOVE.search(text)
    return text[: found.start()] if found else ""


def merged(new: TimeSpan, old: TimeSpan | None, text: str, zone: ZoneInfo) -> TimeSpan:
    """Return the wish after a correction: a day alone keeps the hour said before, an hour alone keeps the day."""
    if old is None or old.grain == "any":
        return new
    before, after = old.start.astimezone(zone), new.start.astimezone(zone)
    fine = old.end - old.start < timedelta(hours=20)
    if new.grain == "day" and fine:
        start = before.replace(year=after.year, month=after.month, day=after.day)
        return TimeSpan(new.text, start, start + (old.end - old.start), old.grain)
    if not DAY_WORD.search(text) and new.end - new.start < timedelta(hours=20):
        start = after.replace(year=before.year, month=before.month, day=before.day)
        return TimeSpan(new.text, start, start + (new.end - new.start), new.grain)
    return new


def _shift(text: str) -> timedelta | None:
    """Return 往后推一周, 晚两天, 提前一天 as a shift of a visit."""
    found = re.search(
        r"(往后|推迟|延后|延迟|晚|推|往前|提前|早)\s*(?:推|延|挪|个)?\s*([一二两三四五1-5])\s*(?:个)?\s*(周|星期|礼拜|天|日)",
        text,
    )
    if not found:
        return None
    direction, number, unit = found.groups()
    count = NUMBERS.get(number) or int(number)
    days = count * (1 if unit in {"天", "日"} else 7)
    return timedelta(days=-days if direction in {"往前", "提前", "早"} else days)
