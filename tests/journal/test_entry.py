from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.errors import JournalError
from zccvoice.journal.entry import EntryCodec, names_told, whole_characters
from zccvoice.journal.tracks import TrackNumbers
from zccvoice.rtms.events import AudioReceived, MediaOpened, ParticipantConnected, Role, StreamEnded
from zccvoice.rtms.messages import AudioParams

START_MS = 1_781_000_012_340


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Number(IntEnum):
    ONE = 1
    TWO = 2


class Word(StrEnum):
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Inner:
    text: str
    ratio: float
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner | None
    inners: tuple[Inner, ...]
    colour: Colour
    number: Number | None
    word: Word
    at: datetime | None
    counts: dict[str, int]
    data: bytes = b""


CODEC = EntryCodec([Outer, Inner, ParticipantConnected, StreamEnded, MediaOpened])


def encode(arrived_ms: int, entries: list[Any]) -> bytes:
    """A record that needs no other: it tells all names."""
    tracks = TrackNumbers()
    told = tracks.due(entries, 0)
    return CODEC.encode(arrived_ms, entries, tracks.numbers, told)


def decode(content: bytes) -> tuple[int, list[Any]]:
    decoded = CODEC.decode(content, names_told(content).get)
    if decoded is None:
        raise JournalError("expected no track without a name")
    return decoded


numbers = st.integers(-(2**63), 2**63 - 1)
times = st.datetimes(
    datetime(1971, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
)
ratios = st.floats(allow_nan=False)
inners = st.builds(Inner, st.text(), ratios, st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple))
values: st.SearchStrategy[Any] = st.one_of(
    inners,
    st.builds(
        Outer,
        st.none() | inners,
        st.lists(inners, max_size=3).map(tuple),
        st.sampled_from(Colour),
        st.none() | st.sampled_from(Number),
        st.sampled_from(Word),
        st.none() | times,
        st.dictionaries(st.text(), numbers, max_size=3),
        st.binary(max_size=20),
    ),
    st.builds(
        ParticipantConnected, st.none() | st.text(), st.sampled_from(Role), st.none() | numbers, st.text()
    ),
    st.builds(StreamEnded, st.text(), st.text()),
    st.builds(MediaOpened, st.builds(AudioParams, send_rate=st.integers(20, 1000))),
)
channel_ids = st.text(st.characters() | st.sampled_from("\ud800\udfff"), max_size=5)
timestamps = st.integers(0, 200).map(lambda number: START_MS + number * 20) | st.integers(0, 2**63)
packets = st.builds(AudioReceived, channel_ids, timestamps, st.binary(max_size=4))


@given(st.integers(0, 2**63), st.lists(packets | values, max_size=30))
def test_what_is_encoded_is_decoded(arrived_ms: int, entries: list[Any]) -> None:
    assert decode(encode(arrived_ms, entries)) == (arrived_ms, entries)


@given(
    st.integers(25, 300),
    st.lists(st.tuples(st.integers(0, 299), timestamps, st.binary(max_size=3)), min_size=30, max_size=60),
)
def test_any_number_of_tracks_in_one_record(track_count: int, script: list[tuple[int, int, bytes]]) -> None:
    entries = [AudioReceived(f"ch-{track}", START_MS, b"first") for track in range(track_count)]
    entries += [AudioReceived(f"ch-{track % track_count}", at, payload) for track, at, payload in script]
    assert decode(encode(START_MS, entries)) == (START_MS, entries)


@pytest.mark.parametrize("track_count", [31, 32, 33, 129])
def test_tracks_around_the_bounds_of_their_number(track_count: int) -> None:
    entries = [
        AudioReceived(f"ch-{n % track_count}", START_MS + n, bytes([n])) for n in range(2 * track_count - 3)
    ]
    assert decode(encode(START_MS, entries))[1] == entries


@pytest.mark.parametrize("step_ms", [20, 0, -20])
def test_a_packet_as_expected_costs_its_payload(step_ms: int) -> None:
    entries = [AudioReceived("ch-7f31", START_MS + number * step_ms, b"x" * 160) for number in range(12)]
    sizes = [len(encode(START_MS, entries[:count])) for count in range(1, 13)]
    costs = [after - before for before, after in itertools.pairwise(sizes)]
    assert costs[0] <= 162, "the second one tells the step"
    assert costs[1:] == [160] * 10


