"""Where it hurts and what is felt now: symptoms that are asserted, and places in the mouth.

A symptom counts only for now: not denied, not over, not feared, not asked about, not supposed, and no figure of
speech.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from care.adapters.language.entity_text import Found, PlainText

SYMPTOMS: tuple[str, ...] = (
    r"肿胀|肿疼|红肿|水肿|浮肿|肿(?!瘤|么)|胀疼|发胀|鼓包|鼓了?个?包|起包|长了?个?包",
    r"流血|出血(?!量|性|点|价)|渗血|冒血|血流不止|止不住血|血止不住|血丝|(?:有|是|都是|带)血(?!压|糖|管|型|脂|"
    r"常规)|吐血|满嘴血|血水",
    r"发烧(?!友)|高烧|低烧|发高烧|发低烧|发热|烧到|烧得|烧起来|烧了(?!烤)",
    r"酸疼|刺疼|跳疼|剧疼|阵疼|隐疼|疼疼|疼(?!爱|惜)",
    r"发麻|麻木|麻麻的?|没知觉|没有知觉|没感觉|木木的|(?<=[还又直点唇嘴头巴脸都是在很越侧边好])"
    r"麻(?!烦|药|醉|辣|将|利|痹大意|雀|婆|花|油)",
    r"化脓|流脓|有脓|脓|异味|口臭|怪味|臭味|发臭",
    r"头晕|晕倒|恶心|呕吐|想吐|吐了|心慌|胸闷|呼吸困难|喘不上气|喘不过气|胸口?疼|发抖|寒战|发冷|冒冷汗",
    r"张不开嘴?|嘴张不开|张不大|咽不下|吞不下|吞咽困难|咬不动|合不拢|睡不着|失眠",
    r"松动|晃动|在晃|(?<!心里)松松的|脱落|裂开|开线|线开|(?:缝?线|牙套|托槽|钢丝|牙冠|补的牙?|种植体|种植牙|纱布|愈合帽)?"
    r"(?:掉了?出来|掉了(?!头发)|松了|断了|裂了|崩了|晃了)|缝?线掉",
    r"过敏|皮疹|起疹子|红疹|瘙痒|发痒|(?<=[好很太还又])痒|溃疡|磨破|扎嘴|磨嘴|发炎|感染|发黑|发白|发酸|(?<=[好很点别挺阵又还真太牙老是发])"
    r"酸(?!奶|菜|辣|甜|的东西|梅|性|溜|汤)|敏感(?!牙膏|期|词)|淤青|瘀青|"
    r"卡住",
)
SYMPTOM = re.compile("|".join(SYMPTOMS))
#: Looks like a symptom, is none.
FIGURE = re.compile(
    r"心疼|头疼的是|疼爱|肉疼|笑到?肚子疼|蛋疼|眼红|消肿(?:了|很快)|止疼药?|止血(?:药|了|海绵|纱布|棉)|退烧|"
    r"镇疼|疼点|无疼|不疼不痒|过敏史|过敏原|脱敏"
    r"|松了(?:一口|口)气|放松了|轻松了|出血量|发烧友|流血牺牲|掉了(?:个|一个)?(?:东西|手机|钱|卡|头发|链子)|"
    r"说断了|聊断了|电话断了|打断了|网断了"
)
_STILL_SWOLLEN = re.compile(r"(?:没|没有|还没|不|未)消肿|肿(?:还)?(?:没|不)(?:有)?(?:消|退)")
DENIED = re.compile(
    r"(?:没有?|无|未|不(?![但光仅只停断止住了知得]|是(?:很)?特别)|别|并非|从不|没啥|没什么)(?:怎么|太|很|再|"
    r"那么|是|会|觉得|感觉|感到|有|在|什么|啥|任何|明显|特别|咋|大|继续|出现|发生|过|了){0,3}$"
)
_LISTED = re.compile(
    r"(?:没有?|无|未)[^，。！？；但就只不却]{0,10}(?:、|和|或|也|及|跟)$|(?:没有?|无|未)[^。！？；但就只却，]{1"
    r",6}、[^。！？；但，]{0,8}$"
)
SUPPOSED = re.compile(
    r"(?:如果|要是|万一|假如|假使|倘若|的话|若是|会不会|会|是不是会|能不能|怕|担心|害怕|恐怕|以免|免得|避免|"
    r"防止|预防|容易|可能|有没有|是否|"
    r"别再|什么情况下|为什么会|多久才|才会|才|据说|听说|网上说|都说|人家说|别人|说是|书上|以后|将来|导致|引起|"
    r"造成|缓解|减轻|治|解决|改善|对)[^，。！？；]{0,6}$"
)
ASKED = re.compile(
    r"^(?:不\S{1,2}|没有|么)?(?:吗|么)(?=[，。？！]|$)|^不(?:疼|肿|酸|麻|胀)|^(?:没|没有)(?:血|烧)?[？]|"
    r"^(?:的话|的时候怎么|了怎么办呢如果)"
)
_EARLIER = re.compile(
    r"(?:上次|以前|之前|小时候|去年|前年|那时候?|当时|原来|曾经|从前|上一次|刚做完那)[^，。！？；]{0,8}$"
)
_OVER = re.compile(
    r"^[^。！？]{0,10}?(?:[，。]?(?:今天|现在|这会儿?|已经|后来|早上|早|都|就|刚|刚才)*)(?:好了(?!多少)|没了|"
    r"没有了|不流了|停了|止住了|消了|退了|不疼了|不肿了|不烧了|不麻了|不出血了|不流血了|正常了|过去了|消失了|"
    r"痊愈)"
)
#: 还疼, 又肿了: asserted whatever stands further off.
_STILL = re.compile(r"(?:还|又|一直|越来越|更|仍|依然|突然|总|老是|总是|开始|持续|不停|现在|今天)[^，。！？；]{0,4}$")

_SIDE = r"(?:左|右)(?:边|侧|面|手边)?"
_LEVEL = r"(?:上|下)(?:面|边|颌|排|方|侧|头)?"
_DEPTH = r"(?:最)?(?:里面|里边|里头|后面|后边|后头|前面|前边|靠里|靠后|中间|深处|靠里面)"
_COUNTED = r"(?:第?[一二三四五六七八两几1-8](?:颗|个|只))"
_TOOTH = (
    r"(?:后槽牙|后大牙|大门牙|大板牙|六龄齿|六龄牙|大牙|门牙|虎牙|板牙|槽牙|磨牙|切牙|尖牙|犬牙|犬齿|智齿|智牙|"
    r"乳牙|恒牙|尽头牙|牙齿|牙龈|牙床|牙)"
)
SITE = re.compile(
    rf"(?:(?P<side>{_SIDE})的?(?P<level>{_LEVEL})?的?(?P<depth>{_DEPTH})?的?|(?P<level2>{_LEVEL})的?(?P<side2>"
    rf"{_SIDE})?的?(?P<depth2>{_DEPTH})?的?|(?P<depth3>{_DEPTH})的?(?P<side3>{_SIDE})?的?)"
    rf"(?P<count>[那这]?{_COUNTED}|[那这](?:颗|个|只|排))?的?(?P<tooth>{_TOOTH})?(?P<fdi>[1-8](?![\d.]|号[楼线]))?"
)
NAMED = re.compile(
    r"后槽牙|后大牙|大门牙|大板牙|大牙|门牙|虎牙|板牙|槽牙|磨牙|切牙|尖牙|犬齿|乳牙|六龄齿|尽头牙|(?<=两颗)门牙"
)
NUMBERED = re.compile(
    r"(?<![\d.])(?:[1-4][1-8]|[5-8][1-5]|(?:[一二三四]?十[一二三四五六七八]|"
    r"[二三四]十[一二三四五六七八]))号?(?:位)?(?:牙|牙位)|#(?:[1-4][1-8])"
)
WISDOM_NOW = re.compile(r"(?:智齿|智牙)(?=[^，。！？；]{0,3}(?:疼|肿|发炎|胀|冒|长|松|烂|蛀))")
_ABOUT_A_MOUTH = re.compile(
    r"^[^，。！？；]{0,5}(?:疼|肿|酸|麻|胀|松|流血|出血|发炎|牙|脸|腮|不舒服|难受|拔|种|补|咬|断|掉|蛀|烂|缺|"
    r"化脓|敏感)"
)
_NOT_IN_A_MOUTH = re.compile(
    r"^(?:角|拐|转|走|停车|的?(?:门|路|店|楼|电梯|按钮|图标|入口)|手|眼|耳|脚|腿|班|午|周|个|次|载|单|雨)"
)


def read(plain: PlainText) -> Iterator[Found]:
    """Yield symptoms that are there now, and places in the mouth."""
    yield from _symptoms(plain.text)
    yield from _sites(plain.text)


def _symptoms(text: str) -> Iterator[Found]:
    figures = [match.span() for match in FIGURE.finditer(text)]
    for match in _STILL_SWOLLEN.finditer(text):
        at = match.start() + match[0].index("肿")
        yield Found("symptom", at, at + 1, "肿")
        figures.append((at, at + 1))
    for match in SYMPTOM.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in figures):
            continue
        if is_asserted(text, match.start(), match.end()):
            yield Found("symptom", match.start(), match.end(), match[0])


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether what stands between `start` and `end` is said to be so, of now."""
    before, after = text[max(0, start - 20) : start], text[end : end + 16]
    if DENIED.search(before) or _LISTED.search(before):
        return False
    if ASKED.match(after):
        return False
    if _OVER.match(after) and not re.match(r"^[^。！？]{0,8}又", after):
        return False
    if _STILL.search(before):
        return not re.search(r"(?:如果|要是|万一|假如)[^。！？；]{0,12}$", before)
    return not (
        SUPPOSED.search(before) or _EARLIER.search(before) or re.match(r"的话|过(?!敏|去|来)|怎么办呢?如果", after)
    )


