"""The latest target holds from its day on, and those before stay for reports of the time before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from zccvoice.store.targets import Target, set_target, targets, targets_until

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_later_one_replaces_an_earlier_one_from_its_day_on(connection: Connection) -> None:
    set_target(connection, Target("talk_share_agent", 0.4, 0.6, valid_from=NOW - 9 * DAY), NOW)
    set_target(connection, Target("talk_share_agent", 0.5, None), NOW)
    assert targets(connection, NOW - 10 * DAY) == []
    (before,) = targets(connection, NOW - DAY)
    assert (before.low, before.high) == (0.4, 0.6)
    (then,) = targets(connection, NOW)
    assert (then.low, then.high, then.valid_from) == (0.5, None, NOW)
    assert targets_until(connection, NOW) == [before], "a period that ends then is not judged by it"
    assert targets_until(connection, NOW + DAY) == [then]


def test_one_of_the_same_moment_is_corrected(connection: Connection) -> None:
    set_target(connection, Target("hold_time_ms", None, 60_000), NOW)
    set_target(connection, Target("hold_time_ms", None, 30_000), NOW)
    assert [one.high for one in targets(connection, NOW)] == [30_000]


def test_queues_and_teams_have_their_own(connection: Connection) -> None:
    for queue_id, team_id, high in ((None, None, 1.0), ("q", None, 2.0), (None, "t", 3.0), ("q", "t", 4.0)):
        set_target(connection, Target("hold_count", None, high, queue_id, team_id), NOW)
    held = [(one.queue_id, one.team_id, one.high) for one in targets(connection, NOW)]
    assert held == [(None, None, 1.0), (None, "t", 3.0), ("q", None, 2.0), ("q", "t", 4.0)]


def test_one_without_bounds_ends_it(connection: Connection) -> None:
    set_target(connection, Target("hold_count", 0, 1, valid_from=NOW - DAY), NOW)
    set_target(connection, Target("hold_count", None, None), NOW)
    assert targets(connection, NOW) == []
    assert len(targets(connection, NOW - DAY)) == 1


def test_bounds_in_the_wrong_order_are_refused(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="ck_metric_target_range"):
        set_target(connection, Target("hold_count", 2, 1), NOW)
