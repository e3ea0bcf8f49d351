"""Calls through a daemon that is killed again and again, and what must hold in the end.

The simulator plays calls without a pause; the daemon is killed with SIGKILL at random moments and started anew.
When the last call is over and stored, every journal is replayed in one piece into a second, empty database: what
the killed daemons left in the first one must be the same, row by row. So nothing of what was received is lost,
nothing is there twice, and what was not received is a gap: those are held against the packets in the journals.
"""

from __future__ import annotations

import random
import signal
import socket
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import trio
from sqlalchemy import Engine

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import Config
from zccvoice.daemon.replay import replay
from zccvoice.daemon.webhook_journal import is_webhook_journal
from zccvoice.daemon.writer import measure_in, write_to
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.rehearsal import Daemon, new_calls, running_daemon
from zccvoice.rtms.events import AudioReceived
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import post_to
from zccvoice.simulator.zoom import Zoom, ZoomApp, running_zoom
from zccvoice.store import reads
from zccvoice.store.database import transaction
from zccvoice.store.facts import Fact, GapFound

STORED_S = 600.0
"""How long after the last call the daemon may take to store everything."""
WEBHOOK_RETRIES_S = (1.0,) * 60
"""Zoom would come again after five minutes; a daemon that is down is up again in seconds here."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How cruel it is to be."""

    calls_at_once: int = 20
    kills: int = 50
    shortest_life_s: float = 0.3
    longest_life_s: float = 6.0
    """From the daemon's readiness to its death, evenly drawn; between disturbances too."""
    disturbances: int = 0
    """Of the last life, which is not ended by force."""
    seed: int = 1


@dataclass(slots=True)
class Ordeal:
    """What happened."""

    truths: list[CallTruth] = field(default_factory=list)
    kills_ms: list[int] = field(default_factory=list)
    """When the daemon was killed, epoch milliseconds."""
    down_s: float = 0.0
    """From deaths to readiness, in all."""
    outcome: Comparison = field(default_factory=lambda: Comparison())


@dataclass(slots=True)
class Comparison:
    """What the daemons left, against one replay of every journal and against what was sent."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows compared, by table."""
    differences: list[str] = field(default_factory=list)
    """Rows that stand on one side only, and packets that are neither there nor in a gap."""
    packets_sent: int = 0
    packets_received: int = 0
    """In the journals."""
    gap_packets: int = 0
    """Packets' worth of audio in gaps between a leg's first and last packet."""
    unsent_packets: int = 0
    """Those of them that the scenarios left out: nobody sent them."""
    packets_at_the_edges: int = 0
    """Missing before a leg's first or after its last packet, where nobody can tell."""


async def suffer(
    scenarios: Sequence[Scenario],
    folder: Path,
    config_file: Path,
    app: ZoomApp,
    shelf: Shelf,
    trial: Trial,
    *,
    settings: Mapping[str, str] | None = None,
    speed: float = 1.0,
    disturb: Callable[[int], None] = lambda number: None,
) -> Ordeal:
    """Play calls, kill and restart the daemon, until all is stored.

    Args:
        scenarios: played in turn, each time as a new call.
        folder: for the daemons' logs, one for each life.
        config_file: the daemon's settings, without secrets.
        app: the secrets it shares with Zoom.
        shelf: its journals.
        trial: how much of it.
        settings: more environment variables for the daemon.
        speed: times faster than real.
        disturb: something that happens to the last daemon while it runs, such as the death of its database; told
            how often it happened before; blocking.

    Raises:
        RehearsalError: a daemon did not start, or not everything was stored in time.
    """
    ordeal = Ordeal()
    port = _free_port()
    environment = {**(settings or {}), "ZCCVOICE_DOOR__PORT": str(port)}
    deliver = post_to(f"http://127.0.0.1:{port}/zoom/webhook")
    enough, quiet = trio.Event(), trio.Event()
    rng = random.Random(trial.seed)  # noqa: S311 (moments, not secrets)

    @asynccontextmanager
    async def life(number: int) -> AsyncGenerator[Daemon]:
        own = folder / f"life-{number:03}"
        own.mkdir()
        begin = trio.current_time()
        async with running_daemon(own, config_file, app, environment) as daemon:
            await daemon.url()
            ordeal.down_s += trio.current_time() - begin
            yield daemon

    timing = replace(Timing(), webhook_retry_delays_s=WEBHOOK_RETRIES_S).at_speed(speed)
    zoom_server = running_zoom(app, deliver=deliver, speed=speed, timing=timing)
    async with zoom_server as zoom, trio.open_nursery() as nursery:
        nursery.start_soon(_play, zoom, scenarios, trial.calls_at_once, enough, quiet, ordeal)
        for number in range(trial.kills):
            async with life(number) as daemon:
                await trio.sleep(rng.uniform(trial.shortest_life_s, trial.longest_life_s))
                ordeal.kills_ms.append(int(time.time() * 1000))
                daemon.process.send_signal(signal.SIGKILL)
                await daemon.process.wait()
        if not trial.disturbances:
            enough.set()
        async with life(trial.kills) as daemon:
            for number in range(trial.disturbances):
                await trio.sleep(rng.uniform(trial.shortest_life_s, trial.longest_life_s))
                await trio.to_thread.run_sync(disturb, number)
            enough.set()
            await quiet.wait()
            await _all_stored(shelf, daemon)
            if (status := await daemon.stop()) != 0:
                raise daemon.failure(f"the daemon ended with status {status}")
    return ordeal


