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
from tests.recordings.sounds import encode, spoil
from zccvoice.errors import RecordingError
from zccvoice.journal.journal import START, Record
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.recordings import intake
from zccvoice.recordings.recorded_call import Files, RecordedCall, content_id, legs_of
from zccvoice.recordings.sound_file import Stretch, examine
from zccvoice.recordings.transcription import begin, facts
from zccvoice.rtms.events import AudioReceived, Role
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
