"""What goes in and out of the REST interface."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

LARGEST = 2**63 - 1  # a sequence number no database goes beyond
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    """Refuse what no database keeps and nobody types: control characters and halves of characters."""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("holds control characters")
    return text


def _calendar(moment: datetime) -> datetime:
    """Refuse moments no calendar can reckon with."""
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("lies outside the years 1970 to 2200")
    return moment


Text = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
Code = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_storable)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Moment = Annotated[AwareDatetime, AfterValidator(_calendar)]
Instant = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]  # shown in UTC, whoever gave it


class Strict(BaseModel):
    """Unknown fields are refused, so that a typo cannot be silently ignored."""

    model_config = ConfigDict(extra="forbid")


class MemberIn(Strict):
    """A member as the practice system knows them."""

    name: Text | None = None
    phone: Text | None = None
    title: Literal["女士", "先生"] | None = None
    zone: Text | None = None
    risk_facts: list[Code] = Field(default_factory=list, max_length=20)
    external_ref: Code | None = None


class MemberPatch(Strict):
    """What should change."""

    name: Text | None = None
    phone: Text | None = None
    title: Literal["女士", "先生"] | None = None
    zone: Text | None = None
    risk_facts: list[Code] | None = Field(default=None, max_length=20)


class MemberOut(BaseModel):
    """A member."""

    id: str
    name: str | None
    phone: str | None
    title: str | None
    zone: str
    level: int
    risk_facts: list[str]
    external_ref: str | None
    created_at: Instant


class IdentityIn(Strict):
    """A channel account the practice system knows to be this member's."""

    channel: Literal["web", "telegram", "wechat", "wecom"]
    external_id: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_storable)]


class ClinicOut(BaseModel):
    """A branch of the pack."""

    code: str
    name: str
    address: str


class ProtocolOut(BaseModel):
    """A kind of treatment that opens a recovery."""

    code: str
    name: str
    version: str
    approved_by: str
    facts: list[str]  # what may be told about a treatment, of any kind


class PractitionerOut(BaseModel):
    """A practitioner of the pack."""

    code: str
    name: str
    title: str
    services: list[str]
    languages: list[str]
    good_at: list[str]


class ServiceOut(BaseModel):
    """A service of the pack; prices in CNY."""

    code: str
    name: str
    minutes: int
    price_low: int
    price_high: int
    preparation: str


class SlotOut(BaseModel):
    """A free time."""

    service: str
    practitioner: str
    clinic: str
    start_at: Instant
    end_at: Instant


class AppointmentIn(Strict):
    """A visit to book at a stated time."""

    member_id: Code
    service: Code
    start_at: Moment
    practitioner: Code | None = None
    clinic: Code | None = None
    for_whom: Text | None = None
    idempotency_key: Code | None = None


class AppointmentOut(BaseModel):
    """A visit."""

    id: str
    member_id: str
    service: str
    practitioner: str
    clinic: str
    chair: str
    start_at: Instant
    end_at: Instant
    status: str
    for_whom: str | None
    moved_from: str | None


class TreatmentIn(Strict):
    """A treatment that was done; it opens a recovery when the pack has a protocol for its kind."""

    member_id: Code
    kind: Code
    practitioner: Code
    clinic: Code
    ended_at: Moment
    facts: list[Code] = Field(default_factory=list, max_length=20)
    sutures_out_on: date | None = None
    external_ref: Code | None = None
    instructions: str | None = Field(default=None, max_length=60, description="the doctor's own words to the member")
    next_step: str | None = Field(default=None, max_length=30, description="what the plan of treatment has next")
    pain_before: float | None = Field(default=None, ge=0, le=10, description="0-10, before the treatment")


class TouchpointOut(BaseModel):
    """A planned contact and what became of it."""

    id: str
    plan: str
    kind: str
    due_at: Instant
    expires_at: Instant
    handed_over_at: Instant | None
    state: str
    reason: str | None
    safety: bool
    ask: list[str]
    answered: list[str]


class AnswerOut(BaseModel):
    """An answer and the rule that judged it."""

    question: str
    value: str
    at: Instant
    day: int | None
    verdict: str
    rule: str
    level: str | None
    reason: str


class TreatmentOut(BaseModel):
    """A treatment, its recovery, contacts and answers."""

    id: str
    member_id: str
    kind: str
    practitioner: str
    clinic: str
    ended_at: Instant
    facts: list[str]
    sutures_out_on: date | None
    external_ref: str | None
    episode_id: str | None
    episode_status: str | None
    touchpoints: list[TouchpointOut]
    answers: list[AnswerOut]


class CaseOut(BaseModel):
    """Something a human owes a member."""

    id: str
    member_id: str
    level: str
    track: str
    reason: str
    state: str
    summary: str
    opened_at: Instant
    due_at: Instant
    owner: str | None
    taken_at: Instant | None
    breached_at: Instant | None
    resolved_at: Instant | None
    outcome: str | None


class MessageOut(BaseModel):
    """One thing said, with its delivery."""

    id: str
    seq: int
    author: str
    text: str
    at: Instant
    channel: str | None
    buttons: list[str]
    delivery: str | None
    assessment: dict[str, object] | None


class ConversationOut(BaseModel):
    """A member's conversation: who owns it and what was said."""

    member_id: str
    owner: str
    epoch: int
    messages: list[MessageOut]


class FieldProblem(BaseModel):
    """One field that cannot be accepted."""

    field: str
    problem: str


class ProblemOut(BaseModel):
    """A refusal (RFC 9457): `title` is a stable code, `detail` a sentence."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    fields: list[FieldProblem] | None = None
    alternatives: list[SlotOut] | None = None
