"""One call as Zoom's server lives it: from the started webhook to the stopped one.

The connections come and go (`zoom` attaches and detaches them); the call goes on and fills whatever is
attached. What was captured while nobody was connected is sent in a burst later, up to a minute of it:
packets wait in the plan, and those too old by then expire. No task of a call outlives `Call.run`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import trio

from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms.enums import (
    EventType,
    MediaType,
    MessageType,
    SessionState,
    StatusCode,
    StopReason,
    StreamState,
)
from zccvoice.rtms.messages import (
    Event,
    EventUpdate,
    SessionStateUpdate,
    StreamCloseResponse,
    StreamStateUpdate,
)
from zccvoice.simulator.attendance import Attendance, MediaLink
from zccvoice.simulator.handshakes import Identity, MediaTerms
from zccvoice.simulator.ledger import Ledger
from zccvoice.simulator.link import Link
from zccvoice.simulator.packets import PacketPlan
from zccvoice.simulator.player import Player
from zccvoice.simulator.progress import OnProgress, Progress, Stage
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.sources import Recording
from zccvoice.simulator.timing import CallClock, Timing
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import Complain, Deliver, deliver_with_retries, signed

REPORT_EVERY_S = 0.5


class Call:
    """One engagement with one stream. `attendance` is where its connections are."""

    def __init__(
        self,
        scenario: Scenario,
        recording: Recording,
        identity: Identity,
        *,
        event_ts_ms: int,
        speed: float,
        timing: Timing,
        complain: Complain,
        on_progress: OnProgress,
    ) -> None:
        self.scenario = scenario
        self.identity = identity
        self.event_ts_ms = event_ts_ms
        """Epoch milliseconds of the scenario's time 0: when Zoom began to capture."""
        self.complain = complain
        self.attendance = Attendance(only_subscribed_events=scenario.faults.only_subscribed_events)
        self.refusals_left = scenario.faults.refused_signaling
        self._recording = recording
        self._timing = timing
        self._on_progress = on_progress
        self._clock = CallClock(scenario.buffered_ms, speed)
        self._ledger = Ledger()
        self._burst_ms = 0
        self._stop_reason = scenario.stop_reason
        self._on_air = trio.CancelScope()
        self._session_id = f"session-{identity.stream_id[:12]}"

    def now_ms(self) -> int:
        """The call's time, epoch milliseconds."""
        return self.event_ts_ms + int(self._clock.position_ms)

    async def run(self, deliver: Deliver | None, secret_token: str, server_url: str) -> CallTruth:
        """Play the call to its end, whatever ends it, and return what was sent.

        Args:
            deliver: carries webhooks; None when whoever connects knows of the call without.
            secret_token: signs webhooks.
            server_url: the signaling URL told in the started webhook.
        """
        self._report(Stage.ANNOUNCED)
        post = partial(self._post, deliver, secret_token)
        async with trio.open_nursery() as announcing:
            announcing.start_soon(self._announce, post, server_url)
            with self._on_air:
                async with trio.open_nursery() as watching:
                    watching.start_soon(self._watch_signaling, post)
                    watching.start_soon(self._watch_media)
                    await self._play()
                    watching.cancel_scope.cancel()
            announcing.cancel_scope.cancel()  # a stream that has ended is announced no more
        end_ms = min(int(self._clock.position_ms), self._recording.duration_ms)
        await self._say_goodbye()
        self._report(Stage.ENDED)
        await post("stopped", self.now_ms(), {"stop_reason": int(self._stop_reason)})
        return self._ledger.truth(
            self.scenario,
            self._recording,
            event_ts_ms=self.event_ts_ms,
            end_ms=end_ms,
            burst_ms=self._burst_ms,
            stop_reason=self._stop_reason,
        )

    # Webhooks

    async def _announce(self, post: Callable[..., Any], server_url: str) -> None:
        for _ in range(2 if self.scenario.faults.repeated_webhook else 1):
            await post("started", self.event_ts_ms, {"server_urls": server_url})

    async def _post(
        self, deliver: Deliver | None, secret_token: str, what: str, event_ts_ms: int, more: dict[str, Any]
    ) -> None:
        ids = {"engagement_id": self.scenario.engagement_id, "rtms_stream_id": self.scenario.stream_id}
        event = f"contact_center.voice_rtms_{what}"
        if deliver is not None:
            make_request = partial(signed, secret_token, event, event_ts_ms, ids | more)
            await deliver_with_retries(deliver, make_request, self._timing, self.complain)

    # Connections, called by the tasks that serve them

    def signaling_opened(self, link: Link, *, wants_buffered: bool) -> None:
        """Message 1 was accepted."""
        if self._ledger.plan is None:
            self.attendance.wants_buffered = wants_buffered
        self.attendance.forget_subscriptions()
        self.attendance.signaling = link
        self.attendance.notify()

    def signaling_closed(self, link: Link) -> None:
        """The connection is gone, for whatever reason."""
        if self.attendance.signaling is link:
            self.attendance.signaling = None
            self.attendance.notify()

    def media_opened(self, link: Link, terms: MediaTerms) -> MediaLink:
        """Message 3 was accepted; nothing is sent before the client is ready."""
        media = MediaLink(link, terms)
        self.attendance.media.append(media)
        self.attendance.acks_due += 1
        return media

    def media_closed(self, media: MediaLink) -> None:
        """The connection is gone, for whatever reason."""
        if media in self.attendance.media:
            self.attendance.media.remove(media)
            self.attendance.notify()

    def check_attachable(self, terms: MediaTerms) -> None:
        """Whether a media connection with these terms fits what is attached already.

        Raises:
            HandshakeRefusedError: with the status and reason to answer.
        """
        here, agreed = self.attendance, self._ledger.plan
        if here.signaling is None:
            reason = "no signaling connection"
            raise HandshakeRefusedError("media", StatusCode.INVALID_RTMS_STREAM_ID, reason)
        if any(media.terms.media_types & terms.media_types for media in here.media):
            reason = "duplicate media connection"
            raise HandshakeRefusedError("media", StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION, reason)
        if terms.media_types & MediaType.AUDIO and agreed is not None and agreed.params != terms.audio:
            reason = "other audio parameters than before"
            raise HandshakeRefusedError("media", StatusCode.INVALID_MEDIA_AUDIO_PARAMS, reason)

    async def receive_on_signaling(self, link: Link, fields: dict[str, Any]) -> None:
        """Any message but the first on the signaling connection."""
        match fields["msg_type"]:
            case MessageType.KEEP_ALIVE_RESP:
                link.keep_alive_answered(fields)
            case MessageType.EVENT_SUBSCRIPTION:
                for problem in self.attendance.subscribe(fields.get("events")):
                    link.complain(problem)
            case MessageType.CLIENT_READY_ACK:
                self._check_stream_id(link, fields)
                if not self.attendance.make_ready():
                    link.complain("CLIENT_READY_ACK without an accepted media handshake before it")
            case MessageType.STREAM_CLOSE_REQ:
                self._check_stream_id(link, fields)
                stream_id = self.scenario.stream_id
                await link.send(
                    StreamCloseResponse(reason="OK", rtms_stream_id=stream_id, timestamp=self.now_ms())
                )
                self._end(StopReason.RECEIVER_REQUEST_CLOSE)
            case MessageType.SESSION_STATE_REQ:
                state = {"msg_type": 11, "rtms_session_id": self._session_id, "state": SessionState.STARTED}
                await link.send_text(json.dumps(state | {"timestamp": self.now_ms()}))
            case MessageType.STREAM_STATE_REQ:
                self._check_stream_id(link, fields)
                state = {
                    "msg_type": 20,
                    "rtms_stream_id": self.scenario.stream_id,
                    "state": StreamState.ACTIVE,
                }
                await link.send_text(json.dumps(state | {"timestamp": self.now_ms()}))
            case other:
                link.complain(f"message {other} is not for a client to send here")

    def _check_stream_id(self, link: Link, fields: dict[str, Any]) -> None:
        if fields.get("rtms_stream_id") != self.scenario.stream_id:
            link.complain(f"message {fields['msg_type']} with another rtms_stream_id")

    # What ends a call early

    def _end(self, reason: StopReason) -> None:
        self._stop_reason = reason
        self._on_air.cancel()

    async def _watch_signaling(self, post: Callable[..., Any]) -> None:
        """Whoever loses signaling loses media too, and has a window to come back."""
        here = self.attendance
        with trio.move_on_after(self._timing.start_window_s) as first_window:
            await here.until(lambda: here.signaling is not None)
        if first_window.cancelled_caught:
            self.complain("no signaling connection after the started webhook")
            self._end(StopReason.CONNECTION_TIMEOUT)
            return
        async with trio.open_nursery() as posting:
            while True:
                await here.until(lambda: here.signaling is None)
                for media in list(here.media):
                    await media.link.abort()
                posting.start_soon(post, "interrupted", self.now_ms(), {})
                with trio.move_on_after(self._timing.signaling_window_s) as window:
                    await here.until(lambda: here.signaling is not None)
                if window.cancelled_caught:
                    self._end(StopReason.AWAIT_RECONNECTION_TIMEOUT)
                    return

    async def _watch_media(self) -> None:
        here = self.attendance
        await here.until(lambda: here.signaling is not None)
        window_s = self._timing.start_window_s
        while True:
            with trio.move_on_after(window_s) as window:
                await here.until(here.has_audio)
            if window.cancelled_caught:
                self.complain("no ready audio connection in time")
                self._end(StopReason.AWAIT_RECONNECTION_TIMEOUT)
                return
            await self.attendance.tell(StreamStateUpdate(state=StreamState.ACTIVE, timestamp=self.now_ms()))
            await here.until(lambda: not here.has_audio())
            self._ledger.interruptions_count += 1
            self._report(Stage.INTERRUPTED)
            window_s = self._timing.media_window_s
            event = Event(event_type=EventType.MEDIA_CONNECTION_INTERRUPTED, timestamp=self.now_ms())
            await self.attendance.tell(EventUpdate(event=event))
            lost = StopReason.DATA_CONNECTION_INTERRUPTED
            await self.attendance.tell(
                StreamStateUpdate(state=StreamState.INTERRUPTED, reason=lost, timestamp=self.now_ms())
            )

    # Playing

    async def _play(self) -> None:
        here = self.attendance
        await here.until(here.has_audio)
        agreed = here.carrier(MediaType.AUDIO)
        assert agreed is not None
        # Encoding a long call at another rate takes a moment; other calls must not stutter meanwhile.
        plan = await trio.to_thread.run_sync(PacketPlan, self.scenario, self._recording, agreed.terms.audio)
        self._ledger.plan = plan
        player = Player(
            self.scenario,
            self._recording,
            plan,
            clock=self._clock,
            attendance=here,
            ledger=self._ledger,
            event_ts_ms=self.event_ts_ms,
        )
        self._burst_ms = player.burst_ms
        self._clock.accelerate()
        state, session_id = SessionState.STARTED, self._session_id
        await here.tell(SessionStateUpdate(state=state, rtms_session_id=session_id, timestamp=self.now_ms()))
        first = Event(event_type=EventType.FIRST_PACKET_TIMESTAMP, timestamp=player.first_packet_ms)
        await here.tell(EventUpdate(event=first))
        async with trio.open_nursery() as reporting:
            reporting.start_soon(self._report_regularly)
            await player.play()
            reporting.cancel_scope.cancel()

    async def _say_goodbye(self) -> None:
        here, now_ms, reason = self.attendance, self.now_ms(), int(self._stop_reason)
        stopped = SessionStateUpdate(
            state=SessionState.STOPPED, rtms_session_id=self._session_id, timestamp=now_ms, stop_reason=reason
        )
        with trio.move_on_after(self._timing.close_s):
            await here.tell(stopped)
            await here.tell(StreamStateUpdate(state=StreamState.TERMINATED, reason=reason, timestamp=now_ms))
        async with trio.open_nursery() as closing:
            for media in here.media:
                closing.start_soon(media.link.close)
            if here.signaling is not None:
                closing.start_soon(here.signaling.close)

    # Reporting

    async def _report_regularly(self) -> None:
        while True:
            self._report(Stage.PLAYING)
            await trio.sleep(REPORT_EVERY_S)

    def _report(self, stage: Stage) -> None:
        length_ms = self._recording.duration_ms
        position_ms = min(int(self._clock.position_ms), length_ms)
        scenario = self.scenario
        self._on_progress(Progress(scenario.title, scenario.engagement_id, stage, position_ms, length_ms))
