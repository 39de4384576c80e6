"""What WeCom's refusals mean, as data. Codes only: the vendor's words never go further.

Codes: 微信客服 95xxx, 客户联系 410xx, application messages 81xxx, everything else as everywhere at WeCom. The
number for a repeated message id is not in the documents at hand; once seen it goes to `wecom_duplicate_codes`.
"""

from __future__ import annotations

from care.model.errors import CareError

COUNT_SPENT, WINDOW_CLOSED, WRONG_STATE = 95001, 95002, 95018
NOT_SERVING = frozenset({95012, 95013, 95014, 95015})  # the colleague does not serve there, or not now
ALREADY_CHATTING, SOMEBODY_SENDS = 41051, 41096
NO_RECEIVER = frozenset({81013, 60111, 40003})  # nobody of those named exists over there
#: Numbers whose meaning depends on what was asked; everything else stands in the table of all of Tencent.
OURS = (
    frozenset({COUNT_SPENT, WINDOW_CLOSED, WRONG_STATE, ALREADY_CHATTING, SOMEBODY_SENDS}) | NOT_SERVING | NO_RECEIVER
)


class KfRefused(CareError):
    """WeCom refused a call; `errcode` is its own number."""

    code = "wecom_refused"

    def __init__(self, errcode: int) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode
        self.code = f"wecom_{errcode}"
