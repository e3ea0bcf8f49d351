from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.journal.varint import ByteReader, put_signed, put_varint


@given(st.lists(st.integers(0, 2**70 - 1)), st.lists(st.integers(-(2**69) + 1, 2**69 - 1)))
def test_numbers_are_read_as_they_were_written(numbers: list[int], signed: list[int]) -> None:
    out = bytearray()
    for number in numbers:
        put_varint(out, number)
    for number in signed:
        put_signed(out, number)
    reader = ByteReader(bytes(out))
    assert [reader.varint() for _ in numbers] == numbers
    assert [reader.signed() for _ in signed] == signed
    assert reader.is_done


@pytest.mark.parametrize(
    ("number", "size"), [(0, 1), (127, 1), (128, 2), (2**14 - 1, 2), (2**14, 3), (2**70 - 1, 10)]
)
def test_small_numbers_are_short(number: int, size: int) -> None:
    out = bytearray()
    put_varint(out, number)
    assert len(out) == size


@pytest.mark.parametrize("number", [-1, 2**70])
def test_what_no_reader_would_take_is_not_written(number: int) -> None:
    out = bytearray()
    with pytest.raises(OverflowError, match=f"expected a number of 70 bits, got {number}"):
        put_varint(out, number)
    assert not out


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80" * 10 + b"\1"])
def test_a_number_that_does_not_end_is_refused(data: bytes) -> None:
    with pytest.raises(IndexError):
        ByteReader(data).varint()


def test_bytes_that_are_not_there_are_refused() -> None:
    reader = ByteReader(b"\3abc\4abc")
    assert reader.bytes() == b"abc"
    with pytest.raises(IndexError):
        reader.bytes()
