"""Measuring stored calls again: which there are, and what came of each; in several processes for speed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Engine, select

from zccvoice.analytics.sentiment import Scorers
from zccvoice.analytics.thresholds import Thresholds
from zccvoice.store import reads, removals
from zccvoice.store.attribution import attribute_call
from zccvoice.store.database import connect, transaction
from zccvoice.store.measures import remeasure
from zccvoice.store.rating import rate
from zccvoice.store.tables import Engagement

CHUNK_CALLS = 25
"""Calls that a process takes at once."""
NO_SCORERS: Scorers = {}
"""Nobody is rated."""


class Outcome(StrEnum):
    """What became of a call that was to be measured again."""

    CHANGED = "changed"
    """Its measures are other than they were, or who spoke in it."""
    UNCHANGED = "unchanged"
    """Nothing was touched."""
    RUNNING = "running"
    """Left alone: its end is measured by the daemon."""
    SILENT = "silent"
    """Nothing was ever heard of it: it has no measures."""
    PRUNED = "pruned"
    """What was said is no longer kept: its measures stay as they are."""
    GONE = "gone"
    """It was deleted meanwhile."""


def stored_calls(
    connection: Connection, since: datetime | None = None, until: datetime | None = None
) -> list[str]:
    """Ids of the engagements that began in ``[since, until)``, the oldest first; all of them without bounds."""
    query = select(Engagement.engagement_id).order_by(Engagement.started_at, Engagement.engagement_id)
    if since is not None:
        query = query.where(Engagement.started_at >= since)
    if until is not None:
        query = query.where(Engagement.started_at < until)
    return list(connection.scalars(query))


def recompute(
    connection: Connection, engagement_id: str, thresholds: Thresholds, scorers: Scorers = NO_SCORERS
) -> Outcome:
    """Measure one stored call again, in the caller's transaction; nothing is touched when nothing changed.

    Utterances that have no sentiment yet get it from the `scorers`; those of mixed tracks are attributed anew.
    """
    if not removals.lock_living(connection, engagement_id):
        return Outcome.GONE
    if reads.is_running(connection, engagement_id):
        return Outcome.RUNNING
    is_rated = rate(connection, engagement_id, scorers)
    is_attributed = attribute_call(connection, engagement_id)
    record = reads.call_record(connection, engagement_id)
    if not record.tracks and not record.utterances:
        return Outcome.SILENT
    if removals.is_pruned(connection, record):
        return Outcome.PRUNED
    is_changed = remeasure(connection, record, thresholds)
    return Outcome.CHANGED if is_changed or is_rated or is_attributed else Outcome.UNCHANGED


def recompute_all(
    engine: Engine,
    ids: Sequence[str],
    thresholds: Thresholds,
    scorers: Scorers = NO_SCORERS,
    *,
    jobs: int | None = None,
) -> Iterator[Outcome]:
    """Measure these calls again, in processes of their own with one connection each; an outcome per call.

    Closing the iterator early leaves every call as it was or measured, none half.

    Raises:
        StoreError: the database is away or refuses.
    """
    url = engine.url.render_as_string(hide_password=False)
    jobs = min(jobs or os.cpu_count() or 1, -(-len(ids) // CHUNK_CALLS))
    if jobs <= 1:
        yield from (_measure(engine, one, thresholds, scorers) for one in ids)
        return
    fresh = multiprocessing.get_context("spawn")  # forked, two processes would share a connection
    pool = ProcessPoolExecutor(jobs, fresh, _begin, (url, thresholds, scorers))
    try:
        yield from pool.map(_measure_here, ids, chunksize=CHUNK_CALLS)
    finally:
        pool.shutdown(cancel_futures=True)


_here: tuple[Engine, Thresholds, Scorers] | None = None
"""In a process of the pool: what it works with."""


def _begin(url: str, thresholds: Thresholds, scorers: Scorers) -> None:
    global _here
    _here = connect(url, connections=1, application_name="zccvoice recompute"), thresholds, scorers


def _measure_here(engagement_id: str) -> Outcome:
    assert _here is not None
    engine, thresholds, scorers = _here
    return _measure(engine, engagement_id, thresholds, scorers)


def _measure(engine: Engine, engagement_id: str, thresholds: Thresholds, scorers: Scorers) -> Outcome:
    with transaction(engine) as connection:
        return recompute(connection, engagement_id, thresholds, scorers)