async def _play(
    zoom: Zoom,
    scenarios: Sequence[Scenario],
    calls_at_once: int,
    enough: trio.Event,
    quiet: trio.Event,
    ordeal: Ordeal,
) -> None:
    """Keep so many calls running until it is enough; then let them come to their ends."""

    async def line(number: int) -> None:
        await trio.sleep(number * 0.2)
        while not enough.is_set():
            (call,) = new_calls([scenarios[number % len(scenarios)]])
            ordeal.truths.append(
                await zoom.play(replace(call, engagement_id=f"{call.engagement_id}{number}"))
            )
            number += calls_at_once

    async with trio.open_nursery() as nursery:
        for number in range(calls_at_once):
            nursery.start_soon(line, number)
    quiet.set()


async def _all_stored(shelf: Shelf, daemon: Daemon) -> None:
    """A journal is closed when the database has all of it."""
    with trio.move_on_after(STORED_S):
        while open_names := [name for name in shelf.open_names() if not is_webhook_journal(name)]:  # noqa: ASYNC110
            await trio.sleep(0.2)
        return
    raise daemon.failure(f"not stored: {len(open_names)} journals")


def compare(
    ordeal: Ordeal, shelf: Shelf, config: Config, phones: PhonePseudonym, stored: Engine, empty: Engine
) -> Comparison:
    """Replay every journal into `empty` and hold it against `stored`; blocking.

    Args:
        ordeal: what was played.
        shelf: the journals.
        config: what the daemons ran with.
        phones: the same.
        stored: the database that they wrote to.
        empty: another one, with the current schema and nothing in it.
    """
    found = Comparison()
    write, measure = write_to(empty), measure_in(empty)
    for truth in ordeal.truths:
        name = journal_name(truth.stream_id)
        if not shelf.exists(name):
            found.differences.append(f"{truth.engagement_id}: no journal")
            continue
        facts = list(replay(partial(shelf.reader, name), config, phones))
        write(facts)
        measure(truth.engagement_id)
        _compare_rows(found, truth.engagement_id, stored, empty)
        _compare_sound(found, truth, shelf, facts)
    return found


def _compare_rows(found: Comparison, engagement_id: str, stored: Engine, empty: Engine) -> None:
    sides = []
    for engine in (stored, empty):
        with transaction(engine) as connection:
            sides.append(reads.everything(connection, engagement_id))
    for table in sides[0]:
        left, right = sides[0][table], sides[1][table]
        found.rows[table] = found.rows.get(table, 0) + len(left)
        found.differences += [f"{engagement_id}: only stored in {table}: {row}" for row in left - right]
        found.differences += [f"{engagement_id}: only replayed in {table}: {row}" for row in right - left]


def _compare_sound(found: Comparison, truth: CallTruth, shelf: Shelf, facts: Sequence[Fact]) -> None:
    """Per leg: what was sent is there or in a gap, to the packet."""
    step_ms = truth.send_rate_ms
    received = _packets(shelf, truth.stream_id)
    for track in truth.tracks:
        there = sorted(received.get(track.channel_id, ()))
        found.packets_sent += track.packets_sent_count
        found.packets_received += len(there)
        if not there:
            found.packets_at_the_edges += track.packets_sent_count
            continue
        zero_ms = truth.first_packet_timestamp_ms
        inside = range(there[0], there[-1] + 1, step_ms)
        silent = [
            (zero_ms + span.start_ms - step_ms, zero_ms + span.end_ms) for span in (*track.lost, *track.held)
        ]
        missing = [at_ms for at_ms in inside if at_ms not in received[track.channel_id]]
        should_be_there = [at for at in missing if not any(start < at < end for start, end in silent)]
        gaps = [one for one in facts if isinstance(one, GapFound) and one.channel_id == track.channel_id]
        in_gaps = {
            at_ms for gap in gaps for at_ms in range(gap.start_timestamp_ms, gap.end_timestamp_ms, step_ms)
        }
        found.gap_packets += len(in_gaps)
        found.unsent_packets += len(in_gaps.difference(should_be_there))
        found.packets_at_the_edges += track.packets_sent_count - len(there) - len(should_be_there)
        where = f"{truth.engagement_id} {track.channel_id}"
        found.differences += [
            f"{where}: {at} neither there nor in a gap" for at in should_be_there if at not in in_gaps
        ]
        found.differences += [
            f"{where}: {at} there and in a gap" for at in in_gaps & received[track.channel_id]
        ]


def _packets(shelf: Shelf, stream_id: str) -> dict[str, set[int]]:
    """Timestamps of the packets in a journal, by channel."""
    found: dict[str, set[int]] = {}
    with shelf.reader(journal_name(stream_id)) as reader:
        for record in reader.records(kind=Kind.RECEIVED):
            for entry in record.entries if isinstance(record, Record) else ():
                if isinstance(entry, AudioReceived):
                    found.setdefault(entry.channel_id, set()).add(entry.timestamp_ms)
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
