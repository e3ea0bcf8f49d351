"""`StreamReceiver` on WebSockets: a stream's connections, again as often as they are lost while Zoom keeps it.

    run ── signaling ──► SignalingOpened ──► a MediaLine for each media connection, in tasks beside it
             │  lost: media are void too, everything is made anew        │ lost: made anew by itself
             │  TERMINATED, refused for good, window closed, `stop`      │ audio given up: the stream is
             └────────────────────────► StreamEnded ◄────────────────────┘

At most one signaling connection at a time: the next one is made when the last one is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

import trio

from zccvoice.analytics.attribution import SPEAKER_UNKNOWN
from zccvoice.config import ZoomConfig
from zccvoice.daemon.audio_format import wanted_audio
from zccvoice.daemon.configured_language import RULE_WAIT_MS, ConfiguredLanguage
from zccvoice.daemon.endings import REVOKED
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.media_line import TERMINATION_WAIT_S, MediaLine
from zccvoice.daemon.transport import SHUTDOWN, EventsSend
from zccvoice.daemon.websocket import GOODBYE_S, Connect, Line, send_pending
from zccvoice.errors import ConnectionFailedError, HandshakeRefusedError, ZccvoiceError
from zccvoice.rtms.enums import MEETINGS, STOP_CAUSES, Product
from zccvoice.rtms.events import (
    AudioReceived,
    CallEventReceived,
    EventsMissed,
    MediaOpened,
    ParticipantConnected,
    ReceptionBroken,
    StreamEnded,
)
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.media import MediaAccepted, MediaEvent
from zccvoice.rtms.media_plan import PlannedMedia, plan_media
from zccvoice.rtms.messages import AudioParams, ChatParams, MediaParams, TranscriptParams
from zccvoice.rtms.recovery import SIGNALING_WINDOW_S, Recovery
from zccvoice.rtms.signaling import UNSPECIFIED, SignalingConnection, SignalingEvent, SignalingOpened
from zccvoice.rtms.transcript_language import language_of
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

MEDIA_DRAIN_S = 2.0
"""How long after the end of the stream we read what is still on its way on the media connections."""
LOST_DRAIN_S = 0.25
"""The same after the loss of signaling, which voids the media connections."""
RECENT_S = 10.0
"""A connection that was younger is not the one whose interruption a webhook tells."""
RULE_WAIT_S = RULE_WAIT_MS / 1000
"""How long Zoom's transcripts wait for the events that name queue and agent, when these decide their language."""
CONNECTION_LOST = "connection_lost"
_MEDIA_LOST = frozenset({"media_connection_interrupted", "stream_interrupted"})
"""Events by which Zoom tells that it lost a media connection; not which one."""
Announce: TypeAlias = Callable[[], Awaitable[None]]
log = get_logger()


