"""Frames that RFC 6455 forbids, or hardly allows, on a living stream: they cost their connection at most, and that
connection is made again. After Autobahn's test suite for WebSockets, cases 1 to 7 and 10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from tests.daemon.test_receiver import audio, receive
from zccvoice.rtms.events import MessageRejected, StreamEnded
from zccvoice.simulator.frames import Opcode, frame

NOBODY = b'{"msg_type":77}'
AT_MS = 2_000
HARMLESS = {
    "empty text": frame(Opcode.TEXT, b""),
    "empty binary": frame(Opcode.BINARY, b""),
    "binary": frame(Opcode.BINARY, NOBODY),
    "ping of 125 bytes": frame(Opcode.PING, b"\xfe" * 125),
    "ten pings": frame(Opcode.PING, b"now") * 10,
    "pong that nobody asked for": frame(Opcode.PONG, b"never"),
    "fragments of one byte": frame(Opcode.TEXT, NOBODY[:1], is_final=False)
    + b"".join(frame(Opcode.CONTINUATION, bytes([byte]), is_final=False) for byte in NOBODY[1:])
    + frame(Opcode.CONTINUATION, b""),
    "a character in two fragments": frame(Opcode.TEXT, '{"msg_type":77,"n":"ä'.encode()[:-1], is_final=False)
    + frame(Opcode.CONTINUATION, b'\xa4"}'),
    "ping between fragments": frame(Opcode.TEXT, NOBODY[:4], is_final=False)
    + frame(Opcode.PING, b"between")
    + frame(Opcode.CONTINUATION, NOBODY[4:]),
    "a megabyte, nearly": frame(Opcode.TEXT, b'{"msg_type":77,"x":"' + b"x" * 1_000_000 + b'"}'),
    "deeply nested": frame(Opcode.TEXT, b"[" * 100_000),
}
FATAL = {
    "two megabytes": frame(Opcode.TEXT, b"x" * 2**21),
    "two megabytes in fragments": frame(Opcode.TEXT, b"x" * 2**20, is_final=False) * 1
    + frame(Opcode.CONTINUATION, b"x" * 2**20),
    "announced as 2^63 - 1 bytes": b"\x81\x7f" + (2**63 - 1).to_bytes(8, "big") + b"x" * 2**21,
    "length with the highest bit": b"\x81\x7f" + b"\xff" * 8,
    "bad UTF-8": frame(Opcode.TEXT, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"),
    "bad UTF-8 at the end of fragments": frame(Opcode.TEXT, b'{"a":"', is_final=False)
    + frame(Opcode.CONTINUATION, b"\xf8"),
    "reserved data opcode": b"\x83\x00",
    "reserved control opcode": b"\x8b\x00",
    "reserved bit": b"\xc1\x02{}",
    "all reserved bits": b"\xf1\x02{}",
    "ping of 126 bytes": frame(Opcode.PING, b"x" * 126),
    "ping in fragments": frame(Opcode.PING, b"x", is_final=False),
    "continuation of nothing": frame(Opcode.CONTINUATION, NOBODY),
    "text within text": frame(Opcode.TEXT, b"{", is_final=False) + frame(Opcode.TEXT, NOBODY),
    "masked by the server": b"\x81\x82abcd" + bytes(a ^ b for a, b in zip(b"{}", b"ab", strict=True)),
    "close without a code": frame(Opcode.CLOSE, b""),
    "close with one byte": frame(Opcode.CLOSE, b"\x03"),
    "close with an impossible code": frame(Opcode.CLOSE, b"\x03\xed"),
    "close with bad UTF-8": frame(Opcode.CLOSE, b"\x03\xe8\xff"),
    "close, and more": frame(Opcode.CLOSE, b"\x03\xe8") + frame(Opcode.TEXT, NOBODY),
    "HTTP": b"HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("where", ["signaling", "media"])
@pytest.mark.parametrize("name", [*HARMLESS, *FATAL])
async def test_abuse_costs_its_connection_at_most(
    name: str, where: str, memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    async with memory_zoom() as zoom:

        async def abuse() -> None:
            await trio.sleep(AT_MS / 1_000)
            (call,) = zoom.zoom._calls.values()
            for link in call.attendance.links():
                link.was_provoked = True
                if link.name == where:
                    await link.send_bytes((HARMLESS | FATAL)[name])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(abuse)
            events, truth = await receive(zoom)
        assert zoom.zoom.violations == ()
    assert truth is not None
    assert events[-1] == StreamEnded("customer_disconnected", "Zoom ended the stream")
    if name in HARMLESS:
        assert len(zoom.connected) == 2, "nothing was lost"
        assert sum(isinstance(one, MessageRejected) for one in events) <= 1
    else:
        assert len(zoom.connected) == {"signaling": 4, "media": 3}[where], "what broke is made again, once"
        first = next(one for one in truth.connections if one.name == where)
        assert first.closed_ms < AT_MS + 1_000, "Zoom is not left with a connection that nobody reads"
    for track in truth.tracks:
        heard = {one.timestamp_ms for one in audio(events, track.channel_id)}
        assert len(heard) >= track.packets_sent_count - 4, "only what was on its way meanwhile may be lost"


async def test_a_frame_that_is_never_finished_is_silence(
    memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    """Everything after it is taken for its content: the timer of silence has to end that."""
    async with memory_zoom(duration_ms=90_000) as zoom:

        async def abuse() -> None:
            await trio.sleep(AT_MS / 1_000)
            (call,) = zoom.zoom._calls.values()
            call.attendance.signaling.was_provoked = True
            await call.attendance.signaling.send_bytes(b"\x81\x7f" + (2**19).to_bytes(8, "big"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(abuse)
            events, truth = await receive(zoom)
    assert truth is not None
    assert events[-1] == StreamEnded("customer_disconnected", "Zoom ended the stream")
    assert len(zoom.connected) >= 4
    for track in truth.tracks:
        assert len(audio(events, track.channel_id)) >= track.packets_sent_count - 4
