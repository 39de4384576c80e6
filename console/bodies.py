"""What the page may send. Anything else in a request is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from care.model.tasks import CallOutcome
from care.services.complaints import Heard

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Outcome = Annotated[str, Field(max_length=500)]


class Body(BaseModel):
    """A request of the page."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Body):
    """A request that needs no words."""


class Words(Body):
    """A reply or a note; `key` is the same when the page sends it again."""

    key: Key
    text: Annotated[str, Field(max_length=4_000)]


class HandBack(Body):
    """Giving the conversation back to the bot."""

    outcome: Outcome
    next_step: Outcome = ""
    may_mention: bool = True
    because: Outcome = ""  # why a lead does it within a day of something grave


class Resolve(Body):
    """Closing a case."""

    outcome: Outcome


class Release(Body):
    """Ending a crisis: the lead says why."""

    outcome: Outcome


class CallEnded(Body):
    """How a call ended. `again_at` is wall time of the clinic, without a zone."""

    outcome: CallOutcome
    note: Outcome = ""
    heard: Heard = Heard.NOTHING
    again_at: datetime | None = None


class NewTreatment(Body):
    """A treatment to record. `ended_at` is wall time of the clinic, without a zone."""

    key: Key
    kind: Code
    practitioner: Code
    clinic: Code
    ended_at: datetime
    sutures_out_on: date | None = None
    facts: Annotated[list[Code], Field(max_length=8)] = []
