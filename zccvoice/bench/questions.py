"""The ten questions that supervisors ask most, timed on a year of calls, as those ask them who may.

Every question is asked twice over: by one who sees all calls, and by the supervisor of one team, for whom
row-level security leaves that team's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, text

from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.wording import words_of
from zccvoice.bench.year import AGENTS_PER_TEAM, QUEUES, Call, OnProgress, Year
from zccvoice.store.database import transaction

WANTED_P95_MS = 200.0
TIMES = 60
LEAST_TIMES = 5
LONGEST_S = 4.0
"""After so long a question is asked no more, if it was `LEAST_TIMES`."""
ASKERS = {"all": "zccvoice_reader_all", "team": "zccvoice_reader"}
"""Who asks → the role that the login is a member of."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    what: str
    query: str
    values: Callable[[Asking], Values]
    """What to ask about this time."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Where the values of the questions come from: the calls of the team whose supervisor asks, by chance."""

    year: Year
    calls: tuple[Call, ...]
    chance: random.Random

    def call(self) -> Values:
        """One of the calls."""
        return {"engagement_id": self.chance.choice(self.calls).engagement_id}

    def days(self, count: int) -> Values:
        """So many days of the last three months, as moments.

        Postgres trusts a comparison of moments, and lets an index do it before it asks who may read. It does not
        trust one of a moment with a date.
        """
        midnight = datetime.combine(self.year.until, time.min, UTC)
        since = midnight - timedelta(days=count + self.chance.randrange(90))
        return {"since": since, "until": since + timedelta(days=count)}

    def agent_months(self) -> Values:
        """Some agent of the team, and two months in a row."""
        until = self._first_of_month()
        before = (until - timedelta(days=40)).replace(day=1)
        return {"user_id": f"u{self.chance.randrange(AGENTS_PER_TEAM)}", "since": before, "until": until}

    def queue_day(self) -> Values:
        """Some queue and some day."""
        return {"queue_id": f"q{self.chance.randrange(QUEUES)}", **self.days(1)}

    def words_in_month(self) -> Values:
        """Two words of which neither is rare nor frequent, and some month."""
        until = self._first_of_month()
        words = self.chance.sample(words_of("en")[40:80], 2)
        return {"words": " ".join(words), "since": (until - timedelta(days=1)).replace(day=1), "until": until}

    def _first_of_month(self) -> date:
        return (self.year.until - timedelta(days=31 * self.chance.randrange(6))).replace(day=1)


QUESTIONS = {
    "call": Question(
        "one call's row",
        "SELECT * FROM reporting.call WHERE engagement_id = :engagement_id",
        Asking.call,
    ),
    "transcript": Question(
        "one call's transcript",
        "SELECT side, speaker_name, start_ms, text FROM reporting.utterance "
        "WHERE engagement_id = :engagement_id ORDER BY start_ms",
        Asking.call,
    ),
    "day": Question(
        "a day's calls",
        "SELECT engagement_id, agent_name, queue_name, started_at, duration_ms, talk_share_agent, hold_time_ms "
        "FROM reporting.call c WHERE c.started_at >= :since AND c.started_at < :until ORDER BY started_at DESC",
        lambda asking: asking.days(1),
    ),
    "agent_month": Question(
        "an agent's month beside the month before",
        "SELECT date_trunc('month', day) AS month, sum(calls_count) AS calls_count, "
        "sum(duration_ms) AS duration_ms, sum(talk_time_agent_ms) AS talk_time_agent_ms, "
        "sum(interruptions_agent_count) AS interruptions_agent_count FROM reporting.agent_day "
        "WHERE user_id = :user_id AND day >= :since AND day < :until GROUP BY 1 ORDER BY 1",
        Asking.agent_months,
    ),
    "queue_hour": Question(
        "a queue by hour of a day",
        "SELECT hour, calls_count, duration_ms, hold_time_ms, talk_share_agent FROM reporting.queue_hour "
        "WHERE queue_id = :queue_id AND hour >= :since AND hour < :until ORDER BY hour",
        Asking.queue_day,
    ),
    "silences": Question(
        "a week's longest silences",
        "SELECT s.engagement_id, c.queue_name, s.start_ms, s.length_ms FROM reporting.silence s "
        "JOIN reporting.call c USING (engagement_id) WHERE c.started_at >= :since AND c.started_at < :until "
        "ORDER BY s.length_ms DESC LIMIT 20",
        lambda asking: asking.days(7),
    ),
    "interrupted": Question(
        "a week's most interrupted customers",
        "SELECT engagement_id, agent_name, interruptions_agent_count, duration_ms FROM reporting.call c "
        "WHERE c.started_at >= :since AND c.started_at < :until "
        "ORDER BY interruptions_agent_count DESC NULLS LAST LIMIT 20",
        lambda asking: asking.days(7),
    ),
    "coverage": Question(
        "a month's calls of which much was not heard",
        "SELECT engagement_id, started_at, agent_name, coverage_ratio, gap_time_ms FROM reporting.call c "
        "WHERE c.started_at >= :since AND c.started_at < :until AND coverage_ratio < 0.9 "
        "ORDER BY started_at DESC LIMIT 100",
        lambda asking: asking.days(30),
    ),
    "search": Question(
        "two words in a month",
        "SELECT engagement_id, speaker_name, start_ms, text "
        "FROM reporting.search(:words, 'en', CAST(:since AS date), CAST(:until AS date), 100)",
        Asking.words_in_month,
    ),
    "live": Question(
        "the calls that run now",
        "SELECT * FROM reporting.live_call ORDER BY elapsed_ms DESC",
        lambda asking: {},
    ),
}
"""By the name of their figure."""


