"""What this program is measured by in `bench media`: a bare socket, and Zoom's SDK."""

from __future__ import annotations

import base64
import json
import os
import struct
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import trio

from zccvoice.bench.media_load import APP
from zccvoice.bench.media_tally import CONNECTED_S, SETTLED_S, Tally, Watch, cpu_s, memory_bytes
from zccvoice.config import Config
from zccvoice.daemon.tcp import WaitingStream, open_tcp
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.webhook import StreamStarted


async def bare_socket(
    streams: Sequence[StreamStarted], config: Config, watch: Watch, *, task_status: Any
) -> None:
    """What receiving cannot cost less than: a task of Trio's for each media connection, which counts bytes."""
    async with trio.open_nursery() as nursery:
        for started in streams:
            nursery.start_soon(_read_bytes, started, config.zoom.audio_send_rate_ms, watch)
        task_status.started()


async def _read_bytes(started: StreamStarted, rate_ms: int, watch: Watch) -> None:
    """Handshakes with as little as will do, then nothing but reading."""
    port = int(started.server_url.split(":")[2].split("/")[0])
    identity = StreamIdentity.sign(
        started.product, started.engagement_id, started.stream_id, APP.client_id, APP.client_secret
    )
    ids = {"protocol_version": 1, "sequence": 1, "meeting_uuid": started.engagement_id}
    ids |= {"rtms_stream_id": started.stream_id, "signature": identity.signature}
    audio = {
        "content_type": 2,
        "sample_rate": 1,
        "channel": 1,
        "codec": 1,
        "data_opt": 2,
        "send_rate": rate_ms,
    }
    signaling = await _open(port, "/signaling", {"msg_type": 1, **ids})
    media = await _open(
        port, "/media/audio", {"msg_type": 3, "media_type": 1, "media_params": {"audio": audio}, **ids}
    )
    await signaling.send_all(_frame({"msg_type": 7, "rtms_stream_id": started.stream_id}))
    while data := await media.receive_some(2**16):
        watch.heard(started.stream_id)
        watch.tally.received_bytes += len(data)


async def _open(port: int, path: str, handshake: dict[str, Any]) -> WaitingStream:
    stream = await open_tcp("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    await stream.send_all(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    while not (await stream.receive_some()).endswith(b"\r\n\r\n"):
        pass
    await stream.send_all(_frame(handshake))
    await stream.receive_some(2**16)
    return stream


def _frame(message: dict[str, Any]) -> bytes:
    """A text frame, masked with zeros, long enough for the one form of its length."""
    raw = json.dumps(message).encode().ljust(126)
    return struct.pack("!BBH4x", 0x81, 0x80 | 126, len(raw)) + raw


def zooms_sdk(folder: str, streams: Sequence[StreamStarted], rate_ms: int, seconds: float) -> Tally:
    """Zoom's SDK on one thread, as its documents have it, doing nothing with what comes; logs in `folder`."""
    os.environ["ZM_RTMS_LOG_ENABLED"] = "false"
    import rtms  # where the package is missing, the others are measured all the same

    Path(folder, "logs").mkdir()
    os.chdir(folder)
    tally, heard = Tally(), set()
    before = memory_bytes()
    clients = []

    def note(stream_id: str, data: bytes, size: int, timestamp: int, about: Any) -> None:
        heard.add(stream_id)
        tally.messages += 1

    for started in streams:
        client = rtms.Client()
        client.on_audio_data(partial(note, started.stream_id))
        client.set_audio_params(rtms.AudioParams(2, 1, 1, 1, 2, rate_ms, 16 * rate_ms))
        client._pending_join_params = {
            "meeting_uuid": started.engagement_id,
            "rtms_stream_id": started.stream_id,
            "server_urls": started.server_url,
            "client": APP.client_id,
            "secret": APP.client_secret,
            "timeout": 30_000,
        }
        client._do_alloc_and_join()
        clients.append(client)
    poll = partial(rtms._ClientBase.poll, clients[0])  # serves all clients of the thread
    end = time.monotonic() + CONNECTED_S
    while len(heard) < len(streams) and time.monotonic() < end:
        poll()
    end = time.monotonic() + SETTLED_S
    while time.monotonic() < end:
        poll()
    tally.messages = 0
    before_s, begin = cpu_s(), time.monotonic()
    while time.monotonic() < begin + seconds:
        poll()
    tally.cpu_s, tally.wall_s = cpu_s() - before_s, time.monotonic() - begin
    tally.streams, tally.memory_bytes = len(heard), memory_bytes() - before
    return tally
