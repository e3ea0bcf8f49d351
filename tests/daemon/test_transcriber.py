from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import trio

from tests.daemon.fakes import FakeRecognizer
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.transcriber import SpokenItem, SpokenUtterance, Transcriber
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import Fact, StreamClosed, UtteranceHeard

T0 = 1_781_000_000_000


def spoken(stream: str, number: int, duration_ms: int = 2000, language: str = "en") -> SpokenUtterance:
    start = T0 + number * 10_000
    utterance = Utterance("ch", start, start + duration_ms, np.zeros(16, np.int16), 0, -20.0, 0.0)
    return SpokenUtterance("E-" + stream, stream, utterance, language, 0.0)


def closed(stream: str) -> StreamClosed:
    return StreamClosed("E-" + stream, stream, datetime.now(UTC), "done")


async def transcribe(recognizer: FakeRecognizer, items: list[SpokenItem]) -> list[Fact]:
    spoken_send, spoken_receive = trio.open_memory_channel[SpokenItem](1000)
    facts_send, facts_receive = trio.open_memory_channel[Fact](1000)
    for item in items:
        spoken_send.send_nowait(item)
    spoken_send.close()
    await Transcriber(recognizer, Metrics()).run(spoken_receive, facts_send)
    return [fact async for fact in facts_receive]


@pytest.mark.parametrize("concurrency", [1, 2, 5, 8] * 5)
async def test_the_end_of_a_stream_comes_after_all_its_utterances(concurrency: int) -> None:
    items: list[SpokenItem] = []
    for number in range(20):
        items += [spoken("a", number), spoken("b", number)]
    items += [closed("a"), closed("b")]
    facts = await transcribe(FakeRecognizer(concurrency=concurrency), items)
    assert len(facts) == 42
    for stream in ("a", "b"):
        own = [fact for fact in facts if fact.stream_id == stream]
        assert isinstance(own[-1], StreamClosed)
        starts = sorted(fact.start_timestamp_ms for fact in own if isinstance(fact, UtteranceHeard))
        assert starts == [T0 + number * 10_000 for number in range(20)]


async def test_a_stream_without_utterances_ends_too() -> None:
    assert await transcribe(FakeRecognizer(), [end := closed("a")]) == [end]


async def test_each_in_its_own_language() -> None:
    facts = await transcribe(FakeRecognizer(concurrency=1), [spoken("a", 0), spoken("b", 0, language="es")])
    assert [fact.text for fact in facts if isinstance(fact, UtteranceHeard)] == ["en0 en1", "es0 es1"]


async def test_one_that_fails_is_kept_without_text() -> None:
    items: list[SpokenItem] = [spoken("a", 0), spoken("a", 1, 1234), spoken("a", 2), closed("a")]
    facts = await transcribe(FakeRecognizer(concurrency=1, fails_on_ms=1234), items)
    heard = [fact for fact in facts if isinstance(fact, UtteranceHeard)]
    assert [(fact.text, fact.verdict) for fact in heard] == [
        ("en0 en1", "kept"),
        (None, "failed: recognizer error"),
        ("en0 en1", "kept"),
    ]


async def test_a_defect_costs_one_transcript() -> None:
    recognizer = FakeRecognizer(concurrency=1)
    recognizer.text = lambda utterance, language: "fine" if utterance.duration_ms != 1234 else None  # type: ignore
    items: list[SpokenItem] = [spoken("a", 0), spoken("a", 1, 1234), spoken("a", 2), closed("a")]
    facts = await transcribe(recognizer, items)
    assert [fact.text for fact in facts if isinstance(fact, UtteranceHeard)] == ["fine", None, "fine"]
    assert isinstance(facts[-1], StreamClosed)


async def test_nothing_heard_is_no_text() -> None:
    (fact,) = await transcribe(FakeRecognizer(), [spoken("a", 0, 300)])
    assert isinstance(fact, UtteranceHeard)
    assert (fact.text, fact.words, fact.verdict) == (None, (), "empty")


async def test_a_card_number_never_gets_further() -> None:
    recognizer = FakeRecognizer()
    recognizer.text = lambda utterance, language: "my card is 4111 1111 1111 1111 thanks"
    (fact,) = await transcribe(recognizer, [spoken("a", 0)])
    assert isinstance(fact, UtteranceHeard)
    assert fact.text == "my card is [card] thanks"
    assert [word.text for word in fact.words] == ["my", "card", "is", "[card]", "thanks"]
    assert "1111" not in repr(fact)
