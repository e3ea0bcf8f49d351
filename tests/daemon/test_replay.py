"""A journal read again gives what it gave when it was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.played import ENDED, OPENED, STARTED, WHO, audio, crash, essence, recover, run
from tests.daemon.rooms import Rooms
from zccvoice.analytics.attribution import SPEAKER_UNKNOWN
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import load
from zccvoice.daemon.replay import replay
from zccvoice.errors import JournalError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.enums import Product
from zccvoice.store.facts import (
    CallEventSeen,
    Fact,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    UtteranceHeard,
)

pytestmark = pytest.mark.usefixtures("no_threads")
PHONES = PhonePseudonym("a key")
SCRIPT = [OPENED, WHO, *audio("ch-c"), *audio("ch-a", offset_ms=40, lost=(3, 4)), ENDED]


def again(
    rooms: Rooms, recognizer: FakeRecognizer | None = None, *, keeps_transcripts: bool = True
) -> list[Fact]:
    """Replay the stream of `run`."""
    config = load(
        None,
        language={"queues": {"Pedidos": "es"}},
        speech={"prompts": {"pedidos": {"text": "Gracias por llamar."}}},
    )
    name = journal_name("S")
    return list(
        replay(
            lambda: rooms.shelf.reader(name), config, PHONES, recognizer, keeps_transcripts=keeps_transcripts
        )
    )


async def test_the_same_facts_without_a_recognizer(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, SCRIPT)
    facts = again(played.rooms)
    assert essence(facts) == essence(played.facts)
    assert isinstance(facts[-1], StreamClosed)
    restated = facts[-2]
    assert isinstance(restated, StreamRestated)
    assert [channel for channel, _ in restated.utterances] == ["ch-a", "ch-c"]
    assert len(restated.gaps) == 1
    assert restated.pins == (("", 0),)
    assert restated.one_way == ()


async def test_everything_transcribed_again(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, SCRIPT)
    recognizer = FakeRecognizer()
    recognizer.text = lambda utterance, language: "better words"
    heard = [
        one
        for one in again(played.rooms, recognizer, keeps_transcripts=False)
        if isinstance(one, UtteranceHeard)
    ]
    assert [one.text for one in heard] == ["better words"] * 2
    assert recognizer.heard == 2
    assert recognizer.expected == [("Gracias por llamar.", None)] * 2


async def test_the_journal_of_a_crash_is_given_an_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    facts = again(await crash(tmp_path, SCRIPT[:-1], is_transcribing=False), FakeRecognizer())
    last = facts[-1]
    assert isinstance(last, StreamClosed)
    assert last.end_reason == "daemon_down"
    assert [one.verdict for one in facts if isinstance(one, UtteranceHeard)] == ["kept"] * 2


@pytest.mark.parametrize("product", [Product.CONTACT_CENTER, Product.MEETING])
async def test_damage_costs_its_stretch(tmp_path: Path, autojump_clock: MockClock, product: Product) -> None:
    script = [OPENED, WHO, *audio("ch")[:20], 1.0, *audio("ch")[20:30], 1.0, *audio("ch")[30:], ENDED]
    played = await run(tmp_path, script, started=replace(STARTED, product=product))
    path = next((tmp_path / "journal").rglob("*.journal"))
    offsets = [one.offset for one in played.rooms.records("S", Kind.RECEIVED)]
    data = bytearray(path.read_bytes())
    data[offsets[3] + 100] ^= 1
    path.write_bytes(data)
    facts = again(played.rooms)
    assert {one.cause for one in facts if hasattr(one, "cause")} == {"damaged_journal"}
    missed = [one for one in facts if isinstance(one, CallEventSeen) and one.name == SPEAKER_UNKNOWN]
    assert len(missed) == (product is Product.MEETING), "who was named as speaker there"


async def test_a_journal_of_nobody(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, SCRIPT)
    with played.rooms.shelf.writer("nobody") as writer:
        writer.write(Kind.RECEIVED, 0, [ENDED])
    with pytest.raises(JournalError, match="whose stream"):
        list(replay(lambda: played.rooms.shelf.reader("nobody"), load(None), PHONES))


async def test_a_replay_does_not_open_what_has_ended(tmp_path: Path, autojump_clock: MockClock) -> None:
    """It states the last end alone, and somebody may break it off before that."""
    await run(tmp_path, [OPENED, *audio("ch")[:20]], stop_after_s=3)
    played = await recover(tmp_path, [OPENED, *audio("ch")[20:], ENDED])
    assert len(played.of(StreamOpened)) == 2
    assert [one for one in again(played.rooms) if isinstance(one, StreamOpened)] == played.of(StreamOpened)[
        :1
    ]
