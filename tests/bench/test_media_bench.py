from __future__ import annotations

import pytest

from zccvoice.bench.media_clients import measured
from zccvoice.bench.media_load import SIDES, simulated


@pytest.mark.parametrize("kind", ["receive", "whole"])
def test_what_is_played_is_received(kind: str) -> None:
    with simulated(2) as load:
        tally = measured(kind, load.streams, send_rate_ms=100, seconds=1.0)
        assert load.late_ms > 0
    due = 2 * SIDES * 10 * tally.wall_s
    assert tally.streams == 2
    assert due * 0.5 <= tally.messages <= due * 1.5 + 20, "the journal writes four times a second"
    assert tally.cpu_s > 0
    assert tally.memory_bytes > 0
    assert bool(tally.delays_ms) == (kind == "whole")


def test_a_bare_socket_sees_the_bytes() -> None:
    with simulated(1) as load:
        tally = measured("floor", load.streams, send_rate_ms=20, seconds=0.5)
    assert tally.streams == 1
    assert tally.received_bytes > 0.3 * 2 * 16_000 * SIDES * tally.wall_s
