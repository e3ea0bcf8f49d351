"""What the settings call too old: sound and rows. Blocking; what is under a legal hold stays."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from zccvoice.config import RetentionConfig
from zccvoice.daemon.webhook_journal import KEPT_DAYS, is_webhook_journal
from zccvoice.journal.shelf import Shelf, ShelvedJournal, journal_name
from zccvoice.store.database import transaction
from zccvoice.store.holds import held_streams, keep_still
from zccvoice.store.retention import prune_calls, prune_transcripts


def retain_rows(retention: RetentionConfig, engine: Engine) -> dict[str, int]:
    """Delete rows that are too old; returns how many, by table.

    Raises:
        StoreError: the database refused; what went before that is gone.
    """
    now = datetime.now(UTC)
    removed: Counter[str] = Counter()
    if retention.transcripts_days:
        with transaction(engine) as connection:
            before = now - timedelta(days=retention.transcripts_days)
            removed.update(prune_transcripts(connection, before.date()))
    while retention.calls_days:
        with transaction(engine) as connection:
            gone = prune_calls(connection, now - timedelta(days=retention.calls_days))
        if not gone:
            break
        removed.update(gone)
    return dict(removed)


def retain_sound(retention: RetentionConfig, engine: Engine, shelf: Shelf) -> list[ShelvedJournal]:
    """Delete finished journals that are too old, those of webhooks too; returns which.

    Raises:
        StoreError: the database could not tell the legal holds; then nothing is deleted.
        JournalError: the file system refuses.
    """
    if not retention.sound_days:
        return []
    now = datetime.now(UTC)
    sound_before = (now - timedelta(days=retention.sound_days)).timestamp()
    webhooks_before = (now - timedelta(days=max(retention.sound_days, KEPT_DAYS))).timestamp()
    deleted = []
    with transaction(engine) as connection:
        keep_still(connection)
        held = {journal_name(stream_id) for stream_id in held_streams(connection)}
        for one in shelf.closed():
            before = webhooks_before if is_webhook_journal(one.name) else sound_before
            if one.closed_at < before and one.name not in held and shelf.shred_closed(one.name):
                deleted.append(one)
    return deleted


def make_room(budget_bytes: int, engine: Engine, shelf: Shelf) -> list[ShelvedJournal]:
    """Delete finished journals, the oldest first, until all take no more than the budget; returns which.

    Webhooks that a start reads again stay: without them it would not know what to end or delete.

    Raises:
        StoreError: the database could not tell the legal holds; then nothing is deleted.
        JournalError: the file system refuses.
    """
    read_since = (datetime.now(UTC) - timedelta(days=KEPT_DAYS)).timestamp()
    webhooks = {
        one.name for one in shelf.closed() if is_webhook_journal(one.name) and one.closed_at >= read_since
    }
    with transaction(engine) as connection:
        keep_still(connection)
        held = {journal_name(stream_id) for stream_id in held_streams(connection)}
        return shelf.make_room(budget_bytes, keep=held | webhooks)
