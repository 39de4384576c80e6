"""What an answer means for a booking: which visit, which service, which of the times, and whether it is right.

Each function takes the note of the booking, writes the answer into it and says whether it understood one.
"""

from __future__ import annotations

from collections.abc import Sequence

from actions import hearing
from actions.booking_state import State, find_offers, slot_from_json, slot_to_json, take_change, take_values
from actions.hearing import Change, Values, values_in
from actions.turn import Turn
from care.model.appointment import Appointment, Slot
from care.model.errors import InvalidInput, SlotTaken, SlotUnavailable
from care.model.pack import Service
from care.services import booking

SHOWN_SERVICES = 5  # buttons; the pack lists what is booked most first


def hear(requested: str, state: State, values: Values, turn: Turn) -> bool:
    """Take an answer to the open question; return whether it was one."""
    return {
        "booking_visit": _hear_visit,
        "booking_service": _hear_service,
        "booking_choice": _hear_choice,
        "booking_confirm": _hear_confirm,
    }[requested](state, values, turn)


def settled(state: State, turn: Turn) -> State:
    """Hold at once when the wish is one exact free time, so that it only has to be read back."""
    if state.service is None or state.visit is None or state.choice or state.time is None or state.note:
        return state
    if state.time.grain not in {"minute", "hour"}:
        return state
    try:
        found = find_offers(state, turn)
    except InvalidInput:
        return state  # the question about the time says what does not go together
    if found.exact and found.slots:
        _take(state, found.slots[0], turn)
    return state


def next_question(state: State) -> str | None:
    """Return the first thing still to be asked."""
    for name, value in (
        ("booking_visit", state.visit),
        ("booking_service", state.service),
        ("booking_choice", state.choice),
        ("booking_confirm", state.confirm),
    ):
        if value is None:
            return name
    return None


def which_visit(visits: Sequence[Appointment], values: Values, turn: Turn) -> Appointment | None:
    """Return the visit that is meant: the only one, or the only one that fits what was named of it."""
    if len(visits) == 1:
        return visits[0]
    before = hearing.part_before_move(turn.text)
    named = values_in(before, turn.house, now=turn.local, asked=None) if before else Values()
    span = named.span or (values.span if not before else None)
    fitting = [
        visit
        for visit in visits
        if (values.service in {None, visit.slot.service})
        and (named.practitioner in {None, visit.slot.practitioner})
        and (values.relation in {None, visit.for_whom})
        and (span is None or span.start <= visit.slot.start_at < span.end)
    ]
    narrowed = values.service or named.practitioner or values.relation or span
    return fitting[0] if len(fitting) == 1 and narrowed else None


def move_from(state: State, visit: Appointment) -> None:
    """Begin from the old visit: the same service, person and branch until the member says otherwise."""
    state.visit, state.moves = visit.id, visit.id
    state.service, state.practitioner, state.clinic = visit.slot.service, visit.slot.practitioner, visit.slot.clinic
    state.for_whom = visit.for_whom


def services_to_choose(practitioner: str | None, turn: Turn) -> list[Service]:
    """Return the services put up for choice: what is booked most, and only what this person does."""
    pack = turn.house.pack
    one = pack.practitioners.get(practitioner or "")
    every = list(pack.services.values())
    fitting = [service for service in every if one is None or pack.may_do(one, service)]
    return (fitting or every)[:SHOWN_SERVICES]


def first_service(turn: Turn) -> str:
    """Return what somebody books who does not know what they need: the check-up, else the pack's first."""
    services = turn.house.pack.services
    return "checkup" if "checkup" in services else next(iter(services))


def does_not_know(text: str) -> bool:
    """Whether the words say that the member does not know what they need."""
    return any(word in text for word in ("不知道", "不清楚", "不确定", "说不清", "看看再说", "不懂", "检查"))


def _hear_visit(state: State, values: Values, turn: Turn) -> bool:
    with turn.house.unit_of_work() as uow:
        visits = booking.coming(turn.member_id, uow=uow, clock=turn.house.clock)
    tapped = turn.tapped("visit")
    index = hearing.which_in(turn.text, len(visits))
    found = next((visit for visit in visits if visit.id == tapped), None)
    if found is None and index is not None:
        found = visits[index]
    if found is None:
        found = which_visit(visits, values, turn)
    if found is None:
        return False
    wanted = state.time
    move_from(state, found)
    state.time = wanted
    return True


def _hear_service(state: State, values: Values, turn: Turn) -> bool:
    tapped = turn.tapped("service")
    changed = take_values(state, values, turn)
    if tapped in turn.house.pack.services:
        state.service = tapped
        return True
    shown = services_to_choose(state.practitioner, turn)
    index = hearing.which_in(turn.text, len(shown)) if not changed else None
    if index is not None and state.service is None:
        state.service = shown[index].code
        return True
    if state.service is None and (hearing.ANY_OF_THEM.search(turn.text) or does_not_know(turn.text)):
        state.service = first_service(turn)
        return True
    return changed or state.service is not None


