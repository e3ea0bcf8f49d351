"""A call whose daemon was killed, stopped or away: what the next one makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trio
from sqlalchemy import Connection
from trio.testing import MockClock

from tests.daemon.fakes import FakeReceiver
from tests.daemon.played import (
    ENDED,
    LANGUAGES,
    OPENED,
    STARTED,
    T0,
    WHO,
    Played,
    audio,
    crash,
    essence,
    recover,
    run,
)
from tests.daemon.rooms import open_house, wall_clock
from tests.speech.sounds import noise, voice
from zccvoice.daemon.transport import EventsSend
from zccvoice.errors import ConnectionFailedError, HandshakeRefusedError
from zccvoice.journal.record import Kind
from zccvoice.rtms.enums import Product, SampleRate
from zccvoice.rtms.events import (
    AudioReceived,
    Change,
    ChatReceived,
    MediaOpened,
    MediaPassedOver,
    ReceptionBroken,
    StreamEnded,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.recovery import SIGNALING_WINDOW_S
from zccvoice.rtms.webhook import StreamInterrupted, StreamStarted
from zccvoice.store import reads
from zccvoice.store.facts import (
    ChatWritten,
    Fact,
    GapFound,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    StreamRestated,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)
from zccvoice.store.writes import apply

pytestmark = pytest.mark.usefixtures("no_threads")


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


async def test_a_clock_that_was_set_back_keeps_no_stream_for_longer(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await trio.sleep(3600)
    await crash(tmp_path, [OPENED, *audio("ch")])
    async with open_house(tmp_path, languages=LANGUAGES) as rooms:
        rooms.house = replace(rooms.house, wall_clock=lambda: wall_clock() - 3600)
        await rooms.call(STARTED, [ConnectionFailedError("no route")], is_announced=False).run()
    (receiver,) = rooms.receivers
    assert receiver.kept_for_s == SIGNALING_WINDOW_S


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

    def receiver(started: StreamStarted, send: EventsSend, wanted: AudioParams | None) -> FakeReceiver:
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
    assert receivers[0].lost_s_ago == 1


@pytest.mark.parametrize(
    ("cause", "why"),
    [("user_triggered", "stream_stopped"), ("stopped", "stream_stopped"), ("unknown_27", "stream_stopped"),
     ("shutdown", "daemon_down"),
     ("connection_lost", "connection_lost"), ("decode", "connection_lost")],
)  # fmt: skip
async def test_a_stream_that_zoom_starts_anew_has_a_gap_that_says_so(
    tmp_path: Path, cause: str, why: str, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    await run(tmp_path, [OPENED, *packets, StreamEnded(cause, "")])
    anew = replace(STARTED, event_ts_ms=T0 + 30_000)
    played = await run(tmp_path, [OPENED, *audio("ch", offset_ms=30_000), ENDED], started=anew)
    assert played.end.end_reason == "customer_disconnected"
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 4000, T0 + 30_000, why)]
    assert len(played.heard) == 2


async def test_a_stream_that_is_taken_up_is_asked_for_what_its_sound_is(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Whatever is configured by now."""
    refused, unheard = (
        MediaOpened(AudioParams(codec=4)),
        MediaOpened(AudioParams(sample_rate=SampleRate.SR_8K)),
    )
    rooms = await crash(tmp_path, [unheard, OPENED, *audio("ch")[:20]])
    assert rooms.receivers[0].audio is None, "as configured"
    played = await recover(tmp_path, [OPENED, *audio("ch")[20:], ENDED])
    assert played.receivers[0].audio == OPENED.audio
    await run(tmp_path / "refused", [refused, *audio("ch")])
    anew = replace(STARTED, event_ts_ms=T0 + 30_000)
    played = await run(tmp_path / "refused", [OPENED, *audio("ch", offset_ms=30_000), ENDED], started=anew)
    assert played.rooms.receivers[0].audio is None
    assert played.end.end_reason == "customer_disconnected"


@pytest.mark.parametrize(
    "ends", [[ENDED], [OPENED, *audio("ch", offset_ms=9_000), ENDED]], ids=["end", "mend"]
)
async def test_sound_that_comes_back_in_another_form_is_not_taken_for_the_old_one(
    tmp_path: Path, ends: list[object], autojump_clock: MockClock
) -> None:
    """All at once, before anybody could hang up."""
    other = MediaOpened(AudioParams(send_rate=100, sample_rate=SampleRate.SR_8K))
    slow = [one._replace(payload=one.payload[::2]) for one in audio("ch", offset_ms=4_000)]  # type: ignore[union-attr]
    await crash(tmp_path, [OPENED, *audio("ch")])
    played = await recover(tmp_path, [other, *slow, *ends])
    (track,) = played.of(TrackClosed)
    assert isinstance(track, TrackClosed)
    if ends == [ENDED]:
        assert (played.end.end_reason, played.end.ended_at.timestamp() * 1000) == (
            "remote_protocol",
            T0 + 4000,
        )
        assert "expected the audio to come back as" in played.end.detail
        assert (track.packets, played.of(GapFound)) == (40, [])
    else:
        assert played.end.end_reason == "customer_disconnected"
        assert track.packets == 80
        (gap,) = played.of(GapFound)
        assert gap == GapFound("E", "S", "ch", T0 + 4000, T0 + 9000, "daemon_down")


