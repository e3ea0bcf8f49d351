"""The program around Zoom's SDK: one stream, in a process of its own.

    python -m zccvoice.daemon.sdk_child SIGNALING MEDIA     numbers of two open sockets, one message per packet

The SDK wants everything done on the thread that came first, freezes its interpreter when it is called from inside
a callback, and may crash. So callbacks here only copy; what they copied is said between two polls, in Zoom's own
messages, as a server of Zoom's would say it on two connections: the daemon's connection cores take it for one.

Nobody outlives the daemon: when a socket is closed the SDK leaves, and a timer of the system's kills a process
whose interpreter is frozen. The SDK's native log would hold transcripts in clear, so it may write no file.

Source: package `rtms` 1.1.0, as it was seen to behave.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import rtms

from zccvoice.rtms import wire
from zccvoice.rtms.enums import SampleRate, SessionState, StreamState
from zccvoice.rtms.messages import (
    AudioContent,
    AudioData,
    EventSubscription,
    KeepAliveRequest,
    MediaHandshakeRequest,
    MediaHandshakeResponse,
    MediaServer,
    SessionStateUpdate,
    SignalingHandshakeRequest,
    SignalingHandshakeResponse,
    StreamCloseRequest,
    StreamStateUpdate,
    TranscriptContent,
    TranscriptData,
    TypedMessage,
)

HEARTBEAT_S = 1.0
"""How often both connections get a keep-alive, which tells that the interpreter is not frozen."""
FROZEN_S = 10.0
"""A call of the SDK's that takes longer does not return."""
MOST_WAITING = 1_000
"""Messages that wait to be said; 4 MB of audio. When full the SDK is not polled, and Zoom's socket waits."""
GOODBYE_S = 0.05
"""The SDK says goodbye to Zoom on a thread of its own."""
LONGEST_ORDER_BYTES = 2**16
NOT_JOINED = {
    1: "no answer in time",
    6: "an answer that it cannot read",
    16: "connection lost",
    504: "host not found",
    610: "certificate refused",
}
"""`on_join_confirm` for what the SDK found itself; every other number is Zoom's status. One that can be both is
taken for the SDK's: WebSockets then find out what Zoom says."""
LOST_UNTOLD = 502
LOST = {16: "no pong", LOST_UNTOLD: "connection lost", 960: "closed by Zoom"}
"""`on_leave` for the loss of a connection; every other number is Zoom's reason for the end."""
_SESSION_STATES = {
    1: SessionState.STARTED,
    2: SessionState.STOPPED,
    3: SessionState.PAUSED,
    4: SessionState.RESUMED,
}
"""By the SDK's number of what became of a session."""


