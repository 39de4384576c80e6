"""Training the models, each when and only when what it learns from has changed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML

from anxin.up import MODEL, CannotStart, rasa_python
from care.bootstrap import EMOTION_FOLDER, INTENTS_FOLDER, SAFETY_FOLDER, SYMPTOM_FOLDER
from care.settings import ROOT, Settings, inherited_environment

#: Intents whose examples hold no symptom, no low mood and no grievance: what is no alarm.
EVERYDAY = frozenset(
    (
        *("greet", "goodbye", "thank", "affirm", "deny", "stop", "chitchat", "bot_challenge", "ask_capabilities"),
        *("out_of_scope", "book_appointment", "reschedule_appointment", "cancel_appointment", "list_appointments"),
        *("ask_availability", "running_late", "inform", "ask_practitioner", "ask_service", "give_suggestion"),
        *("ask_price", "ask_clinic_info", "ask_membership", "express_dental_anxiety", "praise", "feel_watched"),
        *("ask_data_held", "ask_data_use", "correct_data", "export_data", "set_personalization", "set_data_sharing"),
        *("opt_out_marketing", "opt_out_checkins", "opt_in", "ask_profile_tags", "ask_access_log"),
        *("ask_community_report", "join_council", "give_rating", "report_improvement", "family_booking"),
        *("fitness_absence", "delete_data"),
    )
)
#: What mostly speaks from the examples of an intent; weak evidence beside the lines that say it themselves.
FEELINGS = {
    **dict.fromkeys(EVERYDAY - {"thank", "praise", "report_improvement", "express_dental_anxiety"}, "calm"),
    **{"thank": "happy", "praise": "happy", "report_improvement": "relieved", "express_dental_anxiety": "afraid"},
    **{"complain": "angry", "worry_about_result": "anxious", "report_low_mood": "sad"},
}
for _intent in ("feel_watched", "give_rating", "chitchat", "stop"):  # anything may speak from these
    del FEELINGS[_intent]
VALENCES = {"calm": 0.1, "happy": 0.8, "relieved": 0.6, "afraid": -0.6, "angry": -0.8, "anxious": -0.4, "sad": -0.6}
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "LOG_LEVEL": "WARNING"}
LANGUAGE = ROOT / "care" / "adapters" / "language"
READS_TEXT = ("categoriser", "sense", "normalise", "soundalike", "intents", "safety_model", "emotion_model")
NAMES_SYMPTOMS = (
    *("symptom_model", "symptom_signs", "entity_symptoms", "entity_symptom_words", "entity_scope", "entity_text"),
    *("categoriser", "normalise", "soundalike"),
)
Say = Callable[[str], None]


def dialogue_sources() -> Iterator[Path]:
    """Yield every file the dialogue model depends on, in a stable order."""
    yield ROOT / "config.yml"
    yield ROOT / "domain.yml"
    yield ROOT / "rasa-env" / "uv.lock"
    for folder in ("data/nlu", "data/rules", "data/stories", "rasa_components"):
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in {".yml", ".py"})
    yield from (LANGUAGE / f"{name}.py" for name in READS_TEXT[:5])


def assessment_sources() -> Iterator[Path]:
    """Yield every file the second opinion on danger and the reader of feelings depend on, in a stable order."""
    for folder in ("data/safety", "data/emotion", "data/nlu"):
        yield from sorted(path for path in (ROOT / folder).iterdir() if path.suffix in {".yml", ".jsonl"})
    yield from (LANGUAGE / f"{name}.py" for name in READS_TEXT)


def symptom_sources() -> Iterator[Path]:
    """Yield every file the tagger of symptoms depends on, in a stable order; the rules are what it sees."""
    yield from sorted((ROOT / "data" / "entities").glob("*.jsonl"))
    yield from (LANGUAGE / f"{name}.py" for name in NAMES_SYMPTOMS)


def fingerprint(sources: Iterable[Path]) -> str:
    """Return the content hash of everything a model depends on."""
    digest = hashlib.sha256()
    for path in sources:
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_fresh(stamp: Path, models: Iterable[Path], sources: Iterable[Path]) -> bool:
    """Whether all trained models are there and belong to the data as it is now."""
    there = stamp.exists() and all(model.exists() for model in models)
    return there and stamp.read_text() == fingerprint(sources)


def train(settings: Settings, say: Say) -> bool:
    """Train what is not fresh, Rasa's model beside the others; return whether anything was trained.

    Raises:
        CannotStart: if Rasa's environment is missing or training failed; the log's place is named.
    """
    models = settings.model_dir
    models.mkdir(parents=True, exist_ok=True)
    with _dialogue_in_training(models, say) as dialogue_is_new:
        assessment_is_new = _train_assessment(models, say)
        symptoms_are_new = _train_symptoms(models, say)
    return dialogue_is_new or assessment_is_new or symptoms_are_new


def examples() -> Iterator[tuple[str, str]]:
    """Yield every example the dialogue model learns from, with its intent."""
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for block in YAML(typ="safe", pure=False).load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in block["examples"].splitlines():
                if line.startswith("- "):
                    yield line[2:], block["intent"]


def _train_assessment(models: Path, say: Say) -> bool:
    stamp, folders = models / "assessment.fingerprint", (models / SAFETY_FOLDER, models / EMOTION_FOLDER)
    if is_fresh(stamp, folders, assessment_sources()):
        say("✓ 安全和情绪模型是最新的，无需训练")
        return False
    from care.adapters.language import emotion_model, safety_model  # noqa: PLC0415 - heavy; only to train

    say("… 正在训练安全和情绪模型，大约需要半分钟")
    stamp.unlink(missing_ok=True)
    said = list(examples())
    danger = [
        *safety_model.read_lines(sorted((ROOT / "data" / "safety").glob("*.jsonl"))),
        *(safety_model.Line(text, everyday=True) for text, intent in said if intent in EVERYDAY),
    ]
    felt = [
        *emotion_model.read_lines(sorted((ROOT / "data" / "emotion").glob("*.jsonl"))),
        *emotion_model.weak_lines(said, FEELINGS, VALENCES),
    ]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    safety_model.SafetyModel.train(danger).save(models / SAFETY_FOLDER)
    emotion_model.EmotionModel.train(felt).save(models / EMOTION_FOLDER)
    stamp.write_text(fingerprint(assessment_sources()))
    say("✓ 安全和情绪模型训练完成")
    return True


def _train_symptoms(models: Path, say: Say) -> bool:
    stamp, folder = models / "symptoms.fingerprint", models / SYMPTOM_FOLDER
    if is_fresh(stamp, (folder,), symptom_sources()):
        say("✓ 症状模型是最新的，无需训练")
        return False
    from care.adapters.language import symptom_model  # noqa: PLC0415 - heavy; only to train

    say("… 正在训练症状模型，大约需要半分钟")
    stamp.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    lines = symptom_model.read_lines(sorted((ROOT / "data" / "entities").glob("*.jsonl")))
    symptom_model.SymptomModel.train(list(lines)).save(folder)
    stamp.write_text(fingerprint(symptom_sources()))
    say("✓ 症状模型训练完成")
    return True


@contextmanager
def _dialogue_in_training(models: Path, say: Say) -> Iterator[bool]:
    """Train Rasa's model beside what happens inside, unless it is fresh; yield whether it is being trained.

    Raises:
        CannotStart: if Rasa's environment is missing or training failed; the log's place is named.
    """
    stamp, model, intents = models / "dialogue.fingerprint", models / MODEL, models / INTENTS_FOLDER
    if is_fresh(stamp, (model, intents), dialogue_sources()):
        say("✓ 对话模型是最新的，无需训练")
        yield False
        return
    rasa = rasa_python().with_name("rasa")
    log = models / "training.log"
    say("… 正在训练对话模型，大约需要一两分钟")
    stamp.unlink(missing_ok=True)
    name = MODEL.removesuffix(".tar.gz")
    with log.open("wb") as output:
        training = subprocess.Popen(  # noqa: S603 - our own command
            [str(rasa), "train", "--fixed-model-name", name, "--out", str(models)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=inherited_environment() | QUIET,
        )
        try:
            yield True
        except BaseException:
            training.kill()
            raise
        finally:
            training.wait()
    if training.returncode != 0:
        raise CannotStart(f"训练没有成功，原因见 {log}")
    _unpack_intents(model, intents)
    stamp.write_text(fingerprint(dialogue_sources()))
    say("✓ 对话模型训练完成")


def _unpack_intents(model: Path, folder: Path) -> None:
    """Lay the reader of intents beside the model it is part of, for those who read without a dialogue."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tarfile.open(model) as packed:
        for member in packed:
            if "intents.Intents" in member.name and member.isfile() and (inside := packed.extractfile(member)):
                (folder / Path(member.name).name).write_bytes(inside.read())
