"""One stream through journal, projection and a fake recognizer; crashes included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trio
from trio.testing import MockClock

from tests.daemon.fakes import FakeReceiver, FakeRecognizer
from tests.daemon.rooms import EPOCH_S, Rooms, open_house
from tests.speech.sounds import noise, voice
from zccvoice.analytics.record import Side
from zccvoice.config import LanguageConfig
from zccvoice.daemon.transport import EventsSend
from zccvoice.errors import HandshakeRefusedError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import (
    ArrivalMeasured,
    AudioReceived,
    CallEventReceived,
    Change,
    ChatReceived,
    MediaOpened,
    MediaPassedOver,
    MessageRejected,
    ParticipantConnected,
    ReceptionBroken,
    Role,
    StreamEnded,
    StreamEvent,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted
from zccvoice.store.facts import (
    CallEventSeen,
    ChatWritten,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)

pytestmark = pytest.mark.usefixtures("no_threads")

T0 = int(EPOCH_S * 1000)
STARTED = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://a.zoom.us", T0 - 50)
SOUND = np.concatenate([noise(1000), voice(1500), noise(1500)])
OPENED = MediaOpened(AudioParams(send_rate=100))
ENDED = StreamEnded("customer_disconnected", "Zoom ended the stream")
WHO = ParticipantConnected("ch", Role.CONSUMER, T0, "u1", "Ana", "q1", "Pedidos")
LANGUAGES = LanguageConfig(queues={"Pedidos": "es"})


def audio(channel_id: str, *, offset_ms: int = 0, lost: tuple[int, ...] = ()) -> list[StreamEvent]:
    return [
        AudioReceived(
            channel_id, T0 + offset_ms + number * 100, SOUND[at : at + 1600].astype("<i2").tobytes()
        )
        for number, at in enumerate(range(0, len(SOUND), 1600))
        if number not in lost
    ]


class Played:
    """What a stream's journal holds in the end."""

    def __init__(self, rooms: Rooms, receivers: Sequence[FakeReceiver] = ()) -> None:
        self.rooms = rooms
        self.receivers = receivers
        self.facts = rooms.facts("S")
        self.heard = [one for one in self.facts if isinstance(one, UtteranceHeard)]
        last = self.facts[-1]
        assert isinstance(last, StreamClosed)
        self.end = last

    def of(self, kind: type[Fact]) -> list[Fact]:
        return [one for one in self.facts if isinstance(one, kind)]

    def metric(self, name: str, labels: dict[str, str] | None = None) -> float | None:
        return self.rooms.metric(name, labels)


async def run(
    folder: Path,
    script: Sequence[object],
    *,
    stop_after_s: float | None = None,
    started: StreamStarted = STARTED,
) -> Played:
    """Play a stream to its end."""
    with trio.fail_after(3600):
        async with open_house(folder, languages=LANGUAGES) as rooms:
            call = rooms.call(started, script)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.run)
                if stop_after_s is not None:
                    await trio.sleep(stop_after_s)
                    call.stop("shutdown")
    return Played(rooms)


async def crash(folder: Path, script: Sequence[object], *, is_transcribing: bool = True) -> Rooms:
    """Play a stream, and let the daemon die in the middle of it."""
    async with open_house(folder, languages=LANGUAGES, is_transcribing=is_transcribing) as rooms:
        with trio.move_on_after(3) as life:
            await rooms.call(STARTED, script).run()
        assert life.cancelled_caught
    return rooms


async def recover(folder: Path, *scripts: Sequence[object], away_s: float = 0.0) -> Played:
    """What a daemon that starts then makes of it; each attempt to connect is one script."""
    await trio.sleep(away_s)
    async with open_house(folder, languages=LANGUAGES) as rooms:
        attempts = list(scripts)
        receivers: list[FakeReceiver] = []

        def receiver(started: StreamStarted, send: EventsSend) -> FakeReceiver:
            receivers.append(FakeReceiver(started, send, attempts.pop(0)))
            return receivers[-1]

        call = rooms.call(STARTED, [], is_announced=False)
        call._transport = receiver
        await call.run()
        assert not attempts
    return Played(rooms, receivers)


