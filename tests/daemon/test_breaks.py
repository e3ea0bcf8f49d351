"""What nobody heard at the beginning and at the end of a stream."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.daemon.played import ENDED, OPENED, T0, audio, run
from zccvoice.audio.frame import AudioFormat
from zccvoice.audio.timeline import Timeline
from zccvoice.daemon.breaks import Breaks
from zccvoice.rtms.events import CallEventReceived, ReceptionBroken, StreamEvent
from zccvoice.store.facts import GapFound

pytestmark = pytest.mark.usefixtures("no_threads")
BROKEN = ReceptionBroken("connection_lost")
BEGUN = CallEventReceived("first_packet_timestamp", T0 - 40_000)


@pytest.mark.parametrize(
    ("before", "gaps"),
    [
        pytest.param([BEGUN, OPENED, BROKEN, OPENED], {"one", "other"}, id="lost"),
        pytest.param([OPENED, BROKEN, BEGUN, OPENED], {"one", "other"}, id="told late"),
        pytest.param([OPENED, BROKEN, OPENED], set(), id="when it began is not known"),
        pytest.param([BEGUN, OPENED], set(), id="nothing was lost"),
        pytest.param(
            [CallEventReceived("first_packet_timestamp", T0 - 200), OPENED, BROKEN, OPENED],
            set(),
            id="nothing but some packets",
        ),
    ],
)
async def test_a_beginning_that_nobody_heard_is_a_gap(
    before: list[StreamEvent], gaps: set[str], tmp_path: Path, autojump_clock: MockClock
) -> None:
    heard = [*audio("one"), *audio("other", offset_ms=2_000), *audio("late", offset_ms=2_100)]
    played = await run(tmp_path, [*before, *heard, ENDED])
    found = [one for one in played.of(GapFound) if isinstance(one, GapFound)]
    assert {one.channel_id for one in found} == gaps, "who came later was not there yet, for all we know"
    for gap in found:
        assert (gap.start_timestamp_ms - T0, gap.end_timestamp_ms - T0) == (-40_000, 0)
        assert gap.cause == "connection_lost"


@pytest.mark.parametrize(
    ("told", "until_ms"),
    [
        pytest.param([], None, id="never"),
        pytest.param([("stopped", None)], None, id="without a time"),
        pytest.param([("stopped", 38_000), ("stopped", 40_000)], 38_000, id="signaling, then the webhook"),
        pytest.param([("stopped", 40_000), ("stopped", 38_000)], 38_000, id="the webhook first"),
        pytest.param([("stopped", 38_000), ("started", 1_000)], 38_000, id="an older start is told again"),
        pytest.param([("stopped", 20_000), ("started", 30_000)], None, id="and started anew"),
        pytest.param([("stopped", 20_000), ("started", 30_000), ("stopped", 40_000)], 40_000, id="and ended"),
    ],
)
def test_an_end_that_nobody_heard_is_missed_up_to_when_zoom_told_it(
    told: list[tuple[str, int | None]], until_ms: int | None
) -> None:
    breaks, timeline = Breaks(), Timeline(AudioFormat())
    breaks.note_heard(10_000)
    breaks.begin("connection_lost")
    for what, at_ms in told:
        if what == "stopped":
            breaks.note_stopped(at_ms)
        elif at_ms is not None:
            breaks.note_started(at_ms)
    expected = [] if until_ms is None else [(10_020, until_ms, "connection_lost")]
    assert breaks.missed_by(timeline, 10_020) == expected
    assert breaks.missed_by(timeline, 7_900) == [], "a leg that had been quiet for long"
