"""Names that are told seldom: who reads from anywhere hears whose sound it is, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.keyring import START_MS, Keyring, Noted, packet, read_all, reader, writer
from tests.journal.test_journal_full import room_up_to
from zccvoice.errors import JournalFullError
from zccvoice.journal.journal import Damage, Record
from zccvoice.journal.record import HEADER_BYTES, Kind
from zccvoice.journal.tracks import BLOCK_BYTES, TrackNumbers

AGENT, CUSTOMER = "0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
RECORD_BYTES = BLOCK_BYTES // 4
CALL = 14
"""Records of the call in every opening: three blocks and a half."""
LATE = 6
"""The record with which the customer joins."""


class Call:
    """A journal of two openings, in which the tracks have other numbers, to be damaged and repaired."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.journal"
        self.keyring = Keyring()
        self.written: list[Record] = []
        for names in ([AGENT, CUSTOMER], [CUSTOMER, AGENT]):
            with writer(self.path, self.keyring) as journal:
                self.written += [
                    journal.write(
                        Kind.RECEIVED,
                        START_MS + number * 250,
                        [
                            packet(number, bytes(RECORD_BYTES // (1 + (number >= LATE))), name)
                            for name in names[: 1 + (number >= LATE)]
                        ],
                    )
                    for number in range(CALL)
                ]
                self.written.append(journal.write(Kind.DERIVED, START_MS, [Noted("understood")]))
        self.data = self.path.read_bytes()

    def damage(self, numbers: Sequence[int]) -> None:
        """These records are damaged, and no others."""
        data = bytearray(self.data)
        for number in numbers:
            data[self.written[number].offset + HEADER_BYTES] ^= 1
        self.path.write_bytes(data)

    def tellers(self, number: int) -> list[set[int]]:
        """For each track of a record the records that tell its name."""
        opening = number // (CALL + 1) * (CALL + 1)
        tellers = []
        for entry in self.written[number].entries:
            if not isinstance(entry, Noted):
                spoken = [
                    at
                    for at in range(opening, opening + CALL)
                    if entry.channel_id in {one.channel_id for one in self.written[at].entries}
                ]
                blocks = [self.written[at].offset // BLOCK_BYTES for at in spoken]
                tellers.append({*spoken[:2], *(spoken[blocks.index(block)] for block in blocks)})
        return tellers

    def read(self, number: int) -> Record | Damage | None:
        """By a reader who knows nothing else."""
        with reader(self.path, self.keyring) as journal:
            return journal.read(self.written[number].offset)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return Call(tmp_path_factory.mktemp("call"))


def damage_of(record: Record) -> Damage:
    return Damage(record.offset, record.end)


def test_a_name_is_told_twice_and_in_every_block() -> None:
    tracks = TrackNumbers()
    told = []
    for number in range(12):
        due = tracks.due([packet(number, b"", AGENT)], number * BLOCK_BYTES // 4 + 8)
        tracks.note_told(due, number * BLOCK_BYTES // 4 + 8)
        told.append(bool(due))
    assert told == [True, True, False, False] + [True, False, False, False] * 2
    assert tracks.due([packet(0, b"", CUSTOMER), Noted("a fact"), packet(0, b"", AGENT)], 0) == [
        CUSTOMER,
        AGENT,
    ]
    assert tracks.numbers == {AGENT: 0, CUSTOMER: 1}


def test_a_name_that_was_not_written_is_still_due() -> None:
    tracks = TrackNumbers()
    for _ in range(3):
        assert tracks.due([packet(0, b"", AGENT)], 8) == [AGENT]


def test_every_record_is_read_by_who_has_read_no_other(call: Call) -> None:
    call.damage([])
    assert [call.read(number) for number in range(len(call.written))] == call.written
    assert read_all(call.path, call.keyring) == call.written


def test_no_one_damaged_record_costs_another(call: Call) -> None:
    for hit, damaged in enumerate(call.written):
        call.damage([hit])
        wanted = [*call.written[:hit], damage_of(damaged), *call.written[hit + 1 :]]
        assert [call.read(number) for number in range(len(wanted))] == wanted
        assert read_all(call.path, call.keyring) == wanted


@given(st.sets(st.integers(0, 2 * CALL + 1)))
def test_a_record_is_read_as_long_as_another_tells_whose_it_is(call: Call, hit: set[int]) -> None:
    call.damage(sorted(hit))
    wanted = [
        damage_of(record)
        if number in hit or any(tellers <= hit for tellers in call.tellers(number))
        else record
        for number, record in enumerate(call.written)
    ]
    assert read_all(call.path, call.keyring) == wanted
    assert [call.read(number) for number in reversed(range(len(wanted)))] == wanted[::-1]


def test_sound_that_is_nobodys_is_damage_and_never_another_tracks(call: Call) -> None:
    """In the other opening the same numbers mean other tracks."""
    tellers = set().union(*call.tellers(CALL - 1), *call.tellers(LATE))
    call.damage(sorted(tellers))
    found = read_all(call.path, call.keyring)
    assert found[:CALL] == [damage_of(one) for one in call.written[:CALL]]
    assert found[CALL:] == call.written[CALL:], "a fact has no track"
    assert CALL - len(tellers) >= 5, "records that are whole themselves"


def test_a_writer_cuts_nothing_off_for_want_of_a_name(call: Call, tmp_path: Path) -> None:
    call.damage(sorted(set().union(*call.tellers(CALL - 1))))
    last = call.written[CALL - 1]
    copy = tmp_path / "a.journal"
    copy.write_bytes(call.path.read_bytes()[: last.end])
    assert read_all(copy, call.keyring)[-1] == damage_of(last)
    with writer(copy, call.keyring.copy()) as journal:
        assert (journal.cut_bytes, journal.end) == (0, last.end)


@pytest.mark.parametrize("entry", [object(), packet(2**70, b"")], ids=["unknown", "too far"])
def test_a_refused_record_has_told_nothing(path: Path, keyring: Keyring, entry: object) -> None:
    with writer(path, keyring) as journal:
        with pytest.raises((TypeError, OverflowError)):
            journal.write(Kind.RECEIVED, START_MS, [packet(0, b"refused"), entry])
        written = [journal.write(Kind.RECEIVED, START_MS, [packet(number, b"kept")]) for number in range(3)]
    assert read_all(path, keyring) == written


def test_names_are_told_on_a_disk_that_was_full(path: Path, keyring: Keyring) -> None:
    with writer(path, keyring) as journal:
        with room_up_to(journal.end):
            for payload in (b"late", b"refused"):
                with pytest.raises(JournalFullError):
                    journal.write(Kind.RECEIVED, START_MS, [packet(0, payload)])
        late = journal.retry()
        following = journal.write(
            Kind.RECEIVED, START_MS, [packet(1, b"after", CUSTOMER), packet(1, b"after")]
        )
    assert read_all(path, keyring) == [late, following]
