"""One stream as Zoom's server lives it: from the started webhook to the stopped one.

The connections come and go (`serving` attaches and detaches them); the call goes on and fills whatever is
attached. What was captured while nobody was connected is sent in a burst later, up to a minute of it:
packets wait in the plan, and those too old by then expire. No task of a call outlives `Call.run`.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms.enums import MediaType, SessionState, StatusCode, StopReason, StreamState
from zccvoice.rtms.messages import SessionStateUpdate, StreamStateUpdate
from zccvoice.simulator.admission import Admission
from zccvoice.simulator.announcements import Announcements
from zccvoice.simulator.attendance import Attendance, MediaLink
from zccvoice.simulator.director import direct, is_there_from_the_start
from zccvoice.simulator.extras import Ending
from zccvoice.simulator.handshakes import Identity, MediaTerms
from zccvoice.simulator.ledger import Ledger
from zccvoice.simulator.link import Link
from zccvoice.simulator.parts import Part
from zccvoice.simulator.phrasing import Phrasing
from zccvoice.simulator.player import Player
from zccvoice.simulator.products import TRAITS
from zccvoice.simulator.progress import OnProgress, Progress, Stage
from zccvoice.simulator.studio import Studio
from zccvoice.simulator.timing import CallClock, Timing
from zccvoice.simulator.truth import CallTruth, ConnectionTruth
from zccvoice.simulator.watch import watch_media, watch_signaling
from zccvoice.simulator.webhooks import Complain, Deliver

REPORT_EVERY_S = 0.5

SETTLED_S = 1.0
"""A signaling connection that has lasted so long should have its event subscriptions."""

_REASONS = {
    Ending.TRANSFER: StopReason.AGENT_DISCONNECTED,
    Ending.RESTART: StopReason.USER_TRIGGERED,
    Ending.FAILOVER: StopReason.INTERNAL_EXCEPTION,
}


class Call:
    """One stream of an engagement. `attendance` is where its connections are."""

    def __init__(
        self,
        part: Part,
        identity: Identity,
        studio: Studio,
        *,
        event_ts_ms: int,
        speed: float,
        timing: Timing,
        deliver: Deliver | None,
        secret_token: str,
        server_url: Callable[[int], str],
        complain: Complain,
        on_progress: OnProgress,
    ) -> None:
        self.scenario = scenario = part.scenario
        self.identity = identity
        self.event_ts_ms = event_ts_ms
        """Epoch milliseconds of the scenario's time 0: when Zoom began to capture."""
        traits, faults = TRAITS[scenario.product], scenario.faults
        self.attendance = Attendance(() if faults.only_subscribed_events else traits.unasked)
        self.admission = Admission(faults.refused_signaling)
        self.announcements = Announcements(scenario, deliver, secret_token, timing, self.complain)
        self.ledger = Ledger()
        self.clock = CallClock(scenario.buffered_ms, speed)
        self.timing = timing
        self.player: Player | None = None
        self.session_id = f"session-{identity.stream_id[:12]}"
        self.is_moving = False
        """Whether its server has died and another is being announced."""
        self._announced_ms = event_ts_ms
        self._part = part
        self._studio = studio
        self._server_url = server_url
        self._complain = complain
        self._on_progress = on_progress
        self._burst_ms = 0
        self._stop_reason = _REASONS.get(part.ending, scenario.stop_reason)
        self._on_air = trio.CancelScope()
        self._signaling_opened_s = 0.0

    @property
    def gave_way(self) -> bool:
        """Whether it ended as planned, so that the engagement's next stream may follow."""
        return self._part.ending is not Ending.END and not self._on_air.cancel_called

    @property
    def _ending(self) -> Ending:
        return self._part.ending if self.gave_way else Ending.END

    def now_ms(self) -> int:
        """The call's time, epoch milliseconds."""
        return self.event_ts_ms + int(self.clock.position_ms)

    def complain(self, what: str) -> None:
        """Write down something that the client did wrong."""
        self.ledger.violations.append(what)
        self._complain(what)

    def end(self, reason: StopReason) -> None:
        """End the stream now, whatever it is doing."""
        self._stop_reason = reason
        self._on_air.cancel()

    async def run(self) -> CallTruth:
        """Play the call to its end, whatever ends it, and return what was sent."""
        self.report(Stage.ANNOUNCED)
        if self.scenario.faults.stopped_first:
            await self._end_unheard()
        else:
            await self._go_on_air()
        end_ms = min(int(self.clock.position_ms), self._part.recording.duration_ms)
        await self._say_goodbye()
        self.report(Stage.ENDED)
        if self._ending is not Ending.FAILOVER and not self.scenario.faults.stopped_first:
            await self.announcements.stopped(self.now_ms(), int(self._stop_reason))
        return self.ledger.truth(
            self.scenario,
            self._part.recording,
            event_ts_ms=self.event_ts_ms,
            end_ms=end_ms,
            burst_ms=self._burst_ms,
            stop_reason=self._stop_reason,
        )

    async def _go_on_air(self) -> None:
        async with trio.open_nursery() as announcing:
            announcing.start_soon(self._announce)
            with self._on_air:
                async with trio.open_nursery() as watching:
                    for mishap in filter(is_there_from_the_start, self.scenario.mishaps):
                        watching.start_soon(direct, self, mishap)
                    watching.start_soon(watch_signaling, self)
                    watching.start_soon(watch_media, self)
                    await self._play()
                    watching.cancel_scope.cancel()
            announcing.cancel_scope.cancel()  # a stream that has ended is announced no more

    async def _end_unheard(self) -> None:
        """The stopped webhook overtakes the started one. Whoever connects afterwards has not understood."""
        self.end(self.scenario.stop_reason)
        self.admission.has_ended = True
        ended_ms = self.event_ts_ms + self._part.recording.duration_ms
        await self.announcements.stopped(ended_ms, int(self._stop_reason))
        await self.announce()
        await trio.sleep(self.timing.handshake_s)

    # Announcing

    async def _announce(self) -> None:
        for _ in range(2 if self.scenario.faults.repeated_webhook else 1):
            await self.announce()

    async def announce(self) -> None:
        """Post the started webhook of the server that the call lives on: the same one, however often."""
        await self.announcements.started(self._announced_ms, self._server_url(self.admission.server))

    async def move(self) -> None:
        """The server dies without a word, and another one takes the stream over."""
        self.is_moving = True
        self.admission.server += 1
        self._announced_ms = self.now_ms()
        for link in self.attendance.links():
            link.was_provoked = True
            await link.abort()
        await self.announce()

    # Connections, called by the tasks that serve them

    def signaling_opened(self, link: Link, *, wants_buffered: bool) -> None:
        """Message 1 was accepted."""
        here = self.attendance
        if self.ledger.take is None:
            here.wants_buffered = wants_buffered
        here.forget_subscriptions()
        here.signaling, here.signaling_opened_ms = link, int(self.clock.position_ms)
        self._signaling_opened_s = trio.current_time()
        self.is_moving = False
        here.notify()

    def signaling_closed(self, link: Link) -> None:
        """The connection is gone, for whatever reason."""
        here = self.attendance
        if here.signaling is link:
            self._check_subscriptions()
            self._note_connection(link, 0, here.signaling_opened_ms)
            here.signaling = None
            here.notify()

    def media_opened(self, link: Link, terms: MediaTerms) -> MediaLink:
        """Message 3 was accepted; nothing is sent before the client is ready."""
        media = MediaLink(link, terms, opened_ms=int(self.clock.position_ms))
        self.attendance.media.append(media)
        self.attendance.acks_due += 1
        return media

    def media_closed(self, media: MediaLink) -> None:
        """The connection is gone, for whatever reason."""
        if media in self.attendance.media:
            self._note_connection(media.link, media.terms.media_types, media.opened_ms)
            self.attendance.media.remove(media)
            self.attendance.notify()

    def _note_connection(self, link: Link, media_types: int, opened_ms: int) -> None:
        closed_ms = int(self.clock.position_ms)
        self.ledger.connections.append(
            ConnectionTruth(link.name, media_types, opened_ms, closed_ms, link.ended)
        )

    def _check_subscriptions(self) -> None:
        settled = trio.current_time() - self._signaling_opened_s >= SETTLED_S
        if settled and (owed := self.attendance.subscriptions_owed()):
            self.complain(f"signaling: did not subscribe again to events {owed} on a new connection")

    def check_attachable(self, terms: MediaTerms) -> None:
        """Whether a media connection with these terms fits what is attached already.

        Raises:
            HandshakeRefusedError: with the status and reason to answer.
        """
        here, take = self.attendance, self.ledger.take
        if here.signaling is None:
            reason = "no signaling connection"
            raise HandshakeRefusedError("media", StatusCode.INVALID_RTMS_STREAM_ID, reason)
        if not terms.is_all and any(media.terms.is_all for media in here.media):
            reason = "a connection for all media exists"
            raise HandshakeRefusedError("media", StatusCode.MEDIA_DATA_ALL_CONNECTION_EXIST, reason)
        if any(media.terms.media_types & terms.media_types for media in here.media):
            reason = "duplicate media connection"
            raise HandshakeRefusedError("media", StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION, reason)
        if terms.media_types & MediaType.AUDIO and take is not None and take.plan.params != terms.audio:
            reason = "other audio parameters than before"
            raise HandshakeRefusedError("media", StatusCode.INVALID_MEDIA_AUDIO_PARAMS, reason)

    # Playing

    async def _play(self) -> None:
        here = self.attendance
        await here.until(here.has_audio)
        agreed = here.carrier(MediaType.AUDIO)
        assert agreed is not None
        # Encoding a long call at another rate takes a moment; other calls must not stutter meanwhile.
        take = self.ledger.take = await self._studio.take(self._part, agreed.terms.audio)
        self.player = player = Player(
            self.scenario,
            self._part.recording,
            take,
            clock=self.clock,
            attendance=here,
            ledger=self.ledger,
            event_ts_ms=self.event_ts_ms,
        )
        self._burst_ms = player.burst_ms
        self.clock.accelerate()
        await self.tell_states(SessionState.STARTED)
        self.ledger.packets_begin(player.first_packet_ms - self.event_ts_ms)
        await here.tell(Phrasing(self.scenario, self.event_ts_ms).first_packet(player.first_packet_ms))
        async with trio.open_nursery() as beside:
            beside.start_soon(self._report_regularly)
            for mishap in self.scenario.mishaps:
                if is_there_from_the_start(mishap):
                    continue
                if 0 < mishap.at_ms <= self.clock.position_ms:  # overdue: before what was buffered is sent
                    await beside.start(direct, self, mishap)
                else:
                    beside.start_soon(direct, self, mishap)
            await player.play()
            beside.cancel_scope.cancel()

    async def tell_states(self, session: SessionState, stream: StreamState | None = None) -> None:
        """Tell the client a new state of the session, and of the stream when it has one too."""
        stopped = int(self._stop_reason) if session is SessionState.STOPPED else None
        now_ms = self.now_ms()
        await self.attendance.tell(
            SessionStateUpdate(
                state=session, rtms_session_id=self.session_id, timestamp=now_ms, stop_reason=stopped
            )
        )
        if stream is not None:
            await self.attendance.tell(StreamStateUpdate(state=stream, reason=stopped, timestamp=now_ms))

    async def _say_goodbye(self) -> None:
        here, ending = self.attendance, self._ending
        self.admission.has_ended = True
        with trio.move_on_after(self.timing.close_s):
            if ending in (Ending.END, Ending.RESTART):
                await self.tell_states(SessionState.STOPPED, StreamState.TERMINATED)
        async with trio.open_nursery() as closing:
            for link in reversed(here.links()):
                closing.start_soon(link.abort if ending is Ending.FAILOVER else link.close)
        with trio.move_on_after(self.timing.close_s):
            await here.until(lambda: not here.links())

    # Reporting

    async def _report_regularly(self) -> None:
        while True:
            self.report(Stage.PLAYING)
            await trio.sleep(REPORT_EVERY_S)

    def report(self, stage: Stage) -> None:
        """Tell whoever watches how far the call has come."""
        length_ms = self._part.recording.duration_ms
        position_ms = min(int(self.clock.position_ms), length_ms)
        scenario = self.scenario
        self._on_progress(Progress(scenario.title, scenario.engagement_id, stage, position_ms, length_ms))
