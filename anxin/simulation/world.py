"""One synthetic member under one policy: sends are read or not, answers come, complications are caught or missed."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from anxin.simulation.members import DAYS, ZONE, SyntheticMember
from anxin.simulation.policies import Policy
from care.model.history import History, Sent
from care.model.next_action import BY_CARER, Action, ActionKind, CarePlan, record

POINTS = (9, 12, 16, 19)
MEDICAL = frozenset({"L0", "L1", "L2"})
HELPS = {ActionKind.CARER_MESSAGE: 1.1, ActionKind.CARER_CALL: 1.5}  # relief at its height; a written word gives 0.8
WORD_HELPS = 0.8
HELP_FADES = 0.75  # days
TIRES, RESTS = 0.18, 0.90  # habituation per automated message, and what is left of it after a day
MINUTES = {ActionKind.CARER_MESSAGE: 3.0, ActionKind.CARER_CALL: 8.0}
TRUE_CASE, FALSE_CASE, BY_HAND = 12.0, 8.0, 4.0


@dataclass(slots=True)
class Outcome:
    """What one course came to."""

    treatment: str
    archetype: str
    low_days: int = 0
    covered: int = 0
    contacts: int = 0  # what nobody asked for
    everything: int = 0  # with second looks and second channels
    supports: int = 0
    supports_on_low_days: int = 0
    ill: bool = False
    missed: bool = False
    late: bool = False
    false: int = 0
    opted_out: bool = False
    by_rule: Counter[str] = field(default_factory=Counter)  # seconds of carers and nurses, by what asked for them

    @property
    def minutes(self) -> float:
        """What the course cost carers and nurses."""
        return sum(self.by_rule.values()) / 60

    def spend(self, rule: str, minutes: float) -> None:
        """Add what something cost."""
        self.by_rule[rule] += round(60 * minutes)


@dataclass(slots=True)
class _Life:
    member: SyntheticMember
    care: CarePlan
    history: History
    midnight: datetime
    outcome: Outcome
    queue: list[tuple[datetime, int, str, object]] = field(default_factory=list)
    reliefs: list[tuple[float, float]] = field(default_factory=list)
    there: set[int] = field(default_factory=set)  # days on which support was read
    tired: float = 0.0
    tired_at: float = 0.0
    caught_at: float | None = None
    count: int = 0

    def at(self, moment: datetime) -> float:
        """Return a moment as days since midnight of the day of treatment."""
        return (moment - self.midnight).total_seconds() / 86400

    def push(self, moment: datetime, kind: str, what: object = None) -> None:
        self.count += 1
        heapq.heappush(self.queue, (moment, self.count, kind, what))

    def relief(self, at: float) -> float:
        return min(
            2.0, sum(most * math.exp(-(at - since) / HELP_FADES) for since, most in self.reliefs if since <= at)
        )

    def helped(self, at: float, most: float) -> None:
        self.reliefs.append((at, most))
        self.there.add(int(at))


def live(member: SyntheticMember, policy: Policy, care: CarePlan) -> Outcome:
    """Let a member live from the end of the treatment to the end of day 14."""
    subject = member.subject
    midnight = datetime.combine(subject.ended_at.astimezone(ZONE).date(), time(0), tzinfo=ZONE)
    life = _Life(member, care, History(subject), midnight, Outcome(subject.treatment, member.archetype))
    for day in range(DAYS):
        for hour in POINTS:
            if midnight + timedelta(days=day, hours=hour) > subject.ended_at:
                life.push(midnight + timedelta(days=day, hours=hour), "decide")
        _may_write(life, day)
    end = midnight + timedelta(days=DAYS)
    asked: set[datetime] = set()
    while life.queue and life.queue[0][0] < end:
        now, _, kind, what = heapq.heappop(life.queue)
        _happen(life, now, kind, what)
        decided = policy(life.history, now, care)
        for action in decided:
            _carry_out(life, action, now)
        again = min((action.look_again_at for action in decided), default=now)
        if again > now and again not in asked:
            asked.add(again)
            life.push(again, "decide")
    return _sum_up(life)


def _happen(life: _Life, now: datetime, kind: str, what: object) -> None:
    member, history = life.member, life.history
    if kind == "read" and isinstance(what, Sent):
        life.history = replace(
            history, sent=tuple(replace(one, read_at=now) if one == what else one for one in history.sent)
        )
        if what.supportive:
            life.helped(life.at(now), WORD_HELPS)
    elif kind == "answer" and isinstance(what, tuple):
        question, plan = what
        at = life.at(now)
        value = member.tells(
            question,
            at,
            life.care.protocols[member.subject.treatment],
            relief=life.relief(at),
            cured_at=life.caught_at,
        )
        life.history = history.with_answer(now, question, value, plan)
    elif kind == "write" and isinstance(what, tuple):
        valence, level, of_illness = what
        if of_illness and not member.ill(life.at(now), life.caught_at):
            return  # seen to since
        life.history = history.with_message(now, valence=valence, level=level)
    elif kind == "wish":
        life.history, life.outcome.opted_out = history.with_wish(now, str(what)), True
    elif kind == "carer" and isinstance(what, Action):
        _carer_comes(life, what, now)
    elif kind == "close" and isinstance(what, str):
        cases = tuple(
            replace(note, closed_at=now) if note.closed_at is None and note.reason == what else note
            for note in history.cases
        )
        life.history = replace(history, cases=cases)


def _carry_out(life: _Life, action: Action, now: datetime) -> None:
    if action.kind is ActionKind.NOTHING:
        return
    life.history = record(life.history, action, now)
    outcome, at = life.outcome, life.at(now)
    if action.kind is ActionKind.CASE:
        _case(life, action, now)
        return
    if action.kind is ActionKind.REPLY:
        if action.supportive:
            life.helped(at, WORD_HELPS)
        for question in action.ask:
            if life.member.random.random() < _chance(life, at, life.member.answers + 0.5):
                life.push(now + timedelta(minutes=2), "answer", (question, action.code))
        return
    if action.proactive:
        outcome.contacts += 1
        if action.supportive:
            outcome.supports += 1
            outcome.supports_on_low_days += int(life.member.is_low(int(at)))
    outcome.everything += int(action.kind not in BY_CARER or action.proactive)
    if action.kind in BY_CARER:
        outcome.spend(str(action.why.get("rule")), MINUTES[action.kind])
        in_hours = 9 <= now.astimezone(ZONE).hour < 20
        comes = now + timedelta(hours=1) if in_hours else _next_morning(now)
        life.push(comes, "carer", action)
        return
    _deliver(life, action, now)


def _deliver(life: _Life, action: Action, now: datetime) -> None:
    """Read or not, today or tomorrow, answered or not; tired and distressed people read and answer less."""
    member, at, random = life.member, life.at(now), life.member.random
    life.tired = life.tired * RESTS ** (at - life.tired_at) + TIRES
    life.tired_at = at
    local = now.astimezone(ZONE)
    slot = {9: -0.35, 12: -0.3, 16: -0.3}.get(local.hour, 0.35 if local.hour >= 18 else -0.3)
    sent = life.history.sent[-1]
    if random.random() < 0.004 * (1 + life.tired):
        life.push(now + timedelta(minutes=30), "wish", "stop" if random.random() < 0.3 else "less")
    boost = -0.6 if action.second_channel else 0.0
    if random.random() < _chance(life, at, member.reads + slot + boost):
        read = now + timedelta(hours=min(random.expovariate(1 / 1.3), 23.4 - local.hour))
    elif random.random() < 0.55:
        read = _next_morning(now) + timedelta(hours=random.uniform(0, 3))
    else:
        return
    life.push(read, "read", sent)
    answers = member.answers + (0.4 if local.hour >= 18 else 0.0)
    if action.ask and random.random() < _chance(life, at, answers):
        for number, question in enumerate(action.ask):
            life.push(read + timedelta(minutes=2 + number), "answer", (question, action.code))


def _chance(life: _Life, at: float, odds: float) -> float:
    stress = 0.12 * (life.member.distress(at, life.relief(at)) - 4)
    return 1 / (1 + math.exp(-(odds - stress - 0.9 * life.tired)))


def _carer_comes(life: _Life, action: Action, now: datetime) -> None:
    random, at = life.member.random, life.at(now)
    reached = random.random() < (0.85 if action.kind is ActionKind.CARER_CALL else 0.92)
    if reached:
        life.helped(at, HELPS[action.kind])
        if action.kind is ActionKind.CARER_CALL:
            life.history = life.history.with_message(now, valence=0.1)
            if life.member.ill(at, life.caught_at) and life.caught_at is None:
                _catch(life, at)
                life.outcome.spend("true", TRUE_CASE)
    life.push(now + timedelta(hours=4), "close", str(action.why.get("rule", "")))


def _case(life: _Life, action: Action, now: datetime) -> None:
    level = action.level.value if action.level else ""
    rule = str(action.why.get("rule", ""))
    life.push(now + timedelta(hours=12), "close", rule)
    if level not in MEDICAL or rule == "late_surgery":
        life.outcome.spend(rule, BY_HAND)
        if level == "L3" and life.member.ill(life.at(now), life.caught_at):
            _catch(life, life.at(now) + 4 / 24)
        return
    if life.member.ill(life.at(now), life.caught_at):
        life.outcome.spend("true", TRUE_CASE)
        _catch(life, life.at(now))
    else:
        life.outcome.spend(f"false {rule}", FALSE_CASE)
        life.outcome.false += 1


def _catch(life: _Life, at: float) -> None:
    if life.caught_at is None:
        life.caught_at = at


def _may_write(life: _Life, day: int) -> None:
    """Put into the day what the member may write unasked: because they are low, ill, or just so."""
    member, random = life.member, life.member.random
    at = life.midnight + timedelta(days=day, hours=random.uniform(8, 22.5))
    if at <= member.subject.ended_at:
        return
    ill = member.complication
    if ill and ill.onset <= life.at(at) and random.random() < ill.tells:
        level = random.choices(("L2", "L1", "none"), (0.7, 0.15, 0.15))[0]
        life.push(at, "write", (-0.4, level, True))
        return
    low = member.is_low(day)
    if random.random() < (member.writes if low else 0.04):
        valence = random.uniform(-0.9, -0.2) if low else random.uniform(-0.2, 0.6)
        grave = member.distress(life.at(at)) > 6.5
        level = "P1" if low and random.random() < 0.3 else "none"
        if grave and random.random() < 0.02:
            level = "P2"
        life.push(at, "write", (valence, level, False))


def _next_morning(now: datetime) -> datetime:
    local = now.astimezone(ZONE)
    day = local.date() if local.hour < 9 else local.date() + timedelta(days=1)
    return datetime.combine(day, time(9, 30), tzinfo=ZONE)


def _sum_up(life: _Life) -> Outcome:
    outcome, member = life.outcome, life.member
    for day in range(DAYS):
        if member.is_low(day):
            outcome.low_days += 1
            outcome.covered += int(day in life.there)
    ill = member.complication
    if ill is not None:
        outcome.ill = True
        outcome.missed = life.caught_at is None
        outcome.late = life.caught_at is not None and life.caught_at > ill.harm
    return outcome
