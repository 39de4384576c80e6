from __future__ import annotations

import pytest

from care.adapters.language.safety_rules import SafetyRules
from care.settings import ROOT


@pytest.fixture(scope="session")
def rules() -> SafetyRules:
    """The clinic's own rules for danger."""
    return SafetyRules.load(ROOT / "packs" / "dental" / "safety.yml")
