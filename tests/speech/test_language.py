from __future__ import annotations

from zccvoice.config import LanguageConfig
from zccvoice.speech.language import LanguagePolicy

POLICY = LanguagePolicy(
    LanguageConfig(
        default="detect",
        queues={"Pedidos": "es", "q_7": "de"},
        agents={"u_1": "fr", "Lee Agent": "detect"},
        accounts={"acc_2": "it"},
        products={"meeting": "en"},
        among=("de", "en"),
    )
)


def test_the_first_rule_that_matches_wins() -> None:
    assert POLICY.choose(("q_1", "Pedidos")) == "es"
    assert POLICY.choose(("q_7", "Pedidos")) == "de"
    assert POLICY.choose((None, "PEDIDOS"), ("u_1", None)) == "es"
    assert POLICY.choose(("q_1",), ("u_1", "Ana"), "acc_2") == "fr"
    assert POLICY.choose((), ("u_2", "lee agent"), "acc_2") is None
    assert POLICY.choose(account_id="acc_2", product="meeting") == "it"
    assert POLICY.choose(account_id="acc_1", product="meeting") == "en"


def test_the_default_is_for_the_rest() -> None:
    assert POLICY.choose(("q_1", "Orders")) is None
    assert POLICY.choose() is None
    assert LanguagePolicy(LanguageConfig()).choose(("q_1", "Orders"), product="phone") == "en"


def test_all_languages_that_may_be_needed() -> None:
    assert POLICY.languages == {"en", "es", "de", "fr", "it"}
    unasked = LanguageConfig(default="en", among=("de", "es"))
    assert LanguagePolicy(unasked).languages == {"en"}


def test_what_has_to_be_known_to_decide() -> None:
    assert (POLICY.depends_on_queue, POLICY.depends_on_agent) == (True, True)
    plain = LanguagePolicy(LanguageConfig(default="en", queues={"Orders": "en"}))
    assert (plain.depends_on_queue, plain.depends_on_agent) == (False, False)
