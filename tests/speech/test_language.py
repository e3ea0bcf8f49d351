from __future__ import annotations

from zccvoice.config import LanguageConfig
from zccvoice.speech.language import LanguagePin, LanguagePolicy

POLICY = LanguagePolicy(LanguageConfig(default="en", queues={"Pedidos": "es", "q_7": "de"}))


def test_the_first_rule_that_matches_wins() -> None:
    assert POLICY.pin("q_1", "Pedidos") == LanguagePin("es", "configured")
    assert POLICY.pin("q_7", "Pedidos").language == "de"
    assert POLICY.pin(None, "PEDIDOS").language == "es"


def test_the_default_is_for_the_rest() -> None:
    assert POLICY.pin("q_1", "Orders").language == "en"
    assert POLICY.pin(None, None).language == "en"
    assert POLICY.pin().language == "en"


def test_all_languages_that_may_be_needed() -> None:
    assert POLICY.languages == {"en", "es", "de"}
