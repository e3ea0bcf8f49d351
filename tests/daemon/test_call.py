"""One stream through journal, projection and a fake recognizer."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.fakes import FakeRecognizer
from tests.daemon.played import ENDED, LANGUAGES, OPENED, STARTED, T0, WHO, Played, audio, run
from tests.daemon.rooms import open_house
from zccvoice.analytics.record import Side
from zccvoice.errors import HandshakeRefusedError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import journal_name
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import (
    ArrivalMeasured,
    AudioReceived,
    CallEventReceived,
    ChatReceived,
    MediaOpened,
    MessageRejected,
    ParticipantConnected,
    ReceptionBroken,
    Role,
    StreamEnded,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStopped
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    TrackClosed,
)

pytestmark = pytest.mark.usefixtures("no_threads")


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


async def _run_with_room_after(
    seconds: float, folder: Path, script: Sequence[object], disk: Callable[[int | None], None]
) -> Played:
    async with trio.open_nursery() as nursery:

        async def make_room() -> None:
            await trio.sleep(seconds)
            disk(None)

        nursery.start_soon(make_room)
        return await run(folder, script)


async def test_a_disk_that_is_full_for_the_last_turn_costs_nothing_but_time(
    tmp_path: Path, autojump_clock: MockClock, disk: Callable[[int | None], None]
) -> None:
    """What the writer has accepted is looked at when there is room, though nothing more will come."""
    packets = audio("ch")
    script = [OPENED, *packets[:2], 1.0, lambda: disk(100), *packets[2:], ENDED]
    played = await _run_with_room_after(20, tmp_path, script, disk)
    assert played.end.end_reason == "customer_disconnected"
    assert len(played.heard) == 1
    (track,) = played.of(TrackClosed)
    assert isinstance(track, TrackClosed)
    assert track.packets == 40


async def test_a_full_disk_does_not_hide_that_a_connection_was_lost(
    tmp_path: Path, autojump_clock: MockClock, disk: Callable[[int | None], None]
) -> None:
    held = CallEventReceived("user_hold", T0 + 4_100)
    end = [CallEventReceived("stream_terminated", T0 + 64_000), ReceptionBroken("connection_lost"), ENDED]
    script = [OPENED, *audio("ch"), 2.0, lambda: disk(0), held, 0.6, *end]
    played = await _run_with_room_after(5, tmp_path, script, disk)
    (gap,) = played.of(GapFound)
    assert isinstance(gap, GapFound)
    assert (gap.end_timestamp_ms - T0, gap.cause) == (64_000, "connection_lost")


async def test_a_call_waits_until_there_is_a_handle_for_its_journal(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = os.open, [3]

    def refuse(path: str | Path, *more: int) -> int:
        if str(path).endswith(".journal") and refused[0]:
            refused[0] -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return real(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    played = await run(tmp_path, [OPENED, *audio("ch"), ENDED])
    assert refused == [0]
    assert len(played.heard) == 1


async def test_what_is_told_while_there_is_no_journal_counts(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, is_full = os.open, [True]

    def refuse(path: str | Path, *more: int) -> int:
        if str(path).endswith(".journal") and is_full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    async with open_house(tmp_path, languages=LANGUAGES) as rooms, trio.open_nursery() as nursery:
        call = rooms.call(STARTED, [OPENED, *audio("ch"), ENDED])
        nursery.start_soon(call.run)
        await trio.sleep(1)
        call.announce_again(replace(STARTED, server_url="wss://b.zoom.us", event_ts_ms=T0 + 1000))
        call.keep_sound(False)
        await trio.sleep(2)
        call.keep_sound(True)
        call.note_stopped(StreamStopped(Product.CONTACT_CENTER, "E", "S", T0 + 3000), "stopped")
        assert rooms.receivers == []
        is_full[0] = False
    assert rooms.receivers[0].orders == [("reconnect", "wss://b.zoom.us"), ("retire", "stopped")]
    played = Played(rooms)
    assert played.sound_ms == [*range(0, 1000, 100), *range(3000, 4000, 100)], "by when it was asked for"
    received = [one for record in rooms.records("S", Kind.RECEIVED) for one in record.entries]
    assert any(isinstance(one, StreamStopped) for one in received)


@pytest.mark.parametrize("place", [0, 20])
async def test_a_single_wrong_timestamp_moves_neither_the_end_nor_a_gap(
    place: int, tmp_path: Path, autojump_clock: MockClock
) -> None:
    before, after = audio("ch"), audio("ch", offset_ms=30_000)
    assert isinstance(before[0], AudioReceived)
    before.insert(place, before[0]._replace(timestamp_ms=T0 + 90 * 24 * 3_600_000))
    script = [OPENED, *before, 1.0, ReceptionBroken("connection_lost"), OPENED, *after, ENDED]
    played = await run(tmp_path, script)
    assert played.end.ended_at.timestamp() * 1000 == T0 + 34_000
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 4_000, T0 + 30_000, "connection_lost")]
    (track,) = played.of(TrackClosed)
    assert isinstance(track, TrackClosed)
    assert track.jitter_ms is not None
    assert track.jitter_ms < 60_000 or place == 0


async def test_a_revoked_stream_is_dropped_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_house(tmp_path) as rooms:
        call = rooms.call(STARTED, [OPENED, *audio("ch"), StreamEnded("stream_revoked", "")])
        await call.run()
    assert call.is_revoked
    assert call.end_cause == "stream_revoked"


async def test_what_is_revoked_after_we_gave_it_up_is_dropped(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as rooms:

        def revoke() -> None:
            assert call.is_ending
            rooms.receivers[0]._events_send.send_nowait(StreamEnded("stream_revoked", ""))

        call = rooms.call(STARTED, [MediaOpened(AudioParams(codec=4)), *audio("ch"), 5.0, revoke])
        await call.run()
    assert call.is_revoked


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