def essence(facts: Sequence[Fact]) -> list[str]:
    """Facts but for the bookkeeping of a restart, and for when packets came by our clock."""
    kept = [one for one in facts if not isinstance(one, StreamRestated)]
    return sorted(repr(replace(one, jitter_ms=None) if isinstance(one, TrackClosed) else one) for one in kept)


async def test_a_call_from_first_packet_to_last_utterance(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = [
        OPENED,
        CallEventReceived("first_packet_timestamp", T0),
        ParticipantConnected("ch-c", Role.CONSUMER, T0, "u1", "Ana", "q1", "Pedidos", "+1 555 555 0123"),
        CallEventReceived("consumer_answered", T0, "ch-c"),
        *audio("ch-c"),
        *audio("ch-a", offset_ms=40),
        ParticipantConnected("ch-a", Role.USER, T0, "u2", "Lee"),
        ENDED,
    ]
    played = await run(tmp_path, script)
    facts = played.facts
    assert facts[0] == StreamOpened("E", "S", "contact_center", facts[0].started_at)  # type: ignore[union-attr]
    assert played.of(ClockStarted) == [ClockStarted("E", "S", T0)]
    assert played.of(LanguagePinned) == [LanguagePinned("E", "S", "es", "configured")]
    seen = {one.channel_id: one for one in facts if isinstance(one, ParticipantSeen) and one.side}
    assert {channel: one.side for channel, one in seen.items()} == {"ch-c": Side.CUSTOMER, "ch-a": Side.AGENT}
    assert seen["ch-c"].phone_last4 == "0123"
    assert "5555550123" not in (seen["ch-c"].phone_hash or "")
    assert [one.name for one in facts if isinstance(one, CallEventSeen)] == ["consumer_answered"]
    closed = {one.channel_id: one for one in facts if isinstance(one, TrackClosed)}
    assert (closed["ch-a"].first_timestamp_ms, closed["ch-a"].last_timestamp_ms) == (T0 + 40, T0 + 4040)
    assert closed["ch-a"].packets == 40
    assert sorted((one.channel_id, one.language) for one in played.heard) == [("ch-a", "es"), ("ch-c", "es")]
    starts = sorted(one.start_timestamp_ms - T0 for one in played.heard)
    assert starts == pytest.approx([1000, 1040], abs=60)
    assert (played.end.end_reason, played.end.ended_at.timestamp() * 1000) == (
        "customer_disconnected",
        T0 + 4040,
    )
    assert played.metric("zccvoice_audio_packets_total") == 80


async def test_what_was_received_is_in_the_journal(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = [OPENED, CallEventReceived("consumer_answered", T0, "ch"), *audio("ch"), ENDED]
    played = await run(tmp_path, script)
    received = [one for record in played.rooms.records("S", Kind.RECEIVED) for one in record.entries]
    told = [one for one in received if not isinstance(one, ArrivalMeasured)]
    assert told == [STARTED, STARTED, *script]
    (arrival,) = (one for one in received if isinstance(one, ArrivalMeasured))
    (track,) = (one for one in played.facts if isinstance(one, TrackClosed))
    assert arrival.channel_id == "ch"
    assert track.jitter_ms == arrival.jitter_ms > 0
    assert [parcel.journal for parcel in played.rooms.outbox.parcels()] == [journal_name("S")]


async def test_the_clock_begins_with_the_earliest_track_not_with_the_first_to_arrive(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    late = audio("ch-a", offset_ms=500)
    played = await run(tmp_path, [OPENED, *late[:8], *audio("ch-c"), *late[8:], ENDED])
    assert played.of(ClockStarted) == [ClockStarted("E", "S", T0)]


async def test_a_queue_that_is_told_after_a_burst_of_audio_still_decides_the_language(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(tmp_path, [OPENED, *audio("ch"), 2.0, WHO, ENDED])
    assert [one.language for one in played.heard] == ["es"]


async def test_without_word_of_a_queue_the_default_decides(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, [OPENED, *audio("ch"), ENDED])
    assert [one.language for one in played.heard] == ["en"]
    assert LanguagePinned("E", "S", "en", "configured") in played.facts


async def test_an_event_without_a_time_is_kept_at_the_newest_known_one(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(
        tmp_path, [OPENED, *audio("ch")[:10], CallEventReceived("user_hold", None, "ch"), ENDED]
    )
    assert CallEventSeen("E", "S", "user_hold", T0 + 900, "ch") in played.facts


async def test_lost_packets_are_recorded(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, [OPENED, *audio("ch", lost=(5, 6)), ENDED])
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 500, T0 + 700, "lost_packets")]


async def test_stopping_finishes_the_open_utterance(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, [OPENED, *audio("ch")[:20]], stop_after_s=1)
    (heard,) = played.heard
    assert heard.end_timestamp_ms == T0 + 2000
    assert played.end.end_reason == "shutdown"


async def test_a_refused_handshake_ends_the_call_with_its_reason(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(tmp_path, [HandshakeRefusedError("signaling", 3, "bad signature")])
    assert len(played.facts) == 2
    assert played.end.end_reason == "handshake_refused"
    assert "bad signature" in played.end.detail


async def test_audio_in_a_form_that_was_not_asked_for_is_refused(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(tmp_path, [MediaOpened(AudioParams(codec=4)), *audio("ch")])
    assert played.heard == []
    assert played.end.end_reason == "remote_protocol"
    assert "L16" in played.end.detail


async def test_bad_payloads_and_messages_are_counted_and_cost_themselves(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    script = [
        OPENED,
        *packets[:9],
        AudioReceived("ch", T0 + 900, b"x"),
        MessageRejected("media", "?"),
        *packets[10:],
    ]
    played = await run(tmp_path, [*script, ENDED])
    assert played.metric("zccvoice_rejected_payloads_total") == 1
    assert played.metric("zccvoice_rejected_messages_total", {"connection": "media"}) == 1
    assert played.of(GapFound) != []
    assert len(played.heard) == 1


async def test_a_defect_ends_the_call_and_keeps_what_it_has(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    played = await run(tmp_path, [OPENED, *audio("ch"), RuntimeError("a defect")])
    assert len(played.heard) == 1
    assert played.end.end_reason == "internal_error"


async def test_a_defect_in_the_projection_ends_the_call_alone_and_its_journal_has_all(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    script = [OPENED, *audio("ch"), 1.0, MediaOpened(None), *audio("ch")[:3]]  # type: ignore[arg-type]
    async with open_house(tmp_path) as rooms:
        await rooms.call(STARTED, script).run()
    played = Played(rooms)
    assert len(played.heard) == 1
    assert played.end.end_reason == "internal_error"


async def test_a_start_without_any_audio(tmp_path: Path, autojump_clock: MockClock) -> None:
    played = await run(tmp_path, [ENDED])
    assert [type(one) for one in played.facts] == [StreamOpened, StreamClosed]


async def test_what_a_full_disk_costs_is_a_gap_with_its_cause(
    tmp_path: Path, autojump_clock: MockClock, disk: Callable[[int | None], None]
) -> None:
    packets = audio("ch")
    script = [
        *(OPENED, WHO, *packets[:10], 1.0),
        *(lambda: disk(0), *packets[10:12], 1.0, *packets[12:20], 1.0),
        *(lambda: disk(None), 1.0, *packets[20:], ENDED),
    ]
    played = await run(tmp_path, script)
    # The first record that found no room waits for some; what came after it is lost.
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 1200, T0 + 2000, "disk_full")]
    assert played.end.end_reason == "customer_disconnected"
    assert played.metric("zccvoice_dropped_packets_total") == 8


async def test_a_revoked_stream_is_dropped_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_house(tmp_path) as rooms:
        call = rooms.call(STARTED, [OPENED, *audio("ch"), StreamEnded("stream_revoked", "")])
        await call.run()
    assert call.is_revoked
    assert call.end_cause == "stream_revoked"


# After a crash


@pytest.mark.parametrize("packets_before", [0, 5, 14, 22, 40])
async def test_a_crash_between_two_packets_changes_nothing(
    tmp_path: Path, packets_before: int, autojump_clock: MockClock
) -> None:
    """Zoom sends the rest when we are back, in time."""
    packets = audio("ch")
    undisturbed = await run(tmp_path / "undisturbed", [OPENED, *packets, ENDED])
    await crash(tmp_path / "crashed", [OPENED, *packets[:packets_before]])
    played = await recover(tmp_path / "crashed", [OPENED, *packets[packets_before:], ENDED])
    assert essence(played.facts) == essence(undisturbed.facts)


async def test_transcripts_are_not_made_twice(tmp_path: Path, autojump_clock: MockClock) -> None:
    await crash(tmp_path, [OPENED, WHO, *audio("ch")])
    played = await recover(tmp_path, [OPENED, ENDED])
    assert len(played.heard) == 1
    assert played.rooms.recognizer.heard == 0


async def test_what_zoom_sent_meanwhile_is_a_gap_with_its_cause_however_long(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    await crash(tmp_path, [OPENED, *packets])
    later = [
        one._replace(timestamp_ms=one.timestamp_ms + 30_000)
        for one in packets
        if isinstance(one, AudioReceived)
    ]
    played = await recover(tmp_path, [OPENED, *later, ENDED], away_s=20)
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 4000, T0 + 30_000, "daemon_down")]
    assert len(played.heard) == 2
    assert StreamRestated in {type(one) for one in played.facts}


async def test_a_stream_that_zoom_gave_up_ends_with_the_reason(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await crash(tmp_path, [OPENED, *audio("ch")])
    played = await recover(tmp_path, [HandshakeRefusedError("signaling", 3, "unknown rtms_stream_id")])
    assert (played.end.end_reason, len(played.heard)) == ("daemon_down", 1)
    assert "unknown rtms_stream_id" in played.end.detail
    assert played.end.ended_at.timestamp() * 1000 == T0 + 4000


async def test_a_daemon_that_was_away_for_too_long_does_not_ask(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await crash(tmp_path, [OPENED, *audio("ch")])
    played = await recover(tmp_path, away_s=120)
    assert (played.end.end_reason, len(played.heard)) == ("daemon_down", 1)


async def test_texts_of_zoom_are_redacted_before_they_are_written_down(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    card = "my card is 4111 1111 1111 1111"
    played = await run(
        tmp_path,
        [OPENED, *audio("ch"), TranscriptReceived("ch", T0, T0 + 900, card, "en"), ChatReceived(T0, card, "u1"),
         TranscriptReceived("ch", T0, None, "", None, Change.DELETED), MediaPassedOver("video"), ENDED],
    )  # fmt: skip
    told, taken_back = played.of(ZoomTranscribed)
    assert told == ZoomTranscribed("E", "S", "ch", T0, T0 + 900, "my card is [card]", "en")
    assert taken_back == ZoomTranscribed("E", "S", "ch", T0, None, None)
    assert played.of(ChatWritten) == [ChatWritten("E", "S", f"{T0} u1", T0, "my card is [card]", "u1")]
    written = [one for record in played.rooms.records("S") for one in record.entries]
    assert not any("4111" in getattr(one, "text", "") for one in written if getattr(one, "text", None))
    assert played.metric("zccvoice_media_passed_over_total", {"kind": "video"}) == 1


async def test_a_shutdown_is_not_the_end_of_a_call_for_whoever_starts_at_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    first = await run(tmp_path, [OPENED, *packets[:20]], stop_after_s=3)
    assert first.end.end_reason == "shutdown"
    played = await recover(tmp_path, [OPENED, *packets[25:], ENDED], away_s=20)
    assert played.end.end_reason == "customer_disconnected"
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 2000, T0 + 2500, "daemon_down")]


async def test_a_shutdown_of_long_ago_is_the_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    await run(tmp_path, [OPENED, *audio("ch")[:20]], stop_after_s=3)
    played = await recover(tmp_path, away_s=61)
    assert played.end.end_reason == "shutdown"


async def test_a_stream_is_asked_for_as_long_as_zoom_keeps_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await crash(tmp_path, [OPENED, *audio("ch")[:20]])
    played = await recover(tmp_path, [OPENED, *audio("ch")[20:], ENDED], away_s=10)
    assert (played.end.end_reason, len(played.heard)) == ("customer_disconnected", 1)
    (receiver,) = played.receivers
    assert 46 < receiver.kept_for_s < 50


async def test_a_crash_after_the_end_finishes_the_rest(tmp_path: Path, autojump_clock: MockClock) -> None:
    await crash(tmp_path, [OPENED, *audio("ch"), ENDED], is_transcribing=False)
    played = await recover(tmp_path)
    assert (played.end.end_reason, len(played.heard)) == ("customer_disconnected", 1)


async def test_a_stream_that_is_over_is_not_taken_up_again(tmp_path: Path, autojump_clock: MockClock) -> None:
    await run(tmp_path, [OPENED, *audio("ch"), ENDED])
    played = await run(tmp_path, [OPENED, *audio("ch")])
    assert len(played.of(StreamClosed)) == 1


async def test_a_stream_that_we_lost_is_taken_up_when_zoom_announces_it_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    first = await run(tmp_path, [OPENED, *packets[:20], StreamEnded("connection_lost", "")])
    assert first.end.end_reason == "connection_lost"
    played = await run(tmp_path, [OPENED, *packets[25:], ENDED])
    assert played.end.end_reason == "customer_disconnected"
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 2000, T0 + 2500, "connection_lost")]
    received = [one for record in played.rooms.records("S", Kind.RECEIVED) for one in record.entries]
    assert ReceptionBroken("connection_lost") in received


@pytest.mark.parametrize(
    ("server_url", "orders"),
    [(None, [("reconnect", None)]), ("wss://other", [("reconnect", "wss://other"), ("reconnect", None)])],
)
async def test_an_interruption_may_tell_where_to_go(
    server_url: str | None,
    orders: list[tuple[str, str | None]],
    tmp_path: Path,
    autojump_clock: MockClock,
) -> None:
    receivers: list[FakeReceiver] = []

    def receiver(started: StreamStarted, send: EventsSend) -> FakeReceiver:
        receivers.append(FakeReceiver(started, send, [OPENED, *audio("ch")[:5]]))
        return receivers[-1]

    async with open_house(tmp_path, languages=LANGUAGES) as rooms, trio.open_nursery() as nursery:
        call = rooms.call(STARTED, [])
        call._transport = receiver
        nursery.start_soon(call.run)
        await trio.sleep(1)
        call.note_interrupted(StreamInterrupted(Product.CONTACT_CENTER, "E", "S", T0, server_url))
        call.stop("shutdown")
    assert receivers[0].orders == orders


async def test_between_pause_and_resume_nothing_audible_is_kept(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    said = TranscriptReceived("ch", T0 + 1500, T0 + 1900, "said in the pause", "en")
    played = await run(
        tmp_path,
        [OPENED, *packets[:12], CallEventReceived("stream_paused", T0 + 1000), *packets[12:20], said,
         CallEventReceived("stream_resumed", T0 + 2500), *packets[20:], ENDED],
    )  # fmt: skip
    kept = [
        one.timestamp_ms - T0
        for record in played.rooms.records("S", Kind.RECEIVED)
        for one in record.entries
        if isinstance(one, AudioReceived)
    ]
    assert kept == [*range(0, 1000, 100), *range(2500, 4000, 100)]
    assert played.of(ZoomTranscribed) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([("stream_paused", 500)], [("stream_resumed", 3000)]),
        ([("rule_pause_started", 500), ("rule_pause_ended", 3000)], [("stream_resumed", 2000)]),
    ],
)
async def test_a_pause_outlives_a_crash(
    tmp_path: Path,
    autojump_clock: MockClock,
    before: list[tuple[str, int]],
    after: list[tuple[str, int]],
) -> None:
    packets = audio("ch")
    paused, resumed = (
        [CallEventReceived(name, T0 + at_ms) for name, at_ms in events] for events in (before, after)
    )
    await crash(tmp_path, [OPENED, *packets[:5], *paused])
    played = await recover(tmp_path, [OPENED, *packets[5:30], *resumed, *packets[30:], ENDED])
    kept = [
        one.timestamp_ms - T0
        for record in played.rooms.records("S", Kind.RECEIVED)
        for one in record.entries
        if isinstance(one, AudioReceived)
    ]
    assert kept == [*range(0, 500, 100), *range(3000, 4000, 100)]


async def test_somebody_may_ask_for_a_pause(tmp_path: Path, autojump_clock: MockClock) -> None:
    packets = audio("ch")
    with trio.fail_after(3600):
        async with open_house(tmp_path, languages=LANGUAGES) as rooms:
            script: list[object] = [OPENED, *packets[:10], 1.0]
            call = rooms.call(STARTED, script)
            script += [lambda: call.keep_sound(False), *packets[10:20], 1.0, lambda: call.keep_sound(True)]
            script += [*packets[20:], ENDED]
            await call.run()
    played = Played(rooms)
    names = [one.name for one in played.of(CallEventSeen) if isinstance(one, CallEventSeen)]
    assert names == ["sound_paused", "sound_resumed"]
    kept = [
        (one.timestamp_ms - T0) // 100
        for record in rooms.records("S", Kind.RECEIVED)
        for one in record.entries
        if isinstance(one, AudioReceived)
    ]
    assert kept == [*range(10), *range(20, 40)]


async def test_a_rule_pauses_the_sound_for_a_time(tmp_path: Path, autojump_clock: MockClock) -> None:
    packets = audio("ch")
    with trio.fail_after(3600):
        async with open_house(tmp_path, languages=LANGUAGES) as rooms:
            script: list[object] = [OPENED, *packets[:10], 1.0]
            call = rooms.call(STARTED, script)
            script += [lambda: call.pause_sound(T0 + 2_000)] * 2
            script += [*packets[10:30], 1.0, lambda: call.pause_sound(T0 + 2_000)]
            script += [*packets[30:35], 1.0, lambda: call.pause_sound(T0 + 600_000), *packets[35:], ENDED]
            await call.run()
    played = Played(rooms)
    told = [
        (one.name, one.timestamp_ms - T0)
        for one in played.of(CallEventSeen)
        if isinstance(one, CallEventSeen)
    ]
    assert told == [
        ("rule_pause_started", 900),
        ("rule_pause_ended", 2_000),
        ("rule_pause_started", 3_400),
        ("rule_pause_ended", 600_000),
    ]
    kept = [
        (one.timestamp_ms - T0) // 100
        for record in rooms.records("S", Kind.RECEIVED)
        for one in record.entries
        if isinstance(one, AudioReceived)
    ]
    assert kept == [*range(10), *range(20, 35)]
    assert played.of(GapFound) == []
    for fact in rooms.facts("S"):
        match fact:
            case TrackClosed():
                assert fact.lost_packets == 0
            case StreamClosed():
                assert fact.ended_at.timestamp() * 1000 <= T0 + 4_000, "not when the pause would have ended"


async def test_what_people_say_is_in_no_log(
    tmp_path: Path, autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = "xylophone"
    recognizer = FakeRecognizer()
    recognizer.text = lambda utterance, language: f"{marked} 4111 1111"
    told = [TranscriptReceived("ch", T0, T0 + 900, marked, "en"), ChatReceived(T0, marked, "u1", marked)]
    with trio.fail_after(3600):
        async with open_house(tmp_path, recognizer=recognizer, languages=LANGUAGES) as rooms:
            await rooms.call(STARTED, [OPENED, *audio("ch"), *told, ENDED]).run()
    assert Played(rooms).heard[0].text == f"{marked} 4111 1111"
    logged = capsys.readouterr()
    assert "stream ended" in logged.out + logged.err
    assert marked not in logged.out + logged.err
    assert "4111" not in logged.out + logged.err