class Child:
    """One stream on its way from the SDK to the daemon."""

    def __init__(self, signaling: socket.socket, media: socket.socket) -> None:
        """Read what is to be asked for; `run` does it.

        Raises:
            EOFError: nobody is there.
        """
        self._signaling, self._media = signaling, media
        self._order: dict[str, Any] = json.loads(self._first_order())
        self._client = rtms.Client()
        self._to_say: deque[tuple[socket.socket, TypedMessage | str]] = deque()
        self._has_media = self._is_done = False
        self._beat_due = 0.0
        self._connections: frozenset[str] | None = None
        self._misses_some = False
        self._heard: tuple[int, float] | None = None
        self.status = 0
        """Of the process: 1 when the SDK could not do it."""

    def run(self) -> None:
        """Serve the daemon until the stream is over, lost, or no longer wanted."""
        try:
            while not self._is_done:
                signal.setitimer(signal.ITIMER_REAL, FROZEN_S)
                self._take_orders()
                if self._client._running and len(self._to_say) < MOST_WAITING:
                    with suppress(RuntimeError):  # a participant list it cannot read; it goes on
                        rtms._ClientBase.poll(self._client)
                else:
                    time.sleep(0.01)
                signal.setitimer(signal.ITIMER_REAL, 0)
                self._say_all()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass  # the daemon wants no more
        signal.setitimer(signal.ITIMER_REAL, FROZEN_S)
        if self._client._running:
            self._client.leave()
            time.sleep(GOODBYE_S)

    # What the daemon says

    def _first_order(self) -> bytes:
        if not (order := self._signaling.recv(LONGEST_ORDER_BYTES)):
            raise EOFError
        return order

    def _take_orders(self) -> None:
        for one in (self._signaling, self._media):
            with suppress(BlockingIOError):
                while raw := one.recv(LONGEST_ORDER_BYTES, socket.MSG_DONTWAIT):
                    self._obey(wire.decode(raw))
                raise EOFError

    def _obey(self, message: object) -> None:
        match message:
            case SignalingHandshakeRequest():
                self._join(message)
            case MediaHandshakeRequest():
                # What Zoom answered to its media handshakes the SDK tells nobody.
                self._has_media = True
                self._to_say.appendleft((self._media, MediaHandshakeResponse(status_code=0)))
            case EventSubscription():
                self._client.subscribe_event([one.event_type for one in message.events])
            case StreamCloseRequest():
                self._is_done = True

    def _join(self, identity: SignalingHandshakeRequest) -> None:
        """Order the SDK to connect; the signature comes ready-made, so no secret is in this process."""
        client, audio = self._client, self._order["audio"]
        client.on_join_confirm(self._note_joined)
        client.on_leave(self._note_left)
        client.on_audio_data(self._note_audio)
        client.on_event_ex(lambda event: self._say(self._signaling, f'{{"msg_type":6,"event":{event}}}'))
        client.on_session_update(self._note_session)
        client.set_audio_params(
            rtms.AudioParams(
                content_type=audio["content_type"],
                codec=audio["codec"],
                sample_rate=audio["sample_rate"],
                channel=audio["channel"],
                data_opt=audio["data_opt"],
                duration=audio["send_rate"],
                frame_size=SampleRate(audio["sample_rate"]).hz * audio["send_rate"] // 1_000,
            )
        )
        if (transcript := self._order["transcript"]) is not None:
            client.on_transcript_data(self._note_transcript)
            if transcript["src_language"] is not None:
                params = rtms.TranscriptParams()
                params.src_language, params.enable_lid = transcript["src_language"], False
                client.set_transcript_params(params)
        client._pending_join_params = {
            "meeting_uuid": identity.meeting_uuid,
            "rtms_stream_id": identity.rtms_stream_id,
            "server_urls": self._order["url"],
            "signature": identity.signature,
            "timeout": self._order["timeout_ms"],
        }
        client._do_alloc_and_join()

    # What the SDK says, on this thread, in the middle of a poll

    def _say(self, to: socket.socket, message: TypedMessage | str) -> None:
        self._to_say.append((to, message))

    def _note_joined(self, reason: int) -> None:
        if reason in NOT_JOINED:
            self._give_up(reason, NOT_JOINED[reason], status=1)
        elif reason:
            self._say(self._signaling, SignalingHandshakeResponse(status_code=reason))
            self._is_done = True
        else:
            server = MediaServer(server_urls={"all": self._order["media_url"]})
            self._say(self._signaling, SignalingHandshakeResponse(status_code=0, media_server=server))
            self._connections = _tcp_connections()

    def _note_left(self, reason: int) -> None:
        if reason in LOST:
            self._give_up(reason, LOST[reason], status=0)
            return
        ended = StreamStateUpdate(
            state=StreamState.TERMINATED, reason=None if reason < 0 else reason, timestamp=self._zooms_time()
        )
        self._say(self._signaling, ended)
        self._is_done = True

    def _give_up(self, reason: int, meaning: str, *, status: int) -> None:
        self._say(self._signaling, f"closed {reason} {meaning}")
        self.status, self._is_done = status, True

    def _note_audio(self, data: bytes, size: int, timestamp: int, about: Any) -> None:
        self._heard = timestamp, time.monotonic()
        content = AudioContent(data=data, timestamp=timestamp, user_id=_user_id(about))
        self._say(self._media, AudioData(content=content))

    def _note_transcript(self, data: bytes, size: int, timestamp: int, about: Any) -> None:
        content = TranscriptContent(
            data=data.decode("utf-8", "replace"),
            timestamp=timestamp,
            user_id=_user_id(about),
            start_time=about.startTs,
            end_time=about.endTs,
        )
        self._say(self._media, TranscriptData(content=content))

    def _note_session(self, operation: int, session: Any) -> None:
        if (state := _SESSION_STATES.get(operation)) is not None:
            update = SessionStateUpdate(
                state=state, rtms_session_id=str(session.sessionId), timestamp=self._zooms_time()
            )
            self._say(self._signaling, update)

    def _zooms_time(self) -> int | None:
        """What Zoom's clock says by what was heard last: the SDK keeps the times of these messages to itself."""
        if self._heard is None:
            return None
        timestamp, heard_at = self._heard
        return timestamp + int((time.monotonic() - heard_at) * 1_000)

    # Between two polls

    def _say_all(self) -> None:
        """Hand over what waits; media only to a daemon that has asked for them."""
        self._beat()
        waiting, self._to_say = self._to_say, deque()
        for to, message in waiting:
            if to is self._media and not self._has_media:
                self._to_say.append((to, message))
            else:
                self._send(to, message if isinstance(message, str) else wire.encode(message))

    def _send(self, to: socket.socket, text: str) -> None:
        raw = text.encode()
        while not _has_taken(to, raw):
            select.select([], [to], [], HEARTBEAT_S)
            self._beat()

    def _beat(self) -> None:
        now = time.monotonic()
        if now >= self._beat_due:
            self._beat_due = now + HEARTBEAT_S
            self._look_after_connections()
            for one in (self._signaling, self._media) if self._has_media else (self._signaling,):
                _has_taken(one, wire.encode(KeepAliveRequest()).encode())

    def _look_after_connections(self) -> None:
        """The SDK connects again without a word, subscribes to nothing, and what was lost is nowhere told.

        So a connection that is gone is the end; but first the SDK may tell that it is the end of the stream.
        """
        if self._connections is None or self._is_done or self._connections <= _tcp_connections():
            return
        if self._misses_some:
            self._give_up(LOST_UNTOLD, LOST[LOST_UNTOLD], status=0)
        self._misses_some = True


def _has_taken(to: socket.socket, raw: bytes) -> bool:
    """Whether there was room for it: the daemon may not be able to keep up."""
    try:
        to.send(raw, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    return True


def _tcp_connections() -> frozenset[str]:
    """Every TCP connection of this process, under a name that none of them has again."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # gone in the meantime
            if (name := str(path.readlink())).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(path.name))) as one:
                    if one.type is socket.SOCK_STREAM and one.family is not socket.AF_UNIX:
                        found.add(name)
    return frozenset(found)


def _user_id(about: Any) -> int | None:
    """Whose it is; None for a mix, and for what the SDK cannot tell."""
    user_id: int = about.userId
    return user_id if user_id > 0 else None


def main(signaling: int, media: int) -> int:
    """Run one child on two sockets; the exit status."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    child = Child(socket.socket(fileno=signaling), socket.socket(fileno=media))
    child.run()
    return child.status


if __name__ == "__main__":
    os._exit(main(*map(int, sys.argv[1:])))  # the library's threads would hold the interpreter
