"""What members ask and decide about their own data, answered from what is stored at this moment."""

from __future__ import annotations

from typing import ClassVar

from actions.hearing import values_in
from actions.turn import CareAction, Events, Turn
from care.model.case import CaseLevel
from care.model.consent import Purpose
from care.model.errors import CareError, InvalidInput
from care.model.member import clean_phone
from care.model.staff import BOT_READER, Reader
from care.services import data_rights, members

LOWEST_WORDS = (
    "最低",
    "全关",
    "都关",
    "完全",
    "别根据",
    "不要根据",
    "别用我",
    "不要用我",
    "别拿",
    "不要拿",
    "关掉",
    "关了",
    "零",
    "0",
    "彻底",
)


class DataHeld(CareAction):
    """List what is stored."""

    code = "action_data_held"

    def act(self, turn: Turn) -> Events:
        pack = self.house.pack
        with self.house.unit_of_work() as uow:
            held = data_rights.held(turn.member_id, by=_themselves(turn), uow=uow)
            uow.commit()
        lines = [
            pack.say("held.name", 姓名=held.name) if held.name else "",
            pack.say("held.phone", 尾号=held.phone_tail) if held.phone_tail else "",
            pack.say("held.messages", 数=held.messages),
            pack.say("held.visits", 数=held.visits) if held.visits else "",
            pack.say("held.treatments", 数=held.treatments, 内容=held.answers) if held.treatments else "",
            pack.say("held.facts", 内容="、".join(pack.say(f"fact.{one}") for one in held.facts))
            if held.facts
            else "",
            pack.say("held.cases", 数=held.cases) if held.cases else "",
            pack.say("held.choices"),
        ]
        turn.say("utter_data_held", 列表="\n".join(f"· {line}" for line in lines if line))
        return []


class DataUse(CareAction):
    """Say what the data is for and who can see it."""

    code = "action_data_use"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_data_use")
        return []


class ProfileTags(CareAction):
    """Say honestly that nobody is tagged, and name what the clinic registered for safety."""

    code = "action_profile_tags"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            facts = data_rights.held(turn.member_id, by=_themselves(turn), uow=uow).facts
            uow.commit()
        if not facts:
            turn.say("utter_no_tags")
        else:
            turn.say("utter_health_facts", 列表="、".join(self.house.pack.say(f"fact.{one}") for one in facts))
        return []


class AccessLog(CareAction):
    """Say who looked."""

    code = "action_access_log"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            looks = data_rights.looks(turn.member_id, uow=uow)
            uow.commit()
        if not looks:
            turn.say("utter_access_log_empty")
            return []
        lines = [
            self.house.pack.say(f"look.{look.kind}", 姓名=look.name, 岗位=look.title, 时间=turn.clock_words(look.at))
            for look in looks
        ]
        turn.say("utter_access_log", 列表="\n".join(f"· {line}" for line in lines))
        return []


class _Promised(CareAction):
    """What needs the member's identity is promised to a human."""

    response: ClassVar[str] = ""
    reason: ClassVar[str] = ""

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, f"data_request:{self.reason}", uow=uow)
            uow.commit()
        turn.say(self.response, 姓名=promise.name, 时间=promise.when)
        return []


class CorrectData(_Promised):
    """Take a first phone number at once; whatever replaces something is checked by a human."""

    code = "action_correct_data"
    response, reason = "utter_correct_data", "correct"

    def act(self, turn: Turn) -> Events:
        if save_phone(turn):
            return []
        return super().act(turn)


class ExportData(_Promised):
    """Promise a copy."""

    code = "action_export_data"
    response, reason = "utter_export_data", "export"


class DeleteData(_Promised):
    """Promise deletion, and say what has to be kept."""

    code = "action_delete_data"
    response, reason = "utter_delete_data", "delete"


class DataSharing(_Promised):
    """Say that nothing is shared, and have it checked."""

    code = "action_data_sharing"
    response, reason = "utter_data_sharing", "sharing"


