"""Stand-in until the rules land."""

from __future__ import annotations

import re
from pathlib import Path

from care.model.assessment import Assessment, Context, Distress, Flag, Medical, Why


class LexiconError(Exception):
    """The lexicon is not valid."""


class SafetyRules:
    """A handful of patterns."""

    @classmethod
    def load(cls, path: Path) -> SafetyRules:
        return cls()

    def assess(self, text: str, context: Context = Context()) -> Assessment:
        for pattern, medical, flag in (
            ("喘不上气|呼吸困难", Medical.L0, Flag.BREATHING),
            ("血.{0,4}(止不住|停不下来|一直流)|还在流血", Medical.L1, Flag.BLEEDING),
        ):
            found = re.search(pattern, text)
            if found:
                return Assessment(medical=medical, flags=(flag,), why=(Why("medical", found.group(), "stand-in", found.start(), found.end()),))
        if "不想活" in text:
            return Assessment(distress=Distress.P3, flags=(Flag.SELF_HARM,))
        return Assessment()
