"""``zccvoice recompute``."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from tests.cli.recorded import Installation
from tests.store.calls import small_call
from zccvoice.store.database import connect, transaction
from zccvoice.store.recompute import CHUNK_CALLS
from zccvoice.store.writes import apply


@pytest.fixture
def stored(there: Installation, database_url: str) -> Installation:
    """Calls enough for two processes, never measured; the last one runs."""
    engine = connect(database_url)
    with transaction(engine) as connection:
        for number in range(CHUNK_CALLS + 2):
            apply(connection, small_call(f"e{number}", f"s{number}"))
        apply(connection, small_call("running", "running")[:-1])
    engine.dispose()
    return there


def told(there: Installation, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, int]:
    assert there.run("recompute", "--json", *arguments) == 0
    found: dict[str, int] = json.loads(capsys.readouterr().out)
    return {name: value for name, value in found.items() if value}


def test_measured_once_and_then_left_alone(stored: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    calls = CHUNK_CALLS + 2
    counted = {"calls": calls + 1, "running": 1, "thresholds_version": 1}
    assert told(stored, capsys, "--jobs", "2") == counted | {"changed": calls}
    assert told(stored, capsys, "--jobs", "2") == counted | {"unchanged": calls}


def test_calls_without_sentiment_get_it(
    stored: Installation, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = CHUNK_CALLS + 2
    told(stored, capsys)
    engine = connect(database_url)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE zccvoice.utterance SET sentiment = NULL"))
    assert told(stored, capsys, "--jobs", "2")["changed"] == calls
    assert told(stored, capsys, "--jobs", "2")["unchanged"] == calls
    with transaction(engine) as connection:
        unrated = text("SELECT count(*) FROM zccvoice.utterance WHERE verdict = 'kept' AND sentiment IS NULL")
        assert connection.scalar(unrated) == 1, "of the call that runs"
    engine.dispose()


def test_configured_thresholds(
    stored: Installation, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stricter = ["--set", "measures.thresholds.silence_above_ms=100"]
    found = told(stored, capsys, "--engagement", "e0", *stricter)
    assert found == {"calls": 1, "changed": 1, "thresholds_version": 2}
    assert stored.run("recompute", "--set", "measures.thresholds.silence=1") == 2
    assert "measures.thresholds.silence: there is no such threshold" in capsys.readouterr().err


def test_a_time_and_a_call_that_is_not_there(
    stored: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(stored, capsys, "--since", "2026-12-01") == {"thresholds_version": 1}
    assert told(stored, capsys, "--since", "2026-11-23", "--timezone", "UTC") == {"thresholds_version": 1}
    there_the_day_began = ("--since", "2026-11-23", "--timezone", "Pacific/Kiritimati")
    assert told(stored, capsys, *there_the_day_began)["calls"] == CHUNK_CALLS + 3
    assert told(stored, capsys, "--until", "9999w") == {"thresholds_version": 1}
    assert stored.run("recompute", "--engagement", "nobody") == 1
    assert "1 gone" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        stored.run("recompute", "--since", "yesterday")
    assert caught.value.code == 2
