"""The language of a stream is chosen once, when the queue and the agent that decide it are known, or late."""

from __future__ import annotations

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
