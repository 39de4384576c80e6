"""What may come next for a member in recovery: kinds of action, what each carries, and how one is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from care.model.case import CaseLevel
from care.model.curve import Curves
from care.model.history import CaseNote, History, Sent
from care.model.judging import Table
from care.model.protocol import Protocol


class ActionKind(StrEnum):
    """What should happen at this moment."""

    NOTHING = "nothing"
    CHECK_IN = "check_in"  # a contact that asks
    SUPPORT = "support"  # a contact that is there for the member's mood
    REPLY = "reply"  # a word in a talk the member is in; costs no contact
    CARER_MESSAGE = "carer_message"
    CARER_CALL = "carer_call"
    CASE = "case"  # a human must act: medical, crisis or complaint


BY_CARER = frozenset({ActionKind.CARER_MESSAGE, ActionKind.CARER_CALL})
FOR_HUMANS = frozenset({*BY_CARER, ActionKind.CASE})


@dataclass(frozen=True, slots=True)
class Action:
    """One next step, with its reason in one sentence and the moment to decide again.

    `proactive` counts towards the caps: what nobody asked for and nobody was promised. By when a human must have
    acted is for the ladder of cases to say. `why` is for machines: the rule or threshold, the probability, whether
    chance had a say.
    """

    kind: ActionKind
    reason_zh: str
    look_again_at: datetime
    code: str = ""  # of the protocol's contact; recheck_<question>; S<day> for an added one
    theme: str | None = None
    ask: tuple[str, ...] = ()
    safety: bool = False
    supportive: bool = False
    proactive: bool = False
    second_channel: bool = False
    level: CaseLevel | None = None
    why: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CarePlan:
    """What the clinic decided, and whether chance withholds one optional contact in ten so that its effect shows."""

    protocols: Mapping[str, Protocol]
    table: Table
    curves: Curves
    explore: bool = True
    seed: str = ""


def record(history: History, action: Action, at: datetime) -> History:
    """Return the history after an action was carried out at a moment; nothing leaves no trace."""
    if action.kind is ActionKind.NOTHING:
        return history
    if action.kind in FOR_HUMANS and action.level is not None:
        history = history.with_case(CaseNote(at, action.level.value, str(action.why.get("rule", ""))))
    if action.kind is ActionKind.CASE:
        return history
    return history.with_sent(
        Sent(
            at=at,
            kind=action.kind.value,
            code=action.code,
            supportive=action.supportive,
            ask=action.ask,
            safety=action.safety,
            second_channel=action.second_channel,
            proactive=action.proactive,
        )
    )
