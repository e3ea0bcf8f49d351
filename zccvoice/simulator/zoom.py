"""The simulator's server: Zoom's signaling and media WebSockets for many calls at once.

In process, as tests and the demo use it:

    async with running_zoom(app, deliver=post_to(webhook_url), speed=8) as zoom:
        await zoom.probe_webhook()
        truth = await zoom.play(load_scenario(path))
    assert not zoom.violations

One task per connection lives in the nursery of `Zoom.run`; the tasks of a call live in `Zoom.play`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio
from trio_websocket import WebSocketRequest, serve_websocket

from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms.enums import MessageType, StatusCode
from zccvoice.rtms.messages import (
    MediaHandshakeResponse,
    MediaParams,
    MediaServer,
    SignalingHandshakeResponse,
)
from zccvoice.rtms.signature import handshake_signature
from zccvoice.simulator.call import Call
from zccvoice.simulator.handshakes import Identity, check_identity, check_media
from zccvoice.simulator.link import Link
from zccvoice.simulator.progress import OnProgress, Progress, Violation
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.sources import render
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import Deliver, probe

MEDIA_PATHS = {"audio": "/media/audio", "transcript": "/media/transcript", "all": "/media/all"}
"""By key of ``server_urls``. Which media a connection carries is said in message 3, not by its path."""

LARGEST_MESSAGE_BYTES = 65_536
"""No message of a client comes near it."""


@dataclass(frozen=True, slots=True)
class ZoomApp:
    """The app as registered with Zoom: what signs webhooks and handshakes."""

    client_id: str
    client_secret: str = field(repr=False)
    secret_token: str = field(repr=False)


class Zoom:
    """A simulated Zoom for one app and one webhook endpoint.

    Args:
        app: the app's credentials.
        deliver: carries webhooks to the endpoint, see `post_to`; None sends none, for a client that is told
            of its calls in another way.
        speed: how many times faster than real a call is played once its audio flows. Timestamps are always
            those of the real call.
        timing: Zoom's limits; by default those for `speed`.
        on_progress: told of every call's stages and, while it plays, of its position.
    """

    def __init__(
        self,
        app: ZoomApp,
        *,
        deliver: Deliver | None,
        speed: float = 1.0,
        timing: Timing | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._app = app
        self._deliver = deliver
        self._speed = speed
        self._timing = timing or Timing().at_speed(speed)
        self._on_progress = on_progress or _ignore
        self._origin = ""
        self._calls: dict[str, Call] = {}  # by stream id
        self._violations: list[Violation] = []

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Everything the client did wrong so far, in order."""
        return tuple(self._violations)

    @property
    def signaling_url(self) -> str:
        """The URL that started webhooks tell; known once the server runs."""
        return f"{self._origin}/signaling"

    async def run(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled; ``started()`` gives the port once it listens (0 has the system choose).

        Cancelling ends all connections at once.
        """
        async with trio.open_nursery() as serving:
            serve = partial(serve_websocket, max_message_size=LARGEST_MESSAGE_BYTES)
            server = await serving.start(serve, self.serve_connection, host, port, None)
            self._origin = f"ws://{host}:{server.port}"
            task_status.started(server.port)

    async def probe_webhook(self) -> bool:
        """Send the endpoint Zoom's ``endpoint.url_validation``; a wrong answer is a violation and False."""
        complain = partial(self._complain, "")
        return self._deliver is None or await probe(
            self._deliver, self._app.secret_token, self._timing, complain
        )

    async def play(self, scenario: Scenario, *, event_ts_ms: int | None = None) -> CallTruth:
        """Play one call from its started to its stopped webhook and return what was really sent.

        Several may play at once. Cancelling ends the call without a goodbye.

        Args:
            scenario: the call; its stream id must not be playing already.
            event_ts_ms: epoch milliseconds of its first audio; now, when None.

        Raises:
            ScenarioError: its sound cannot be made.
        """
        recording = await trio.to_thread.run_sync(render, scenario)
        app, ids = self._app, (scenario.engagement_id, scenario.stream_id)
        identity = Identity(*ids, handshake_signature(app.client_id, app.client_secret, *ids))
        call = Call(
            scenario,
            recording,
            identity,
            event_ts_ms=int(time.time() * 1_000) if event_ts_ms is None else event_ts_ms,
            speed=self._speed,
            timing=self._timing,
            complain=partial(self._complain, scenario.engagement_id),
            on_progress=self._on_progress,
        )
        assert scenario.stream_id not in self._calls, "this stream is playing already"
        self._calls[scenario.stream_id] = call
        try:
            return await call.run(self._deliver, app.secret_token, self.signaling_url)
        finally:
            del self._calls[scenario.stream_id]

    async def serve_connection(self, request: WebSocketRequest) -> None:
        """Serve one WebSocket, from its upgrade request to its end."""
        offered = request.proposed_subprotocols
        # Zoom's SDK offers the subprotocol "websocket" and takes either answer.
        websocket = await request.accept(subprotocol=offered[0] if offered else None)
        which = "signaling" if request.path == "/signaling" else "media"
        link = Link(websocket, which, self._timing, partial(self._complain, ""))
        if request.path != "/signaling" and request.path not in MEDIA_PATHS.values():
            link.complain(f"no such path: {request.path}")
        else:
            fields: dict[str, Any] | None = None
            with trio.move_on_after(self._timing.handshake_s) as patience:
                fields = await link.receive()
            if fields is not None:
                await (self._serve_signaling if which == "signaling" else self._serve_media)(link, fields)
            elif patience.cancelled_caught:
                link.complain("no handshake after connecting")
        await link.close()

    def _find(self, link: Link, fields: dict[str, Any], expected: MessageType) -> Call:
        """The call a handshake is for; from here on complaints are under its name."""
        which = link.name
        if fields["msg_type"] != expected:
            reason = f"expected {expected.name} first, got {fields['msg_type']}"
            raise HandshakeRefusedError(which, StatusCode.INVALID_MESSAGE_TYPE, reason)
        call = self._calls.get(str(fields.get("rtms_stream_id")))
        if call is None:
            raise HandshakeRefusedError(which, StatusCode.INVALID_RTMS_STREAM_ID, "unknown rtms_stream_id")
        link.report_to(call.complain)
        link.is_binary = call.scenario.faults.binary_frames
        check_identity(which, fields, call.identity)
        if "protocol_version" not in fields:
            link.complain(f"message {expected} without protocol_version")  # tolerated, as Zoom does
        return call

    async def _serve_signaling(self, link: Link, fields: dict[str, Any]) -> None:
        try:
            call = self._find(link, fields, MessageType.SIGNALING_HAND_SHAKE_REQ)
            if call.attendance.signaling is not None or call.refusals_left:
                duplicate = StatusCode.DUPLICATE_SIGNAL_REQUEST
                if not (provoked := call.refusals_left > 0):
                    link.complain("a second signaling connection beside a living one")
                call.refusals_left -= provoked
                await link.send(
                    SignalingHandshakeResponse(status_code=duplicate, reason="duplicate signal request")
                )
                return
        except HandshakeRefusedError as refusal:
            link.complain(str(refusal))
            await link.send(
                SignalingHandshakeResponse(status_code=refusal.status_code, reason=refusal.reason)
            )
            return
        urls = {key: f"{self._origin}{path}" for key, path in MEDIA_PATHS.items()}
        # Answered before it is attached: nothing may come on the connection before message 2.
        await link.send(
            SignalingHandshakeResponse(status_code=StatusCode.OK, media_server=MediaServer(server_urls=urls))
        )
        call.signaling_opened(link, wants_buffered=fields.get("buffer_data") is not False)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.keep_alive, call.now_ms)
                while (fields_or_none := await link.receive()) is not None:
                    await call.receive_on_signaling(link, fields_or_none)
                nursery.cancel_scope.cancel()
        finally:
            call.signaling_closed(link)

    async def _serve_media(self, link: Link, fields: dict[str, Any]) -> None:
        try:
            call = self._find(link, fields, MessageType.DATA_HAND_SHAKE_REQ)
            terms = check_media(fields)
            call.check_attachable(terms)
        except HandshakeRefusedError as refusal:
            link.complain(str(refusal))
            await link.send(MediaHandshakeResponse(status_code=refusal.status_code, reason=refusal.reason))
            return
        media = call.media_opened(link, terms)
        try:
            params = MediaParams(audio=terms.audio, transcript=terms.transcript)
            await link.send(MediaHandshakeResponse(status_code=StatusCode.OK, media_params=params))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.keep_alive, call.now_ms)
                while (fields_or_none := await link.receive()) is not None:
                    if fields_or_none["msg_type"] == MessageType.KEEP_ALIVE_RESP:
                        link.keep_alive_answered(fields_or_none)
                    else:
                        link.complain(
                            f"message {fields_or_none['msg_type']} is not for a client to send here"
                        )
                nursery.cancel_scope.cancel()
        finally:
            call.media_closed(media)

    def _complain(self, engagement_id: str, what: str) -> None:
        self._violations.append(Violation(engagement_id, what))


@asynccontextmanager
async def running_zoom(
    app: ZoomApp,
    *,
    deliver: Deliver | None,
    speed: float = 1.0,
    timing: Timing | None = None,
    on_progress: OnProgress | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Zoom]:
    """A `Zoom` that serves until the block is left; the arguments are those of `Zoom` and `Zoom.run`.

    An error of the block comes out as itself, not in the exception group of the server's nursery.
    """
    zoom = Zoom(app, deliver=deliver, speed=speed, timing=timing, on_progress=on_progress)
    try:
        async with trio.open_nursery() as serving:
            await serving.start(partial(zoom.run, host=host, port=port))
            yield zoom
            serving.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, Exception) and not isinstance(error, ExceptionGroup):
            raise error from None
        raise


def _ignore(_: Progress) -> None:
    pass