def decode_or_refuse(content: bytes) -> None:
    """Anything but an answer or a `JournalError` fails the test."""
    try:
        arrived_ms, entries = decode(content)
    except JournalError:
        return
    assert arrived_ms >= 0
    assert all(isinstance(entry, AudioReceived | Inner | Outer | ParticipantConnected | StreamEnded | MediaOpened)
               for entry in entries)  # fmt: skip


@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_refused(content: bytes) -> None:
    decode_or_refuse(content)


@given(st.lists(packets | values, min_size=1, max_size=8), st.data())
def test_changed_content_is_entries_or_refused(entries: list[Any], data: st.DataObject) -> None:
    content = bytearray(encode(START_MS, entries))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 3))
        content[at : at + length] = data.draw(st.binary(max_size=3))
    decode_or_refuse(bytes(content))


@given(st.lists(packets | values, min_size=1, max_size=8))
def test_content_that_ends_too_early_is_refused_or_shorter(entries: list[Any]) -> None:
    content = encode(START_MS, entries)
    for end in range(len(content)):
        try:
            found = decode(content[:end])[1]
        except JournalError:
            continue
        assert found == entries[: len(found)]
        assert len(found) < len(entries)


def test_a_number_that_does_not_end_is_refused() -> None:
    longest = encode(2**70 - 1, [])
    assert len(longest) == 10
    assert decode(longest) == (2**70 - 1, [])
    with pytest.raises(JournalError, match="IndexError in 11 bytes"):
        decode(b"\x80" * 10 + b"\1")


@pytest.mark.parametrize(
    "value",
    [
        b"\x92\xa5Inner" + b"\x91" * 100_000,  # nested without end
        b"\x92\xa5Inner\x81\xa5spans\xdd\xff\xff\xff\xff",  # an array of 4 G entries
        b"\x92\xa5Outer\x81\xa6counts\xdf\xff\xff\xff\xff",
        b"\x92\xdb\xff\xff\xff\xff",  # a name of 4 GiB
        b"\x92\xa2\xff\xfe\x80",  # which is not UTF-8
        b"\x92\xa5Outer\x81\xa2at\xc7\x0c\xff" + b"\xff" * 12,  # in the year 580 G
    ],
)
def test_a_value_that_would_cost_the_machine_is_refused(value: bytes) -> None:
    size = len(value)
    content = b"\1\2" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + value
    with pytest.raises(JournalError, match=r"(DecodeError|ValidationError|RecursionError) in"):
        decode(content)


def test_a_payload_of_a_size_that_is_not_there_is_refused() -> None:
    with pytest.raises(JournalError, match="IndexError"):
        decode(b"\1\1\2ch" + b"\x80\2" + b"\xff" * 9 + b"\1" + b"payload")


def test_a_type_that_is_not_known_is_named_and_nothing_else() -> None:
    old = EntryCodec([Inner])
    with pytest.raises(TypeError, match=r"^journal entry: expected one of Inner, got StreamEnded$"):
        old.encode(START_MS, [StreamEnded("said", "what was said")], {}, [])
    newer = encode(START_MS, [StreamEnded("said", "what was said")])
    with pytest.raises(JournalError, match=r"^journal entry: 'StreamEnded' is not known to this version"):
        old.decode(newer, names_told(newer).get)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (Inner("said \ud800", 0.5, ()), UnicodeEncodeError),
        (Inner("said", 0.5, ((0, 2**70),)), OverflowError),
        (AudioReceived("ch", 2**70, b""), OverflowError),
        (AudioReceived("ch", -(2**70), b""), OverflowError),
    ],
)
def test_a_value_that_no_reader_would_take_is_refused(entry: Any, problem: type[Exception]) -> None:
    with pytest.raises(problem) as refused:
        encode(START_MS, [entry])
    assert "said" not in str(refused.value)


def test_every_text_can_be_made_one_that_is_taken() -> None:
    at, smile = datetime(2026, 11, 27, tzinfo=UTC), Inner("whole \N{GRINNING FACE}", 0.5, ((0, 1),))
    told = Outer(
        Inner("a\ud83db", 0.5, ()), (smile, Inner("\udfff", 1, ())), Colour.RED, None, Word.YES, at, {}
    )
    inner, inners = Inner("a?b", 0.5, ()), (smile, Inner("?", 1, ()))
    assert whole_characters(told) == replace(told, inner=inner, inners=inners)
    untouched = AudioReceived("ch\ud800", 1, b"")
    assert whole_characters(untouched) is untouched, "names of tracks are written another way"


def test_time_does_not_run_before_1970() -> None:
    with pytest.raises(OverflowError, match="expected a number of 70 bits, got -1"):
        encode(-1, [])