class WebSocketReceiver:
    """One stream's connections. See `daemon.transport.StreamReceiver`."""

    def __init__(
        self,
        settings: ZoomConfig,
        languages: LanguagePolicy,
        started: StreamStarted,
        events_send: EventsSend,
        connect: Connect | None = None,
        *,
        audio: AudioParams | None = None,
    ) -> None:
        self._settings = settings
        self._audio = audio or wanted_audio(settings, started.product)
        self._language = ConfiguredLanguage(started, languages)
        self._product = started.product
        self._events_send = events_send
        self._signaling_line = Line("signaling", settings, events_send, connect)
        self._media_line = Line("media", settings, events_send, connect)
        self._server_url = started.server_url
        credentials = settings.credentials_for(started)
        self._identity = StreamIdentity.sign(
            started.product,
            started.engagement_id,
            started.stream_id,
            credentials.client_id,
            credentials.client_secret.get_secret_value(),
        )
        self._ended: StreamEnded | None = None
        self._scope = trio.CancelScope()
        self._media: list[MediaLine] = []
        self._opened_at: float | None = None
        self._was_open = self._has_heard = self._is_recalled = self._is_stopped = self._is_connecting = False
        self._deaf_since: float | None = None
        self._media_problem: ZccvoiceError | None = None
        self._retired_as: str | None = None
        self._reason: str | None = None
        self._reason_told = trio.Event()
        self._rule_known = trio.Event()

    # Orders; see `daemon.transport.StreamReceiver`

    def stop(self, cause: str) -> None:
        """Hang up, soon."""
        self._is_stopped = True
        self._reason_told.set()  # or not to be waited for
        self._end(cause, "stopped by us")
        self._cut()

    def retire(self, cause: str) -> None:
        """Connect no more."""
        self._retired_as = self._retired_as or cause
        if cause in STOP_CAUSES:
            self._reason = cause
            self._reason_told.set()
        if self._was_open and self._opened_at is None:
            self._end(cause, "the connections were gone")
            self._cut()

    def reconnect(self, server_url: str | None = None, *, lost_s_ago: float = 0.0) -> None:
        """Another connection is called for."""
        if self._is_younger_than(lost_s_ago):
            return
        if server_url is None:
            if self._is_connecting or self._is_younger_than(lost_s_ago + RECENT_S):
                return
        elif server_url == self._server_url and (self._is_connecting or self._opened_at is not None):
            return
        else:
            self._server_url = server_url
        self._is_recalled = True
        self._cut()

    def _is_younger_than(self, age_s: float) -> bool:
        """Whether there is a connection, and it was made since then."""
        return self._opened_at is not None and trio.current_time() - self._opened_at < age_s

    def _cut(self) -> None:
        """End the conversation, the wait for the next one, or the attempt at it."""
        self._scope.cancel()

    def _is_over(self) -> bool:
        return self._ended is not None

    def _end(self, cause: str, detail: str) -> None:
        """Note why the stream is over; what was noted first stands, unless it is revoked."""
        if self._ended is None or cause == REVOKED:
            self._ended = StreamEnded(cause, detail)

    # Signaling

    async def run(self, kept_for_s: float = SIGNALING_WINDOW_S) -> None:
        """Receive the stream to its end."""
        async with self._events_send:
            now = trio.current_time()
            await self._keep_signaling(Recovery(SIGNALING_WINDOW_S, now, remaining_s=kept_for_s))
            assert self._ended is not None
            now, deaf_since = trio.current_time(), self._deaf_since
            ended = await self._explained(self._ended)
            if deaf_since is not None and now - deaf_since > 2 * MEDIA_DRAIN_S:
                await self._events_send.send(ReceptionBroken(CONNECTION_LOST))
            await self._events_send.send(ended)

    async def _explained(self, ended: StreamEnded) -> StreamEnded:
        """Zoom may leave the reason to the webhook, which comes a moment before or after."""
        if ended.cause != UNSPECIFIED:
            return ended
        with trio.move_on_after(TERMINATION_WAIT_S):
            await self._reason_told.wait()
        return replace(ended, cause=self._reason or UNSPECIFIED)

    async def _keep_signaling(self, recovery: Recovery) -> None:
        while True:
            if self._is_over():
                return
            if self._is_recalled:
                self._is_recalled = False
                await self._pause_until(recovery.restart(trio.current_time()))
                continue
            problem = await self._attempt(recovery)
            now = trio.current_time()
            if self._is_over() or self._is_recalled:
                continue
            if self._retired_as is not None and self._was_open:
                self._end(self._retired_as, str(problem))
                return
            at = None if problem is self._media_problem else recovery.next_attempt(problem, now)
            if at is None:
                if not self._has_heard:
                    raise problem
                # A refusal may mean that the stream is over: a webhook will say why.
                is_refused = isinstance(problem, HandshakeRefusedError)
                if is_refused and await self._pause_until(now + TERMINATION_WAIT_S):
                    continue
                self._end(CONNECTION_LOST, str(problem))
                return
            log.warning("signaling lost", problem=str(problem), again_in_s=round(at - now, 1))
            await self._pause_until(at)

    async def _pause_until(self, at: float) -> bool:
        """Wait; tells whether an order has ended that before its time."""
        with self._renewed_scope() as scope:
            await trio.sleep_until(at)
        return scope.cancelled_caught

    async def _attempt(self, recovery: Recovery) -> ZccvoiceError:
        """One signaling connection with all that hangs on it; returns why it is gone."""
        core = SignalingConnection(
            self._identity,
            silence_timeout_s=self._settings.signaling_silence_timeout_s,
            now=trio.current_time(),
        )
        problem: ZccvoiceError = ConnectionFailedError("hung up")
        self._is_connecting, self._media_problem = True, None
        try:
            async with (
                self._signaling_line.open(self._server_url, self._renewed_scope()) as websocket,
                trio.open_nursery() as beside,
            ):

                async def announce() -> None:
                    if core.is_open:
                        core.announce_media()
                        await send_pending(websocket, core)

                async def on_event(event: SignalingEvent) -> None:
                    match event:
                        case SignalingOpened():
                            recovery.opened(trio.current_time())
                            if self._was_open:
                                await self._events_send.send(EventsMissed())
                            self._was_open, self._is_connecting = True, False
                            self._opened_at = trio.current_time()
                            if self._product in MEETINGS:
                                # That Zoom keeps events for us, as it keeps sound, is documented nowhere.
                                await self._events_send.send(CallEventReceived(SPEAKER_UNKNOWN, None))
                            log.info("signaling open", media_urls=",".join(sorted(event.media_urls)))
                            for planned in plan_media(event.media_urls, self._product, self._wanted()):
                                beside.start_soon(self._keep_media, planned, announce)
                        case StreamEnded():
                            self._end(event.cause, event.detail)
                        case _:
                            self._note(event)
                            await self._events_send.send(event)

                try:
                    with self._renewed_scope():
                        how = await self._signaling_line.converse(websocket, core, on_event)
                        problem = ConnectionFailedError(f"signaling {how}")
                except ZccvoiceError as error:
                    problem = error
                self._opened_at, self._is_connecting = None, False
                self._rule_known.set()  # whoever waits for it waits no longer
                for media in self._media:
                    media.hang_up(self._drain_s())
                if self._is_stopped and self._ended is not None and self._ended.cause != SHUTDOWN:
                    core.request_close()
                    with trio.move_on_after(GOODBYE_S):
                        await self._signaling_line.converse(websocket, core, on_event)
        except ZccvoiceError as error:
            problem = error
        self._is_connecting = False
        self._media.clear()
        return self._media_problem or problem

    def _drain_s(self) -> float:
        """How long media are read after signaling: Zoom sends what it still has when it ends a stream.

        Otherwise long enough for what has come by now, which waits to be read together (`daemon.tcp`).
        """
        return MEDIA_DRAIN_S if self._is_over() and not self._is_stopped else LOST_DRAIN_S

    def _renewed_scope(self) -> trio.CancelScope:
        self._scope = trio.CancelScope()
        if self._ended is not None or self._is_recalled:
            self._scope.cancel()
        return self._scope

    # Media

    def _wanted(self) -> MediaParams:
        """What we ask for. Texts get their language when their connection is made."""
        has_chat = self._settings.chat and self._product in MEETINGS
        return MediaParams(
            audio=self._audio,
            transcript=(
                self._transcript_params(is_sure=self._is_rule_known()) if self._settings.transcripts else None
            ),
            chat=ChatParams() if has_chat else None,
        )

    def _transcript_params(self, *, is_sure: bool) -> TranscriptParams:
        """The language of Zoom's transcripts is that of ours, if Zoom knows it; pinned to it, if it is sure."""
        code = self._language.by_now()
        if code is None:
            return TranscriptParams(enable_lid=True)  # what is to be detected here, Zoom may detect as well
        language = language_of(code)
        if language is None:
            return TranscriptParams()
        return TranscriptParams(src_language=int(language), enable_lid=not is_sure)

    def _is_rule_known(self) -> bool:
        """Whether the language stands, whatever queue or agent is told yet; meetings and phone calls tell none."""
        return self._product is not Product.CONTACT_CENTER or self._language.may_choose()

    def _note(self, event: ParticipantConnected | CallEventReceived) -> None:
        match event:
            case ParticipantConnected():
                self._language.note(event)
                if self._is_rule_known():
                    self._rule_known.set()
            case CallEventReceived() if event.name in _MEDIA_LOST:
                for media in self._media:
                    media.doubt()

    async def _keep_media(self, planned: PlannedMedia, announce: Announce) -> None:
        if planned.params.transcript is not None and not planned.has_audio:
            planned = await self._with_language_of_the_rule(planned)
        line = MediaLine(
            planned,
            self._identity,
            self._media_line,
            self._settings,
            announce=announce,
            on_event=self._take_media,
            on_lost=self._note_deaf if planned.has_audio else lambda since: None,
        )
        if self._opened_at is None:
            return
        self._media.append(line)
        problem = await line.run()
        if problem is None:
            return
        if planned.has_audio:
            self._media_problem = problem
            self._cut()
        else:
            log.warning("texts given up", media=planned.name, problem=str(problem))

    async def _with_language_of_the_rule(self, planned: PlannedMedia) -> PlannedMedia:
        """Chosen after a wait at most, as it is for our own transcripts."""
        if not self._is_rule_known():
            with trio.move_on_after(RULE_WAIT_S):
                await self._rule_known.wait()
        return planned.with_transcript(self._transcript_params(is_sure=True))

    def _take_media(self, event: MediaEvent) -> Awaitable[None] | None:
        if type(event) is not AudioReceived:  # once per packet, more questions would be felt
            match event:
                case MediaOpened():
                    return self._note_heard(event)
                case MediaAccepted():
                    return None
        try:
            self._events_send.send_nowait(event)  # a turn of Trio's loop for each packet would be dear
        except trio.WouldBlock:
            return self._events_send.send(event)
        return None

    async def _note_heard(self, opened: MediaOpened) -> None:
        if self._has_heard:
            await self._events_send.send(ReceptionBroken(CONNECTION_LOST))
        self._has_heard, self._deaf_since = True, None
        await self._events_send.send(opened)

    def _note_deaf(self, since: float) -> None:
        if self._deaf_since is None:  # a refusal of the next connection is no new loss
            self._deaf_since = since
