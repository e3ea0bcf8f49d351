from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.audio.encoded import FORMATS, encoded, name_of, snr_db
from tests.journal.keyring import CODEC, START_MS, Keyring, Noted, reader, writer
from tests.speech.sounds import LAST_WORD, LevelDetector, Samples, noise, voice
from zccvoice.audio.decoder import LONGEST_BRIDGED_SAMPLES, Decoder
from zccvoice.audio.frame import AudioFormat, Encoding, Gap, Passage
from zccvoice.audio.timeline import Timeline
from zccvoice.errors import DecodeError, JournalError
from zccvoice.journal.entry import Entry, EntryCodec
from zccvoice.journal.journal import Record
from zccvoice.journal.packets import NameOf
from zccvoice.journal.passage import find_passage, read_samples
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import AudioReceived
from zccvoice.speech.track import Track
from zccvoice.speech.utterance import Utterance

FORMAT = AudioFormat()
VOICE, NOISE = voice(2000), noise(2000)
HOLD_MS = 60_000
CUSTOMER, AGENT = "ch-7f31", "ch-90c2"


@dataclass(frozen=True)
class Leg:
    """How one participant sounds, and what the network made of it."""

    packet_ms: int
    sound: Samples
    lost: frozenset[int]
    jump_at: int
    """From this packet on the timestamps are later by `jump_ms`."""
    jump_ms: int
    jitter_ms: int
    latest_ms: int
    """A packet may come so much too late."""
    broken: frozenset[int]
    """Packets that are no audio."""

    def arrivals(self, channel_id: str, random: Random, hold_at_ms: int) -> list[tuple[float, AudioReceived]]:
        """The packets, some of them twice, with when they come (ms)."""
        step = self.packet_ms * 16
        found = []
        for number in range(len(self.sound) // step):
            if number in self.lost:
                continue
            sent_ms = number * self.packet_ms
            sent_ms += HOLD_MS if sent_ms >= hold_at_ms else 0
            told_ms = sent_ms + (self.jump_ms if number >= self.jump_at else 0)
            payload = self.sound[number * step : (number + 1) * step].astype("<i2").tobytes()
            packet = AudioReceived(
                channel_id,
                START_MS + told_ms + random.randint(-self.jitter_ms, self.jitter_ms),
                b"\1" if number in self.broken else payload,
            )
            times = 1 + (random.random() < 0.05)
            found += [(sent_ms + random.uniform(0, self.latest_ms), packet) for _ in range(times)]
        return found


@st.composite
def legs(draw: st.DrawFn, *, is_exact: bool = False) -> Leg:
    packet_ms = draw(st.sampled_from([20, 60, 100, 200]))
    pieces = draw(st.lists(st.tuples(st.booleans(), st.integers(100, 2000)), min_size=2, max_size=8))
    sound = np.concatenate([(VOICE if is_voice else NOISE)[: length * 16] for is_voice, length in pieces])
    count = len(sound) // (packet_ms * 16)
    numbers = st.integers(0, max(1, count - 1))
    hole = draw(numbers)
    lost = draw(st.frozensets(numbers, max_size=6)) | frozenset(range(hole, hole + draw(st.integers(0, 12))))
    return Leg(
        packet_ms,
        sound,
        lost,
        jump_at=draw(numbers),
        jump_ms=draw(st.sampled_from([0, 0, 480, 2_500] if is_exact else [0, 0, 507, 2_500, -3_000])),
        jitter_ms=0 if is_exact else draw(st.integers(0, packet_ms // 2 - 1)),
        latest_ms=draw(st.sampled_from([0, 0, packet_ms, 190, 400])),
        broken=draw(st.frozensets(numbers, max_size=2)),
    )


def in_order_of_arrival(all_legs: Sequence[Leg], random: Random, hold_at_ms: int = 0) -> list[AudioReceived]:
    found = [
        arrival
        for leg, channel_id in zip(all_legs, (CUSTOMER, AGENT), strict=True)
        for arrival in leg.arrivals(channel_id, random, hold_at_ms)
    ]
    return [packet for _, packet in sorted(found, key=lambda arrival: arrival[0])]


def write_call(path: Path, keyring: Keyring, packets: Sequence[Entry], random: Random) -> list[Record]:
    """Records of any length, with other entries and records between."""
    records = []
    with writer(path, keyring) as journal:
        at = 0
        while at < len(packets):
            entries = list(packets[at : at + random.randint(1, 30)])
            at += len(entries)
            entries[random.randint(0, len(entries)) : 0] = [Noted("held")] * random.randint(0, 2)
            records.append(journal.write(Kind.RECEIVED, START_MS, entries))
            if random.random() < 0.3:
                journal.write(Kind.DERIVED, START_MS, [Noted("a transcript")])
    return records


def packets_of(records: Sequence[Record], channel_id: str) -> list[tuple[tuple[int, int], AudioReceived]]:
    """With where they stand: (record, entry)."""
    return [
        ((record.offset, index), entry)
        for record in records
        for index, entry in enumerate(record.entries)
        if isinstance(entry, AudioReceived) and entry.channel_id == channel_id
    ]


def utterances(records: Sequence[Record], channel_id: str) -> list[Utterance]:
    track = Track(channel_id, FORMAT, LAST_WORD, LevelDetector())
    done = []
    for source, packet in packets_of(records, channel_id):
        try:
            track.place(packet.timestamp_ms, packet.payload, source)
            done += track.hear(track.decode())
        except DecodeError:
            continue
    return [one for one in done + track.flush() if isinstance(one, Utterance)]


def decoded(records: Sequence[Record], channel_id: str, from_ms: int, until_ms: int) -> Samples:
    """A range of the track, from all of its packets."""
    timeline, pieces = Timeline(FORMAT), []
    for _, packet in packets_of(records, channel_id):
        try:
            pieces += timeline.push(packet.timestamp_ms, packet.payload)
        except DecodeError:
            continue
    pieces += timeline.flush()
    track, at = np.zeros(timeline.position, np.int16), 0
    hole_start = hole_end = -1
    decoder = Decoder(FORMAT)
    for sound in decoder.decode(pieces) + decoder.flush():
        if isinstance(sound, Gap):
            if sound.position != hole_end:  # else the same hole goes on, for another reason
                hole_start = sound.position
            hole_end = sound.position + sound.sample_count
            if hole_end - hole_start > LONGEST_BRIDGED_SAMPLES:
                at = hole_end
        else:
            track[at : at + len(sound)] = sound
            at += len(sound)
    length = (until_ms - from_ms) * 16
    start = (from_ms - (timeline.first_timestamp_ms or 0)) * 16
    wanted = np.zeros(length, np.int16)
    inside = slice(max(0, -start), max(0, min(length, len(track) - start)))
    if inside.start < inside.stop:
        wanted[inside] = track[inside.start + start : inside.stop + start]
    return wanted


@settings(max_examples=60)
@given(legs(), legs(), st.integers(0, 2**32))
def test_an_utterance_is_read_back_to_the_sample(customer: Leg, agent: Leg, seed: int) -> None:
    random, ring = Random(seed), Keyring()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.journal"
        records = write_call(path, ring, in_order_of_arrival([customer, agent], random), random)
        with reader(path, ring) as journal:
            for channel_id in (CUSTOMER, AGENT):
                for utterance in utterances(records, channel_id):
                    assert utterance.passage is not None
                    samples = read_samples(journal, FORMAT, utterance.passage)
                    assert samples.dtype == utterance.samples.dtype
                    assert np.array_equal(samples, utterance.samples)


def test_the_calls_of_this_test_are_heard() -> None:
    """The property above is about something."""
    leg = Leg(20, np.concatenate([NOISE, VOICE, NOISE]), frozenset({130}), 0, 0, 9, 190, frozenset({140}))
    random, ring = Random(1), Keyring()
    with TemporaryDirectory() as folder:
        records = write_call(Path(folder) / "a", ring, in_order_of_arrival([leg, leg], random), random)
    (utterance,) = utterances(records, CUSTOMER)
    assert utterance.passage is not None
    assert utterance.duration_ms == pytest.approx(2000, abs=40)
    assert len(utterance.passage.pieces) > 100


A_LEG = Leg(20, NOISE[:3200], frozenset(), 0, 0, 0, 0, frozenset())
QUIET_AND_REFUSED = Leg(20, NOISE[:4160], frozenset(range(1, 11)), 0, 0, 0, 0, frozenset({11}))
"""With a hold that begins after its first packet: a quiet minute, then a payload that is no audio."""


@settings(max_examples=60)
@example(A_LEG, QUIET_AND_REFUSED, 0, 1, [(51_221, 9_000), (60_000, 500)])
@given(
    legs(is_exact=True),
    legs(is_exact=True),
    st.integers(0, 2**32),
    st.integers(0, 8_000),
    st.lists(st.tuples(st.integers(-8_000, 80_000), st.integers(0, 9_000)), min_size=1, max_size=6),
)
def test_any_range_equals_that_of_the_whole_track(
    customer: Leg, agent: Leg, seed: int, hold_at_ms: int, ranges: list[tuple[int, int]]
) -> None:
    random, ring = Random(seed), Keyring()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.journal"
        records = write_call(path, ring, in_order_of_arrival([customer, agent], random, hold_at_ms), random)
        with reader(path, ring) as journal:
            for start_ms, length_ms in ranges:
                span = START_MS + start_ms, START_MS + start_ms + length_ms
                for channel_id in (CUSTOMER, AGENT):
                    passage = find_passage(journal, channel_id, FORMAT, *span)
                    samples = read_samples(journal, FORMAT, passage)
                    assert np.array_equal(samples, decoded(records, channel_id, *span))


LEAST_DB = {Encoding.G722: 50, Encoding.OPUS: 45}
"""How far below the sound the difference lies of what is read back, of codecs that remember."""


@pytest.mark.parametrize("audio_format", FORMATS, ids=name_of)
@pytest.mark.parametrize("lost", [frozenset(), frozenset({61, 62, 95}), frozenset(range(70, 110))])
def test_every_codec_is_read_back_as_it_was_heard(
    path: Path, keyring: Keyring, audio_format: AudioFormat, lost: frozenset[int]
) -> None:
    sound = np.concatenate([noise(400), voice(2000), noise(900), voice(700, pitch_hz=180), noise(700)])
    payloads = encoded(sound, audio_format, fec=True)
    entries: list[Entry] = [
        AudioReceived(AGENT, START_MS + number * 20, payload)
        for number, payload in enumerate(payloads)
        if number not in lost
    ]
    track = Track(AGENT, audio_format, LAST_WORD, LevelDetector())
    done = []
    with writer(path, keyring) as journal:
        for at in range(0, len(entries), 10):
            record = journal.write(Kind.RECEIVED, START_MS, entries[at : at + 10])
            for source, packet in packets_of([record], AGENT):
                track.place(packet.timestamp_ms, packet.payload, source)
            done += track.hear(track.decode())
    found = [one for one in done + track.flush() if isinstance(one, Utterance)]
    assert len(found) >= 2
    with reader(path, keyring) as again:
        for utterance in found:
            assert utterance.passage is not None
            samples = read_samples(again, audio_format, utterance.passage)
            least = LEAST_DB.get(audio_format.encoding)
            assert len(samples) == len(utterance.samples)
            if least is None:
                assert np.array_equal(samples, utterance.samples)
            else:
                assert snr_db(utterance.samples, samples) >= least
            start_ms = utterance.start_timestamp_ms - utterance.lead_ms
            end_ms = start_ms + len(samples) // 16
            by_time = read_samples(
                again, audio_format, find_passage(again, AGENT, audio_format, start_ms, end_ms)
            )
            assert snr_db(samples, by_time) >= (least or 1_000)


class CountingCodec(EntryCodec):
    """Counts the records that are decoded."""

    def __init__(self) -> None:
        super().__init__([Noted])
        self.decoded = 0

    def decode(self, content: bytes, name_of: NameOf) -> tuple[int, list[Entry]] | None:
        self.decoded += 1
        return super().decode(content, name_of)


@pytest.fixture
def long_call(path: Path, keyring: Keyring) -> list[Record]:
    """A quarter of an hour of two tracks, four records a second."""
    with writer(path, keyring) as journal:
        return [
            journal.write(
                Kind.RECEIVED,
                START_MS + at_ms,
                [
                    AudioReceived(
                        channel_id, START_MS + at_ms + part, (at_ms + part).to_bytes(4, "big") * 1000
                    )
                    for part in (0, 125)
                    for channel_id in (CUSTOMER, AGENT)
                ],
            )
            for at_ms in range(0, 900_000, 250)
        ]


@pytest.mark.parametrize("at_ms", [0, 1_000, 450_125, 899_000])
def test_a_second_is_found_without_decoding_the_rest(
    path: Path, keyring: Keyring, long_call: list[Record], at_ms: int
) -> None:
    codec = CountingCodec()
    with reader(path, keyring, codec) as journal:
        span = START_MS + at_ms, START_MS + at_ms + 1_000
        passage = find_passage(journal, AGENT, FORMAT, *span)
        assert codec.decoded <= 12 + 11 * 4 + 2, "a search of 3600 records, and five seconds on either side"
        found = codec.decoded
        samples = read_samples(journal, FORMAT, passage)
        assert codec.decoded - found <= 5, "each record once"
    assert np.array_equal(samples, decoded(long_call, AGENT, *span))
    assert samples.any()


def test_a_damaged_record_is_never_made_up(path: Path, keyring: Keyring, long_call: list[Record]) -> None:
    span = START_MS + 100_000, START_MS + 101_000
    with reader(path, keyring) as journal:
        before = find_passage(journal, AGENT, FORMAT, *span)
        whole = read_samples(journal, FORMAT, before)
    damaged = long_call[401]  # 100.25 s to 100.5 s
    for at in (damaged.offset, damaged.offset + 3, damaged.end - 1):  # its header, its length, its seal
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
        with reader(path, keyring) as journal:
            with pytest.raises(JournalError, match=f"^the record at {damaged.offset} is damaged"):
                read_samples(journal, FORMAT, before)
            after = find_passage(journal, AGENT, FORMAT, *span)
            wanted = whole.copy()
            found = read_samples(journal, FORMAT, after)
            wanted[4_000:8_000] = 0
            found[4_000:4_064] = found[7_936:8_000] = 0  # edges that fade
            assert np.array_equal(found, wanted), "silence, and all of the rest"
        data[at] ^= 1
        path.write_bytes(data)


def test_damage_does_not_mislead_the_search(path: Path, keyring: Keyring, long_call: list[Record]) -> None:
    data = bytearray(path.read_bytes())
    for record in long_call:
        if record not in long_call[380:425]:
            data[record.end - 1] ^= 1
    path.write_bytes(data)
    span = START_MS + 100_000, START_MS + 101_000
    with reader(path, keyring) as journal:
        passage = find_passage(journal, CUSTOMER, FORMAT, *span)
        assert np.array_equal(read_samples(journal, FORMAT, passage), decoded(long_call, CUSTOMER, *span))


@pytest.mark.parametrize("offset", [0, 9, 10**9])
def test_a_passage_of_another_file_is_refused(
    path: Path, keyring: Keyring, long_call: list[Record], offset: int
) -> None:
    with (
        reader(path, keyring) as journal,
        pytest.raises(JournalError, match=f"the record at {offset} is damaged"),
    ):
        read_samples(journal, FORMAT, Passage(0, 100, ((0, (offset, 0)),)))


def test_nothing_is_found_where_nothing_is(path: Path, keyring: Keyring, long_call: list[Record]) -> None:
    span = START_MS + 5_000, START_MS + 5_010
    with reader(path, keyring) as journal:
        assert find_passage(journal, "ch-other", FORMAT, *span) == Passage(0, 160, ())
    with writer(path.with_name("empty"), keyring):
        pass
    with reader(path.with_name("empty"), keyring, CODEC) as journal:
        assert find_passage(journal, AGENT, FORMAT, *span) == Passage(0, 160, ())
        assert not read_samples(journal, FORMAT, Passage(0, 160, ())).any()
