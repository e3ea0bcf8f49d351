from __future__ import annotations

import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.journal.record import (
    HEADER_BYTES,
    LONGEST_BYTES,
    LONGEST_HEADER_BYTES,
    MOST_GENERATIONS,
    OVERHEAD_BYTES,
    TAG_BYTES,
    Header,
    Kind,
    find_header,
    parse_header,
    seal,
    unseal,
)

KEY = AESGCM(bytes(range(32)))
kinds = st.sampled_from(Kind)
generations = st.integers(0, MOST_GENERATIONS - 1)
offsets = st.integers(0, 2**48)


@given(generations, offsets, kinds, st.binary(max_size=300))
def test_what_is_sealed_is_unsealed(generation: int, offset: int, kind: Kind, content: bytes) -> None:
    record = seal(KEY, generation, offset, kind, content)
    assert parse_header(record) == Header(kind, generation, len(content) + TAG_BYTES)
    assert len(record) == len(content) + OVERHEAD_BYTES
    assert unseal(KEY, offset, record) == content


def test_a_record_opens_only_where_it_was_written_and_with_its_key() -> None:
    record = seal(KEY, 0, 1000, Kind.RECEIVED, b"content")
    assert unseal(KEY, 1001, record) is None
    assert unseal(AESGCM(bytes(32)), 1000, record) is None


def test_the_header_is_sealed_too() -> None:
    record = seal(KEY, 0, 1000, Kind.RECEIVED, b"content")
    for generation, kind in ((1, Kind.RECEIVED), (0, Kind.DERIVED)):
        other = seal(KEY, generation, 1000, kind, b"content")[:HEADER_BYTES]
        assert parse_header(other) is not None
        assert unseal(KEY, 1000, other + record[HEADER_BYTES:]) is None


@pytest.mark.parametrize("size", range(HEADER_BYTES + TAG_BYTES + 3))
def test_less_than_a_record_is_none(size: int) -> None:
    assert unseal(KEY, 0, seal(KEY, 0, 0, Kind.RECEIVED, b"more")[:size]) is None


@given(kinds, generations, st.integers(0, 2**16))
def test_a_header_with_a_wrong_byte_is_none(kind: Kind, generation: int, length: int) -> None:
    header = seal(KEY, generation, 0, kind, bytes(length))[:HEADER_BYTES]
    assert parse_header(header) is not None
    for at in range(HEADER_BYTES):
        for wrong in range(256):
            if wrong != header[at]:
                assert parse_header(header[:at] + bytes([wrong]) + header[at + 1 :]) is None


@pytest.mark.parametrize(
    ("kind", "length", "is_header"),
    [
        (0, TAG_BYTES, True),
        (1, LONGEST_BYTES, True),
        (2, TAG_BYTES, False),
        (0, TAG_BYTES - 1, False),
        (0, LONGEST_BYTES + 1, False),
    ],
)
def test_a_header_is_what_it_was_in_the_first_version(kind: int, length: int, is_header: bool) -> None:
    assert parse_header(old_header(kind, length)) == (
        Header(Kind(kind), 7, length, LONGEST_HEADER_BYTES) if is_header else None
    )


@pytest.mark.parametrize(
    ("mark", "size", "wanted"),
    [
        (b"\x5c\x3a", 0, Header(Kind.RECEIVED, 7, TAG_BYTES)),
        (b"\x5c\xc5", LONGEST_BYTES - TAG_BYTES, Header(Kind.DERIVED, 7, LONGEST_BYTES)),
        (b"\x5c\x3a", LONGEST_BYTES - TAG_BYTES + 1, None),
        (b"\x5c\xa3", 0, None),
    ],
)
def test_a_header_is_what_it_was_in_the_second_version(mark: bytes, size: int, wanted: Header | None) -> None:
    fields = mark + b"\7" + size.to_bytes(3, "little")
    assert parse_header(fields + (zlib.crc32(fields) & 0xFFFF).to_bytes(2, "little")) == wanted


def old_header(kind: int, length: int) -> bytes:
    fields = b"\xa3\xc5" + bytes([kind, 7]) + length.to_bytes(4, "little")
    return fields + (zlib.crc32(fields) & 0xFFFF).to_bytes(2, "little")


@given(kinds, st.integers(TAG_BYTES, 2**16))
def test_an_old_header_with_a_wrong_byte_is_none(kind: Kind, length: int) -> None:
    header = old_header(kind, length)
    assert parse_header(header) is not None
    for at in range(len(header)):
        for wrong in range(256):
            if wrong != header[at]:
                assert parse_header(header[:at] + bytes([wrong]) + header[at + 1 :]) is None
    assert [parse_header(header[:size]) for size in range(len(header))] == [None] * len(header)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_header_or_none(data: bytes) -> None:
    header = parse_header(data)
    assert header is None or TAG_BYTES <= header.length <= LONGEST_BYTES


@given(
    st.lists(
        st.sampled_from([b"\xa3\xc5", b"\x5c\x3a", b"\x5c\xc5", b"\xa3", b"\x5c", b"\xc5\0\1"])
        | st.binary(max_size=6),
        max_size=30,
    )
)
def test_the_next_header_is_found_in_whatever_stands_before_it(pieces: list[bytes]) -> None:
    noise = b"".join(pieces)
    record = seal(KEY, 3, 77, Kind.DERIVED, b"content")
    assert find_header(noise) is None
    assert find_header(noise + record + noise) == len(noise)
    assert find_header(noise + record, len(noise)) == len(noise)
    assert find_header(noise + record, len(noise) + 1) is None
    assert find_header(noise + record[: HEADER_BYTES - 1]) is None, "half a header is none"


def test_a_record_is_as_long_as_readers_allow_and_no_longer() -> None:
    content = bytes(LONGEST_BYTES - TAG_BYTES)
    assert parse_header(seal(KEY, 0, 0, Kind.RECEIVED, content)[:HEADER_BYTES]) is not None
    with pytest.raises(ValueError, match=f"expected at most {LONGEST_BYTES} bytes, got {LONGEST_BYTES + 1}"):
        seal(KEY, 0, 0, Kind.RECEIVED, content + b"\0")
