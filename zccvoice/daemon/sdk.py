"""The second transport: Zoom's own SDK, walled off in a process per stream.

A child (`sdk_child`) runs the SDK and says what it tells in Zoom's messages over two sockets, as a server of
Zoom's would. So to `WebSocketReceiver` it is another way to connect, and all its rules hold: what is lost is made
again within Zoom's window, and costs a `ReceptionBroken`. A child that dies, freezes, or gets no answer in time is
such a loss; after `MOST_FAILURES` of one stream it is received over WebSockets.

One process for each stream: the SDK has a single thread for ever, and one that crashes or freezes would take the
others with it. Each costs 20 MB of memory of its own, and a third of a second to start. A contact centre's calls
never come here: the SDK drops their audio, which names channels and not people.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import trio
import trio_websocket

from zccvoice.config import ZoomConfig
from zccvoice.daemon.audio_format import wanted_audio
from zccvoice.daemon.configured_language import ConfiguredLanguage
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.websocket import GOODBYE_S, Connect, connect_websocket
from zccvoice.daemon.websocket_client import LONGEST_MESSAGE_BYTES
from zccvoice.rtms import wire
from zccvoice.rtms.enums import MEETINGS
from zccvoice.rtms.messages import AudioParams, KeepAliveRequest
from zccvoice.rtms.transcript_language import language_of
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

MOST_FAILURES = 3
"""So often the SDK may fail one stream."""
SILENT_S = 10.0
"""A child beats every second once it has started; one that is silent for so long is frozen."""
BUFFER_BYTES = 2**19
"""Room for the longest audio message there is, which must fit whole."""
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "TZ")
"""What Python needs of the environment, where the daemon's secrets are too."""
MEDIA_MARK = "#media-of-the-sdk"
_BEAT = wire.encode(KeepAliveRequest()).encode()
"""What a child says to show that it is not frozen."""
log = get_logger()


def unavailable() -> str | None:
    """Why the SDK cannot be used on this machine; None when it can."""
    if importlib.util.find_spec("rtms") is None:
        return (
            "the package rtms is not installed: it has wheels for Linux on x86-64 with glibc 2.34 and CPython "
            "3.10 to 3.13 only"
        )
    return None


def say_which_transport(settings: ZoomConfig) -> None:
    """Log at start what will not be received as it is configured, and why."""
    if settings.transport != "sdk":
        return
    if (problem := unavailable()) is not None:
        log.error("Zoom's SDK is not there, everything is received over WebSockets", problem=problem)
        return
    log.info(
        "meetings, webinars and Video SDK sessions are received with Zoom's SDK; contact-centre and phone calls "
        "over WebSockets: the SDK drops their audio"
    )


def connect_for(
    settings: ZoomConfig,
    languages: LanguagePolicy,
    started: StreamStarted,
    audio: AudioParams | None = None,
) -> Connect | None:
    """How the connections of a new stream are made; None for the usual way."""
    if settings.transport == "sdk" and started.product in MEETINGS and unavailable() is None:
        return SdkConnect(settings, languages, started, audio)
    return None


