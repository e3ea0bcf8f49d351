"""The store's write path beside plain COPY of the same rows, and what Trio's loop feels of it.

Both write batches of the same calls under other ids, in turn, so that a busy machine slows both alike.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from statistics import median

import trio
from sqlalchemy import Engine

from zccvoice.analytics.record import Side
from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.wording import words_of
from zccvoice.daemon.writer import BATCH_FACTS, Write, write_to
from zccvoice.store.bulk import copy_rows
from zccvoice.store.database import transaction
from zccvoice.store.facts import (
    ClockStarted,
    Fact,
    ParticipantSeen,
    StoredWord,
    StreamOpened,
    UtteranceHeard,
)
from zccvoice.store.upsert import call_date_of

WANTED_TO_COPY = 1 / 3
WANTED_LAG_P99_MS = 20.0
UTTERANCES_PER_CALL = 40
SLEEP_S = 0.001
"""What the loop is asked for while others write; what it takes longer is its lag."""

_COLUMNS = (
    "engagement_id",
    "stream_id",
    "channel_id",
    "start_ms",
    "end_ms",
    "call_date",
    "text",
    "word_texts",
    "word_start_ms",
    "word_end_ms",
    "word_probability",
    "language",
    "confidence",
    "loudness_dbfs",
    "clipped_ratio",
    "loudness_by_second",
    "model",
    "verdict",
)


def measure_rows(engine: Engine, result: BenchResult, *, calls: int = 40, rounds: int = 5) -> None:
    """Add the figures of `rounds` rounds of `calls` calls to the result. Runs Trio."""
    write = write_to(engine)
    rates: dict[str, list[float]] = {"write_path": [], "copy_batches": [], "copy_at_once": []}
    lags_s: dict[str, list[float]] = {"idle": trio.run(_lags_while, partial(time.sleep, 0.5)), "writing": []}
    for number in range(rounds):
        told = _calls(f"told-{number}", calls)
        lags_s["writing"] += trio.run(_lags_while, partial(_timed_write, write, told, rates["write_path"]))
        for name in ("copy_batches", "copy_at_once"):
            copied = _calls(f"{name}-{number}", calls)
            write([fact for fact in copied if not isinstance(fact, UtteranceHeard)])
            size = BATCH_FACTS if name == "copy_batches" else len(copied)
            rates[name].append(_copy(engine, copied, size))
    _report(result, rates, lags_s, f"median of {rounds} rounds of {calls * UTTERANCES_PER_CALL} utterances")


def _report(
    result: BenchResult, rates: dict[str, list[float]], lags_s: dict[str, list[float]], how: str
) -> None:
    ways = {
        "write_path": f"upserts in batches of {BATCH_FACTS} facts",
        "copy_batches": "plain COPY of the same batches, committed alike",
        "copy_at_once": "one COPY of all",
    }
    for name, way in ways.items():
        result.figures[f"rows_{name}"] = Figure(round(median(rates[name])), "rows/s", f"{way}; {how}")
    ratio = median(a / b for a, b in zip(rates["write_path"], rates["copy_batches"], strict=True))
    result.figures["write_path_to_copy"] = Figure(
        round(ratio, 3), "", "write path to COPY of batches, by round"
    )
    for when, lags in lags_s.items():
        for percent in (50, 99):
            value = round(percentile(lags, percent) * 1000, 2)
            result.figures[f"loop_lag_{when}_p{percent}"] = Figure(value, "ms", f"{len(lags)} sleeps of 1 ms")
    result.wanted += [
        Wanted("write_path_to_copy", round(WANTED_TO_COPY, 3), round(ratio, 3), is_least=True),
        Wanted("loop_lag_p99", WANTED_LAG_P99_MS, result.figures["loop_lag_writing_p99"].value),
    ]


async def _lags_while(work: Callable[[], object]) -> list[float]:
    """Seconds by which the loop was late, again and again, while a thread does the work."""
    lags: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch, lags)
        await trio.to_thread.run_sync(work)
        nursery.cancel_scope.cancel()
    return lags


async def _watch(lags: list[float]) -> None:
    while True:
        begin = time.perf_counter()
        await trio.sleep(SLEEP_S)
        lags.append(time.perf_counter() - begin - SLEEP_S)


def _timed_write(write: Write, facts: Sequence[Fact], rates: list[float]) -> None:
    batches = _pieces(facts, BATCH_FACTS)
    begin = time.perf_counter()
    for batch in batches:
        write(batch)
    rates.append(_utterances(facts) / (time.perf_counter() - begin))


def _copy(engine: Engine, facts: Sequence[Fact], size: int) -> float:
    """Utterances per second of COPY, a transaction for every `size` facts."""
    batches = [
        [_row(fact) for fact in batch if isinstance(fact, UtteranceHeard)] for batch in _pieces(facts, size)
    ]
    begin = time.perf_counter()
    for rows in batches:
        with transaction(engine) as connection:
            copy_rows(connection, "utterance", _COLUMNS, rows)
    return _utterances(facts) / (time.perf_counter() - begin)


def _pieces(facts: Sequence[Fact], size: int) -> list[Sequence[Fact]]:
    return [facts[first : first + size] for first in range(0, len(facts), size)]


def _utterances(facts: Sequence[Fact]) -> int:
    return sum(isinstance(fact, UtteranceHeard) for fact in facts)


def _calls(name: str, count: int) -> list[Fact]:
    """Facts of calls that begin now; their utterances have 9 words or so."""
    chance = random.Random(name)  # noqa: S311  # the same every time is what is wanted
    return [fact for number in range(count) for fact in _call(f"{name}-{number}", chance)]


def _call(name: str, chance: random.Random) -> list[Fact]:
    ids = f"e-{name}", f"s-{name}"
    started_at = datetime.now(UTC).replace(microsecond=0)
    zero_ms = int(started_at.timestamp() * 1000)
    facts: list[Fact] = [
        StreamOpened(*ids, "contact_center", started_at),
        ClockStarted(*ids, zero_ms),
        ParticipantSeen(*ids, "c1", Side.CUSTOMER),
        ParticipantSeen(*ids, "c2", Side.AGENT, user_id="u1", display_name="Ada", queue_id="q1"),
    ]
    at_ms = zero_ms
    for number in range(UTTERANCES_PER_CALL):
        words = chance.choices(words_of("en"), k=chance.randint(5, 13))
        length_ms = len(words) * 330
        facts.append(_utterance(ids, ("c1", "c2")[number % 2], at_ms, words))
        at_ms += length_ms + 400
    return facts


def _utterance(ids: tuple[str, str], channel_id: str, at_ms: int, words: Sequence[str]) -> UtteranceHeard:
    length_ms = len(words) * 330
    return UtteranceHeard(
        *ids,
        channel_id,
        at_ms,
        at_ms + length_ms,
        loudness_dbfs=-24.5,
        clipped_ratio=0.0,
        text=" ".join(words),
        words=tuple(
            StoredWord(word, index * 330, index * 330 + 300, 0.875) for index, word in enumerate(words)
        ),
        language="en",
        confidence=0.9,
        model="demo",
        loudness_by_second=(-24.5,) * (length_ms // 1000 + 1),
    )


def _row(fact: UtteranceHeard) -> tuple[object, ...]:
    """As `writes` puts it, but in epoch milliseconds: no clock's zero is taken off."""
    words = fact.words
    return (
        fact.engagement_id,
        fact.stream_id,
        fact.channel_id,
        fact.start_timestamp_ms,
        fact.end_timestamp_ms,
        call_date_of(fact.start_timestamp_ms),
        fact.text,
        [word.text for word in words],
        [word.start_ms for word in words],
        [word.end_ms for word in words],
        [word.probability for word in words],
        fact.language,
        fact.confidence,
        fact.loudness_dbfs,
        fact.clipped_ratio,
        list(fact.loudness_by_second),
        fact.model,
        fact.verdict,
    )