def _hear_choice(state: State, values: Values, turn: Turn) -> bool:
    offers = [slot_from_json(offer, turn.house) for offer in state.offers]
    tapped = turn.tapped("choice")
    if tapped is not None:
        chosen = next((slot for slot in offers if f"{slot.start_at.isoformat()}|{slot.practitioner}" == tapped), None)
        return _take(state, chosen, turn)
    if hearing.is_lukewarm(turn.text):
        state.note = "which"
        return True
    change = hearing.change_in(turn.text)
    index = hearing.which_in(turn.text, len(offers)) if change is None else None
    if index is None and change is None:
        index = _pointed_at(offers, values, turn)
    if index is not None:
        return _take(state, offers[index], turn)
    if len(offers) == 1 and (turn.intent == "affirm" or hearing.is_yes(turn.text)) and not values.any:
        return _take(state, offers[0], turn)
    if take_values(state, values, turn):
        if change in {Change.OTHER_PERSON, Change.ANY_PERSON} and values.practitioner is None:
            take_change(state, change, turn)
        state.reopen()
        return True
    if change is not None:
        take_change(state, change, turn)
        state.reopen(change.value)
        return True
    if values.problem:
        state.reopen(values.problem)
        return True
    if values.span or values.service or values.practitioner or values.clinic:
        state.reopen()
        return True
    if turn.intent == "affirm" or hearing.is_yes(turn.text):
        state.note = "which"
        return True
    if turn.intent == "deny" or hearing.is_no(turn.text):
        take_change(state, Change.MORE, turn)
        state.reopen(Change.MORE.value)
        return True
    return False


def _hear_confirm(state: State, values: Values, turn: Turn) -> bool:
    held = slot_from_json(state.choice, turn.house) if state.choice else None
    if _would_change(values, held, state):
        take_values(state, values, turn)
        state.reopen()
        return True
    if values.problem:
        state.reopen(values.problem)
        return True
    change = hearing.change_in(turn.text)
    if change is not None:
        if held is not None:
            state.declined.append(held.start_at.isoformat())
        take_change(state, change, turn)
        state.reopen(change.value)
        return True
    if _agrees(state, values, turn):
        state.confirm = "yes"
        return True
    if turn.intent == "deny" or hearing.is_no(turn.text):
        if held is not None:
            state.declined.append(held.start_at.isoformat())
        state.time = state.time if state.time and state.time.grain not in {"minute", "hour"} else None
        state.reopen("declined")
        return True
    return bool(values.any)


def _agrees(state: State, values: Values, turn: Turn) -> bool:
    """Whether what was read back is right; 约吧 and 帮我约上 are a yes here, not a second booking."""
    if hearing.is_yes(turn.text) or (state.moves and hearing.is_yes_to_move(turn.text)):
        return True
    if turn.intent == "affirm":
        return not hearing.BUT.search(turn.text)
    return turn.intent == "book_appointment" and not values.any and not hearing.is_no(turn.text)


def _would_change(values: Values, held: Slot | None, state: State) -> bool:
    """Whether the values differ from what is held; 好的周三三点 only repeats it."""
    if held is None:
        return values.any
    inside = values.span is None or values.span.start <= held.start_at < values.span.end
    return not (
        values.service in {None, held.service}
        and values.practitioner in {None, held.practitioner}
        and held.practitioner not in values.without
        and values.clinic in {None, held.clinic}
        and values.relation in {None, state.for_whom}
        and inside
    )


def _pointed_at(offers: Sequence[Slot], values: Values, turn: Turn) -> int | None:
    """Return the one offer that the named values point to."""
    if values.service and offers and values.service != offers[0].service:
        return None
    left = list(range(len(offers)))
    if values.span:
        left = hearing.by_time(turn.text, values.span, [slot.start_at for slot in offers], turn.house.zone)
    if values.practitioner:
        left = [i for i in left if offers[i].practitioner == values.practitioner]
    if values.clinic:
        left = [i for i in left if offers[i].clinic == values.clinic]
    named = values.span or values.practitioner or values.clinic
    return left[0] if named and len(left) == 1 else None


def _take(state: State, slot: Slot | None, turn: Turn) -> bool:
    """Hold a chosen time; when it is gone meanwhile, say so and offer others."""
    if slot is None:
        return False
    try:
        with turn.house.unit_of_work() as uow:
            free = booking.as_held(slot, uow=uow, slots=turn.house.slots, clock=turn.house.clock)
            booking.hold(
                turn.member_id,
                free,
                wish=state.wish(),
                uow=uow,
                clock=turn.house.clock,
                lasts=turn.house.settings.hold_for,
            )
            uow.commit()
    except (SlotTaken, SlotUnavailable):
        state.reopen("taken")
        return True
    state.choice, state.confirm, state.note = slot_to_json(free), None, None
    return True