async def test_a_stream_that_zoom_announces_again_while_its_past_is_read_is_received(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Its connection was lost, and its transcripts were still to come."""
    lost = StreamEnded("connection_lost", "")
    await crash(tmp_path, [OPENED, *audio("ch"), lost], is_transcribing=False)
    async with open_house(tmp_path, languages=LANGUAGES) as rooms:
        later = [OPENED, *audio("ch", offset_ms=30_000), ENDED]
        call = rooms.call(STARTED, later, is_announced=False)
        call.announce_again(replace(STARTED, server_url="wss://b.zoom.us", event_ts_ms=T0 + 30_000))
        await call.run()
    played = Played(rooms)
    assert rooms.receivers[0].orders == [("reconnect", "wss://b.zoom.us")]
    assert (played.end.end_reason, len(played.heard)) == ("customer_disconnected", 2)
    assert played.of(GapFound) == [GapFound("E", "S", "ch", T0 + 4000, T0 + 30_000, "connection_lost")]


@pytest.mark.parametrize(("event_ts_ms", "is_dated"), [(T0 + 3900, True), (T0 + 30_000, False)])
async def test_a_start_that_may_be_older_than_the_end_begins_nothing(
    tmp_path: Path, event_ts_ms: int, is_dated: bool, autojump_clock: MockClock
) -> None:
    first = await run(tmp_path, [OPENED, *audio("ch"), ENDED])
    late = replace(STARTED, event_ts_ms=event_ts_ms, is_dated=is_dated)
    assert (await run(tmp_path, [], started=late)).facts == first.facts


async def test_a_queue_that_a_call_comes_back_to_after_a_restart_is_told(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    sales, support = WHO, replace(WHO, queue_id="q2", queue_name="Support")
    await run(tmp_path, [OPENED, sales, *packets[:20], support], stop_after_s=3)
    played = await recover(tmp_path, [OPENED, sales, *packets[20:], ENDED])
    queues = [one.queue_name for one in played.of(ParticipantSeen) if isinstance(one, ParticipantSeen)]
    assert queues == ["Pedidos", None, "Support", "Pedidos"]


async def test_settings_that_are_taken_back_lose_no_utterance(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Cut by the first ones, by others, and by the first ones again: what goes with the second is told again."""
    sound = np.concatenate([noise(1000), voice(1500), noise(800), voice(1500), noise(1500)])
    packets = [
        AudioReceived("ch", T0 + at // 16, sound[at : at + 1600].astype("<i2").tobytes())
        for at in range(0, len(sound), 1600)
    ]
    scripts: list[list[object]] = [[OPENED, *packets[:-5]], [OPENED], [OPENED, *packets[-5:], ENDED]]
    for script, hangover_ms in zip(scripts, (300, 1500, 300), strict=True):
        speech = {"vad": {"hangover_ms": hangover_ms}}
        async with open_house(tmp_path, languages=LANGUAGES, speech=speech) as rooms:
            call = rooms.call(STARTED, script, is_announced=script is scripts[0])
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.run)
                if script is not scripts[-1]:
                    await trio.sleep(3)
                    call.stop("shutdown")
    stored: dict[int, UtteranceHeard] = {}
    for fact in Played(rooms).facts:  # as the database has them
        if isinstance(fact, UtteranceHeard):
            stored[fact.start_timestamp_ms - T0] = fact
        elif isinstance(fact, StreamRestated):
            stored = {at: one for at, one in stored.items() if ("ch", T0 + at) in fact.utterances}
    assert [(at, one.end_timestamp_ms - T0) for at, one in sorted(stored.items())] == [
        (1000, 2500),
        (3300, 4800),
    ]
    assert rooms.recognizer.heard == 0, "they were heard before"


async def test_a_call_that_goes_on_after_a_shutdown_has_no_end_until_it_has_one(
    tmp_path: Path, autojump_clock: MockClock, connection: Connection
) -> None:
    """So it is among the running ones after a new version was installed, and again after the next one."""
    packets = audio("ch")
    await run(tmp_path, [OPENED, *packets[:20]], stop_after_s=3)
    told: list[list[Fact]] = []
    for more in (packets[20:30], packets[30:]):
        async with open_house(tmp_path, languages=LANGUAGES) as rooms:
            call = rooms.call(STARTED, [OPENED, *more], is_announced=False)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.run)
                await trio.sleep(3)
                told.append(rooms.facts("S"))
                call.stop("shutdown")
    last = (await recover(tmp_path, [OPENED, ENDED])).facts
    for facts, is_running in ((told[0], True), (told[1], True), (last, False)):
        for fact in facts:
            apply(connection, [fact])
        assert is_running is reads.is_running(connection, "E")
    opened = [one.resumed_at is not None for one in last if isinstance(one, StreamOpened)]
    assert opened == [False, True, True, True]
    apply(connection, last)
    assert not reads.is_running(connection, "E"), "all at once, too"
