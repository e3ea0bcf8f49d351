"""The form of what `zccvoice bench store` finds, on small sizes; never how fast it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from zccvoice.bench import BenchResult
from zccvoice.bench.journal import measure_journal, measure_replay, new_shelf
from zccvoice.bench.questions import ASKERS, QUESTIONS, measure_questions
from zccvoice.bench.rows import UTTERANCES_PER_CALL, measure_rows
from zccvoice.bench.wording import sentences, words_of
from zccvoice.bench.year import DAYS, load_year, make_year
from zccvoice.cli import main
from zccvoice.config import load
from zccvoice.store.database import connect

UNTIL = date(2026, 11, 27)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


def scalar(engine: Engine, query: str) -> object:
    with engine.begin() as connection:
        return connection.execute(text(query)).scalar()


def test_the_same_rows_go_in_by_all_ways(engine: Engine) -> None:
    result = BenchResult("store")
    measure_rows(engine, result, calls=2, rounds=1)
    ways = ("told", "copy_batches", "copy_at_once")
    stored = {
        way: scalar(engine, f"SELECT count(*) FROM zccvoice.utterance WHERE stream_id LIKE 's-{way}-%'")
        for way in ways
    }
    assert stored == dict.fromkeys(ways, 2 * UTTERANCES_PER_CALL)
    whole = (
        "array_to_string(word_texts, ' ') = text AND cardinality(word_probability) = cardinality(word_texts)"
    )
    assert scalar(engine, f"SELECT bool_and({whole}) FROM zccvoice.utterance")
    assert {one.name for one in result.wanted} == {"write_path_to_copy", "loop_lag_p99"}
    assert all(figure.value >= 0 for name, figure in result.figures.items() if name.startswith("rows_"))


def test_a_journal_is_hardly_larger_than_what_it_holds(tmp_path: Path) -> None:
    result = BenchResult("store")
    measure_journal(new_shelf(tmp_path), result, minutes=0.1, rounds=1)
    assert result.is_met
    sizes = {name: one.value for name, one in result.figures.items() if name.startswith("journal_overhead_")}
    assert set(sizes) == {
        f"journal_overhead_{form}_{ids}"
        for form in ("l16_100ms", "l16_20ms", "g711_20ms", "opus_20ms", "opus_vbr_20ms")
        for ids in ("short_ids", "long_ids")
    }
    assert {one.name for one in result.wanted} == set(sizes)
    assert all(0 < percent <= 3 for percent in sizes.values())
    assert {"journal_write", "journal_read", "passage_find", "passage_read"} <= set(result.figures)


def test_a_replay_is_measured_with_every_transcript_known(tmp_path: Path) -> None:
    result = BenchResult("store")
    measure_replay(new_shelf(tmp_path), load(None), result, minutes=1)
    counts = re.search(r"(\d+) of (\d+) transcripts", result.figures["replay"].how)
    assert counts is not None
    assert counts[1] == counts[2]
    assert int(counts[1]) >= 10


def test_a_year_is_the_same_every_time_and_lies_before_its_end() -> None:
    year = make_year(8_000, UNTIL)
    assert year == make_year(8_000, UNTIL)
    assert len(year.calls) == 200
    midnight = datetime(UNTIL.year, UNTIL.month, UNTIL.day, tzinfo=UTC)
    starts = [call.started_at for call in year.calls]
    assert starts == sorted(starts)
    assert midnight - timedelta(days=DAYS) <= starts[0] < midnight - timedelta(days=DAYS - 3)
    assert midnight - timedelta(days=3) < starts[-1] < midnight
    assert len({call.engagement_id for call in year.calls}) == 200


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_sentences_have_frequent_and_rare_words(language: str) -> None:
    words = words_of(language)
    assert len(set(words)) == len(words) >= 70
    said = [set(one.text.split()) for one in sentences(language)]
    often, seldom = (sum(word in sentence for sentence in said) for word in (words[0], words[-1]))
    assert often > 20 * seldom > 0


def test_a_year_is_loaded_and_asked_about(engine: Engine, tmp_path: Path) -> None:
    result, plans = BenchResult("store"), tmp_path / "plans.txt"
    year = make_year(4_000, UNTIL)
    load_year(engine, year)
    assert scalar(engine, "SELECT count(*) FROM zccvoice.utterance") == 4_000
    assert scalar(engine, "SELECT count(*) FROM zccvoice.utterance_default") == 0
    assert scalar(engine, "SELECT count(*) FROM reporting.call WHERE duration_ms IS NOT NULL") == 100
    calls = "SELECT array_agg(DISTINCT (engagement_id, team_ids)::text) FROM zccvoice.engagement"
    loaded = scalar(engine, calls)
    scalar(engine, "SELECT zccvoice.refresh_team_ids(ARRAY(SELECT engagement_id FROM zccvoice.engagement))")
    assert scalar(engine, calls) == loaded
    measure_questions(engine, year, result, plans=plans, times=2)
    asked = [f"{name}_{who}" for who in ASKERS for name in QUESTIONS]
    assert set(result.figures) == {f"{one}_p{percent}" for one in asked for percent in (50, 95)}
    assert [one.name for one in result.wanted] == [f"{one}_p95" for one in asked]
    assert "40 rows, 2 times" in result.figures["transcript_team_p50"].how
    assert plans.read_text(encoding="utf-8").count("Execution Time") == len(asked)
    assert scalar(engine, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'bench_%'") == 0
    assert scalar(engine, "SELECT count(*) FROM zccvoice.team_reader") == 0


def test_a_year_must_have_a_size(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "store", "--utterances", "10"])
    assert "expected at least 1000, got 10" in capsys.readouterr().err