class SetPersonalization(CareAction):
    """Turn the knob down at once."""

    code = "action_set_personalization"

    def act(self, turn: Turn) -> Events:
        lowest = not turn.text or any(word in turn.text for word in LOWEST_WORDS)
        with self.house.unit_of_work() as uow:
            member = data_rights.turn_down(turn.member_id, lowest=lowest, by=_themselves(turn), uow=uow)
            uow.commit()
        if member.level == data_rights.LOWEST:
            turn.say("utter_personalization_zero")
        else:
            turn.say("utter_personalization_level", 档=member.level)
        return []


class OptOutMarketing(CareAction):
    """Record that no promotion is wanted."""

    code = "action_opt_out_marketing"

    def act(self, turn: Turn) -> Events:
        _withdraw(turn, Purpose.MARKETING)
        turn.say("utter_opt_out_marketing")
        return []


class OptOutCheckIns(CareAction):
    """Stop asking; in the first days after surgery a human is told."""

    code = "action_opt_out_checkins"

    def act(self, turn: Turn) -> Events:
        _withdraw(turn, Purpose.CHECK_INS)
        with self.house.unit_of_work() as uow:
            if not data_rights.early_after_surgery(turn.member_id, now=turn.now, uow=uow):
                turn.say("utter_opt_out_checkins")
                return []
            promise = turn.promise(CaseLevel.W1, "opted_out_early", uow=uow)
            uow.commit()
        turn.say("utter_opt_out_checkins_early", 姓名=promise.name)
        return []


class OptIn(CareAction):
    """Resume what was switched off."""

    code = "action_opt_in"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            evidence = str(turn.message_id(uow) or turn.turn_id)
            back = data_rights.resume(turn.member_id, at=turn.now, by=_themselves(turn), evidence=evidence, uow=uow)
            uow.commit()
        if not back:
            turn.say("utter_opt_in_nothing")
        else:
            turn.say("utter_opt_in", 列表="、".join(self.house.pack.say(f"purpose.{one.value}") for one in back))
        return []


class FeelWatched(CareAction):
    """Say sorry, say what is used, and put the two doors beside it."""

    code = "action_feel_watched"

    def act(self, turn: Turn) -> Events:
        turn.say("utter_feel_watched")
        return []


def save_phone(turn: Turn) -> bool:
    """Store a first phone number and say so; say what is wrong with one that cannot be taken.

    Returns:
        False when there is nothing to do here: no number was named, or it would replace another one.
    """
    number = values_in(turn.text, turn.house, now=turn.local, asked=None).phone
    if number is None:
        return False
    house = turn.house
    try:
        with house.unit_of_work() as uow:
            member = uow.members.get(turn.member_id, by=BOT_READER, purpose=Purpose.SERVICE_CORE)
            if member.phone is not None and member.phone != clean_phone(number):
                return False
            members.correct(turn.member_id, by=_themselves(turn), uow=uow, phone=number)
            uow.commit()
    except InvalidInput:
        turn.say("utter_phone_wrong", asked="booking.phone")
        return True
    except CareError:
        with house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, "data_request:phone_taken", uow=uow)
            uow.commit()
        turn.say("utter_phone_taken", 姓名=promise.name, 时间=promise.when)
        return True
    turn.say("utter_phone_saved", 尾号=number[-4:])
    return True


def _withdraw(turn: Turn, purpose: Purpose) -> None:
    with turn.house.unit_of_work() as uow:
        evidence = str(turn.message_id(uow) or turn.turn_id)
        members.choose(
            turn.member_id, purpose, given=False, at=turn.now, by=_themselves(turn), evidence=evidence, uow=uow
        )
        uow.commit()


def _themselves(turn: Turn) -> Reader:
    return Reader("member", turn.member_id)


ACTIONS: tuple[type[CareAction], ...] = (
    DataHeld,
    DataUse,
    ProfileTags,
    AccessLog,
    CorrectData,
    ExportData,
    DeleteData,
    DataSharing,
    SetPersonalization,
    OptOutMarketing,
    OptOutCheckIns,
    OptIn,
    FeelWatched,
)
