"""The ladder: who answers a case, until when, and who comes next when nobody has.

Figures and roles are the clinic's promise and stand in its pack (`ladder.yml`); here is how they are read. Minutes
are plain minutes unless a level counts working time. A moment is "in hours" from opening to closing on a working day;
all else, the whole of a day of rest or a holiday included, is on call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from care.model.case import Case, CaseLevel, CaseState, Track
from care.model.deadline import DeadlineKind, Planned
from care.model.staff import Role

DayKind = Literal["plain", "holiday", "made_up"]  # made up: a weekend day worked for a holiday
DAYS_AHEAD = 60  # how far a working day is looked for; no holiday is that long


@dataclass(frozen=True, slots=True)
class BreachStep:
    """One rung: to whom a case climbs, when, and what the member is told."""

    at: float  # times the promised span; 1 is the deadline itself
    to: Role
    says: str = ""  # a sentence of the pack; empty: the member is not written to at this rung
    minutes: int = 15  # what the member is told: within how many minutes this colleague calls


@dataclass(frozen=True, slots=True)
class LevelRule:
    """What one level promises."""

    first: tuple[Role, ...]  # the first human, in order of preference
    in_hours: int  # minutes
    on_call: int | time  # minutes, or the hour of the next morning
    steps: tuple[BreachStep, ...]
    received: str  # the sentence that makes the promise
    night: str = ""  # the sentence instead of it when night has fallen
    counts: Literal["always", "working_hours", "working_days"] = "always"
    until: Literal["taken", "resolved"] = "taken"  # what keeps the promise
    morning: Literal["any_day", "working_day"] = "any_day"  # whose morning `on_call` means
    warn_at: float = 0.75  # share of the time after which the owner is warned
    may_pause: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """All levels, the chain of command, and what complaints need besides."""

    version: str
    approved_by: str
    hours: tuple[time, time]
    rest_days: frozenset[int]  # 1 Monday … 7 Sunday
    command: tuple[Role, ...]  # upwards
    legal_rest_days: frozenset[int]  # weekdays the law does not count
    legal_days: int  # working days; 医疗机构投诉管理办法 (2019)
    legal_days_several: int  # with several departments
    repeat_within_days: int  # a second complaint within so many days is a major one
    repeat_after_minutes: int  # what is said again within these is the same complaint
    ask_after_hours: int  # silence after "solved?" before a carer asks once
    close_after_hours: int  # silence after that before it waits to be closed
    severe: frozenset[CaseLevel]  # what weighs on a colleague
    severe_in_a_row: int  # at most so many, when others are there
    levels: Mapping[CaseLevel, LevelRule]


@dataclass(frozen=True, slots=True)
class Promises:
    """The ladder on the clinic's calendar."""

    ladder: Ladder
    day_kind: Callable[[date], DayKind]  # of the clinic's calendar

    def rule(self, level: CaseLevel) -> LevelRule:
        """Return what a level promises."""
        return self.ladder.levels[level]

    def works(self, day: date) -> bool:
        """Whether the clinic's desk works on this day."""
        return self._works(day, self.ladder.rest_days)

    def in_hours(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the desk is staffed: on a working day between opening and closing, where the clinic is."""
        local = at.astimezone(zone)
        return self.works(local.date()) and self.ladder.hours[0] <= local.time() < self.ladder.hours[1]

    def is_night(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether it is past closing or before opening, whatever the day."""
        return not self.ladder.hours[0] <= at.astimezone(zone).time() < self.ladder.hours[1]

    def due(self, level: CaseLevel, opened_at: datetime, zone: ZoneInfo) -> datetime:
        """Return when the first human must have answered.

        Args:
            level: the case's level.
            opened_at: aware; when the case was opened, raised to this level or started anew.
            zone: the clinic's, which decides what is night and which day it is.

        Returns:
            An aware UTC-comparable datetime in the zone of `opened_at`.
        """
        rule = self.rule(level)
        if rule.counts == "always" and not self.in_hours(opened_at, zone) and isinstance(rule.on_call, time):
            return self._morning(opened_at, rule, rule.on_call, zone)
        return self.after(rule, opened_at, self._minutes(rule, opened_at, zone), zone)

    def after(self, rule: LevelRule, start: datetime, minutes: float, zone: ZoneInfo) -> datetime:
        """Return the moment so many minutes after `start`, counted the way this level counts."""
        span = timedelta(minutes=minutes)
        if rule.counts == "working_hours":
            return self._within(start, span, *self.ladder.hours, zone)
        if rule.counts == "working_days":
            return self._within(start, span, time(0), time(0), zone)
        return start + span

    def legal_due(self, opened_at: datetime, several: bool, zone: ZoneInfo) -> datetime:
        """Return when the law wants a complaint answered: closing time of the fifth working day, or the tenth."""
        days = self.ladder.legal_days_several if several else self.ladder.legal_days
        return self._working_day(opened_at, days, zone)

    def deadlines(self, case: Case, zone: ZoneInfo) -> list[Planned]:
        """Return every moment at which something has to happen about a case as it stands now."""
        if case.state is CaseState.RESOLVED:
            return []
        planned: list[Planned] = []
        if case.track is Track.COMPLAINT:
            days = self.ladder.legal_days_several if case.several else self.ladder.legal_days
            planned += [
                Planned(DeadlineKind.LEGAL_WARN, 0, self._working_day(case.opened_at, days - 1, zone)),
                Planned(DeadlineKind.LEGAL, 0, self.legal_due(case.opened_at, case.several, zone)),
            ]
        if self.runs(case):
            planned += self._of_clock(case, zone)
        return planned

    def runs(self, case: Case) -> bool:
        """Whether the promise is still owed and its clock not held."""
        states = {CaseState.OPEN, CaseState.TAKEN} if self.rule(case.level).until == "resolved" else {CaseState.OPEN}
        return case.state in states and case.paused_at is None

    def _of_clock(self, case: Case, zone: ZoneInfo) -> list[Planned]:
        rule = self.rule(case.level)
        since = case.raised_at or case.opened_at
        warn = since + (case.due_at - since) * rule.warn_at
        planned = [Planned(DeadlineKind.WARN, 0, warn), Planned(DeadlineKind.BREACH, 0, case.due_at)]
        promised = self._minutes(rule, since, zone)
        for number, step in enumerate(rule.steps, start=1):
            if step.at > 1:
                moment = self.after(rule, case.due_at, promised * (step.at - 1), zone)
                planned.append(Planned(DeadlineKind.ESCALATE, number, moment))
        return planned

    def _works(self, day: date, rest_days: frozenset[int]) -> bool:
        kind = self.day_kind(day)
        return kind == "made_up" or (kind == "plain" and day.isoweekday() not in rest_days)

    def _minutes(self, rule: LevelRule, at: datetime, zone: ZoneInfo) -> float:
        """Return the promised span; a level that waits for the morning counts later rungs by its hours in the day."""
        if self.in_hours(at, zone) or isinstance(rule.on_call, time):
            return rule.in_hours
        return rule.on_call

    def _morning(self, opened_at: datetime, rule: LevelRule, hour: time, zone: ZoneInfo) -> datetime:
        local = opened_at.astimezone(zone)
        for ahead in range(DAYS_AHEAD):
            day = local.date() + timedelta(days=ahead)
            morning = datetime.combine(day, hour, tzinfo=zone)
            if morning > local and (rule.morning == "any_day" or self.works(day)):
                return morning.astimezone(opened_at.tzinfo)
        return (local + timedelta(days=1)).astimezone(opened_at.tzinfo)

    def _within(self, start: datetime, span: timedelta, opens: time, closes: time, zone: ZoneInfo) -> datetime:
        """Return when `span` of the time between opening and closing of working days has passed since `start`."""
        at = start.astimezone(zone)
        for ahead in range(DAYS_AHEAD):
            day = start.astimezone(zone).date() + timedelta(days=ahead)
            if not self.works(day):
                continue
            begin = max(at, datetime.combine(day, opens, tzinfo=zone))
            until = day if closes > opens else day + timedelta(days=1)
            end = datetime.combine(until, closes, tzinfo=zone)
            if begin >= end:
                continue
            if span <= end - begin:
                return (begin + span).astimezone(start.tzinfo)
            span -= end - begin
        return (at + span).astimezone(start.tzinfo)

    def _working_day(self, opened_at: datetime, number: int, zone: ZoneInfo) -> datetime:
        day = opened_at.astimezone(zone).date()
        left = number
        for _ in range(DAYS_AHEAD):
            if left == 0:
                break
            day += timedelta(days=1)
            left -= self._works(day, self.ladder.legal_rest_days)
        return datetime.combine(day, self.ladder.hours[1], tzinfo=zone).astimezone(opened_at.tzinfo)
