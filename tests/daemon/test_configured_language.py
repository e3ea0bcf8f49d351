"""The language of a stream is chosen once, when the queue and the agent that decide it are known, or late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zccvoice.config import LanguageConfig
from zccvoice.daemon.configured_language import RULE_WAIT_MS, ConfiguredLanguage
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import ParticipantConnected, Role
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

STARTED = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://a.zoom.us", 1)
BY_QUEUE = LanguageConfig(default="en", queues={"Pedidos": "es", "Sales": "en"})
BY_AGENT = LanguageConfig(default="detect", among=("en", "de"), agents={"Lee": "de"})


def of(settings: LanguageConfig) -> ConfiguredLanguage:
    return ConfiguredLanguage(STARTED, LanguagePolicy(settings))


def somebody(queue: str | None = None, name: str = "Ana", role: Role = Role.CONSUMER) -> ParticipantConnected:
    return ParticipantConnected("ch", role, None, "u", name, None, queue)


def test_where_nothing_depends_on_anybody_it_is_chosen_at_once() -> None:
    language = of(LanguageConfig(default="de"))
    assert language.may_choose()
    assert language.choose() == "de"


def test_it_waits_for_the_queue_but_not_for_ever() -> None:
    language = of(BY_QUEUE)
    language.note_media(1_000)
    assert not language.may_choose()
    assert not language.may_choose(1_000 + RULE_WAIT_MS - 1)
    assert language.may_choose(1_000 + RULE_WAIT_MS)
    assert not language.note(somebody("Pedidos"))
    assert language.may_choose()
    assert language.choose() == "es"


def test_once_chosen_it_stays_and_what_would_have_changed_it_is_told() -> None:
    language = of(BY_QUEUE)
    assert language.choose() == "en"
    assert not language.note(somebody("Sales"))
    assert language.note(somebody("Pedidos"))
    assert language.choose() == "en"


def test_the_first_agent_decides() -> None:
    language = of(BY_AGENT)
    language.note(somebody(name="Lee"))
    assert not language.may_choose(), "a customer of that name"
    language.note(somebody(name="Lee", role=Role.USER))
    language.note(somebody(name="Kim", role=Role.USER))
    assert language.choose() == "de"
    other = of(BY_AGENT)
    other.note(somebody(name="Kim", role=Role.USER))
    assert other.choose() is None


CHOICES = st.sampled_from(["en", "es", "detect"])
RULES = st.dictionaries(st.sampled_from(["A", "B"]), CHOICES, max_size=2)


@given(
    default=CHOICES,
    queues=RULES,
    agents=RULES,
    products=st.dictionaries(st.just("contact_center"), CHOICES),
    known=st.lists(st.sampled_from(["A", "B", "C"]), max_size=1),
)
def test_what_is_not_waited_for_changes_nothing(
    default: str, queues: dict[str, str], agents: dict[str, str], products: dict[str, str], known: list[str]
) -> None:
    """Also where a queue has the default, and the agent or the product something else."""
    settings = LanguageConfig(
        default=default, among=("en", "es"), queues=queues, agents=agents, products=products
    )

    def told() -> ConfiguredLanguage:
        language = of(settings)
        for name in known:
            language.note(somebody(name=name, role=Role.USER))
        return language

    if not told().may_choose():
        return
    early = told().choose()
    for queue in ("A", "B", "C"):
        late = told()
        late.note(somebody(queue))
        assert late.choose() == early
