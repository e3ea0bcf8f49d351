from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import trio
from trio.testing import MockClock

from tests.daemon.fakes import FakeReceiver
from tests.speech.sounds import noise, voice
from zccvoice.analytics.record import Side
from zccvoice.config import LanguageConfig, VadConfig
from zccvoice.daemon.call import Call
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.transcriber import SpokenItem, SpokenUtterance
from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import (
    AudioReceived,
    CallEventReceived,
    MediaOpened,
    MessageRejected,
    ParticipantConnected,
    Role,
    StreamEnded,
    StreamEvent,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    TrackClosed,
)

T0 = 1_781_000_000_000
STARTED = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://a.zoom.us", T0 - 50)
SOUND = np.concatenate([noise(1000), voice(1500), noise(1500)])
OPENED = MediaOpened(AudioParams(send_rate=100))
ENDED = StreamEnded("customer_disconnected", "Zoom ended the stream")


def audio(channel_id: str, *, offset_ms: int = 0, lost: tuple[int, ...] = ()) -> list[StreamEvent]:
    return [
        AudioReceived(
            channel_id, T0 + offset_ms + number * 100, SOUND[at : at + 1600].astype("<i2").tobytes()
        )
        for number, at in enumerate(range(0, len(SOUND), 1600))
        if number not in lost
    ]


async def run(
    script: Sequence[object], *, stop_after: bool = False
) -> tuple[list[Fact], list[SpokenItem], Metrics]:
    facts_send, facts_receive = trio.open_memory_channel[Fact](1000)
    spoken_send, spoken_receive = trio.open_memory_channel[SpokenItem](1000)
    metrics = Metrics()
    call = Call(
        STARTED,
        lambda started, events_send: FakeReceiver(started, events_send, script),
        vad=VadConfig(),
        languages=LanguagePolicy(LanguageConfig(queues={"Pedidos": "es"})),
        metrics=metrics,
        facts_send=facts_send,
        spoken_send=spoken_send,
    )
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call.run)
            if stop_after:
                await trio.testing.wait_all_tasks_blocked()
                call.stop("shutdown")
    facts_send.close()
    spoken_send.close()
    return [one async for one in facts_receive], [one async for one in spoken_receive], metrics


async def test_a_call_from_first_packet_to_last_utterance() -> None:
    script = [
        OPENED,
        CallEventReceived("first_packet_timestamp", T0),
        ParticipantConnected("ch-c", Role.CONSUMER, T0, "u1", "Ana", "q1", "Pedidos"),
        CallEventReceived("consumer_answered", T0, "ch-c"),
        *audio("ch-c"),
        *audio("ch-a", offset_ms=40),
        ParticipantConnected("ch-a", Role.USER, T0, "u2", "Lee"),
        ENDED,
    ]
    facts, spoken, metrics = await run(script)
    assert facts[0] == StreamOpened("E", "S", "contact_center", facts[0].started_at)  # type: ignore[union-attr]
    assert [one for one in facts if isinstance(one, ClockStarted)] == [ClockStarted("E", "S", T0)]
    assert [one for one in facts if isinstance(one, LanguagePinned)] == [
        LanguagePinned("E", "S", "es", "configured")
    ]
    sides = {one.channel_id: one.side for one in facts if isinstance(one, ParticipantSeen) and one.side}
    assert sides == {"ch-c": Side.CUSTOMER, "ch-a": Side.AGENT}
    assert [one.name for one in facts if isinstance(one, CallEventSeen)] == ["consumer_answered"]
    closed = {one.channel_id: one for one in facts if isinstance(one, TrackClosed)}
    assert (closed["ch-a"].first_timestamp_ms, closed["ch-a"].last_timestamp_ms) == (T0 + 40, T0 + 4040)
    assert closed["ch-a"].packets == 40
    *utterances, end = spoken
    heard = [one for one in utterances if isinstance(one, SpokenUtterance)]
    assert [(one.utterance.channel_id, one.language) for one in heard] == [("ch-c", "es"), ("ch-a", "es")]
    starts = [one.utterance.start_timestamp_ms - T0 for one in heard]
    assert starts == pytest.approx([1000, 1040], abs=60)
    assert isinstance(end, StreamClosed)
    assert (end.end_reason, end.ended_at.timestamp() * 1000) == ("customer_disconnected", T0 + 4040)
    assert metrics.registry.get_sample_value("zccvoice_audio_packets_total") == 80


