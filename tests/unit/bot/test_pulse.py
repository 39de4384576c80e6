"""News inside the process reaches open pages from any thread."""

from __future__ import annotations

import threading

from bot.pulse import Pulse


async def test_a_page_wakes_when_another_thread_has_news_for_it() -> None:
    pulse = Pulse()
    with pulse.listen("member-1") as listener:
        thread = threading.Thread(target=pulse.publish, args=("member-1",))
        thread.start()
        thread.join()

        assert await listener.wait(5.0)


async def test_a_page_does_not_wake_for_somebody_elses_news() -> None:
    pulse = Pulse()
    with pulse.listen("member-1") as listener:
        pulse.publish("member-2")

        assert not await listener.wait(0.01)


async def test_news_that_came_before_the_wait_is_not_lost() -> None:
    pulse = Pulse()
    with pulse.listen("account") as listener:
        listener.also("member-1")
        pulse.publish("member-1")
        pulse.publish("member-1")

        assert await listener.wait(5.0)
        assert not await listener.wait(0.01)


async def test_a_page_that_went_away_is_forgotten() -> None:
    pulse = Pulse()
    with pulse.listen("member-1") as listener:
        listener.also("member-2")
        assert pulse.listening("member-2") == 1

    assert pulse.listening("member-1") == 0
    assert pulse.listening("member-2") == 0


async def test_the_typing_sign_lasts_exactly_as_long_as_the_turn() -> None:
    pulse = Pulse()

    with pulse.working("member-1"):
        assert pulse.is_working("member-1")
        with pulse.working("member-1"):
            pass
        assert pulse.is_working("member-1")

    assert not pulse.is_working("member-1")


async def test_closing_the_house_wakes_every_page() -> None:
    pulse = Pulse()
    with pulse.listen("a") as one, pulse.listen("b") as other:
        pulse.close()

        assert await one.wait(5.0)
        assert await other.wait(5.0)
    assert pulse.closed
