"""The simulator's server: Zoom's signaling and media WebSockets for many calls at once.

In process, as tests and the demo use it:

    async with running_zoom(app, deliver=post_to(webhook_url), speed=8) as zoom:
        await zoom.probe_webhook()
        truth = await zoom.play(load_scenario(path))
    assert not zoom.violations

One task per connection lives in the nursery of `Zoom.run`; the tasks of a call live in `Zoom.play`.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import trio
from trio_websocket import WebSocketRequest, wrap_server_stream

from zccvoice.rtms.enums import StatusCode
from zccvoice.rtms.messages import MediaHandshakeResponse, SignalingHandshakeResponse
from zccvoice.rtms.signature import handshake_signature
from zccvoice.simulator.call import Call
from zccvoice.simulator.certificates import Authority
from zccvoice.simulator.dialect import offered_keys
from zccvoice.simulator.handshakes import Identity
from zccvoice.simulator.link import Link
from zccvoice.simulator.parts import Part, stream_ids
from zccvoice.simulator.products import TRAITS
from zccvoice.simulator.progress import OnProgress, Progress, Violation
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.serving import serve_media, serve_signaling
from zccvoice.simulator.studio import Studio
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.transport import Transport
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import Deliver, probe

_PATH = re.compile(r"(?:/(?P<server>[1-9]\d?))?/(?P<which>signaling|media/(?:audio|transcript|chat|all))")
"""Of the first server without a number. Which media a connection carries is said in message 3, not here."""

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
        origin: ``ws://host:port`` of the URLs that it tells, where `serve_stream` is used instead of `run`.
    """

    def __init__(
        self,
        app: ZoomApp,
        *,
        deliver: Deliver | None,
        speed: float = 1.0,
        timing: Timing | None = None,
        on_progress: OnProgress | None = None,
        origin: str = "",
    ) -> None:
        self._app = app
        self._deliver = deliver
        self._speed = speed
        self._timing = timing or Timing().at_speed(speed)
        self._on_progress = on_progress or _ignore
        self._origin = origin
        self._calls: dict[str, Call] = {}  # by stream id
        self._studio = Studio()
        self._violations: list[Violation] = []

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Everything the client did wrong so far, in order."""
        return tuple(self._violations)

    @property
    def signaling_url(self) -> str:
        """The URL that started webhooks tell; known once the server runs."""
        return self._signaling_url(0)

    def _signaling_url(self, server: int) -> str:
        return f"{self._origin}{_prefix(server)}/signaling"

    def _media_urls(self, call: Call) -> Mapping[str, str]:
        keys = offered_keys(call.scenario.dialect.offer, TRAITS[call.scenario.product].served)
        return {key: f"{self._origin}{_prefix(call.admission.server)}/media/{key}" for key in keys}

    async def run(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        authority: Authority | None = None,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled; ``started()`` gives the port once it listens (0 has the system choose).

        Cancelling ends all connections at once.

        Args:
            host: address to listen on.
            port: port to listen on.
            authority: signs the certificate of ``wss://localhost``; None serves ``ws://``.
            task_status: as Trio has it.
        """
        context = None if authority is None else authority.server_context()

        async def serve(stream: trio.SocketStream) -> None:
            if context is None:
                await self.serve_stream(stream)
            else:
                await self.serve_stream(
                    trio.SSLStream(stream, context, server_side=True, https_compatible=True)
                )

        async with trio.open_nursery() as serving:
            listeners = await serving.start(partial(trio.serve_tcp, serve, port, host=host))
            port = listeners[0].socket.getsockname()[1]
            self._origin = f"ws://{host}:{port}" if context is None else f"wss://localhost:{port}"
            task_status.started(port)

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
        parts = await self._studio.parts(scenario)
        begin_ms = int(time.time() * 1_000) if event_ts_ms is None else event_ts_ms
        truths: list[CallTruth] = []
        for part, stream_id in zip(parts, stream_ids(scenario), strict=False):
            call = self._call(part, scenario, stream_id, begin_ms + part.from_ms)
            assert stream_id not in self._calls, "this stream is playing already"
            self._calls[stream_id] = call
            try:
                truths.append(await call.run())
            finally:
                del self._calls[stream_id]
            if not call.gave_way:
                break
        truth = truths.pop()
        while truths:
            truth = replace(truths.pop(), next_stream=truth)
        return truth

    def _call(self, part: Part, scenario: Scenario, stream_id: str, event_ts_ms: int) -> Call:
        app, engagement_id = self._app, scenario.engagement_id
        signature = handshake_signature(app.client_id, app.client_secret, engagement_id, stream_id)
        named = replace(part.scenario, title=scenario.title, engagement_id=engagement_id, stream_id=stream_id)
        return Call(
            replace(part, scenario=named),
            Identity(engagement_id, stream_id, signature),
            self._studio,
            event_ts_ms=event_ts_ms,
            speed=self._speed,
            timing=self._timing,
            deliver=self._deliver,
            secret_token=app.secret_token,
            server_url=self._signaling_url,
            complain=partial(self._complain, engagement_id),
            on_progress=self._on_progress,
        )

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one connection, from its first byte to its end."""
        transport = Transport(stream)
        try:
            async with trio.open_nursery() as reading:
                request: WebSocketRequest | None = None
                with trio.move_on_after(self._timing.handshake_s):
                    request = await wrap_server_stream(
                        reading, transport, max_message_size=LARGEST_MESSAGE_BYTES
                    )
                if request is None:
                    self._complain("", "no WebSocket upgrade after connecting")
                else:
                    await self._serve(request, transport)
                # The closing handshake is read to its end, if the client takes part in it.
                reading.cancel_scope.deadline = trio.current_time() + self._timing.close_s
        finally:
            await trio.aclose_forcefully(transport)

    async def _serve(self, request: WebSocketRequest, transport: Transport) -> None:
        offered = request.proposed_subprotocols
        # Zoom's SDK offers the subprotocol "websocket" and takes either answer.
        websocket = await request.accept(subprotocol=offered[0] if offered else None)
        path = _PATH.fullmatch(request.path.partition("?")[0])
        which = "media" if path is None else path["which"].partition("/")[0]
        link = Link(websocket, transport, which, self._timing, partial(self._complain, ""))
        if path is None:
            link.complain(f"no such path: {request.path}")
            await link.close()
            return
        fields: dict[str, Any] | None = None
        with trio.move_on_after(self._timing.handshake_s) as patience:
            fields = await link.receive()
        if patience.cancelled_caught:
            link.complain("no handshake after connecting")
        elif fields is not None:
            await self._serve_call(link, fields, int(path["server"] or 1) - 1)
        await link.close()

    async def _serve_call(self, link: Link, fields: dict[str, Any], server: int) -> None:
        call = self._calls.get(str(fields.get("rtms_stream_id")))
        if call is None:
            await _refuse_stranger(link)
        elif call.admission.server != server:  # it is dead; whoever has not been told yet finds out here
            link.was_provoked = True
            await link.abort()
        elif link.name == "signaling":
            await serve_signaling(link, call, fields, self._media_urls)
        else:
            await serve_media(link, call, fields)

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
    authority: Authority | None = None,
) -> AsyncIterator[Zoom]:
    """A `Zoom` that serves until the block is left; the arguments are those of `Zoom` and `Zoom.run`.

    An error of the block comes out as itself, not in the exception group of the server's nursery.
    """
    zoom = Zoom(app, deliver=deliver, speed=speed, timing=timing, on_progress=on_progress)
    try:
        async with trio.open_nursery() as serving:
            await serving.start(partial(zoom.run, host=host, port=port, authority=authority))
            yield zoom
            serving.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, Exception) and not isinstance(error, ExceptionGroup):
            raise error from None
        raise


async def _refuse_stranger(link: Link) -> None:
    status, reason = StatusCode.INVALID_RTMS_STREAM_ID, "unknown rtms_stream_id"
    link.complain(f"{link.name} handshake refused: status {status} ({reason})")
    answer = SignalingHandshakeResponse if link.name == "signaling" else MediaHandshakeResponse
    await link.send(answer(status_code=status, reason=reason))


def _prefix(server: int) -> str:
    """What tells the paths of the servers apart that a failover goes through."""
    return f"/{server + 1}" if server else ""


def _ignore(_: Progress) -> None:
    pass
