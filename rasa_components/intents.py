"""Rasa's place for our reader of intents; what it does stands in care/adapters/language/intents.py."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from care.adapters.language.intents import IntentReader

RANKED = 10
ALSO = "also"  # beside intent and intent_ranking: the second wishes of a message


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class Intents(GraphComponent, IntentClassifier):
    """Reads the intent of a message, and what it wants beside that."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return nothing: how it is fitted belongs to the reader."""
        return {}

    def __init__(self, storage: ModelStorage, resource: Resource, reader: IntentReader | None = None) -> None:
        self._storage, self._resource, self._reader = storage, resource, reader

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Intents:
        """Return an untrained component."""
        return cls(model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from every example that has an intent."""
        examples = [one for one in training_data.intent_examples if one.get(INTENT) and one.get(TEXT)]
        self._reader = IntentReader.train([one.get(TEXT) for one in examples], [one.get(INTENT) for one in examples])
        with self._storage.write_to(self._resource) as folder:
            self._reader.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Give each message its intent, the ranking of the others, and its second wishes."""
        for message in messages:
            text = message.get(TEXT)
            if not text or self._reader is None:
                continue
            metadata = message.get("metadata") or {}
            flags = [flag for flag in str(metadata.get("flags") or "").split(",") if flag]
            meaning = self._reader.read(text, metadata.get("asked"), flags)
            ranking = [{"name": name, "confidence": chance} for name, chance in meaning.ranking[:RANKED]]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            also = [{"intent": one.intent, "text": one.text, "confidence": one.confidence} for one in meaning.also]
            message.set(ALSO, also, add_to_output=True)
        return messages

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Intents:
        """Return the component as it was trained.

        Raises:
            ModelDamaged: if what was stored cannot be read.
        """
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, IntentReader.load(folder))
