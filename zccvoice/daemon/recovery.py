"""What an earlier daemon left behind: unfinished journals, and webhooks that nobody has acted upon."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import trio

from zccvoice.daemon.endings import REMEMBERED_S, Endings
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.past import read_past, read_started, started_of
from zccvoice.daemon.supervisor import Delete
from zccvoice.daemon.webhook_journal import Keepsake, WebhookJournal, is_webhook_journal
from zccvoice.errors import JournalError, KeyMissingError
from zccvoice.journal.journal import START
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.rtms.enums import StopReason
from zccvoice.rtms.recovery import SIGNALING_WINDOW_S
from zccvoice.rtms.webhook import (
    StreamStarted,
    StreamStopped,
    WebhookEvent,
    is_meant,
    may_be_of_one_app,
)
from zccvoice.store.facts import StreamRevoked

log = get_logger()


@dataclass(slots=True)
class Inheritance:
    """What is to be taken care of at start."""

    unfinished: list[StreamStarted] = field(default_factory=list)
    """Streams with an open journal, the oldest first."""
    missed: list[WebhookEvent] = field(default_factory=list)
    """Streams announced that have no journal, or were over before: accepted, and lost with the daemon that did."""
    stopped: list[StreamStopped] = field(default_factory=list)
    """What may still void a start that comes late."""
    revoked: list[StreamRevoked] = field(default_factory=list)
    """Withdrawn by Zoom: deleted once more, in case that was not done."""


def find_inheritance(
    shelf: Shelf, webhooks: WebhookJournal, *, wall_clock: Callable[[], float] = time.time
) -> Inheritance:
    """Look through the journals, before anything is written; blocking. What cannot be read is logged."""
    found = Inheritance()
    webhooks.close_old()
    kept = webhooks.recent()
    left = _left_open(shelf)
    found.revoked = _revoked(shelf, kept, left)
    gone = {one.stream_id for one in found.revoked}
    found.unfinished = [_newest(one, kept) for one in left if one.stream_id not in gone]
    found.unfinished += _left_at_shutdown(shelf, kept, gone, wall_clock())
    horizon_ms = (wall_clock() - REMEMBERED_S) * 1000
    recent = [event for arrived_ms, event in kept if arrived_ms >= horizon_ms]
    found.stopped = [one for one in recent if isinstance(one, StreamStopped)]
    begun_again = {one.stream_id for one in found.stopped} - {one.stream_id for one in found.unfinished}
    found.missed = [
        one
        for one in _unanswered(recent, found.stopped)
        if one.stream_id not in gone
        and (one.stream_id in begun_again or not shelf.exists(journal_name(one.stream_id)))
    ]
    return found


def _left_open(shelf: Shelf) -> list[StreamStarted]:
    """How the streams began whose journals an earlier daemon left open, the oldest first."""
    found = []
    for name in shelf.open_names():
        if is_webhook_journal(name):
            continue
        try:
            with shelf.reader(name) as reader:
                started = None if reader.read(START) is None else started_of(reader)
        except KeyMissingError as error:
            # The file comes first, the key before its first record: a crash, or a full disk, between the two.
            if not shelf.is_blank(name):
                log.error("unfinished journal cannot be read", journal=name, problem=str(error))
                continue
            started = None
        except JournalError as error:
            log.error("unfinished journal cannot be read", journal=name, problem=str(error))
            continue
        if started is None:
            shelf.shred(name)  # begun, and nothing in it yet: as if there were none
        else:
            found.append(started)
    return found


def _left_at_shutdown(
    shelf: Shelf, kept: Sequence[tuple[int, Keepsake]], gone: Collection[str], now_s: float
) -> list[StreamStarted]:
    """Streams whose journals an earlier daemon finished a moment ago, although Zoom had not ended them."""
    found = []
    for journal in shelf.closed():
        if is_webhook_journal(journal.name) or journal.closed_at < now_s - SIGNALING_WINDOW_S:
            continue
        try:
            with shelf.reader(journal.name) as reader:
                past = read_past(reader)
        except JournalError as error:
            log.warning("finished journal cannot be read", journal=journal.name, problem=str(error))
            continue
        is_left = past.ended is not None and past.may_go_on(now_s * 1000)
        if past.started is not None and is_left and past.started.stream_id not in gone:
            found.append(_newest(past.started, kept))
    return found


async def carry_out(revoked: StreamRevoked, shelf: Shelf, outbox: Outbox) -> None:
    """Delete a revoked stream: key and journal first, then, as soon as the database is there, its rows.

    What the disk refuses is left to the next start, and holds up nothing else.
    """
    ids = {"engagement_id": revoked.engagement_id, "stream_id": revoked.stream_id}
    try:
        await trio.to_thread.run_sync(shelf.shred, journal_name(revoked.stream_id))
        log.warning("revoked stream deleted", **ids)
    except JournalError as error:
        outbox.owes_deletion = True
        log.error("sound of a revoked stream not deleted; done at the next start", **ids, problem=str(error))
    outbox.put(revoked)


def deleter(shelf: Shelf, webhooks: WebhookJournal, outbox: Outbox) -> Delete:
    """The real `Delete`: the decision is on disk before anything is done, so that a crash does not undo it."""

    async def delete(stopped: StreamStopped) -> list[str]:
        try:
            return await _delete(stopped)
        except Exception:  # told by whoever asked for it
            outbox.owes_deletion = True
            raise

    async def _delete(stopped: StreamStopped) -> list[str]:
        meant = await trio.to_thread.run_sync(_meant_by, stopped)
        for revoked in meant:
            name = journal_name(revoked.stream_id)
            if stopped.stream_id is None and shelf.is_being_written(name):
                continue  # its call drops it by the same word, and asks for this with the stream's id
            decided = replace(
                stopped,
                engagement_id=revoked.engagement_id,
                stream_id=revoked.stream_id,
                reason=StopReason.STREAM_REVOKED,
                client_ids=(),  # whoever signed, it is decided
            )
            try:
                await webhooks.keep(decided)
            except JournalError as error:
                log.error("revocation not noted", stream_id=revoked.stream_id, problem=str(error))
            outbox.forget(name)
            await carry_out(revoked, shelf, outbox)
        return [one.stream_id for one in meant]

    def _meant_by(stopped: StreamStopped) -> list[StreamRevoked]:
        return _Announced(shelf, webhooks.recent()).revoked_by(stopped, datetime.now(UTC))

    return delete


def _begun_as(shelf: Shelf, stream_id: str) -> StreamStarted | None:
    """How a stream was announced at first, by its journal; None when that does not tell, or is gone."""
    name = journal_name(stream_id)
    if not shelf.exists(name):
        return None
    try:
        with shelf.reader(name) as reader:
            return read_started(reader)
    except JournalError as error:
        log.warning("whose stream it is cannot be read", journal=name, problem=str(error))
        return None


class _Announced:
    """The streams that are known, and how Zoom announced them."""

    def __init__(
        self,
        shelf: Shelf,
        kept: Sequence[tuple[int, Keepsake]],
        left: Iterable[StreamStarted] = (),
    ) -> None:
        self._shelf = shelf
        self._starts: dict[str, list[StreamStarted]] = {}
        for started in (*left, *(one for _, one in kept if isinstance(one, StreamStarted))):
            self._starts.setdefault(started.stream_id, []).append(started)

    def revoked_by(self, stopped: StreamStopped, at: datetime) -> list[StreamRevoked]:
        """The streams that a revocation means; without a stream's id all of the engagement that had begun by then.

        None by the word of who signs for another app than the one that began it. The journal tells that of a
        stream that began before the webhooks that are still read.
        """
        if stopped.stream_id is None:
            starts = self._starts.values()
            stream_ids = [one.stream_id for one, *_ in starts if one.engagement_id == stopped.engagement_id]
        else:
            stream_ids = [stopped.stream_id]
        found = []
        for stream_id in stream_ids:
            announced = self._starts.get(stream_id, [])
            began = _begun_as(self._shelf, stream_id) or next(iter(announced), None)
            if began is None:
                found.append(StreamRevoked(stopped.engagement_id, stream_id, at))
                continue
            newest = max(announced, key=lambda one: one.event_ts_ms, default=began)
            if is_meant(stopped, replace(newest, client_id=began.client_id)):
                found.append(StreamRevoked(began.engagement_id, stream_id, at))
        return found


def _revoked(
    shelf: Shelf, kept: Sequence[tuple[int, Keepsake]], left: Iterable[StreamStarted]
) -> list[StreamRevoked]:
    """Streams that are to be deleted."""
    announced = _Announced(shelf, kept, left)
    found: dict[str, StreamRevoked] = {}
    for arrived_ms, one in kept:
        if isinstance(one, StreamRevoked):  # as versions before this one kept the decision
            found[one.stream_id] = one
        elif isinstance(one, StreamStopped) and one.reason is StopReason.STREAM_REVOKED:
            at = datetime.fromtimestamp(arrived_ms / 1000, UTC)
            for revoked in announced.revoked_by(one, at):
                found.setdefault(revoked.stream_id, revoked)
    return list(found.values())


def _newest(started: StreamStarted, kept: Sequence[tuple[int, Keepsake]]) -> StreamStarted:
    """The newest announcement of a stream: after a failover it is at another URL than its journal says.

    By Zoom's clock: an older one may be repeated after it. None that another app signed.
    """
    again = [
        one
        for _, one in kept
        if isinstance(one, StreamStarted)
        and one.stream_id == started.stream_id
        and may_be_of_one_app(started, one)
    ]
    return max(reversed(again), key=lambda one: one.event_ts_ms, default=started)


def _unanswered(events: Sequence[Keepsake], stopped: Iterable[StreamStopped]) -> list[StreamStarted]:
    """Starts that no stop ends, the newest of each stream that the app signed which was the first to."""
    endings = Endings()
    for one in stopped:
        endings.note(one, 0)
    open_: dict[str, StreamStarted] = {}
    for event in events:
        if isinstance(event, StreamStarted) and not endings.is_void(event, 0):
            known = open_.get(event.stream_id, event)
            if may_be_of_one_app(known, event):
                open_[event.stream_id] = max(event, known, key=lambda one: one.event_ts_ms)
    return list(open_.values())
