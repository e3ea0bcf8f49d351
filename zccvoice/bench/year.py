"""A year of a contact centre, made up: calls with everything that supervisors ask about, loaded by COPY.

The same for the same size. Everything hangs on the number of a call, so that every table is made by walking
through the calls once more, and nothing but the calls is kept in memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Double, Engine

from zccvoice.bench.wording import Sentence, sentences
from zccvoice.store.bulk import copy_rows
from zccvoice.store.database import transaction
from zccvoice.store.measure_tables import live_call_table, scorecard_table
from zccvoice.store.schema import PARTITIONED, SCHEMA, Base

UTTERANCES_PER_CALL = 40
AGENTS = 300
AGENTS_PER_TEAM = 30
QUEUES = 30
DAYS = 365
LIVE_CALLS = 50
INDEXING_MEMORY = "1GB"

_RECOGNITION = (
    "engagement_id", "utterances_count", "kept_count", "empty_count", "refused_count", "failed_count",
    "waiting_count", "unassigned_count", "lags_ms", "rejections",
)  # fmt: skip

OnProgress = Callable[[str], None]
Rows = Iterator[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One made-up call."""

    number: int
    started_at: datetime
    agent: int
    queue: int
    language: str

    @property
    def engagement_id(self) -> str:
        """Its id, as opaque as Zoom's."""
        return f"eng-{self.number * 2_654_435_761 % 2**32:08x}-{self.number:08d}"

    @property
    def stream_id(self) -> str:
        """Of its only stream."""
        return f"str-{self.number:08d}"

    @property
    def zero_ms(self) -> int:
        """Zero of its clock, epoch milliseconds."""
        return int(self.started_at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Year:
    """The year: its calls in the order in which they began, and the day after the last one."""

    calls: tuple[Call, ...]
    until: date


def make_year(utterances: int, until: date) -> Year:
    """Calls with so many utterances in all, evenly over the `DAYS` before `until`, in office hours."""
    chance = random.Random(1)  # noqa: S311  # the same every time is what is wanted
    midnight = datetime(until.year, until.month, until.day, tzinfo=UTC)
    count = max(1, utterances // UTTERANCES_PER_CALL)
    starts = sorted(
        midnight
        - timedelta(days=DAYS - number * DAYS // count)
        + timedelta(seconds=chance.randrange(8 * 3600, 18 * 3600))
        for number in range(count)
    )
    languages = ("en", "en", "en", "de", "es")
    return Year(
        tuple(
            Call(
                number,
                started,
                chance.randrange(AGENTS),
                queue := chance.randrange(QUEUES),
                languages[queue % 5],
            )
            for number, started in enumerate(starts)
        ),
        until,
    )


def load_year(engine: Engine, year: Year, on_progress: OnProgress = lambda text: None) -> None:
    """Load the year into an empty database; a superuser's engine, with time enough for long statements.

    Raises:
        StoreError: the database refuses.
    """
    with transaction(engine) as connection:
        _make_partitions(connection, year)
    for table, columns, rows in _tables(year):
        with transaction(engine) as connection, _indexed_afterwards(connection, table):
            # Every row has its parents, and every call its teams, by construction: to look measures nothing.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            count = copy_rows(connection, table, columns, rows)
        on_progress(f"{table}: {count} rows")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
    on_progress("vacuumed and analyzed")


@contextmanager
def _indexed_afterwards(connection: Connection, name: str) -> Iterator[None]:
    """The indexes of a table are made when its rows are there: many times as fast as row by row."""
    table = Base.metadata.tables[f"{SCHEMA}.{name}"]
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    yield
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{INDEXING_MEMORY}'")
    for index in indexes:
        index.create(connection)


def _make_partitions(connection: Connection, year: Year) -> None:
    first = year.calls[0].started_at.date().replace(day=1)
    while first < year.until:
        following = (first + timedelta(days=31)).replace(day=1)
        for parent in PARTITIONED:
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS zccvoice.{parent}_{first:%Y_%m} "
                f"PARTITION OF zccvoice.{parent} FOR VALUES FROM ('{first}') TO ('{following}')"
            )
        first = following


def _tables(year: Year) -> Iterator[tuple[str, Sequence[str], Rows]]:
    """Every table with its columns and rows, parents first."""
    yield "queue", ("queue_id", "queue_name"), ((f"q{n}", f"Queue {n}") for n in range(QUEUES))
    yield "agent", ("user_id", "display_name"), ((f"u{n}", f"Agent {n}") for n in range(AGENTS))
    teams = range(AGENTS // AGENTS_PER_TEAM)
    yield "team", ("team_id", "team_name"), ((f"t{n}", f"Team {n}") for n in teams)
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    members = ((f"t{n // AGENTS_PER_TEAM}", f"u{n}", long_ago) for n in range(AGENTS))
    yield "agent_team", ("team_id", "user_id", "valid_from"), members
    columns: Sequence[str] = (
        "engagement_id", "product", "queue_id", "queue_name", "clock_zero_ms", "started_at", "ended_at",
        "language", "language_source", "team_ids",
    )  # fmt: skip
    yield "engagement", columns, map(_engagement, year.calls)
    columns = ("stream_id", "engagement_id", "started_at", "first_packet_ms", "ended_at", "end_reason")
    yield "stream", columns, map(_stream, year.calls)
    columns = ("engagement_id", "channel_id", "side", "user_id", "display_name", "phone_hash", "phone_last4")
    yield "participant", columns, (row for call in year.calls for row in _participants(call))
    yield "scorecard", tuple(column.name for column in scorecard_table.columns), map(_scorecard, year.calls)
    yield "call_recognition", _RECOGNITION, map(_recognition, year.calls)
    columns = ("engagement_id", "start_ms", "end_ms")
    yield "silence", columns, (row for call in year.calls for row in _spans(call, "silence", 4, 3_000))
    yield "hold", columns, (row for call in year.calls[::4] for row in _spans(call, "hold", 1, 20_000))
    columns = ("engagement_id", "at_ms", "side", "overlap_ms")
    yield "interruption", columns, (row for call in year.calls for row in _interruptions(call))
    names = tuple(column.name for column in live_call_table.columns)
    yield "live_call", names, (_live(call) for call in year.calls[-LIVE_CALLS:])
    columns = (
        "engagement_id", "stream_id", "channel_id", "start_ms", "call_date", "end_ms", "text", "word_texts",
        "word_start_ms", "word_end_ms", "word_probability", "language", "confidence", "loudness_dbfs",
        "clipped_ratio", "loudness_by_second", "model", "verdict",
    )  # fmt: skip
    spoken = {language: sentences(language) for language in ("en", "de", "es")}
    yield (
        "utterance",
        columns,
        (row for call in year.calls for row in _utterances(call, spoken[call.language])),
    )


def _chance(call: Call, what: str) -> random.Random:
    return random.Random(f"{what}{call.number}")  # noqa: S311  # the same every time is what is wanted


def _engagement(call: Call) -> Sequence[Any]:
    queue = f"q{call.queue}", f"Queue {call.queue}"
    ended_at = call.started_at + timedelta(minutes=4)
    times = call.zero_ms, call.started_at, ended_at
    teams = [f"t{call.agent // AGENTS_PER_TEAM}"]
    return call.engagement_id, "contact_center", *queue, *times, call.language, "configured", teams


def _stream(call: Call) -> Sequence[Any]:
    ended_at = call.started_at + timedelta(minutes=4)
    return call.stream_id, call.engagement_id, call.started_at, 0, ended_at, "call_ended"


def _participants(call: Call) -> Iterator[Sequence[Any]]:
    number = call.number % 100_000
    yield (
        call.engagement_id,
        "c1",
        "customer",
        None,
        f"Customer {number}",
        f"{number:032x}",
        f"{number % 10_000:04}",
    )
    yield call.engagement_id, "c2", "agent", f"u{call.agent}", f"Agent {call.agent}", None, None


def _scorecard(call: Call) -> Sequence[Any]:
    chance = _chance(call, "scorecard")
    spoken_ms = chance.randrange(60_000, 110_000)
    known: dict[str, Any] = {
        "engagement_id": call.engagement_id,
        "duration_ms": 240_000,
        "conversation_ms": 230_000,
        "talk_time_agent_ms": spoken_ms,
        "talk_time_customer_ms": 180_000 - spoken_ms,
        "talk_time_total_ms": 180_000,
        "speech_time_ms": 175_000,
        "longest_silence_ms": 3_000 + int(chance.expovariate(1 / 4_000)),
        "coverage_ratio": 1.0 if chance.random() < 0.97 else chance.random(),
        "language": call.language,
        "language_source": "configured",
        "computed_at": call.started_at + timedelta(minutes=4),
        "thresholds_version": 1,
    }
    made_up = {BigInteger: chance.randrange(12), Double: chance.random(), Boolean: False}
    return [
        known[column.name] if column.name in known else made_up.get(type(column.type))
        for column in scorecard_table.columns
    ]


def _recognition(call: Call) -> Sequence[Any]:
    chance = _chance(call, "recognition")
    lags_ms = sorted(300 + int(chance.expovariate(1 / 900)) for _ in range(UTTERANCES_PER_CALL))
    return call.engagement_id, UTTERANCES_PER_CALL, UTTERANCES_PER_CALL, 0, 0, 0, 0, 0, lags_ms, "[]"


def _spans(call: Call, what: str, most: int, least_ms: int) -> Iterator[Sequence[Any]]:
    chance = _chance(call, what)
    for number in range(chance.randint(1, most)):
        start_ms = number * 60_000 + chance.randrange(20_000)
        yield (
            call.engagement_id,
            start_ms,
            start_ms + least_ms + min(30_000, int(chance.expovariate(1 / 4_000))),
        )


def _interruptions(call: Call) -> Iterator[Sequence[Any]]:
    chance = _chance(call, "interruption")
    for number in range(min(20, int(chance.expovariate(0.4)))):
        side = chance.choice(("agent", "customer"))
        yield (
            call.engagement_id,
            number * 10_000 + chance.randrange(9_000),
            side,
            chance.randrange(500, 3_000),
        )


def _live(call: Call) -> Sequence[Any]:
    known = {
        "engagement_id": call.engagement_id,
        "refreshed_at": call.started_at + timedelta(minutes=3),
        "elapsed_ms": 1_000 * (call.number % 180),
        "on_hold": call.number % 9 == 0,
        "last_side": "customer",
        "last_words": "and then it stopped working again",
        "coverage_ratio": 1.0,
    }
    return [known.get(column.name, 0 if not column.nullable else None) for column in live_call_table.columns]


def _utterances(call: Call, spoken: Sequence[Sentence]) -> Iterator[Sequence[Any]]:
    chance = _chance(call, "utterance")
    call_date, at_ms = call.started_at.date(), 0
    for number in range(UTTERANCES_PER_CALL):
        said = chance.choice(spoken)
        channel_id = "c1" if number % 2 else "c2"
        where = call.engagement_id, call.stream_id, channel_id, at_ms, call_date, at_ms + said.length_ms
        sound = 0.9, -24.5, 0.0, said.loudness
        yield *where, said.text, *said.words, call.language, *sound, "demo", "kept"
        at_ms += said.length_ms + 600
