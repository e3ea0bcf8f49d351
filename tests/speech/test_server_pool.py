"""Which recognition server gets the next request."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from zccvoice.speech.server_pool import FIRST_PAUSE_S, LONGEST_PAUSE_S, Server, ServerPool

ONE, TWO, THREE = "http://one", "http://two", "http://three"


def taken(pool: ServerPool, now: float = 0.0, **more: Server | None) -> Server:
    server = pool.take(now, **more)
    assert server is not None
    return server


def test_requests_are_spread_over_the_servers() -> None:
    pool = ServerPool([ONE, TWO, THREE], most_at_once=2)
    assert sorted(taken(pool).url for _ in range(6)) == [ONE, ONE, THREE, THREE, TWO, TWO]
    assert pool.take(0.0) is None
    assert pool.get_timer(0.0) is None


def test_a_server_that_fails_is_left_alone_and_then_tried_with_one_request() -> None:
    pool = ServerPool([ONE], most_at_once=4)
    first, second = taken(pool), taken(pool)
    pool.succeeded(second)
    pool.failed(first, now=10.0)
    assert pool.take(10.9) is None
    assert pool.get_timer(10.9) == 11.0
    probe = taken(pool, 11.0)
    assert pool.take(11.0) is None
    pool.succeeded(probe)
    assert [taken(pool, 11.0).url for _ in range(4)] == [ONE] * 4


def test_pauses_grow_up_to_a_bound() -> None:
    pool, now, pauses = ServerPool([ONE], most_at_once=1), 0.0, []
    for _ in range(8):
        pool.failed(taken(pool, now), now)
        at = pool.get_timer(now)
        assert at is not None
        pauses.append(at - now)
        now = at
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_another_server_is_preferred_to_the_one_that_failed() -> None:
    pool = ServerPool([ONE, TWO], most_at_once=4)
    failed = taken(pool)
    for _ in range(3):
        assert taken(pool, 100.0, avoid=failed).url != failed.url
    alone = ServerPool([ONE], most_at_once=4)
    assert taken(alone, avoid=alone.servers[0]).url == ONE


def test_a_full_server_is_still_trusted() -> None:
    pool = ServerPool([ONE], most_at_once=3)
    pool.is_full(taken(pool), now=0.0, retry_after_s=7.0)
    assert pool.take(6.9) is None
    assert [taken(pool, 7.0).url for _ in range(3)] == [ONE] * 3


def test_a_server_that_leaves_requests_unanswered_gets_fewer_and_slowly_more_again() -> None:
    pool, now = ServerPool([ONE], most_at_once=8), 0.0

    def room() -> int:
        out = []
        while server := pool.take(now):
            out.append(server)
        for server in out:
            pool.given_up(server)
        return len(out)

    def leave_one_unanswered() -> None:
        nonlocal now
        pool.left_unanswered(taken(pool, now), now)
        now += LONGEST_PAUSE_S
        assert room() == 1, "a server that failed is tried with one"
        pool.succeeded(taken(pool, now))

    assert room() == 8
    leave_one_unanswered()
    assert room() == 4
    for expected in (5, 6, 7, 8, 8):
        for _ in range(expected):
            pool.succeeded(taken(pool, now))
        assert room() == expected
    for _ in range(5):
        leave_one_unanswered()
    assert room() == 2


@given(retry_after_s=st.floats(0, 1e9))
def test_nobody_is_sent_away_for_ever(retry_after_s: float) -> None:
    pool = ServerPool([ONE], most_at_once=1)
    pool.is_full(taken(pool), now=0.0, retry_after_s=retry_after_s)
    assert pool.take(FIRST_PAUSE_S - 0.01) is None, "nor asked again at once"
    assert pool.take(LONGEST_PAUSE_S) is not None


class Pool(RuleBasedStateMachine):
    """Any order of what may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pool = ServerPool([ONE, TWO, THREE], most_at_once=2)
        self.out: list[Server] = []

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        server = self.pool.take(self.now)
        if server is not None:
            assert self.now >= server.resting_until
            self.out.append(server)
        elif len(self.out) < self.pool.capacity:
            at = self.pool.get_timer(self.now)
            assert self.out or (at is not None and at > self.now), "nothing would ever wake whoever waits"

    @precondition(lambda self: self.out)
    @rule(
        data=st.data(), how=st.sampled_from(["succeeded", "failed", "left_unanswered", "is_full", "given_up"])
    )
    def give_back(self, data: st.DataObject, how: str) -> None:
        server = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        if how in ("failed", "left_unanswered", "is_full"):
            getattr(self.pool, how)(server, self.now)
        else:
            getattr(self.pool, how)(server)

    @invariant()
    def nobody_has_more_than_allowed(self) -> None:
        for server in self.pool.servers:
            assert 0 <= server.under_way == sum(one is server for one in self.out) <= 2


TestPool = Pool.TestCase
