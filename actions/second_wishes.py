"""What the clauses of a message want: which of them are wishes of their own, and which only say the same again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from actions import hearing
from actions.turn import Clause, Turn
from care.model.answers import clauses as clauses_of
from care.model.answers import says_more

SURE = 0.5  # below this a second wish is too uncertain to be acted on; the main one was asked back already
VERY_SURE = 0.7  # thanking for praise that was none hurts
LIKELY = 0.4  # what stands beside an answer is read together with it, which makes every reading less sure

#: These open something with questions of its own, and what they open.
OPENS = {
    "book_appointment": "action_start_booking",
    "family_booking": "action_start_booking",
    "ask_availability": "action_start_booking",
    "reschedule_appointment": "action_start_move",
    "cancel_appointment": "action_start_cancel",
}
#: These answer with a question, so they wait too when one is open already.
ASKS = {"report_symptom": "action_report_symptom", "express_dental_anxiety": "action_dental_anxiety"}
#: These are done at once.
AT_ONCE = {
    "thank": "action_thank",
    "praise": "action_praise",
    "bot_challenge": "action_bot_challenge",
    "ask_capabilities": "action_capabilities",
    "out_of_scope": "action_out_of_scope",
    "list_appointments": "action_list_appointments",
    "running_late": "action_running_late",
    "ask_practitioner": "action_practitioner",
    "ask_service": "action_service",
    "ask_price": "action_price",
    "ask_clinic_info": "action_clinic",
    "ask_membership": "action_membership",
    "report_low_mood": "action_low_mood",
    "ask_recovery_guidance": "action_recovery_guidance",
    "ask_medication": "action_medication",
    "worry_about_result": "action_worry",
    "request_human": "action_request_human",
    "complain": "action_complain",
    "give_suggestion": "action_suggestion",
    "ask_data_held": "action_data_held",
    "ask_data_use": "action_data_use",
    "ask_profile_tags": "action_profile_tags",
    "ask_access_log": "action_access_log",
    "correct_data": "action_correct_data",
    "export_data": "action_export_data",
    "delete_data": "action_delete_data",
    "set_personalization": "action_set_personalization",
    "set_data_sharing": "action_data_sharing",
    "opt_out_marketing": "action_opt_out_marketing",
    "opt_out_checkins": "action_opt_out_checkins",
    "opt_in": "action_opt_in",
    "feel_watched": "action_feel_watched",
    "ask_community_report": "action_community_report",
    "join_council": "action_join_council",
    "fitness_absence": "action_fitness_absence",
}
DOES = OPENS | ASKS | AT_ONCE
FIRST = frozenset({"thank", "praise"})  # said before anything else
BOOKS = frozenset({"book_appointment", "family_booking", "ask_availability"})  # one door
#: Two questions of these kinds in one message are two questions: 洗牙多少钱，种牙呢.
TWICE = frozenset({"ask_price", "ask_service", "ask_clinic_info", "ask_practitioner", "ask_recovery_guidance"})
#: What an answer to an open question looks like.
ANSWERS = frozenset({"affirm", "deny", "inform"})
#: What is no second wish inside a form but an answer to it.
OWN = {
    "validate_booking_form": BOOKS | {"reschedule_appointment"},
    "validate_cancel_form": frozenset({"cancel_appointment"}),
}
#: What the words that answered a check-in question are taken for; it was answered already.
ANSWERED = frozenset(
    {"report_symptom", "report_improvement", "inform", "affirm", "deny", "stop", "give_rating", "greet", "goodbye"}
    | {
        "thank",
        "chitchat",
        "out_of_scope",
        "nlu_fallback",
        "praise",
        "express_dental_anxiety",
        "ask_community_report",
    }
)
#: Read by what they say alone, without the words of the other wish.
READ_ALONE = frozenset({"ask_recovery_guidance", "ask_clinic_info"})


def second_wishes(turn: Turn) -> list[Clause]:
    """Return what the message means beside its intent, without what is the same wish in other words."""
    found: list[Clause] = []
    for clause in (*turn.also, *_spoken_plainly(turn)):
        if clause.intent not in DOES or clause.confidence < (VERY_SURE if clause.intent in FIRST else SURE):
            continue
        if turn.answered and clause.intent in ANSWERED:
            continue
        if any(same_wish(clause, other, turn.text) for other in (Clause(turn.intent, ""), *found)):
            continue
        found.append(clause)
    return found


def _spoken_plainly(turn: Turn) -> list[Clause]:
    """Return visits to book or to drop that a clause names in so many words, beside another one that is opened.

    The reader takes 取消周四的，再约下周一的补牙 for one wish, because both clauses are about visits.
    """
    if turn.intent not in OPENS or turn.answered:
        return []
    parts = clauses_of(turn.text)
    if len(parts) < 2:
        return []
    found = []
    for part in parts:
        if turn.intent != "cancel_appointment" and hearing.drops_visit(part):
            found.append(Clause("cancel_appointment", part))
        elif _books_besides(part, turn):
            found.append(Clause("book_appointment", part))
    return found


def _books_besides(part: str, turn: Turn) -> bool:
    """Whether a clause wants a visit besides the one that is moved or dropped, or made for a relative."""
    if turn.intent in {"cancel_appointment", "reschedule_appointment"}:
        return hearing.books_another(part)
    if turn.intent != "family_booking" or not hearing.books(part):
        return False
    return hearing.values_in(part, turn.house, now=turn.local, asked=None).relation is None


def same_wish(one: Clause, other: Clause, message: str) -> bool:
    """Whether two clauses of a message want one thing: 约洗牙，周六有号吗; not 我约检查，也给我妈约个洗牙."""
    if one.intent == other.intent:
        return one.intent not in TWICE or one.text == other.text
    both = {one.intent, other.intent}
    if both == {"book_appointment", "family_booking"}:
        return not hearing.adds_another(message)
    if both <= BOOKS:
        return True
    return both == {"reschedule_appointment", "ask_availability"}


def answer_and_others(form: str, turn: Turn) -> tuple[Turn, list[Clause]]:
    """Part the answer to the form's question from what else the message wants.

    改成周三 in the middle of a booking is an answer; 另外把周五的复查改一下 is a wish of its own.
    """
    own = frozenset() if hearing.adds_another(turn.text) else OWN[form]
    clauses = [one for one in second_wishes(turn) if one.intent not in own]
    answer = next((one for one in turn.also if one.intent in ANSWERS), None) or _plain_answer(turn.text)
    if not hearing.adds_another(turn.text) and (hearing.BUT.search(turn.text) or hearing.change_in(turn.text)):
        answer = None  # 好，不过换个医生 is no yes
    if answer is not None and turn.intent in DOES and turn.intent not in own:
        rest = without(turn.text, [answer.text, *(one.text for one in clauses)])
        main = Clause(turn.intent, rest, turn.confidence)
        return replace(turn, text=answer.text, intent=answer.intent, confidence=1.0), [main, *clauses]
    return replace(turn, text=without(turn.text, [one.text for one in clauses])), clauses


def _plain_answer(text: str) -> Clause | None:
    """Return a clause that says nothing but 好, or which of the times, when other words stand beside it."""
    parts = clauses_of(text)
    if len(parts) < 2:
        return None
    which = next((part for part in parts if hearing.names_place(part)), None)
    if which is not None:
        return Clause("inform", which)
    return Clause("affirm", parts[0]) if hearing.is_plain_yes(parts[0]) else None


def beside_answer(turn: Turn) -> str:
    """Return the words without the clauses that only answered the check-in's question."""
    question = turn.house.pack.questions.get(turn.answered)
    if question is None or question.kind == "text":
        return ""
    return "，".join(part for part in clauses_of(turn.text) if says_more(question, part))


def without(text: str, parts: Iterable[str]) -> str:
    """Return the words that are left when these clauses are taken out; the whole when too little is left."""
    left = text
    for part in parts:
        left = left.replace(part, " ", 1) if part else left
    left = hearing.trimmed(left)
    return left if sum(character.isalnum() for character in left) else text