async def test_the_clock_begins_with_the_earliest_track_not_with_the_first_to_arrive() -> None:
    late = audio("ch-a", offset_ms=500)
    facts, _, _ = await run([OPENED, *late[:8], *audio("ch-c"), *late[8:], ENDED])
    assert [one for one in facts if isinstance(one, ClockStarted)] == [ClockStarted("E", "S", T0)]


async def test_a_queue_that_is_told_after_a_burst_of_audio_still_decides_the_language(
    autojump_clock: MockClock,
) -> None:
    who = ParticipantConnected("ch", Role.CONSUMER, T0, "u1", "Ana", "q1", "Pedidos")
    _, spoken, _ = await run([OPENED, *audio("ch"), who, ENDED])
    assert [one.language for one in spoken if isinstance(one, SpokenUtterance)] == ["es"]


async def test_without_word_of_a_queue_the_default_decides(autojump_clock: MockClock) -> None:
    facts, spoken, _ = await run([OPENED, *audio("ch"), ENDED])
    assert [one.language for one in spoken if isinstance(one, SpokenUtterance)] == ["en"]
    assert LanguagePinned("E", "S", "en", "configured") in facts


async def test_an_event_without_a_time_is_kept_at_the_newest_known_one() -> None:
    facts, _, _ = await run([OPENED, *audio("ch")[:10], CallEventReceived("user_hold", None, "ch"), ENDED])
    assert CallEventSeen("E", "S", "user_hold", T0 + 900, "ch") in facts


async def test_lost_packets_are_recorded() -> None:
    facts, _, _ = await run([OPENED, *audio("ch", lost=(5, 6)), ENDED])
    assert [one for one in facts if isinstance(one, GapFound)] == [
        GapFound("E", "S", "ch", T0 + 500, T0 + 700, "lost_packets")
    ]


async def test_stopping_finishes_the_open_utterance() -> None:
    _, spoken, _ = await run([OPENED, *audio("ch")[:20]], stop_after=True)
    utterance, end = spoken
    assert isinstance(utterance, SpokenUtterance)
    assert utterance.utterance.end_timestamp_ms == T0 + 2000
    assert isinstance(end, StreamClosed)
    assert end.end_reason == "shutdown"


async def test_a_refused_handshake_ends_the_call_with_its_reason() -> None:
    facts, spoken, _ = await run([HandshakeRefusedError("signaling", 3, "bad signature")])
    assert len(facts) == 1
    (end,) = spoken
    assert isinstance(end, StreamClosed)
    assert end.end_reason == "handshake_refused"
    assert "bad signature" in end.detail


async def test_audio_in_a_form_that_was_not_asked_for_is_refused() -> None:
    _, spoken, _ = await run([MediaOpened(AudioParams(codec=4)), *audio("ch"), ENDED])
    (end,) = spoken
    assert isinstance(end, StreamClosed)
    assert end.end_reason == "remote_protocol"
    assert "L16" in end.detail


async def test_bad_payloads_and_messages_are_counted_and_cost_themselves() -> None:
    packets = audio("ch")
    script = [
        OPENED,
        *packets[:9],
        AudioReceived("ch", T0 + 900, b"x"),
        MessageRejected("media", "?"),
        *packets[10:],
    ]
    facts, spoken, metrics = await run([*script, ENDED])
    assert metrics.registry.get_sample_value("zccvoice_rejected_payloads_total") == 1
    assert metrics.registry.get_sample_value("zccvoice_rejected_messages_total", {"connection": "media"}) == 1
    assert [one for one in facts if isinstance(one, GapFound)] != []
    assert len(spoken) == 2


async def test_a_defect_ends_the_call_and_keeps_what_it_has() -> None:
    _, spoken, _ = await run([OPENED, *audio("ch"), RuntimeError("a defect")])
    utterance, end = spoken
    assert isinstance(utterance, SpokenUtterance)
    assert isinstance(end, StreamClosed)
    assert end.end_reason == "internal_error"


async def test_a_start_without_any_audio() -> None:
    facts, spoken, _ = await run([ENDED])
    assert len(facts) == len(spoken) == 1
