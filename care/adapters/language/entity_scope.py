"""Whether a symptom that stands in a text is so of now.

It is not when it is denied (没有发烧), over (昨天流血今天好了), feared or supposed (怕肿, 要是发烧), asked about in
general (会不会肿, 疼几天算正常), or told of others (我同事). What is clearly none of these is so. The safety
rules judge danger and hold more to be so; this decides what a message names.
"""

from __future__ import annotations

import re

_FILLER = (
    r"(?:怎么|太|很|再|那么|这么|是|会|觉得|感觉|感到|发现|看到|见|有|在|什么|啥|任何|明显|特别|咋|大|继续|出现|"
    r"发生|过|了|以前|之前|"
    r"多|说|到|完全|更|一直|又|去|像|那样|之前那么|以前那么|非常)"
)
DENIED = re.compile(
    r"(?:没有?|无|未|不(?![但光仅只停断止住了知得]|是(?:很)?特别)|别|并非|从不|没啥|没什么|(?:说|谈|算|称)不上|"
    r"不至于|没到|不是来看|不是看|不是因为|从没|从未|(?:no|not|without|never|dont|didnt|isnt))"
    rf"{_FILLER}{{0,3}}$"
)
#: What looks like a denial before it, and is none: 是不是, 有没有, 要不是, 好不好.
_NO_DENIAL = re.compile(
    r"(?:要不是|不是不|没有不|不可能不|止不住地?|忍不住|不停地?|不住地?|睡不着|受不了|不止|不得不|不断|控制不住地?|"
    r"吃不下|不敢|不了|不到|不动|不开|不着)$"
)
_LISTED = re.compile(
    r"(?:没有?|无|未)[^，。！？；但就只不却]{0,10}(?:、|和|或|也|及|跟)$|"
    r"(?:没有?|无|未)[^。！？；但就只却，]{1,6}、[^。！？；但，]{0,8}$"
)
#: Anywhere earlier in the clause, within reach.
_SUPPOSED_FAR = re.compile(
    r"(?:谁说|等[^，。！？；]{1,8}(?:就|才)会?|听[^，。！？；]{1,6}[说讲]|如果|如(?:出现|有|遇|发生|若)|(?:只要|"
    r"一旦)(?![^，。！？；]{0,4}[碰咬吃喝按刷动张躺])|要是(?!不)|万一|"
    r"假如|假使|倘若|若是|若|会不会|是不是会|有没有可能|有可能|怎么(?:判断|知道|预防|避免)|什么情况下?|哪些情况|"
    r"什么样|听说|据说|网上|百度|都说|"
    r"人家说|有人说|书上|说明书|医生说(?:可能|会|如果)|担心|怕(?!冷|热)|害怕|恐怕|以为(?:不)?会|(?<=[，。])(?:真|"
    r"真的)要是?|^真要|多少度(?:算|叫)|几度(?:算|叫)|怎么算|怎样算|什么(?:叫|算|是(?!不)))"
    r"[^，。！？；]{0,14}$"
)
#: Close before it.
_SUPPOSED_NEAR = re.compile(
    r"(?:能不能|以免|免得|避免|防止|预防|有没有|是否|算不算|才算|可能(?!是)|别再|为什么会|多久才|才会|说是|"
    r"(?:^|[，。！？；])以后|将来|导致|引起|造成|"
    r"缓解|减轻|治(?![疗器完过了])|解决|改善|减少|防)[^，。！？；]{0,5}$|(?<!打分)(?:的话)[^，。！？；]{0,4}$"
)
#: 会 speaks of what has not happened, unless it happens whenever something is done: 咬东西会疼, 一碰就会酸.
_WILL = re.compile(r"会[^，。！？；]{0,5}$")
_WHENEVER = re.compile(
    r"(?:咬|碰|吃|喝|刷|按|张嘴|张口|吞|咽|舔|说话|偶尔|有时|经常|总是?|晚上|半夜|时不时|老是?|都|就|还|也|仍|嚼|"
    r"动|弯腰|躺|笑|打哈欠|早上|一到|每次|每天|遇到?|吸|漱口|用力|走路|起身)"
    r"[^，。！？；]{0,10}$"
)
_ASKS_IN_GENERAL = re.compile(r"吗|么(?!多)|呢|[？]|多久|几天|多少|怎么办|是真的|真的假的|不$")
ASKED = re.compile(
    r"^(?:了|的|得|着)?(?:没有?(?=[，。？！]|$)|吗|么(?!多))|"
    r"^(?:的话|的时候怎么|了怎么办呢如果|怎么办呢?如果)|^(?:倒是?|是倒|也倒)也?(?:不|"
    r"没有?)(?:怎么|太|那么|很|再)?(?:疼|肿|酸|麻|胀|痒|流|发|出)|"
    r"^(?:会|要|得|能|大概|一般)?(?:持续)?(?:多久|几天|多长时间|多少天|几周|几个小时|什么时候)(?:算|是|会|能|才|"
    r"正常|消|好|退|停|，|？|吗|$)|"
    r"^[两三四五六七几一二\d]{1,2}(?:[天周]|个?小时)[^，。！？；]{0,3}正常|^怎么(?:预防|避免|判断)|^的?(?:概率|"
    r"几率|风险|可能性)|"
    r"^(?:了)?(?:该|要|应该)?(?:去|打|找|给)(?:哪|谁|什么)|^[？]?不存在|^[^，。！？；]{0,3}(?:都|就|也)?(?:不用|"
    r"不必|甭)(?:怕|担心|管)|^算正常|^过(?!敏|去|来|了)"
)
_EARLIER = re.compile(
    r"(?:上次|上回|上一[次回]|头一回|那[次回]|以前|之前|从前|小时候|去年|前年|那时候?|当时|原来|曾经|前几年|那年|"
    r"刚做完那|当年)[^，。！？；]{0,12}$"
)
_OVER = re.compile(
    r"^[^。！？]{0,12}?(?:[，。]?(?:今天|今早|今晨|现在|这会儿?|已经|已|后来|早上|早|都|就|也|刚|刚才|基本|全|"
    r"差不多|终于)*)"
    r"(?:好了(?!多少)|没了|没有了|不流了|停了|止住了|消(?:了|下去了|退了|失了)|退(?:了|烧)|已退|不(?:疼|肿|烧|麻|"
    r"酸|胀|出血|流血|晕|痒)了|正常了|淡了|收口|愈合|长好|没(?:啥|事|感觉|什么)了|没再|没(?:出|流|疼|烧|吐)(?:了|"
    r"过)|[消好退]得差不多|快好了|"
    r"过去了|恢复了|痊愈)(?!一半|一点|一些|些|点|吗|不少|大半)"
)
_RENEWED = re.compile(r"又|反弹|再次|重新|结果|但")
#: 还疼, 又肿了: so whatever stands further off.
_STILL = re.compile(
    r"(?:还|又|一直|越来越|更(?!年)|仍|依然|突然|总是?|老是?|开始|持续|不停|现在|今天|这会儿?|刚才|此刻|结果|但是?|"
    r"就是|(?<!没)到现在)[^，。！？；]{0,5}$"
)
_UNREAL = re.compile(r"(?:如果|要是(?!不)|万一|假如|倘若|会不会|若|怕|担心|听说|医生说|网上说)[^。！？；，]{0,14}$")
_OTHERS = re.compile(
    r"(?:同事|邻居|网友|闺蜜|同学|室友|别人|人家|有人|有的人|好多人|很多人|大家|有个人|隔壁|群里|楼下|"
    r"(?<![小男女])朋友)(?![跟和陪])[^。！？；]{0,14}$"
)
_SELF = re.compile(r"我(?!的?(?:同事|邻居|闺蜜|同学|室友|朋友|一个朋友|们))|自己")
BACK = 24  # characters before a find that can change how it stands
AHEAD = 18  # characters after it


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether what stands between `start` and `end` is said to be so, of now."""
    before, after = text[max(0, start - BACK) : start], text[end : end + AHEAD]
    denial = DENIED.search(before)
    if denial and not _NO_DENIAL.search(before):
        return False
    if _LISTED.search(before) or ASKED.match(after):
        return False
    if after[:1] in {"不", "没"} and after[1:2] and after[1:2] in text[start:end]:  # 肿不肿
        return False
    over = _OVER.match(after)
    if over and not _RENEWED.search(after[: over.end() + 6]):
        return False
    others = _OTHERS.search(before)
    if others and not _SELF.search(others[0]):
        return False
    if _STILL.search(before) and not _UNREAL.search(before):
        return True
    if _SUPPOSED_FAR.search(before) or _SUPPOSED_NEAR.search(before) or _EARLIER.search(before):
        return False
    return not (_WILL.search(before) and (_ASKS_IN_GENERAL.search(_clause(after)) or not _WHENEVER.search(before)))


def _clause(after: str) -> str:
    return re.split(r"[，。！；]", after, maxsplit=1)[0]
