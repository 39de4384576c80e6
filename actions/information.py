"""Questions about people, treatments, prices and the clinic. Everything said here stands in the pack."""

from __future__ import annotations

import re

from rasa_sdk.events import SlotSet

from actions.booking_answers import first_service
from actions.booking_state import who_words
from actions.hearing import values_in
from actions.turn import CareAction, Events, Turn
from care.model.case import CaseLevel
from care.model.pack import Practitioner, Service
from care.services.knowledge import find_knowledge
from care.services.matching import Match, Need, next_days, who_suits

ASPECTS = (
    ("utter_service_pain", ("疼", "痛", "麻药", "难受", "酸不酸", "遭罪")),
    ("utter_service_time", ("多久", "多长时间", "几分钟", "多少时间", "几个小时", "要几次", "半天")),
    ("utter_service_preparation", ("准备", "注意", "空腹", "吃饭", "吃东西", "带什么", "之前", "前要")),
)
#: Whether a treatment is right for somebody with these is for who treats them to say.
CONDITIONS = re.compile(
    r"高血压|血压高|糖尿病|血糖|心脏|支架|搭桥|起搏器|中风|脑梗|抗凝|华法林|阿司匹林|过敏|怀孕|孕妇|孕期|备孕|哺乳|化疗|放疗|骨质疏松|肾病|透析|肝炎"
)


class AskPractitioner(CareAction):
    """Who somebody is, or who suits a need and why."""

    code = "action_practitioner"

    def act(self, turn: Turn) -> Events:
        values = values_in(turn.text, self.house, now=turn.local, asked=None)
        known = self.house.pack.practitioners.get(values.practitioner or turn.slot("topic_practitioner") or "")
        asks_for_kind = any(
            word in turn.text for word in ("推荐", "哪个医生", "哪位", "谁", "有没有", "别的", "适合")
        )
        if known is not None and (values.practitioner or not asks_for_kind):
            self._say_who(known, values.service, turn)
            return [SlotSet("topic_practitioner", known.code)]
        service = values.service or turn.slot("booking_service") or turn.slot("topic_service")
        matches = who_suits(Need(turn.text, service=service, clinic=values.clinic), pack=self.house.pack)
        if not matches:
            turn.say("utter_practitioner_need", asked="practitioner.need")
            return []
        for_service = self.house.pack.services.get(service or "")
        turn.say(
            "utter_practitioners" if len(matches) > 1 else "utter_practitioner_suits",
            列表="\n".join(self._line(match, turn) for match in matches),
            buttons=[
                (who_words(one.practitioner.code, turn), self._order(one.practitioner, for_service))
                for one in matches
                if not turn.tracker.active_loop_name
            ],
            asked="practitioner.choice",
        )
        return [SlotSet("topic_service", service)]

    def _say_who(self, one: Practitioner, service_code: str | None, turn: Turn) -> None:
        service = self.house.pack.services.get(service_code or "")
        values = {
            "医生": who_words(one.code, turn),
            "职称": one.title,
            "年": one.years,
            "介绍": one.about,
            "擅长": "、".join(one.good_at),
            "语言": "、".join(one.languages),
            "服务": service.name if service else "",
            "最近": self._next(one, turn),
        }
        if service is not None and not self.house.pack.may_do(one, service):
            others = who_suits(Need(service=service.code), pack=self.house.pack)
            values["其他"] = "、".join(who_words(other.practitioner.code, turn) for other in others)
            turn.say("utter_practitioner_does_not", values)
            return
        turn.say("utter_practitioner", values)

    def _line(self, match: Match, turn: Turn) -> str:
        one = match.practitioner
        said = [words for kind, words in match.reasons if kind in {"fits", "language", "clinic"}]
        reasons = "、".join(said or one.good_at[:1])
        return f"· {who_words(one.code, turn)}（{one.title}，{one.years} 年）：{reasons}；{self._next(one, turn)}"

    def _next(self, one: Practitioner, turn: Turn) -> str:
        with self.house.unit_of_work() as uow:
            days = next_days(
                one, uow=uow, slots=self.house.slots, clock=self.house.clock, pack=self.house.pack, days=1
            )
        return turn.clock_words(days[0].start_at) if days else "—"

    def _order(self, one: Practitioner, service: Service | None) -> str:
        does = f', "service": "{service.code}"' if service and self.house.pack.may_do(one, service) else ""
        return f'/book_appointment{{"practitioner": "{one.code}"{does}}}'


