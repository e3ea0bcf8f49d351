from __future__ import annotations

import pytest

from zccvoice.daemon.endings import REMEMBERED_S, Endings
from zccvoice.rtms.enums import Product
from zccvoice.rtms.webhook import StreamStarted, StreamStopped

CCV = Product.CONTACT_CENTER


def started(event_ts_ms: int, stream_id: str = "S") -> StreamStarted:
    return StreamStarted(CCV, "E", stream_id, "wss://x", event_ts_ms)


@pytest.mark.parametrize("stream_id", ["S", None])
def test_an_end_voids_what_was_announced_before_it(stream_id: str | None) -> None:
    endings = Endings()
    endings.note(StreamStopped(CCV, "E", stream_id, 50), 0)
    endings.note(StreamStopped(CCV, "E", stream_id, 20), 1)  # that of an earlier stream, repeated
    assert endings.is_void(started(49), 2)
    assert not endings.is_void(started(51), 2)
    assert endings.is_void(started(49, "T"), 2) == (stream_id is None)


def test_an_end_is_remembered_for_as_long_as_zoom_repeats_a_start() -> None:
    endings = Endings()
    for now in (0.0, 60.0):
        endings.note(StreamStopped(CCV, "E", "S", 50), now)
    assert endings.is_void(started(50), REMEMBERED_S + 60)
    assert not endings.is_void(started(50), REMEMBERED_S + 61)
    endings.note(StreamStopped(CCV, "E", "S", 50), REMEMBERED_S + 62)
    assert endings.is_void(started(50), REMEMBERED_S + 63)
