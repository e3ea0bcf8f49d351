from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import ConnectionFailedError, ForbiddenHostError, HandshakeRefusedError, ZccvoiceError
from zccvoice.rtms.recovery import HELD_LADDER_S, LADDER_S, Outlook, Recovery, outlook

LOST = ConnectionFailedError("closed")


def refused(status_code: int, reason: str = "", which: str = "signaling") -> HandshakeRefusedError:
    return HandshakeRefusedError(which, status_code, reason)


def recovery(window_s: float = 60, *, now: float = 0, remaining_s: float | None = None) -> Recovery:
    return Recovery(window_s, now, remaining_s=remaining_s, chance=lambda: 0.5)


def delays(core: Recovery, problem: ZccvoiceError, now: float = 0) -> list[float]:
    """Waits until the core gives up, attempts taking no time."""
    waited = []
    while (at := core.next_attempt(problem, now)) is not None:
        waited.append(round(at - now, 3))
        now = at
    return waited


@pytest.mark.parametrize(
    ("problem", "means"),
    [
        (refused(3, "Duplicate signal request"), Outlook.HELD),
        (refused(16, "invalid meeting or stream id"), Outlook.FINAL),
        (refused(15, "invalid signature"), Outlook.FINAL),
        (refused(30, "all-connection exists"), Outlook.HELD),
        (refused(13, "session does not exist"), Outlook.FINAL),
        (refused(8), Outlook.HELD),
        (refused(15), Outlook.DOUBTFUL),
        (refused(16), Outlook.DOUBTFUL),
        (refused(45), Outlook.PASSING),
        (refused(3), Outlook.FINAL),
        (refused(17), Outlook.HELD),
        (refused(17, which="media"), Outlook.FINAL),
        (refused(30, which="media"), Outlook.DOUBTFUL),
        (refused(31, which="media"), Outlook.DOUBTFUL),
        (refused(30), Outlook.FINAL),
        (refused(999), Outlook.DOUBTFUL),
        (refused(-1), Outlook.DOUBTFUL),
        (refused(1, "connection timeout"), Outlook.PASSING),
        (LOST, Outlook.PASSING),
        (ForbiddenHostError("no"), Outlook.FINAL),
    ],
)
def test_the_text_of_a_refusal_goes_before_its_number(problem: ZccvoiceError, means: Outlook) -> None:
    assert outlook(problem) is means


def test_at_once_then_zooms_ladder_until_the_window_closes() -> None:
    *ladder, last = delays(recovery(), LOST)
    assert ladder == [0.5, *LADDER_S[:4]]
    assert sum(ladder) + last == 55, "the next step would be too late"


@given(st.floats(0, 1), st.floats(0, 3), st.sampled_from([60.0, 65.0]))
def test_the_last_attempt_is_made_shortly_before_the_window_closes(
    chance: float, attempt_s: float, window_s: float
) -> None:
    core = Recovery(window_s, 0, chance=lambda: chance)
    now = last = 0.0
    while (at := core.next_attempt(LOST, now)) is not None:
        last, now = at, at + attempt_s
    assert window_s - 10 <= last < window_s


def test_what_zoom_still_holds_is_asked_for_soon_again() -> None:
    waited = delays(recovery(30), refused(8))
    assert waited[:4] == [*HELD_LADDER_S, HELD_LADDER_S[-1]]
    assert 20 < sum(waited) < 30


def test_a_doubtful_refusal_is_believed_the_third_time() -> None:
    assert len(delays(recovery(), refused(16))) == 2


def test_a_final_refusal_is_believed_at_once() -> None:
    assert recovery().next_attempt(refused(3, "invalid signature"), 0) is None


def test_success_begins_the_ladder_anew() -> None:
    core = recovery()
    assert core.next_attempt(LOST, 0) == 0.5
    assert core.next_attempt(LOST, 1) == 4
    core.opened(4)
    assert core.next_attempt(LOST, 100) == 100.5
    assert core.next_attempt(LOST, 101) == 104


def test_a_connection_that_does_not_last_is_no_success() -> None:
    core = recovery()
    core.next_attempt(LOST, 0)
    core.opened(1)
    at = core.next_attempt(LOST, 1.1)
    assert at is not None
    assert at > 4, "or it would spin"


def test_the_window_is_that_of_the_loss() -> None:
    core = recovery(60)
    core.opened(50)
    assert core.next_attempt(LOST, 119) is not None
    assert recovery(60, remaining_s=0.1).next_attempt(LOST, 0) is None


def test_restart_opens_the_window_again() -> None:
    core = recovery(10)
    delays(core, LOST)
    assert core.next_attempt(LOST, 50) is None
    assert core.restart(50) == 50.25, "not at once: all calls of a server are asked for together"
    assert core.next_attempt(LOST, 50) == 50.5


_problems = st.sampled_from([LOST, refused(8), refused(16), refused(45), refused(3)])


@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "lost", "restart"]), st.floats(0, 40), _problems), max_size=30
    ),
    st.floats(0, 1),
)
def test_no_attempt_lies_in_the_past_or_outside_the_window(
    script: list[tuple[str, float, ZccvoiceError]], chance: float
) -> None:
    core = Recovery(60, 0, chance=lambda: chance)
    now = 0.0
    for what, later_s, problem in script:
        now += later_s
        if what == "open":
            core.opened(now)
        elif what == "restart":
            core.restart(now)
        else:
            at = core.next_attempt(problem, now)
            assert at is None or now < at <= now + 60
