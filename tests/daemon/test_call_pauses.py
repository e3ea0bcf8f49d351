"""While a call is paused nothing audible of it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.daemon.played import ENDED, LANGUAGES, OPENED, STARTED, T0, Played, audio, crash, recover, run
from tests.daemon.rooms import open_house
from zccvoice.daemon.group_commit import FLUSH_S
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import (
    AudioReceived,
    CallEventReceived,
    EventsMissed,
    ReceptionBroken,
    StreamEvent,
    TranscriptReceived,
)
from zccvoice.store.facts import CallEventSeen, GapFound, StreamClosed, TrackClosed, ZoomTranscribed

pytestmark = pytest.mark.usefixtures("no_threads")


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
    assert played.sound_ms == [*range(0, 1000, 100), *range(2500, 4000, 100)]
    assert played.of(ZoomTranscribed) == []


@pytest.mark.parametrize(("late_s", "kept_ms"), [(0.3, 6_200), (6.0, 6_800)])
async def test_sound_may_come_before_the_word_that_the_pause_was_over(
    late_s: float, kept_ms: int, tmp_path: Path, autojump_clock: MockClock
) -> None:
    before, after = audio("ch"), audio("ch", offset_ms=5_000)[6:]
    over = CallEventReceived("stream_resumed", T0 + 6_200)
    script = [OPENED, *before[:12], 0.5, CallEventReceived("stream_paused", T0 + 1_200), 5.0, *after[:12]]
    played = await run(tmp_path, [*script, late_s, over, *after[12:], ENDED])
    assert played.sound_ms == [*range(0, 1_200, 100), *range(kept_ms, 9_000, 100)]


@pytest.mark.parametrize(
    ("before", "again", "after"),
    [
        ([("stream_paused", 500)], [("stream_paused", 500)], [("stream_resumed", 3000)]),
        ([("sound_paused", 500)], [], [("sound_resumed", 3000)]),
        ([("rule_pause_started", 500), ("rule_pause_ended", 3000)], [], [("stream_resumed", 2000)]),
    ],
)
async def test_a_pause_outlives_a_crash(
    tmp_path: Path,
    autojump_clock: MockClock,
    before: list[tuple[str, int]],
    again: list[tuple[str, int]],
    after: list[tuple[str, int]],
) -> None:
    packets = audio("ch")
    paused, still, resumed = (
        [CallEventReceived(name, T0 + at_ms) for name, at_ms in events] for events in (before, again, after)
    )
    await crash(tmp_path, [OPENED, *packets[:5], *paused])
    played = await recover(tmp_path, [*still, OPENED, *packets[5:30], *resumed, *packets[30:], ENDED])
    assert played.sound_ms == [*range(0, 500, 100), *range(3000, 4000, 100)]


@pytest.mark.parametrize(
    ("name", "kept_ms"),
    [
        ("stream_paused", [*range(0, 500, 100), *range(2500, 4000, 100)]),
        ("sound_paused", [*range(0, 500, 100)]),
    ],
)
async def test_a_pause_of_zooms_whose_end_was_missed_hides_nothing_that_comes_later(
    name: str, kept_ms: list[int], tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets = audio("ch")
    played = await run(
        tmp_path,
        [OPENED, *packets[:5], CallEventReceived(name, T0 + 500), *packets[5:10], EventsMissed(),
         ReceptionBroken("connection_lost"), OPENED, *packets[25:], ENDED],
    )  # fmt: skip
    assert played.sound_ms == kept_ms
    events = [one for one in played.of(CallEventSeen) if isinstance(one, CallEventSeen)]
    told = [(one.name, one.timestamp_ms - T0) for one in events]
    assert told == [(name, 500), *([("pause_over_untold", 2500)] if name == "stream_paused" else [])]


@pytest.mark.parametrize(
    ("resumed_ms", "gaps"), [(4_000, []), (2_000, [(2_000, 4_000)])], ids=["to the end", "in the middle"]
)
async def test_what_a_lost_connection_did_not_tell_of_a_pause_is_no_gap(
    resumed_ms: int, gaps: list[tuple[int, int]], tmp_path: Path, autojump_clock: MockClock
) -> None:
    packets, broken = audio("ch"), ReceptionBroken("connection_lost")
    pause = [CallEventReceived("stream_paused", T0 + 1_000)]
    pause += [CallEventReceived("stream_resumed", T0 + resumed_ms)] if resumed_ms < 4_000 else []
    within, at_end = tmp_path / "within", tmp_path / "at_end"
    later = audio("ch", offset_ms=4_000)
    played = await run(within, [OPENED, *packets[:10], *pause, broken, OPENED, EventsMissed(), *later, ENDED])
    stopped = CallEventReceived("stream_terminated", T0 + 4_000)
    missed = await run(at_end, [OPENED, *packets[:10], *pause, stopped, broken, ENDED])
    for one in (played, missed):
        found = [gap for gap in one.of(GapFound) if isinstance(gap, GapFound)]
        assert [(gap.start_timestamp_ms - T0, gap.end_timestamp_ms - T0) for gap in found] == gaps
        assert {gap.cause for gap in found} <= {"connection_lost"}


async def test_a_pause_of_zooms_may_end_while_the_daemon_is_down(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await crash(tmp_path, [OPENED, *audio("ch"), CallEventReceived("stream_paused", T0 + 4_000)])
    later = [OPENED, *audio("ch", offset_ms=30_000), *audio("other", offset_ms=29_900), ENDED]
    played = await recover(tmp_path, later, away_s=20)
    assert len(played.sound_ms) == 120


async def test_the_pause_of_one_session_hides_nothing_of_another(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    def session(which: str, state: str, at_ms: int) -> StreamEvent:
        return CallEventReceived(f"session_{state}", T0 + at_ms, session_id=which)

    packets = audio("ch")
    played = await run(
        tmp_path,
        [OPENED, session("A", "started", 0), session("B", "started", 0), *packets[:10],
         session("A", "paused", 1000), *packets[10:20], session("B", "paused", 2000), *packets[20:25],
         session("A", "stopped", 2500), session("B", "resumed", 3000), *packets[30:], ENDED],
    )  # fmt: skip
    assert played.sound_ms == [*range(0, 2000, 100), *range(3000, 4000, 100)]
    assert played.of(GapFound) == []


async def test_a_pause_holds_though_the_daemon_dies_before_it_has_looked_at_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path, languages=LANGUAGES) as rooms:
        call = rooms.call(STARTED, [OPENED, *audio("ch")])
        with trio.move_on_after(3):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.run)
                await trio.sleep(2)
                call.keep_sound(False)
                await trio.sleep(FLUSH_S + 0.02)  # it is in the journal
                nursery.cancel_scope.cancel()
    assert not any(isinstance(one, CallEventSeen) for one in rooms.facts("S"))
    played = await recover(tmp_path, [OPENED, *audio("ch", offset_ms=6_000), ENDED])
    assert max(played.sound_ms) < 6_000


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
