"""What nobody heard at the beginning and at the end of a stream."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.daemon.played import ENDED, OPENED, T0, audio, run
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
