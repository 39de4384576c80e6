"""Small talk, thanks, and honest words about what this is and cannot do. Each says one response of the domain."""

from __future__ import annotations

from typing import ClassVar

from actions.turn import CareAction, Events, Turn


class _Says(CareAction):
    """Say one response."""

    response: ClassVar[str] = ""

    def act(self, turn: Turn) -> Events:
        turn.say(self.response)
        return []


class Greet(_Says):
    """Say hello back."""

    code, response = "action_greet", "utter_greet"


class Goodbye(_Says):
    """Say goodbye."""

    code, response = "action_goodbye", "utter_goodbye"


class Thank(_Says):
    """Take thanks."""

    code, response = "action_thank", "utter_thank"


class Chitchat(_Says):
    """Say kindly that talk about the weather is not what this is good at."""

    code, response = "action_chitchat", "utter_chitchat"


class BotChallenge(_Says):
    """Say that this is an AI."""

    code, response = "action_bot_challenge", "utter_bot_challenge"


class Capabilities(_Says):
    """Say what can be done here."""

    code, response = "action_capabilities", "utter_capabilities"


class OutOfScope(_Says):
    """Say what cannot be done here."""

    code, response = "action_out_of_scope", "utter_out_of_scope"


ACTIONS: tuple[type[CareAction], ...] = (
    Greet,
    Goodbye,
    Thank,
    Chitchat,
    BotChallenge,
    Capabilities,
    OutOfScope,
)
