"""Rules by revision, and their hits → rows, notifications, and what is to be posted.

Whoever runs ``LISTEN zccvoice_hit`` is told of every hit when it is committed: JSON of the call, the rule, its
revision, whose words, and where. `deliveries` keeps what goes to a receiver on the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, func, insert, select, tuple_

from zccvoice.analytics.record import CallRecord
from zccvoice.analytics.rules import Origin, Rule
from zccvoice.analytics.rules_matching import Evidence, Listener, progress_of
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.store import deliveries, reads, removals
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
_Place = tuple[str, int, int]
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


class _Standing(NamedTuple):
    """How far a stored hit holds."""

    is_provisional: bool
    is_in_doubt: bool


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
    connection: Connection,
    record: CallRecord,
    book: RuleBook,
    now: datetime,
    *,
    thresholds: Thresholds = DEFAULTS,
    announces: bool = True,
) -> int:
    """Store the hits of a call; returns how many rules matched.

    Of a call that is running, hits are added as provisional ones. When it is over its hits are those that are
    found now, in place of the provisional ones and of those that rules of the same names had. Hits that a
    revocation put in doubt are found again or go, whether it is over or not.

    Args:
        connection: holds the engagement (`removals.lock_living`) from before the record was read.
        record: the call.
        book: the rules.
        now: aware; how far a running call is.
        thresholds: those of the call's measures, which rules are to agree with.
        announces: whether the hits that are new, and those that were withdrawn, are told to others.
    """
    engagement_id = record.engagement_id
    before = _places(connection, engagement_id)
    if not (book.rules or before):
        return 0
    zero_ms = connection.scalar(
        select(Engagement.clock_zero_ms).where(Engagement.engagement_id == storable(engagement_id))
    )
    is_running = reads.is_running(connection, engagement_id)
    now_ms = int((now - _EPOCH).total_seconds() * 1000) - (zero_ms or 0)
    listener = Listener(record, thresholds, progress=progress_of(record, now_ms) if is_running else None)
    origin = origin_of(connection, engagement_id)
    found = {
        (rule.name, book.revisions[rule.name]): finding.evidence
        for rule in book.rules
        if (finding := listener.judge(rule, origin)).holds
    }
    rows = [
        _row(engagement_id, key, place, now, provisional=is_running)
        for key, places in found.items()
        for place in places
    ]
    after = {_place_of(row) for row in rows}
    stale = _stale(before, book.revisions, is_running=is_running) - after
    if stale:
        keys = tuple_(_hits.c.rule, _hits.c.revision, _hits.c.start_ms)
        connection.execute(
            delete(_hits).where(_hits.c.engagement_id == storable(engagement_id), keys.in_(sorted(stale)))
        )
    write_rows(connection, _UPSERT_HIT, rows)
    if announces:
        old = {place[:2] for place in before}
        left = {place[:2] for place in (before.keys() - stale) | after}
        for key in sorted(found.keys() - old):
            _announce(connection, engagement_id, key, MATCHED, found[key][0], zero_ms, book, now)
        for key in sorted(old - left):
            _announce(connection, engagement_id, key, WITHDRAWN, None, zero_ms, book, now)
    return len(found)


def sound_pause_end_ms(connection: Connection, engagement_id: str, book: RuleBook) -> int | None:
    """Up to when nothing audible of a call is to be kept, by its hits so far: Zoom's clock, epoch ms.

    None when no rule asks for it. It may be long past.
    """
    lengths_ms = {
        storable(rule.name): round(rule.pause_sound_s * 1000) for rule in book.rules if rule.pause_sound_s
    }
    if not lengths_ms:
        return None
    query = (
        select(_hits.c.rule, _hits.c.end_ms, Engagement.clock_zero_ms)
        .join(Engagement, Engagement.engagement_id == _hits.c.engagement_id)
        .where(_hits.c.engagement_id == storable(engagement_id), _hits.c.rule.in_(lengths_ms))
    )
    ends_ms = [
        (row.clock_zero_ms or 0) + row.end_ms + lengths_ms[row.rule] for row in connection.execute(query)
    ]
    return max(ends_ms, default=None)


def _places(connection: Connection, engagement_id: str) -> dict[_Place, _Standing]:
    """The places of the hits that are stored."""
    query = select(_hits.c.rule, _hits.c.revision, _hits.c.start_ms, _hits.c.provisional, _hits.c.why)
    rows = connection.execute(query.where(_hits.c.engagement_id == storable(engagement_id)))
    return {
        (row.rule, row.revision, row.start_ms): _Standing(
            row.provisional, row.provisional and row.why == removals.IN_DOUBT
        )
        for row in rows
    }


def _stale(before: Mapping[_Place, _Standing], names: Iterable[str], *, is_running: bool) -> set[_Place]:
    """The hits that have to be found again in order to stay."""
    judged = {storable(name) for name in names}
    return {
        place
        for place, standing in before.items()
        if standing.is_in_doubt or (not is_running and (standing.is_provisional or place[0] in judged))
    }


def _place_of(row: Row) -> _Place:
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