class SdkConnect:
    """Makes the connections of one stream through a child of its own. A `Connect`."""

    def __init__(
        self,
        settings: ZoomConfig,
        languages: LanguagePolicy,
        started: StreamStarted,
        audio: AudioParams | None = None,
    ) -> None:
        self._settings = settings
        self._audio = audio or wanted_audio(settings, started.product)
        self._language = ConfiguredLanguage(started, languages)
        self._product = started.product
        self.failures_count = 0
        """How often the SDK has failed this stream."""
        self._media: ChildSocket | None = None

    @asynccontextmanager
    async def __call__(self, url: str, timeout_s: float) -> AsyncGenerator[Any]:
        """A connection to `url`, or to the child that is connected there."""
        if url.endswith(MEDIA_MARK):
            if (media := self._media) is None:
                raise OSError("the SDK has gone")
            yield media
        elif self.failures_count < MOST_FAILURES:
            async with self._child(url, timeout_s) as signaling:
                yield signaling
        else:
            connect = partial(connect_websocket, tls_context=self._settings.tls_context)
            async with connect(url, timeout_s) as websocket:
                yield websocket

    @asynccontextmanager
    async def _child(self, url: str, timeout_s: float) -> AsyncGenerator[ChildSocket]:
        """A child that lives for the block. Killed if it does not end by itself when it is left."""
        with self._failing_without():
            scratch = tempfile.TemporaryDirectory(prefix="zccvoice-sdk-", ignore_cleanup_errors=True)
        with scratch as folder:
            process, near, self._media = await self._begin(folder)
            answer_at = trio.current_time() + timeout_s
            try:
                await near.send_message(self._order(url, timeout_s))
                yield near
            finally:
                self._media.close()
                self._media = None
                near.close()
                with trio.CancelScope(shield=True):
                    is_unanswered = not near.was_answered and trio.current_time() >= answer_at
                    with trio.move_on_after(GOODBYE_S):
                        await process.wait()
                    process.kill()  # does nothing to one that has ended
                    self._note_end(await process.wait(), is_unanswered=is_unanswered)

    async def _begin(self, folder: str) -> tuple[trio.Process, ChildSocket, ChildSocket]:
        """The process, and the connections to it: signaling and media."""
        with self._failing_without(), ExitStack() as far_ends, ExitStack() as near_ends:
            pairs = [_socket_pair() for _ in range(2)]
            signaling, media = (near_ends.enter_context(near) for near, _ in pairs)
            numbers = [far_ends.enter_context(far).fileno() for _, far in pairs]
            process = await trio.lowlevel.open_process(
                [sys.executable, "-P", "-m", "zccvoice.daemon.sdk_child", *map(str, numbers)],
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=self._environment(folder),
                start_new_session=True,  # a Ctrl-C in the terminal is the daemon's
            )
            near_ends.pop_all()
            return process, ChildSocket(signaling), ChildSocket(media)

    @contextmanager
    def _failing_without(self) -> Generator[None]:
        """What the system does not give the SDK is a failure of the SDK's: WebSockets need none of it."""
        try:
            yield
        except OSError as error:
            self._note_failure(f"not begun: {error.strerror}")
            raise

    def _order(self, url: str, timeout_s: float) -> str:
        """What the child is to ask Zoom for; it holds no secret."""
        code = self._language.by_now()  # meetings tell of no queue and no agent
        language = None if code is None else language_of(code)
        transcript = {"src_language": None if language is None else int(language)}
        return json.dumps(
            {
                "url": url,
                "media_url": url + MEDIA_MARK,
                "timeout_ms": int(timeout_s * 1_000),
                "audio": {name: int(getattr(self._audio, name)) for name in self._audio.__struct_fields__},
                "transcript": transcript if self._settings.transcripts else None,
            }
        )

    def _environment(self, folder: str) -> dict[str, str]:
        """What Python and the SDK need, and none of the daemon's secrets."""
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        if self._settings.ca_file is not None:
            kept["ZM_RTMS_CA"] = str(self._settings.ca_file.resolve())
        imports = os.pathsep.join(path for path in sys.path if path)  # what we are made of, it is too
        return {**kept, "PYTHONPATH": imports, "HOME": folder, "ZM_RTMS_LOG_ENABLED": "false"}

    def _note_end(self, status: int, *, is_unanswered: bool) -> None:
        if status == 0 and not is_unanswered:
            return
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        self._note_failure(how if status else "no answer to the handshake in time")

    def _note_failure(self, how: str) -> None:
        self.failures_count += 1
        log.warning(
            "Zoom's SDK failed",
            how=how,
            failures=self.failures_count,
            next="WebSockets" if self.failures_count >= MOST_FAILURES else "another process",
        )


class ChildSocket:
    """One of the two connections to a child, with as much of a WebSocket as `daemon.websocket.Line` needs."""

    def __init__(self, near: socket.socket) -> None:
        self._socket = trio.socket.from_stdlib_socket(near)
        self._buffer = bytearray(LONGEST_MESSAGE_BYTES)
        self.was_answered = False
        """Whether anything of Zoom's has come."""

    async def send_message(self, message: str) -> None:
        """Say it to the child.

        Raises:
            trio_websocket.ConnectionClosed: the child is gone.
        """
        try:
            await self._socket.send(message.encode())
        except OSError:
            raise trio_websocket.ConnectionClosed(None) from None

    async def get_messages(self) -> list[bytes]:
        """What the child says next.

        Raises:
            trio_websocket.ConnectionClosed: the child is gone or frozen, or the SDK gave up.
        """
        message = b""
        with trio.move_on_after(SILENT_S):
            message = await self._receive()
        if message.startswith(b"{"):
            self.was_answered = self.was_answered or message != _BEAT
            return [message]
        if not message:
            raise trio_websocket.ConnectionClosed(None)
        _, code, reason = message.decode().split(" ", 2)
        log.warning("Zoom's SDK gave up", code=int(code), reason=reason)
        raise trio_websocket.ConnectionClosed(trio_websocket.CloseReason(int(code), reason))

    async def _receive(self) -> bytes:
        while True:
            try:
                size = await self._socket.recv_into(self._buffer)
            except ConnectionResetError:
                continue  # it left something of ours unread; what it said before can still be read
            return bytes(memoryview(self._buffer)[:size])

    def close(self) -> None:
        """Hang up; the child leaves the stream and ends."""
        self._socket.close()


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two sockets that keep messages apart, and lose none."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for one in pair:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return pair
