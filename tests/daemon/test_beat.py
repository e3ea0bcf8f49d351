"""`daemon.beat` in virtual time."""

from __future__ import annotations

import trio
import trio.testing

from zccvoice.daemon.beat import Beat


async def test_everybody_waits_about_as_long_and_who_comes_together_wakes_together(
    autojump_clock: trio.testing.MockClock,
) -> None:
    beat, woke = Beat(wait_s=1.0, parts=10), dict[float, list[float]]()

    async def wait(begin_s: float) -> None:
        await trio.sleep(begin_s)
        begin = trio.current_time()
        for _ in range(3):
            await beat.wait()
            woke.setdefault(begin_s, []).append(round(trio.current_time() - begin, 6))
            begin = trio.current_time()

    async with trio.open_nursery() as nursery:
        for begin_s in (0.0, 0.01, 0.33, 0.77):
            nursery.start_soon(wait, begin_s)
    for begin_s, waited_s in woke.items():
        assert all(0.9 <= one <= 1.0 for one in waited_s), (begin_s, waited_s)
    assert trio.current_time() < 5


async def test_nobody_waiting_the_clock_stands_still(autojump_clock: trio.testing.MockClock) -> None:
    beat = Beat(wait_s=0.2, parts=10)
    for _ in range(2):  # it goes again when somebody comes
        with trio.move_on_after(0.05):
            await beat.wait()
        await trio.sleep(1)
        steps = trio.lowlevel.current_statistics().tasks_living
        await trio.sleep(1)
        assert trio.lowlevel.current_statistics().tasks_living == steps
        begin = trio.current_time()
        await beat.wait()
        assert 0.15 < trio.current_time() - begin <= 0.2 + 1e-9


async def test_who_is_cancelled_does_not_keep_the_others(autojump_clock: trio.testing.MockClock) -> None:
    beat = Beat(wait_s=1.0, parts=4)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(beat.wait)
        with trio.move_on_after(0.1) as impatient:
            await beat.wait()
        assert impatient.cancelled_caught
    assert 0.7 < trio.current_time() <= 1.1
