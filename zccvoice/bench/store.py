"""``zccvoice bench store``: the write path, the journal, replaying, and a year of calls with what is asked of it.

All in one run, in a folder and a Postgres of its own that are gone afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from zccvoice.bench import BenchResult, Figure
from zccvoice.bench.journal import measure_journal, measure_replay, new_shelf
from zccvoice.bench.questions import measure_questions
from zccvoice.bench.rows import measure_rows
from zccvoice.bench.year import OnProgress, Year, load_year, make_year
from zccvoice.config import load
from zccvoice.store.database import connect, upgrade
from zccvoice.store.private_postgres import PrivatePostgres

UTTERANCES = 1_000_000
LOAD_TIMEOUT_S = 3600.0


def run(
    *, utterances: int = UTTERANCES, plans: Path | None = None, on_progress: OnProgress = lambda said: None
) -> BenchResult:
    """Measure; takes some minutes, most of them for loading the year.

    Args:
        utterances: size of the year.
        plans: a file for the plans of the questions.
        on_progress: told what is done by now.

    Raises:
        StoreError: no Postgres is to be had.
        OSError: there is no room for a temporary folder, or the plans cannot be written.
    """
    result = BenchResult("store")
    with tempfile.TemporaryDirectory(prefix="zccvoice-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # when we are root another account runs the server, and has to get there
        shelf = new_shelf(folder / "journal")
        on_progress("journal")
        measure_journal(shelf, result)
        on_progress("replay")
        measure_replay(shelf, load(None), result)
        with database(folder / "rows") as engine:
            on_progress("write path")
            measure_rows(engine, result)
        with database(folder / "year") as engine:
            year = make_year(utterances, datetime.now(UTC).date() + timedelta(days=1))
            _measure_year(engine, year, result, plans, on_progress)
    return result


def _measure_year(
    engine: Engine, year: Year, result: BenchResult, plans: Path | None, on_progress: OnProgress
) -> None:
    begin = datetime.now(UTC)
    on_progress(f"a year of {len(year.calls)} calls")
    load_year(engine, year, on_progress)
    took_s = (datetime.now(UTC) - begin).total_seconds()
    result.figures["year_calls"] = Figure(len(year.calls), "calls", "made up, in the database")
    result.figures["year_load"] = Figure(
        round(took_s, 1), "s", "by COPY, with indexes, vacuumed and analyzed"
    )
    measure_questions(engine, year, result, plans=plans, on_progress=on_progress)


@contextmanager
def database(folder: Path) -> Iterator[Engine]:
    """A Postgres of its own with our schema, for as long as the block lasts.

    Raises:
        StoreError: it is not to be had.
    """
    with PrivatePostgres(folder) as server:
        engine = connect(server.url, statement_timeout_s=LOAD_TIMEOUT_S)
        try:
            upgrade(engine)
            yield engine
        finally:
            engine.dispose()
