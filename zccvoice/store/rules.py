"""Rules by revision, and their hits → rows, notifications, and what is to be posted.

Whoever runs ``LISTEN zccvoice_hit`` is told of every hit when it is committed: JSON of the call, the rule, its
revision, whose words, and where. `deliveries` keeps what goes to a receiver on the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, insert, select, tuple_

from zccvoice.analytics.record import CallRecord
from zccvoice.analytics.rules import Origin, Rule
from zccvoice.analytics.rules_matching import Evidence, Listener, progress_of
from zccvoice.store import deliveries, reads
from zccvoice.store.measure_tables import CategoryHit
from zccvoice.store.rule_tables import RuleRevision
from zccvoice.store.schema import table_of
from zccvoice.store.tables import Engagement, Stream
from zccvoice.store.upsert import Row, keep_first, replace, storable, upsert, write_rows

CHANNEL = "zccvoice_hit"
"""Where hits are told: ``LISTEN`` to it."""
MATCHED, WITHDRAWN = "matched", "withdrawn"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REGISTERING = 7_262_282_012_029  # any number that is always the same and that nobody else takes
_Key = tuple[str, int]
_ORIGIN = (Engagement.product, Engagement.queue_id, Engagement.queue_name, Engagement.language)
_hits = table_of(CategoryHit)
_UPSERT_HIT = upsert(
    _hits,
    {**dict.fromkeys(("end_ms", "side", "why", "provisional"), replace), "matched_at": keep_first},
)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules that calls are judged by, each with its revision."""

    rules: tuple[Rule, ...] = ()
    revisions: Mapping[str, int] = field(default_factory=dict)
    """By the rule's name."""
    posts: bool = False
    """Whether hits are to be posted to a receiver."""


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A stored call that is over."""

    engagement_id: str
    started_at: datetime | None
    origin: Origin


def register(connection: Connection, rules: Sequence[Rule]) -> dict[str, int]:
    """The revision of each rule, by name: a new one for a rule that is new or whose content has changed."""
    connection.execute(select(func.pg_advisory_xact_lock(_REGISTERING)))
    revisions: dict[str, int] = {}
    for rule in rules:
        last = connection.execute(
            select(RuleRevision.revision, RuleRevision.content)
            .where(RuleRevision.rule == storable(rule.name))
            .order_by(RuleRevision.revision.desc())
            .limit(1)
        ).one_or_none()
        content = storable(rule.text)
        if last is not None and last.content == content:
            revisions[rule.name] = last.revision
            continue
        revision = revisions[rule.name] = 1 if last is None else last.revision + 1
        row = {"rule": storable(rule.name), "revision": revision, "content": content}
        connection.execute(insert(RuleRevision).values(**row, valid_from=datetime.now(UTC)))
    return revisions


def rule_book(connection: Connection, rules: Sequence[Rule], *, posts: bool = False) -> RuleBook:
    """These rules, each registered with its revision."""
    return RuleBook(tuple(rules), register(connection, rules), posts) if rules else RuleBook()


def ended_calls(
    connection: Connection, since: datetime | None = None, until: datetime | None = None
) -> list[EndedCall]:
    """Calls that started in ``[since, until)`` and of which no stream is open, the oldest first."""
    of_call = Stream.engagement_id == Engagement.engagement_id
    query = (
        select(Engagement.engagement_id, Engagement.started_at, *_ORIGIN)
        .where(
            Engagement.started_at.is_not(None),
            exists().where(of_call),
            ~exists().where(of_call, Stream.ended_at.is_(None)),
        )
        .order_by(Engagement.started_at, Engagement.engagement_id)
    )
    if since is not None:
        query = query.where(Engagement.started_at >= since)
    if until is not None:
        query = query.where(Engagement.started_at < until)
    return [EndedCall(row[0], row[1], Origin(*row[2:])) for row in connection.execute(query)]


def origin_of(connection: Connection, engagement_id: str) -> Origin:
    """Where a call came from, as far as it is known."""
    query = select(*_ORIGIN).where(Engagement.engagement_id == storable(engagement_id))
    row = connection.execute(query).one_or_none()
    return Origin() if row is None else Origin(*row)


def judge(
    connection: Connection, record: CallRecord, book: RuleBook, now: datetime, *, announces: bool = True
) -> int:
    """Store the hits of a call; returns how many rules matched.

    Of a call that is running, hits are added as provisional ones. When it is over its hits are those that are
    found now, in place of the provisional ones and of those that rules of the same names had.

    Args:
        connection: holds the engagement (`removals.lock_living`) from before the record was read.
        record: the call.
        book: the rules.
        now: aware; how far a running call is.
        announces: whether the hits that are new, and those that were withdrawn, are told to others.
    """
    if not book.rules:
        return 0
    engagement_id = record.engagement_id
    zero_ms = connection.scalar(
        select(Engagement.clock_zero_ms).where(Engagement.engagement_id == storable(engagement_id))
    )
    is_running = reads.is_running(connection, engagement_id)
    now_ms = int((now - _EPOCH).total_seconds() * 1000) - (zero_ms or 0)
    listener = Listener(record, progress=progress_of(record, now_ms) if is_running else None)
    origin = origin_of(connection, engagement_id)
    found = {
        (rule.name, book.revisions[rule.name]): finding.evidence
        for rule in book.rules
        if (finding := listener.judge(rule, origin)).holds
    }
    before = _places(connection, engagement_id)
    rows = [
        _row(engagement_id, key, place, now, provisional=is_running)
        for key, places in found.items()
        for place in places
    ]
    after = {_place_of(row): row["provisional"] for row in rows}
    stale = set() if is_running else _stale(before, after.keys(), book.revisions.keys())
    if stale:
        keys = tuple_(_hits.c.rule, _hits.c.revision, _hits.c.start_ms)
        connection.execute(
            delete(_hits).where(_hits.c.engagement_id == storable(engagement_id), keys.in_(sorted(stale)))
        )
    write_rows(connection, _UPSERT_HIT, rows)
    if announces:
        old = {place[:2] for place in before}
        left = {place[:2] for place in (before.keys() - stale) | after.keys()}
        for key in sorted(found.keys() - old):
            _announce(connection, engagement_id, key, MATCHED, found[key][0], zero_ms, book, now)
        for key in sorted(old - left):
            _announce(connection, engagement_id, key, WITHDRAWN, None, zero_ms, book, now)
    return len(found)


def _places(connection: Connection, engagement_id: str) -> dict[tuple[str, int, int], bool]:
    """The places of the hits that are stored, and whether they are provisional."""
    query = select(_hits.c.rule, _hits.c.revision, _hits.c.start_ms, _hits.c.provisional)
    rows = connection.execute(query.where(_hits.c.engagement_id == storable(engagement_id)))
    return {(row.rule, row.revision, row.start_ms): row.provisional for row in rows}


def _stale(
    before: Mapping[tuple[str, int, int], bool],
    after: Iterable[tuple[str, int, int]],
    names: Iterable[str],
) -> set[tuple[str, int, int]]:
    judged = {storable(name) for name in names}
    return {place for place, is_provisional in before.items() if is_provisional or place[0] in judged} - set(
        after
    )


def _place_of(row: Row) -> tuple[str, int, int]:
    return row["rule"], row["revision"], row["start_ms"]


def _row(engagement_id: str, key: _Key, place: Evidence, now: datetime, *, provisional: bool) -> Row:
    return {
        "engagement_id": engagement_id,
        "rule": storable(key[0]),
        "revision": key[1],
        "start_ms": place.start_ms,
        "end_ms": place.end_ms,
        "side": None if place.side is None else place.side.value,
        "why": place.why,
        "provisional": provisional,
        "matched_at": now,
    }


def _announce(
    connection: Connection,
    engagement_id: str,
    key: _Key,
    state: str,
    place: Evidence | None,
    zero_ms: int | None,
    book: RuleBook,
    now: datetime,
) -> None:
    told = {
        "engagement_id": engagement_id,
        "rule": key[0],
        "revision": key[1],
        "state": state,
        "side": None if place is None or place.side is None else place.side.value,
        "start_ms": None if place is None else place.start_ms,
        "at": None if place is None or zero_ms is None else _moment(zero_ms + place.start_ms),
    }
    connection.execute(select(func.pg_notify(CHANNEL, storable(json.dumps(told, ensure_ascii=False)))))
    if book.posts:
        more = {
            "end_ms": None if place is None else place.end_ms,
            "why": None if place is None else place.why,
        }
        deliveries.put(connection, engagement_id, json.dumps({**told, **more}, ensure_ascii=False), now)


def _moment(timestamp_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=timestamp_ms)).isoformat(timespec="milliseconds")