def measure_questions(
    engine: Engine,
    year: Year,
    result: BenchResult,
    *,
    names: Iterable[str] = tuple(QUESTIONS),
    plans: Path | None = None,
    times: int = TIMES,
    on_progress: OnProgress = lambda said: None,
) -> None:
    """Add how long these questions take to the result; `plans` is a file for how Postgres goes about each.

    Needs an engine that may make roles; those it makes are gone in the end.
    """
    shown: list[str] = []
    team = tuple(call for call in year.calls if call.agent < AGENTS_PER_TEAM)
    for who, role in ASKERS.items():
        with _login(engine, f"bench_{who}", role) as login:
            for name in names:
                question = QUESTIONS[name]
                asking = Asking(year, team, random.Random(name))  # noqa: S311  # the same every time
                took_ms, rows = _ask(engine, login, question, asking, times)
                _report(result, f"{name}_{who}", f"{question.what}, {rows:g} rows", took_ms)
                on_progress(f"{question.what}, asked by {who}: {percentile(took_ms, 50):.1f} ms")
                if plans is not None:
                    shown += [
                        f"-- {name}, asked by {who}: {question.what}",
                        *_plan(engine, login, question, asking),
                    ]
    if plans is not None:
        plans.write_text("\n".join([*shown, ""]), encoding="utf-8")


def _report(result: BenchResult, name: str, what: str, took_ms: list[float]) -> None:
    for percent in (50, 95):
        value = round(percentile(took_ms, percent), 2)
        result.figures[f"{name}_p{percent}"] = Figure(value, "ms", f"{what}, {len(took_ms)} times")
    result.wanted.append(Wanted(f"{name}_p95", WANTED_P95_MS, result.figures[f"{name}_p95"].value))


def _ask(
    engine: Engine, login: str, question: Question, asking: Asking, times: int
) -> tuple[list[float], float]:
    """Milliseconds that the question took each time, with other values, and the median of rows found.

    Rows are fetched. A first time, to warm up, does not count.
    """
    took_ms: list[float] = []
    found: list[int] = []
    with _as(engine, login) as connection:
        connection.execute(text(question.query), question.values(asking)).all()
        end = monotonic() + LONGEST_S
        while len(took_ms) < times and (len(took_ms) < LEAST_TIMES or monotonic() < end):
            values = question.values(asking)
            begin = perf_counter()
            rows = connection.execute(text(question.query), values).all()
            took_ms.append((perf_counter() - begin) * 1000)
            found.append(len(rows))
    return took_ms, median(found)


def _plan(engine: Engine, login: str, question: Question, asking: Asking) -> list[str]:
    with _as(engine, login) as connection:
        explain = text(f"EXPLAIN (ANALYZE, BUFFERS) {question.query}")
        return [*connection.execute(explain, question.values(asking)).scalars(), ""]


@contextmanager
def _as(engine: Engine, login: str) -> Iterator[Connection]:
    with transaction(engine) as connection:
        connection.exec_driver_sql(f"SET LOCAL ROLE {login}")
        yield connection


@contextmanager
def _login(engine: Engine, login: str, role: str) -> Iterator[str]:
    """A role that may read the first team, for as long as the block lasts."""
    with transaction(engine) as connection:
        connection.exec_driver_sql(f"CREATE ROLE {login} NOLOGIN")
        connection.exec_driver_sql(f"GRANT {role} TO {login}")
        connection.execute(
            text(
                "INSERT INTO zccvoice.team_reader (login, team_id, valid_from) "
                "VALUES (:login, 't0', timestamptz '2000-01-01')"
            ),
            {"login": login},
        )
    try:
        yield login
    finally:
        with transaction(engine) as connection:
            connection.execute(
                text("DELETE FROM zccvoice.team_reader WHERE login = :login"), {"login": login}
            )
            connection.exec_driver_sql(f"DROP ROLE {login}")
