"""A recording's journal says what the file says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.fakes import FakeRecognizer
from tests.recordings.conftest import BEGIN, BEGIN_MS, CONFIG, PHONES, call_of, talk
from tests.recordings.sounds import Channels, encode, spoil
from tests.speech.sounds import noise, voice
from zccvoice.audio.frame import Encoding
from zccvoice.audio.quality import clipped_ratio
from zccvoice.errors import RecordingError
from zccvoice.journal.journal import START, Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.recordings import intake
from zccvoice.recordings.recorded_call import Files, RecordedCall, content_id, legs_of
from zccvoice.recordings.sound_file import Stretch, examine
from zccvoice.recordings.transcription import begin, facts
from zccvoice.rtms.events import AudioReceived, Role, SoundClipped, SoundMissing
from zccvoice.simulator.encoders import encode_g711
from zccvoice.simulator.sources import resample
from zccvoice.store.facts import (
    ClockStarted,
    GapFound,
    ParticipantSeen,
    StreamClosed,
    TrackClosed,
    UtteranceHeard,
)

NewShelf = Callable[[], Shelf]


def received(shelf: Shelf, name: str = "a") -> list[object]:
    with shelf.reader(name) as reader:
        records = list(reader.records(START, Kind.RECEIVED))
    assert all(isinstance(one, Record) for one in records)
    return [entry for one in records if isinstance(one, Record) for entry in one.entries]


def packets(shelf: Shelf, channel_id: str) -> list[AudioReceived]:
    return [one for one in received(shelf) if isinstance(one, AudioReceived) and one.channel_id == channel_id]


def test_both_sides_are_on_one_clock_to_the_sample(talk_file: Path, new_shelf: NewShelf) -> None:
    shelf = new_shelf()
    begin(call_of(talk_file), shelf, "a")
    for channel_id, side in zip(("left", "right"), talk(), strict=True):
        found = packets(shelf, channel_id)
        assert b"".join(one.payload for one in found) == side.tobytes()
        assert [one.timestamp_ms - BEGIN_MS for one in found] == list(range(0, 6_000, 100))


def test_the_facts_of_a_recording(talk_file: Path, new_shelf: NewShelf) -> None:
    shelf = new_shelf()
    begin(call_of(talk_file), shelf, "a")
    found = list(facts(shelf, "a", CONFIG, PHONES, FakeRecognizer()))
    assert [one.timestamp_ms for one in found if isinstance(one, ClockStarted)] == [BEGIN_MS]
    sides = {one.channel_id: one.side for one in found if isinstance(one, ParticipantSeen) and one.side}
    assert sides == {"left": "agent", "right": "customer"}
    heard = {one.channel_id: one for one in found if isinstance(one, UtteranceHeard)}
    assert heard["left"].start_timestamp_ms - BEGIN_MS == pytest.approx(1_000, abs=60)
    assert heard["right"].start_timestamp_ms - BEGIN_MS == pytest.approx(3_000, abs=60)
    assert [one.packets for one in found if isinstance(one, TrackClosed)] == [60, 60]
    last = found[-1]
    assert isinstance(last, StreamClosed)
    assert last.end_reason == intake.ENDED


def test_the_same_recording_makes_the_same_journal(talk_file: Path, new_shelf: NewShelf) -> None:
    shelf = new_shelf()
    for name in ("a", "b"):
        begin(call_of(talk_file), shelf, name)
    assert received(shelf, "a") == received(shelf, "b")


def test_what_is_known_is_not_recognized_again(talk_file: Path, new_shelf: NewShelf) -> None:
    shelf, recognizer = new_shelf(), FakeRecognizer()
    begin(call_of(talk_file), shelf, "a")
    listening = facts(shelf, "a", CONFIG, PHONES, recognizer)
    next(one for one in listening if isinstance(one, UtteranceHeard))
    listening.close()  # interrupted
    assert recognizer.heard >= 1
    before = recognizer.heard
    again = list(facts(shelf, "a", CONFIG, PHONES, recognizer))
    assert sum(isinstance(one, UtteranceHeard) for one in again) == 2
    assert recognizer.heard <= before + 1
    heard = recognizer.heard
    assert set(facts(shelf, "a", CONFIG, PHONES, recognizer)) == set(again)
    assert recognizer.heard == heard


def loud(rate_hz: int) -> tuple[Channels, float]:
    """One overdriven side that speaks twice, and a quiet one, ``int16[2, n]``; and how much is clipped."""
    quiet, speech = resample(noise(1_000), rate_hz), resample(voice(2_000), rate_hz)
    overdriven = np.clip(8 * speech.astype(np.int32), -32_768, 32_767).astype(np.int16)
    left = np.concatenate([quiet, overdriven, quiet, overdriven, quiet])
    return np.stack([left, np.resize(quiet, len(left))]), clipped_ratio(overdriven)


def clipped(shelf: Shelf, name: str) -> list[float]:
    found = facts(shelf, name, CONFIG, PHONES, FakeRecognizer())
    return [one.clipped_ratio for one in found if isinstance(one, UtteranceHeard)]


@pytest.mark.parametrize(
    ("codec", "rate_hz"),
    [("pcm_s16le", 48_000), ("pcm_f32le", 44_100), ("pcm_u8", 11_025), ("flac", 32_000), ("pcm_alaw", 8_000)],
)
def test_clipping_is_told_as_it_was_in_the_file(
    tmp_path: Path, new_shelf: NewShelf, codec: str, rate_hz: int
) -> None:
    """Resampling has made waves of what was flat. A call read again tells the same."""
    sound, share = loud(rate_hz)
    path = encode(
        tmp_path / f"call.{'flac' if codec == 'flac' else 'wav'}", codec, rate_hz, sound, given_hz=rate_hz
    )
    shelf = new_shelf()
    begin(call_of(path), shelf, "a")
    assert share > 0.04
    assert clipped(shelf, "a") == pytest.approx([share] * 2, abs=0.01)
    assert clipped(shelf, "a") == clipped(shelf, "a")
    told = [one for one in received(shelf) if isinstance(one, SoundClipped)]
    if rate_hz == 8_000:
        assert told == [], "it is kept as it came"
    else:
        assert [one.lengths for one in told if one.channel_id == "right"] == [()]
        assert {one.from_ms % intake.PACKET_MS for one in told} == {0}


def test_clipping_behind_a_hole_is_where_it_was(tmp_path: Path, new_shelf: NewShelf) -> None:
    sound, share = loud(48_000)
    path = encode(tmp_path / "call.flac", "flac", 48_000, sound, given_hz=48_000)
    spoil(path, 0.42, 0.5)  # at the end of what is said first
    shelf = new_shelf()
    begin(call_of(path), shelf, "a")
    assert clipped(shelf, "a") == pytest.approx([share] * 2, abs=0.012)
    assert any(isinstance(one, SoundMissing) for one in received(shelf))


def test_clipping_of_a_narrow_side_beside_a_wide_one_is_told(tmp_path: Path, new_shelf: NewShelf) -> None:
    sound, share = loud(8_000)
    (law,) = encode_g711(sound[0], 1, sound.shape[1], False, law=Encoding.PCMU)
    (tmp_path / "x-agent.ul").write_bytes(law)
    wide = encode(tmp_path / "x-customer.wav", "pcm_s16le", 16_000, noise(7_000).reshape(1, -1))
    paths = (tmp_path / "x-agent.ul", wide)
    files, sounds = Files(paths, (Role.USER, Role.CONSUMER)), tuple(map(examine, paths))
    call = RecordedCall(sounds, legs_of(files, sounds, agent=None, mono=None), "E", content_id(paths), BEGIN)
    shelf = new_shelf()
    begin(call, shelf, "a")
    assert clipped(shelf, "a") == pytest.approx([share] * 2, abs=0.01)


def test_a_journal_that_tells_nothing_of_clipping_is_read_as_ever(
    tmp_path: Path, new_shelf: NewShelf
) -> None:
    sound, _ = loud(48_000)
    shelf = new_shelf()
    begin(call_of(encode(tmp_path / "call.wav", "pcm_s16le", 48_000, sound, given_hz=48_000)), shelf, "a")
    with shelf.reader("a") as reader, shelf.writer("b") as writer:
        for record in reader.records(START, Kind.RECEIVED):
            assert isinstance(record, Record)
            kept = [one for one in record.entries if not isinstance(one, SoundClipped)]
            writer.write(Kind.RECEIVED, record.arrived_ms, kept)
    assert clipped(shelf, "b") == pytest.approx([0, 0], abs=0.005)


def test_half_a_journal_does_not_stay(tmp_path: Path, talk_file: Path, new_shelf: NewShelf) -> None:
    shelf = new_shelf()

    def stop(done_s: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin(call_of(talk_file), shelf, "a", on_progress=stop)
    assert not shelf.exists("a")
    assert not shelf.has_key("a")
    call = call_of(talk_file)
    talk_file.write_bytes(b"")
    with pytest.raises(RecordingError, match=r"talk\.wav"):
        begin(call, shelf, "a")
    assert not shelf.exists("a")


def test_broken_packets_are_a_gap_with_its_cause(tmp_path: Path, new_shelf: NewShelf) -> None:
    path = encode(tmp_path / "call.ogg", "libopus", 48_000, np.tile(talk(), (1, 2)))
    data = bytearray(path.read_bytes())
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    for page in pages[4:8]:
        data[page] ^= 0xFF
    path.write_bytes(data)
    shelf = new_shelf()
    begin(call_of(path), shelf, "a")
    gaps = [one for one in facts(shelf, "a", CONFIG, PHONES, FakeRecognizer()) if isinstance(one, GapFound)]
    assert {one.channel_id for one in gaps} == {"left", "right"}
    assert {one.cause for one in gaps} == {intake.DAMAGED}
    assert all(one.end_timestamp_ms - one.start_timestamp_ms > 2_000 for one in gaps)


@pytest.mark.parametrize(
    "form", [("flac", "flac", 16_000), ("ogg", "libopus", 48_000), ("mp3", "libmp3lame", 16_000)]
)
@pytest.mark.parametrize(("from_share", "until_share"), [(0.02, 0.3), (0.45, 0.65)])
def test_damage_of_one_side_is_a_gap_of_that_side_at_its_place(
    tmp_path: Path,
    new_shelf: NewShelf,
    form: tuple[str, str, int],
    from_share: float,
    until_share: float,
) -> None:
    suffix, codec, rate_hz = form
    left, right = np.tile(talk(), (1, 3))
    paths = [
        encode(tmp_path / f"x-{side}.{suffix}", codec, rate_hz, sound.reshape(1, -1))
        for side, sound in (("agent", left), ("customer", right))
    ]
    spoil(paths[0], from_share, until_share)
    files = Files(tuple(paths), (Role.USER, Role.CONSUMER))
    sounds = tuple(map(examine, paths))
    call = RecordedCall(sounds, legs_of(files, sounds, agent=None, mono=None), "E", content_id(paths), BEGIN)
    shelf = new_shelf()
    begin(call, shelf, "a")
    found = list(facts(shelf, "a", CONFIG, PHONES, FakeRecognizer()))
    (gap,) = [one for one in found if isinstance(one, GapFound)]
    assert (gap.channel_id, gap.cause) == ("agent", intake.DAMAGED)
    assert 3_000 < gap.end_timestamp_ms - gap.start_timestamp_ms < 9_000
    assert [one.timestamp_ms for one in found if isinstance(one, ClockStarted)] == [BEGIN_MS]
    assert {one.first_timestamp_ms for one in found if isinstance(one, TrackClosed)} == {BEGIN_MS}
    ends_ms = [one.last_timestamp_ms - BEGIN_MS for one in found if isinstance(one, TrackClosed)]
    assert ends_ms == pytest.approx([18_000] * 2, abs=100)
    spoken_ms = [
        one.start_timestamp_ms - BEGIN_MS
        for one in found
        if isinstance(one, UtteranceHeard) and one.channel_id == "agent"
    ]
    assert spoken_ms[-1] == pytest.approx(13_000, abs=100)


def test_a_call_whose_beginning_is_broken_begins_when_it_did(tmp_path: Path, new_shelf: NewShelf) -> None:
    path = encode(tmp_path / "call.ogg", "libopus", 48_000, np.tile(talk(), (1, 3)))
    spoil(path, 0.02, 0.1)
    shelf = new_shelf()
    begin(call_of(path), shelf, "a")
    found = list(facts(shelf, "a", CONFIG, PHONES, FakeRecognizer()))
    assert [one.timestamp_ms for one in found if isinstance(one, ClockStarted)] == [BEGIN_MS]
    assert {one.start_timestamp_ms for one in found if isinstance(one, GapFound)} == {BEGIN_MS}
    assert {one.first_timestamp_ms for one in found if isinstance(one, TrackClosed)} == {BEGIN_MS}


@given(
    st.lists(
        st.tuples(st.integers(0, 40) | st.integers(800, 5_000), st.integers(1, 4_000)), min_size=1, max_size=8
    ),
    st.sampled_from([8_000, 16_000]),
)
def test_packets_hold_all_that_was_read_at_its_place(pieces: list[tuple[int, int]], rate_hz: int) -> None:
    """However the file came in pieces, and wherever holes (whole milliseconds, 50 and more) are."""
    stretches, at = [], 0
    for hole, length in pieces:
        at += (-at) % (rate_hz // 1000) + hole // 16 * 16 if hole >= 800 else 0
        samples = (np.arange(at, at + length) % 30_000).astype(np.int16).reshape(1, -1)
        stretches.append(Stretch(at, samples))
        at += length
    found = list(intake.cut(stretches, 1, rate_hz))
    assert all(samples is None or 0 < samples.shape[1] <= rate_hz // 10 for _, samples in found)
    assert all(position % (rate_hz // 1000) == 0 for position, samples in found if samples is not None)
    got = {
        position + n: int(value)
        for position, one in found
        if one is not None
        for n, value in enumerate(one[0])
    }
    wanted = {one.position + n: int(value) for one in stretches for n, value in enumerate(one.samples[0])}
    assert got == wanted
