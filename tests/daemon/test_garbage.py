"""`daemon.garbage`: circles are looked for seldom, but they are."""

from __future__ import annotations

import gc
import weakref

from zccvoice.daemon.garbage import YOUNG_OBJECTS, seldom_collected


class Circle:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def packets_until_gone(most: int) -> int:
    """How many packets are there when a circle that nobody wants any more is gone."""
    gone: list[object] = []
    _watch = weakref.ref(Circle(), gone.append)  # to ask it would hold on to the circle while Python looks
    packets: list[list[int]] = []
    while not gone and len(packets) < most:
        packets.append([])
    return len(packets)


def test_packets_on_their_way_make_nobody_look_and_circles_go_all_the_same() -> None:
    usual = gc.get_threshold()
    with seldom_collected():
        count = packets_until_gone(2 * YOUNG_OBJECTS)
        assert YOUNG_OBJECTS // 2 < count < 2 * YOUNG_OBJECTS
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0
    assert packets_until_gone(YOUNG_OBJECTS) <= 2 * usual[0]
