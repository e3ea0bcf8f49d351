"""Journals: how fast they are written and read, what they cost, and how fast a call is made anew from one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.audio.frame import AudioFormat
from zccvoice.bench import BenchResult, Figure, Wanted
from zccvoice.config import Config
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.daemon.replay import replay
from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import START, Record
from zccvoice.journal.passage import find_passage, read_samples
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.journal.vault import Vault
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import AudioReceived, MediaOpened, ParticipantConnected, Role, StreamEnded
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.packets import PacketPlan
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import render
from zccvoice.store.facts import Fact, StoredWord, UtteranceHeard

WANTED_OVERHEAD_PERCENT = 3.0
WANTED_REPLAY = 200.0
RECORD_MS = 250
"""As often as the daemon writes."""
BEGAN_MS = 1_795_341_600_000
PASSAGE_MS = 4_000
PASSAGES = 20
REPLAYS = 3
CHANNELS = {
    "short_ids": ("ch-7f31", "ch-90c2"),
    "long_ids": ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
}
_CHANNELS = CHANNELS["short_ids"]


@dataclass(frozen=True, slots=True)
class Form:
    """How a stream's audio comes."""

    name: str
    packet_ms: int
    least_bytes: int
    most_bytes: int
    """Of a payload; when it is more than the least, any size between is as likely."""


L16_100 = Form("l16_100ms", 100, 3200, 3200)
FORMS = (
    L16_100,
    Form("l16_20ms", 20, 640, 640),
    Form("g711_20ms", 20, 160, 160),
    Form("opus_20ms", 20, 80, 80),
    Form("opus_vbr_20ms", 20, 60, 100),
)


def new_shelf(folder: Path) -> Shelf:
    """Journals of the daemon's kind in a folder of their own."""
    return Shelf(folder, Vault(folder / "keys", "a master key for measurements"), ENTRY_TYPES)


def measure_journal(shelf: Shelf, result: BenchResult, *, minutes: float = 5.0, rounds: int = 3) -> None:
    """Add what writing and reading a two-sided call of `minutes` costs; with and without sync in turn."""
    call = list(_sound(L16_100, minutes))
    payload_mb = _payload_bytes(call) / 1e6
    wall_s: dict[bool, list[float]] = {True: [], False: []}
    cpu_s: list[float] = []
    for number in range(rounds):
        for syncs, found in wall_s.items():
            name = f"written-{number}-{syncs:d}"
            wall, cpu = _timed(partial(_write, shelf, name, call, syncs=syncs))
            found.append(wall)
            if syncs:
                cpu_s.append(cpu)
    how = f"{minutes:g} min of two sides, median of {rounds}"
    cpu = median(cpu_s) * 60 / minutes
    read_s = median(_timed(partial(_read, shelf, "written-0-1"))[0] for _ in range(rounds))
    figures = {
        "journal_write_synced": (
            payload_mb / median(wall_s[True]),
            "MB/s",
            f"a sync per second of audio; {how}",
        ),
        "journal_write": (payload_mb / median(wall_s[False]), "MB/s", f"without sync; {how}"),
        "journal_write_cpu": (cpu, "CPU s / call hour", f"the writing thread with syncs; {how}"),
        "journal_read": (payload_mb / read_s, "MB/s", f"all records; {how}"),
    }
    for name, (value, unit, how) in figures.items():
        result.figures[name] = Figure(round(value, 2), unit, how)
    _measure_passages(shelf, "written-0-1", minutes, result)
    _measure_size(shelf, result)


def measure_replay(shelf: Shelf, config: Config, result: BenchResult, *, minutes: float = 10.0) -> None:
    """Add how fast a call is made anew from its journal, with its transcripts in it."""
    phones = PhonePseudonym(None)
    write_demo_call(shelf, "replayed", minutes)
    open_reader = partial(shelf.reader, "replayed")
    heard = [one for one in replay(open_reader, config, phones) if isinstance(one, UtteranceHeard)]
    with shelf.writer("replayed") as writer:
        for fact in heard:
            writer.write(Kind.DERIVED, fact.end_timestamp_ms, [_understood(fact)])
    facts: list[Fact] = []
    cpu_s = []
    for _ in range(REPLAYS):
        facts.clear()
        cpu_s.append(_timed(lambda: facts.extend(replay(open_reader, config, phones)))[1])
    known = sum(isinstance(one, UtteranceHeard) and one.verdict == "kept" for one in facts)
    speed = minutes * 60 / median(cpu_s)
    how = f"{minutes:g} min of demo calls, {known} of {len(heard)} transcripts in the journal; median of {REPLAYS}"
    result.figures["replay"] = Figure(round(speed, 1), "x real time / core", how)
    result.wanted.append(Wanted("replay", WANTED_REPLAY, round(speed, 1), is_least=True))


