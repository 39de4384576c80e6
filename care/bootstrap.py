"""The only wiring: settings in, a house full of working parts out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from care.adapters.calendar import PackCalendar
from care.adapters.ladder import load_promises
from care.adapters.language.assessor import Assessor
from care.adapters.language.categoriser import Trained
from care.adapters.language.emotion_model import EmotionModel
from care.adapters.language.entities import EntityReader
from care.adapters.language.intents import IntentReader
from care.adapters.language.safety_model import SafetyModel
from care.adapters.language.safety_rules import SafetyRules
from care.adapters.language.symptom_model import SymptomModel
from care.adapters.language.times import TimeReader
from care.adapters.packs import clinic_names, load_pack, practitioner_names, service_names
from care.adapters.rasa import RasaDialogue
from care.adapters.shifts import ShiftSlots
from care.adapters.sql.engine import open_engine
from care.adapters.sql.keys import Keyring, MasterKey
from care.adapters.sql.unit_of_work import SqlUnitOfWork
from care.model.entities import Vocabulary
from care.model.ladder import Promises
from care.model.pack import Pack
from care.model.rights import Terms
from care.ports import Clock, Dialogue, SafetyReader, Slots, UnitOfWork
from care.settings import Settings


class SystemClock:
    """The machine's clock, shifted in development; the only place that reads it."""

    def __init__(self, shift: timedelta = timedelta(0)) -> None:
        self._shift = shift

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC) + self._shift


#: Below the folder of models. Without the first three the rules read alone.
SAFETY_FOLDER, EMOTION_FOLDER, SYMPTOM_FOLDER, INTENTS_FOLDER = "safety", "emotion", "symptoms", "intents"


@dataclass(frozen=True, slots=True)
class Reading:
    """What it takes to read a message: no database, no network."""

    zone: ZoneInfo
    safety: Assessor
    times: TimeReader
    entities: EntityReader
    intents: Trained[IntentReader]  # the dialogue model's own; the dialogue itself asks Rasa

    def missing(self) -> tuple[str, ...]:
        """Return the names of models without which messages are read by rules alone."""
        return (*self.safety.missing(), *self.entities.missing())


@dataclass(slots=True)
class House:
    """Everything an edge needs to do its work."""

    settings: Settings
    clock: Clock
    pack: Pack
    slots: Slots
    reading: Reading
    dialogue: Dialogue
    engine: Engine
    keys: Keyring
    terms: Terms = field(init=False)
    ladder: Promises = field(init=False)

    def __post_init__(self) -> None:
        """Complete the terms of sending by what the pack says about them, and read who answers a case until when."""
        self.terms = replace(self.settings.terms, more=self.pack.say("right.more"))
        self.ladder = load_promises(self.settings.pack, self.pack)

    @property
    def safety(self) -> SafetyReader:
        """What reads a message for danger."""
        return self.reading.safety

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's zone."""
        return ZoneInfo(self.settings.zone)

    def unit_of_work(self) -> UnitOfWork:
        """Return a fresh transaction."""
        return SqlUnitOfWork(self.engine, self.keys, self.clock, self.terms, self.ladder)

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()
        self.keys.close()


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    dialogue: Dialogue | None = None,
    reading: Reading | None = None,
) -> House:
    """Wire the house.

    Args:
        settings: of the clinic.
        clock: the machine's if not given.
        dialogue: Rasa if not given.
        reading: what reads messages, if it was wired before; it holds nothing of a member.

    Raises:
        KeyTrouble: the key file is missing or unsafe.
        PackError: the pack is not valid; names file and line.
        LexiconError: the safety lexicon is not valid; names file and line.
    """
    ticking = clock or SystemClock(settings.clock_shift)
    pack = load_pack(settings.pack)
    calendar = PackCalendar(settings.pack, pack)
    engine = open_engine(settings.care_url)
    keys = Keyring(open_engine(settings.key_store_url), MasterKey.load(settings.key_file))
    return House(
        settings=settings,
        clock=ticking,
        pack=pack,
        slots=ShiftSlots(pack, calendar, ticking),
        reading=reading or _reading(settings, pack),
        dialogue=dialogue or RasaDialogue(settings.rasa_url, timeout_s=settings.rasa_timeout_s),
        engine=engine,
        keys=keys,
    )


def build_reading(settings: Settings) -> Reading:
    """Wire only what reads messages.

    Raises:
        PackError: the pack is not valid.
        LexiconError: the safety lexicon is not valid.
    """
    return _reading(settings, load_pack(settings.pack))


def _reading(settings: Settings, pack: Pack) -> Reading:
    zone = ZoneInfo(settings.zone)
    times = TimeReader(zone)
    vocabulary = Vocabulary(
        services=service_names(pack), practitioners=practitioner_names(pack), clinics=clinic_names(pack)
    )
    return Reading(
        zone=zone,
        safety=Assessor(
            SafetyRules.load(settings.pack / pack.lexicon),
            Trained(settings.model_dir / SAFETY_FOLDER, SafetyModel.load),
            Trained(settings.model_dir / EMOTION_FOLDER, EmotionModel.load),
        ),
        times=times,
        entities=EntityReader(vocabulary, times, Trained(settings.model_dir / SYMPTOM_FOLDER, SymptomModel.load)),
        intents=Trained(settings.model_dir / INTENTS_FOLDER, IntentReader.load),
    )