def _sites(text: str) -> Iterator[Found]:
    for match in NUMBERED.finditer(text):
        yield Found("tooth_site", match.start(), match.end(), match[0])
    for match in SITE.finditer(text):
        found = _site(text, match)
        if found is not None:
            yield found
    for pattern in (NAMED, WISDOM_NOW):
        for match in pattern.finditer(text):
            yield Found("tooth_site", match.start(), match.end(), match[0])


def _site(text: str, match: re.Match[str]) -> Found | None:
    words = match.groupdict()
    start, end = match.span()
    end -= len(match[0]) - len(match[0].rstrip("的"))
    side = words["side"] or words["side2"] or words["side3"]
    level = words["level"] or words["level2"]
    depth = words["depth"] or words["depth2"] or words["depth3"]
    after = text[match.end() : match.end() + 8]
    if words["tooth"] or words["fdi"]:
        if words["tooth"] in {"牙", "牙齿", "牙龈", "牙床"} and not (
            side or depth or (level and len(level) > 1) or words["count"]
        ):
            known = level is not None and text[start:end] in {"上牙", "下牙", "上牙龈", "下牙龈", "上牙床", "下牙床"}
            if not known or (start and text[start - 1] in "戴换装摘咬磨刷一以晚早"):
                return None
        return None if words["fdi"] and not (side and level) else Found("tooth_site", start, end, text[start:end])
    if _NOT_IN_A_MOUTH.match(after):
        return None
    if side and level:
        return Found("tooth_site", start, end, text[start:end])
    alone = match[0].rstrip("的")
    if len(alone) < 2 or alone in {"上头", "下头", "下面", "上面", "中间", "后面", "前面", "下边", "上边"}:
        return None
    return Found("tooth_site", start, end, text[start:end]) if _ABOUT_A_MOUTH.match(after) else None