def write_demo_call(shelf: Shelf, name: str, minutes: float) -> None:
    """A journal of what the daemon would receive of a demo call, played again and again for so long."""
    params = AudioParams(send_rate=100)
    scenario = load_scenario(demo_scenarios()[0])
    recording = render(scenario)
    plan = PacketPlan(scenario, recording, params)
    started = StreamStarted(Product.CONTACT_CENTER, "E-replayed", "S-replayed", "wss://localhost", BEGAN_MS)
    sides = zip((Role.CONSUMER, Role.USER), scenario.participants, strict=False)
    who = [ParticipantConnected(one.channel_id, role, BEGAN_MS) for role, one in sides]
    with shelf.writer(name) as writer:
        writer.write(Kind.RECEIVED, BEGAN_MS, [started, MediaOpened(params), *who])
        until_ms = BEGAN_MS + int(minutes * 60_000)
        for zero_ms in range(BEGAN_MS, until_ms, recording.duration_ms):
            sent = (
                (zero_ms + packet.at_ms, packet.channel_id, plan.payload(packet)) for packet in plan.packets
            )
            packets = [
                AudioReceived(channel, at_ms, data) for at_ms, channel, data in sent if at_ms < until_ms
            ]
            for arrived_ms, entries in _records(packets):
                writer.write(Kind.RECEIVED, arrived_ms, entries)
        writer.write(Kind.RECEIVED, until_ms, [StreamEnded("call_ended", "the demo is over")])


def _understood(fact: UtteranceHeard) -> UtteranceHeard:
    count = max(1, (fact.end_timestamp_ms - fact.start_timestamp_ms) // 400)
    words = tuple(StoredWord("word", number * 400, number * 400 + 300, 0.9) for number in range(count))
    text = " ".join(word.text for word in words)
    return replace(fact, text=text, words=words, confidence=0.9, model="demo", verdict="kept")


def _measure_passages(shelf: Shelf, name: str, minutes: float, result: BenchResult) -> None:
    chance = random.Random(1)  # noqa: S311  # the same every time is what is wanted
    audio_format = AudioFormat()
    found_s, read_s = [], []
    with shelf.reader(name) as reader:
        for _ in range(PASSAGES):
            from_ms = BEGAN_MS + chance.randrange(max(1, int(minutes * 60_000) - PASSAGE_MS))
            begin = time.perf_counter()
            passage = find_passage(reader, _CHANNELS[0], audio_format, from_ms, from_ms + PASSAGE_MS)
            found = time.perf_counter()
            read_samples(reader, audio_format, passage)
            found_s.append(found - begin)
            read_s.append(time.perf_counter() - found)
    how = f"{PASSAGE_MS / 1000:g} s of one side, median of {PASSAGES}"
    result.figures["passage_find"] = Figure(round(median(found_s) * 1000, 2), "ms", f"by its time; {how}")
    result.figures["passage_read"] = Figure(
        round(median(read_s) * 1000, 2), "ms", f"once it is known where it lies; {how}"
    )


def _measure_size(shelf: Shelf, result: BenchResult) -> None:
    for form in FORMS:
        for ids, channels in CHANNELS.items():
            call = list(_sound(form, 1.0, channels))
            name = f"journal_overhead_{form.name}_{ids}"
            _write(shelf, name, call, syncs=False)
            with shelf.reader(name) as reader:
                ratio = (reader.size_bytes - START) / _payload_bytes(call) - 1
            percent = round(ratio * 100, 2)
            how = "what a journal takes beside its payloads, a minute of two sides"
            result.figures[name] = Figure(percent, "% of payloads", how)
            result.wanted.append(Wanted(name, WANTED_OVERHEAD_PERCENT, percent))


def _sound(
    form: Form, minutes: float, channels: Sequence[str] = _CHANNELS
) -> Iterator[tuple[int, list[Entry]]]:
    """When records of a two-sided call arrive, and what is in them; the sound is noise."""
    chance = random.Random(1)  # noqa: S311  # the same every time is what is wanted
    packets = [
        AudioReceived(
            channel,
            BEGAN_MS + number * form.packet_ms,
            os.urandom(chance.randint(form.least_bytes, form.most_bytes)),
        )
        for number in range(int(minutes * 60_000) // form.packet_ms)
        for channel in channels
    ]
    return _records(packets)


def _records(packets: Sequence[AudioReceived]) -> Iterator[tuple[int, list[Entry]]]:
    """Packets by the quarter of a second."""
    entries: list[Entry] = []
    due_ms = packets[0].timestamp_ms + RECORD_MS if packets else 0
    for packet in packets:
        if packet.timestamp_ms >= due_ms:
            yield due_ms, entries
            entries, due_ms = [], due_ms + RECORD_MS
        entries.append(packet)
    if entries:
        yield due_ms, entries


def _payload_bytes(call: Sequence[tuple[int, Sequence[Entry]]]) -> int:
    return sum(len(entry.payload) for _, entries in call for entry in entries)


def _write(shelf: Shelf, name: str, call: Sequence[tuple[int, Sequence[Entry]]], *, syncs: bool) -> None:
    with shelf.writer(name) as writer:
        for number, (arrived_ms, entries) in enumerate(call, 1):
            writer.write(Kind.RECEIVED, arrived_ms, entries)
            if syncs and number % (1000 // RECORD_MS) == 0:
                writer.sync()


def _read(shelf: Shelf, name: str) -> None:
    with shelf.reader(name) as reader:
        count = sum(isinstance(one, Record) for one in reader.records())
    assert count, "an empty journal says nothing about reading"


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall's clock, and CPU seconds of this thread."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return time.perf_counter() - wall, time.thread_time() - cpu
