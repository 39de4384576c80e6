"""One Rasa for all conversations; a fresh house for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from care.adapters.rasa import RasaDialogue
from care.settings import ROOT
from care.testing import FakeClock, a_house
from tests.conversations.talk import MORNING, Model, Talk, a_running_model, begin


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """The trained model, running."""
    with a_running_model(tmp_path_factory.mktemp("model")) as running:
        yield running


@pytest.fixture
def talk(model: Model, tmp_path: Path) -> Iterator[Talk]:
    """A known member with a phone, on a Monday morning."""
    clock = FakeClock(MORNING)
    dialogue = RasaDialogue(model.url, timeout_s=20)
    with a_house(tmp_path, clock=clock, dialogue=dialogue, model_dir=ROOT / "models") as house:
        model.switch.to(house)
        yield begin(house, clock)
    dialogue.close()


@pytest.fixture
def stranger(model: Model, tmp_path: Path) -> Iterator[Talk]:
    """Somebody nobody knows: no name, no phone."""
    clock = FakeClock(MORNING)
    dialogue = RasaDialogue(model.url, timeout_s=20)
    with a_house(tmp_path, clock=clock, dialogue=dialogue, model_dir=ROOT / "models") as house:
        model.switch.to(house)
        yield begin(house, clock, known=False)
    dialogue.close()