class AskService(CareAction):
    """What a treatment is, how long it takes, whether it hurts, what to prepare."""

    code = "action_service"

    def act(self, turn: Turn) -> Events:
        if CONDITIONS.search(turn.text):
            with self.house.unit_of_work() as uow:
                promise = turn.promise(CaseLevel.L3, "ask_service_condition", uow=uow)
                uow.commit()
            turn.say("utter_service_condition", 姓名=promise.name, 岗位=promise.title, 时间=promise.when)
            return []
        service = _service_meant(turn)
        if service is None:
            return _from_knowledge(turn) or _which_service(turn)
        values = _service_words(service)
        response = next(
            (name for name, words in ASPECTS if any(word in turn.text for word in words)), "utter_service"
        )
        turn.say(response, values)
        return [SlotSet("topic_service", service.code)]


class AskPrice(CareAction):
    """What it costs; insurance and instalments from the clinic's own answers."""

    code = "action_price"

    def act(self, turn: Turn) -> Events:
        if any(word in turn.text for word in ("医保", "保险", "报销", "分期", "社保", "发票", "付款", "刷卡")):
            entry = find_knowledge(turn.text, self.house.pack.knowledge)
            if entry is not None:
                turn.say_text(self.house.pack.fill(entry.text, 电话=self.house.pack.duty_phone))
                return []
        service = _service_meant(turn)
        if service is None:
            turn.say("utter_price_which", asked="price.service")
            return []
        values = _service_words(service)
        free = service.price_high == 0
        turn.say("utter_price_included" if free else "utter_price", values)
        return [SlotSet("topic_service", service.code)]


class AskClinic(CareAction):
    """Where, when, parking, phone."""

    code = "action_clinic"

    def act(self, turn: Turn) -> Events:
        entry = find_knowledge(turn.text, self.house.pack.knowledge)
        if entry is None:
            turn.say("utter_clinic", 列表=_clinics(turn), 电话=self.house.pack.duty_phone)
        else:
            turn.say_text(self.house.pack.fill(entry.text, 电话=self.house.pack.duty_phone))
        return []


class AskMembership(CareAction):
    """Points and benefits: what we can see, and who can see the rest."""

    code = "action_membership"

    def act(self, turn: Turn) -> Events:
        with self.house.unit_of_work() as uow:
            promise = turn.promise(CaseLevel.W1, "ask_membership", uow=uow)
            uow.commit()
        turn.say("utter_membership", 姓名=promise.name, 时间=promise.when)
        return []


def _service_meant(turn: Turn) -> Service | None:
    values = values_in(turn.text, turn.house, now=turn.local, asked=None)
    code = values.service or turn.slot("booking_service") or turn.slot("topic_service")
    return turn.house.pack.services.get(code or "")


def _service_words(service: Service) -> dict[str, object]:
    return {
        "服务": service.name,
        "时长": service.minutes,
        "最低": service.price_low,
        "最高": service.price_high,
        "说明": service.price_note,
        "介绍": service.about,
        "准备": service.preparation,
        "疼": service.hurts,
    }


def _from_knowledge(turn: Turn) -> Events | None:
    entry = find_knowledge(turn.text, turn.house.pack.knowledge)
    if entry is None:
        return None
    turn.say_text(turn.house.pack.fill(entry.text, 电话=turn.house.pack.duty_phone))
    return [SlotSet("topic_service", None)]


def _which_service(turn: Turn) -> Events:
    services = list(turn.house.pack.services.values())[:5]
    buttons = [(service.name, f'/ask_service{{"service": "{service.code}"}}') for service in services]
    turn.say("utter_service_which", buttons=buttons, asked="service.which", 服务=first_service(turn))
    return []


def _clinics(turn: Turn) -> str:
    return "\n".join(
        f"· {clinic.name}：{clinic.address}，{clinic.phone}" for clinic in turn.house.pack.clinics.values()
    )


ACTIONS: tuple[type[CareAction], ...] = (AskPractitioner, AskService, AskPrice, AskClinic, AskMembership)
