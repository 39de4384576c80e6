"""Belonging: how others fare, the members' council, ratings, and why somebody stays away."""

from __future__ import annotations

from actions.turn import CareAction, Events, Turn
from care.model.case import CaseLevel

#: A rating at or below this is answered by a human; scale of five, of ten. Clinic protocol 2026-01.
LOW_OF_FIVE, LOW_OF_TEN = 2, 6
NUMBER_ASKED = frozenset({"survey.nps", "survey.csat"})
WHY_ASKED = "survey.why"


class CommunityReport(CareAction):
    """Say honestly that there are no figures yet."""

    code = "action_community_report"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_community_report")
        return []


class JoinCouncil(CareAction):
    """Pass on that somebody wants to take part."""

    code = "action_join_council"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, "join_council", uow=uow)
            uow.commit()
        turn.say("utter_join_council", 姓名=promise.name, 时间=promise.when)
        return []


class Rating(CareAction):
    """Thank for a rating; a low one is a grievance."""

    code = "action_rating"

    def act(self, turn: Turn) -> Events:
        if not self._low(turn):
            turn.say("utter_rating_thanks", asked=WHY_ASKED)
            return []
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.K1, "low_rating", uow=uow)
            uow.commit()
        turn.say("utter_rating_low", asked=WHY_ASKED, 姓名=promise.name, 时间=promise.when)
        return []

    def _low(self, turn: Turn) -> bool:
        rating = rating_in(turn)
        if rating is None:
            return any(word in turn.text for word in ("差评", "一星", "不满意"))
        of_five = "星" in turn.text or turn.asked == "survey.csat"
        return rating <= (LOW_OF_FIVE if of_five else LOW_OF_TEN)


def rating_in(turn: Turn) -> float | None:
    """Return the number that a rating names, whatever it is out of."""
    asked = turn.asked if turn.asked in NUMBER_ASKED else "survey.nps"
    found = turn.house.reading.entities.read(turn.text, turn.local, asked)
    rating = next((one.value for one in found if one.entity == "rating"), None)
    return float(rating) if isinstance(rating, int | float) else None


class FitnessAbsence(CareAction):
    """Take a reason for staying away as it is."""

    code = "action_fitness_absence"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_fitness_absence")
        return []


ACTIONS: tuple[type[CareAction], ...] = (CommunityReport, JoinCouncil, Rating, FitnessAbsence)
