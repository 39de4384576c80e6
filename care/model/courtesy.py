"""Short words that close a talk, and short answers to "is it solved?": read by rule, because they are so short.

A courtesy (谢谢, 好的, 辛苦了) wants nothing: it opens no case, restarts no clock and reopens nothing. It is no yes
either: who is asked whether a complaint is settled and says 好的 has not said that it is.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 24  # characters; who writes more has something to say
_NOISE = re.compile(r"[\W_]+|的呢|呢|哈+|啦|哦|噢|喔|呀|哟|嘞|咯|哒|吧|了$", re.UNICODE)
_COURTESY = re.compile(
    r"(?:(?:非常|太|真是|真|多|十分|万分)?(?:感谢|谢谢|谢了|谢|多谢|3q|thanks?|thankyou|thx)(?:您们?|你们?|大家|医生|护士|关怀师|小安)?"
    r"|好|好的|好滴|好嘞|好哒|行|嗯+|恩+|哦+|噢|ok|okay|(?:收到|知道|明白|了解|晓得|辛苦|麻烦|费心|没事|好)了?|客气|再见|拜拜|bye|晚安"
    r"|您们?|你们?|都|已|先这样|不用|不客气)+"
)
_YES = re.compile(
    r"(?:对|是|是的|嗯+|恩+|好|好的|可以|行|满意|挺|很|都|已经|已|算|是|基本|现在|这下|终于|总算|没问题|没有问题|没意见)*"
    r"(?:解决|办好|处理好|办妥|弄好|满意|没问题|没有问题|没意见|结案|可以结|好了|妥了|可以了|行了|没事了|搞定)"
    r"(?:了|的|啊|谢谢|感谢|您|你们|多谢|辛苦)*"
)
_NO = re.compile(
    r"(?:不满意|没解决|没有解决|还没|没有|没弄好|没处理|没办好|不行|不对|不是|差|还差|没好|没完|不算|哪里好|并没有|根本没|没人联系|没打|没收到|没退)"
)


def is_courtesy(text: str) -> bool:
    """Whether the words are nothing but thanks, an acknowledgement or a farewell."""
    plain = _plain(text)
    return bool(plain) and len(plain) <= LONGEST and _COURTESY.fullmatch(plain) is not None


def says_solved(text: str) -> bool | None:
    """Return what short words answer to "is it solved?": True, False, or None when they answer something else."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"[\W_]+", "", plain)
    if not plain or len(plain) > LONGEST:
        return None
    if _NO.search(plain) and not plain.startswith(("没有问题", "没问题", "没意见")):
        return False
    return True if _YES.fullmatch(plain) else None


def _plain(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())
