"""A history looked at from one moment: which day it is, what has gone out, what was answered, what is believed.

Everything the decisions share is worked out here once. Caps are those of the clinic (protocol 2026-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from care.model import curve as curves
from care.model.answer_rules import MEDICAL
from care.model.curve import Curve, Observation, PainReport
from care.model.gate import LATE_SURGERY_UNTIL, QUIET
from care.model.history import History, Sent
from care.model.judging import Judgement, SameProtocol, judge
from care.model.next_action import BY_CARER, Action, ActionKind, CarePlan
from care.model.protocol import Protocol
from care.model.windows import Slot, slots

ANXIOUS_FROM = 19  # MDAS
SUPPORT_LASTS = timedelta(hours=30)
SILENT_AFTER = timedelta(hours=12)
SAME_TALK = timedelta(hours=2)
LOOK_BACK = timedelta(days=8)  # answers older than this are past
LATELY = timedelta(hours=48)
A_DAY, IN_72_HOURS, IN_14_DAYS, A_WEEK_LATER = 1, 4, 11, 2
APART = timedelta(hours=10)
EVENING = (time(18, 30), time(20, 30))
WRITE_FROM = 0.15  # probability of a low day from which a word is added
SLOT_FROM = 0.08  # the protocol's own days of care go from here on
ASK_AT_MOST = 4
LOW_MOODS = frozenset({"1", "2", "3"})
REPLY_TO_MOOD = "reply_mood"
COURSE = 14  # days in which contacts are dense and the curve speaks
ASKING = frozenset({ActionKind.CHECK_IN, ActionKind.SUPPORT})
BLOCKING = frozenset({"L0", "L1", "P2", "P3", "K2", "K3"})


class Moment:
    """One history at one moment."""

    def __init__(self, history: History, now: datetime, care: CarePlan) -> None:
        self.history, self.now, self.care = history, now, care
        subject = history.subject
        self.subject = subject
        self.protocol: Protocol = care.protocols[subject.treatment]
        self.zone = subject.tz
        self.first = _local_date(subject.ended_at, self.zone)
        self.local = now.astimezone(self.zone)
        self.today = self.local.date()
        self.day = (self.today - self.first).days
        self.awake = QUIET[1] <= self.local.time() < QUIET[0]

    def day_of(self, at: datetime) -> int:
        """Return the day of recovery of a moment."""
        return (at.astimezone(self.zone).date() - self.first).days

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The protocol's contacts that are for this member, earliest first."""
        subject = self.subject
        same = SameProtocol(self.protocol)
        return _slots(same, subject.ended_at, self.zone, subject.facts, subject.sutures_out_on, subject.crown_on)

    @property
    def to_come(self) -> Iterator[Slot]:
        """The contacts that were not made yet and still can be."""
        return (slot for slot in self.slots if slot.plan.code not in self.gone and slot.closes > self.now)

    @cached_property
    def theme(self) -> str:
        """What to speak about: what the member named last, else what fits the treatment and the day."""
        named = next((one.theme for one in reversed(self.history.inbound) if one.theme), None)
        return named or self.care.curves.theme(self.subject.treatment, self.subject.facts, self.day)

    def with_symptoms(self, ask: tuple[str, ...]) -> tuple[str, ...]:
        """Add to a word of care the pain and one more sign the protocol watches around this day.

        A complication shows on days between those for safety; whoever is asked anyway is asked for it too.
        """
        near = sorted((slot for slot in self.slots if slot.plan.safety), key=lambda slot: abs(slot.day - self.day))
        signs = [code for slot in near[:2] for code in slot.plan.ask if code in MEDICAL and code != "pain"]
        wanted = ("pain", *signs[:1])
        return (*ask, *(code for code in wanted if code not in ask))[: max(ASK_AT_MOST, len(ask))]

    @cached_property
    def safety_due(self) -> Slot | None:
        """The contact for safety that should leave now; late on its own day is better than never."""
        first_evening = self.day == 0 and self.local.time() < LATE_SURGERY_UNTIL
        for slot in self.slots:
            if (
                slot.day == self.day
                and slot.plan.safety
                and slot.plan.code not in self.gone
                and slot.opens <= self.now
            ):
                return slot if self.awake or first_evening else None
        return None

    @cached_property
    def gone(self) -> frozenset[str]:
        """Codes of contacts made already."""
        return frozenset(one.code for one in self.history.sent)

    @cached_property
    def judgements(self) -> list[Judgement]:
        """What the answers of the last days demand, oldest first."""
        reports = self.history.reports
        return judge(
            reports,
            since=self.now - LOOK_BACK,
            ended_at=self.subject.ended_at,
            days=[self.day_of(report.at) for report in reports],
            protocol=self.protocol,
            facts=self.subject.facts,
            table=self.care.table,
            before=self.subject.pain_before,
        )

    @cached_property
    def well(self) -> bool:
        """Whether the last contact that was answered held nothing worth a second look."""
        if not self.judgements:
            return False
        last = self.judgements[-1].report.at - SAME_TALK
        return all(one.verdict == "ok" for one in self.judgements if one.report.at >= last)

    @cached_property
    def low_lately(self) -> bool:
        """Whether a mood of 3 or less was told in the last two days."""
        told = (one.report for one in self.judgements if one.report.question == "mood")
        return any(report.value in LOW_MOODS and self.now - report.at < LATELY for report in told)

    @cached_property
    def unheard(self) -> tuple[Sent, ...]:
        """Contacts that asked something since the member was last heard, each once, second tries left out.

        A supporting word that was read has done its work and is not counted as unanswered.
        """
        heard = self.history.last_heard
        return tuple(
            one
            for one in self.history.sent
            if one.ask
            and one.kind in ASKING
            and not one.second_channel
            and (heard is None or one.at > heard)
            and not (one.kind == ActionKind.SUPPORT and one.read_at is not None)
        )

    @cached_property
    def unanswered(self) -> int:
        """How many contacts in a row stayed without an answer for half a day."""
        return sum(1 for one in self.unheard if self.now - one.at >= SILENT_AFTER)

    @cached_property
    def wish(self) -> str:
        """The member's last word on being written to: less, stop or resume."""
        return self.history.wishes[-1].wish if self.history.wishes else "resume"

    @cached_property
    def blocked_by_case(self) -> bool:
        """Whether something is open that only its own human may speak about."""
        return any(note.closed_at is None and note.level in BLOCKING for note in self.history.cases)

    @cached_property
    def counted(self) -> tuple[datetime, ...]:
        """When the member was contacted without having asked, oldest first."""
        return tuple(one.at for one in self.history.sent if one.proactive)

    @cached_property
    def contacted_today(self) -> bool:
        """Whether the day's one contact is spent."""
        return bool(self.counted) and _local_date(self.counted[-1], self.zone) == self.today

    @cached_property
    def supported_today(self) -> bool:
        """Whether somebody was there for the member today, unasked or in reply to a message.

        The word said back to a low mood does not count: the low answer must not cost the member the evening's.
        """
        return any(
            one.supportive and one.code != REPLY_TO_MOOD and _local_date(one.at, self.zone) == self.today
            for one in self.history.sent[-8:]
        )

    def carer_since(self, span: timedelta) -> bool:
        """Whether a carer has been in touch within a span."""
        return any(one.kind in BY_CARER and self.now - one.at < span for one in self.history.sent)

    @cached_property
    def room(self) -> bool:
        """Whether the caps leave room for one more contact that is not for safety."""
        counted, now = self.counted, self.now
        if self.contacted_today or (counted and now - counted[-1] < APART):
            return False
        if sum(1 for at in counted if now - at < timedelta(hours=72)) >= IN_72_HOURS:
            return False
        if self.day > COURSE:
            return sum(1 for at in counted if now - at < timedelta(days=7)) < A_WEEK_LATER
        return sum(1 for at in counted if now - at < timedelta(days=14)) < IN_14_DAYS

    @cached_property
    def foreseen(self) -> int:
        """How many contacts the first two weeks will hold if nothing is added: made, and still due for safety."""
        ahead = sum(
            1
            for slot in self.slots
            if slot.plan.safety and slot.day <= COURSE and slot.closes > self.now and slot.plan.code not in self.gone
        )
        return len(self.counted) + ahead

    @cached_property
    def curve(self) -> Curve:
        """What is believed about the member's course by now."""
        subject = self.subject
        anxious = subject.mdas is not None and subject.mdas >= ANXIOUS_FROM
        prior = Curve.prior(self.care.curves, subject.treatment, alone=subject.alone, anxious=anxious)
        return curves.replay(prior, self._heard(), self._pains())

    def _heard(self) -> list[Observation]:
        kind = [one.at for one in self.history.sent if one.supportive]
        told: list[tuple[datetime, int, float | None]] = [
            (report.at, int(report.value), None)
            for report in self.history.reports
            if report.question == "mood" and report.value.isdigit()
        ]
        told += [(one.at, 0, one.valence) for one in self.history.inbound if abs(one.valence) >= 0.15]
        found = []
        for at, mood, valence in sorted(told, key=_when):
            supported = any(at - SUPPORT_LASTS < one < at for one in kind)
            day = self.day_of(at)
            if valence is None:
                found.append(curves.from_mood(day, mood, supported=supported))
            else:
                found.append(curves.from_text(day, valence, supported=supported))
        if self.unanswered >= 2 and self.usually_answers:
            found.append(curves.from_silence(max(0, self.day)))
        return found

    def _pains(self) -> list[PainReport]:
        return [
            PainReport(day, float(report.value), self.protocol.prior(day, self.subject.facts))
            for report in self.history.reports
            if report.question == "pain" and report.value.isdigit()
            for day in (self.day_of(report.at),)
        ]

    @cached_property
    def usually_answers(self) -> bool:
        """Whether silence is unlike this member: known from before, or seen in this recovery."""
        if self.subject.answers_usually is not None:
            return self.subject.answers_usually
        asked = sum(1 for one in self.history.sent if one.ask and one.kind in ASKING and not one.second_channel)
        return asked >= 3 and (asked - len(self.unheard)) * 3 >= asked


def _when(told: tuple[datetime, int, float | None]) -> datetime:
    return told[0]


@lru_cache(maxsize=512)
def _slots(
    protocol: SameProtocol,
    ended_at: datetime,
    zone: ZoneInfo,
    facts: frozenset[str],
    sutures_out_on: date | None,
    crown_on: date | None,
) -> tuple[Slot, ...]:
    found = slots(protocol.it, ended_at, zone, sutures_out_on=sutures_out_on, crown_on=crown_on)
    return tuple(slot for slot in found if slot.plan.is_for(facts))


@lru_cache(maxsize=4096)
def _local_date(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def at_time(on: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return a wall time of a day as an instant."""
    return datetime.combine(on, wall, tzinfo=zone)


def nothing(moment: Moment, reason: str, **values: object) -> Action:
    """Return that nothing leaves now, and why."""
    return Action(ActionKind.NOTHING, moment.care.curves.reason(reason, **values), moment.now, why={"rule": reason})


def percent(chance: float) -> int:
    """Return a probability as people read it."""
    return round(100 * chance)
