from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.audio.rtp import unwrap
from zccvoice.errors import DecodeError


@st.composite
def packets(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """An RTP packet and its payload."""
    payload = draw(st.binary(min_size=1, max_size=40))
    sources = draw(st.lists(st.binary(min_size=4, max_size=4), max_size=15))
    extension = draw(st.none() | st.integers(0, 5))
    padding = draw(st.integers(0, 8))
    first = 0x80 | len(sources) | (0x10 if extension is not None else 0) | (0x20 if padding else 0)
    packet = bytes([first]) + draw(st.binary(min_size=11, max_size=11)) + b"".join(sources)
    if extension is not None:
        packet += b"\xbe\xde" + extension.to_bytes(2, "big") + bytes(4 * extension)
    packet += payload
    if padding:
        packet += bytes(padding - 1) + bytes([padding])
    return packet, payload


@given(packets())
def test_the_payload_is_found_behind_whatever_header(case: tuple[bytes, bytes]) -> None:
    packet, payload = case
    assert unwrap(packet) == payload


@given(st.binary(max_size=80))
def test_anything_is_a_payload_or_refused(packet: bytes) -> None:
    try:
        payload = unwrap(packet)
    except DecodeError as error:
        told = str(error)
    else:
        assert 0 < len(payload) <= len(packet) - 12
        return
    assert packet[:8].hex() in told


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x80" + bytes(11), id="no payload"),
        pytest.param(b"\x40" + bytes(20), id="version 1"),
        pytest.param(b"\x8f" + bytes(40), id="sources beyond the end"),
        pytest.param(b"\x90" + bytes(11) + b"\0\0\xff\xff" + bytes(9), id="an extension beyond the end"),
        pytest.param(b"\xa0" + bytes(20) + b"\xff", id="more padding than there is"),
        pytest.param(b"\xa0" + bytes(20), id="padding of nothing"),
    ],
)
def test_what_is_refused(packet: bytes) -> None:
    with pytest.raises(DecodeError, match="RTP packet: expected version 2"):
        unwrap(packet)
