"""What holds of every axis, whatever came."""

from __future__ import annotations

from collections.abc import Iterable

from zccvoice.audio.frame import Gap, Packet
from zccvoice.audio.timeline import Timeline


def assert_seamless(timeline: Timeline, pieces: Iterable[Packet | Gap], pushed: int) -> None:
    """All that a timeline gave, of so many packets: piece follows piece, and no packet is forgotten."""
    position = 0
    for piece in pieces:
        assert piece.position == position
        assert piece.sample_count > 0
        position += piece.sample_count
    assert position == timeline.position
    left_out = timeline.duplicate_packets + timeline.late_packets + timeline.stray_packets
    assert timeline.packets + left_out == pushed, "every packet is in one of the counts"
