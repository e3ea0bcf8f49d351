"""The form of what `zccvoice bench analytics` finds, on small sizes; never how fast it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine

from zccvoice.analytics.record import Side
from zccvoice.bench import BenchResult, analytics
from zccvoice.bench.analytics import measure_recompute, measure_scorecards
from zccvoice.bench.conversation import LENGTH_MS, conversation
from zccvoice.bench.year import load_year, make_year
from zccvoice.store.database import connect


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def test_scorecards_are_counted() -> None:
    result = BenchResult("analytics")
    measure_scorecards(result, calls=2, rounds=1)
    (figure,) = result.figures.values()
    assert figure.value > 0
    assert figure.how.startswith("2 calls of 6 min")
    assert [(one.name, one.is_least) for one in result.wanted] == [("scorecards", True)]


def test_conversations_are_the_same_every_time_and_lively() -> None:
    one = conversation(1)
    assert one == conversation(1) != conversation(2)
    assert one.utterances[-1].end_ms <= LENGTH_MS
    for side in (Side.AGENT, Side.CUSTOMER):
        assert sum(said.side is side for said in one.utterances) > 30


def test_stored_calls_change_once(engine: Engine) -> None:
    load_year(engine, make_year(1_000, date(2026, 11, 27)))
    result = BenchResult("analytics")
    measure_recompute(engine, 5, result)
    how = {name: figure.how for name, figure in result.figures.items()}
    assert how["recompute_changed"].startswith("5 stored calls, 5 changed")
    assert how["recompute_unchanged"].startswith("5 stored calls, 5 unchanged")
    assert set(how) == {
        f"recompute_{name}{kind}" for name in ("changed", "unchanged") for kind in ("", "_rate")
    }


def test_all_in_one_run() -> None:
    said: list[str] = []
    result = analytics.run(utterances=1_000, live_calls=0, on_progress=said.append)
    assert {"scorecards", "recompute_changed", "agent_month_all_p95", "agent_month_team_p95"} <= set(
        result.figures
    )
    assert "measuring stored calls again" in said
