"""Sends what a call has to send, each thing at its time: audio, events, transcripts, chat and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import trio

from zccvoice.rtms.enums import EventType, MediaType
from zccvoice.rtms.messages import AudioContent, AudioData
from zccvoice.rtms.wire import encode
from zccvoice.simulator.attendance import Attendance, MediaLink
from zccvoice.simulator.extras import ChatMessage, Picture
from zccvoice.simulator.garbage import CUT_OFF
from zccvoice.simulator.ledger import Ledger
from zccvoice.simulator.mishaps import Kind
from zccvoice.simulator.packets import Packet
from zccvoice.simulator.phrasing import Fields, Phrasing
from zccvoice.simulator.products import TRAITS
from zccvoice.simulator.scenario import CallEvent, Participant, Scenario
from zccvoice.simulator.sources import Recording
from zccvoice.simulator.studio import Take
from zccvoice.simulator.timing import CallClock
from zccvoice.simulator.truth import UtteranceTruth

BUFFER_MS = 60_000
"""Older audio is gone when a client comes (RTMS documentation, audio buffering)."""

Moment = CallEvent | UtteranceTruth | ChatMessage | tuple[Picture, int] | str
"""What is sent at a moment beside audio; text is sent as it is."""


class Player:
    """The sending side of one stream, once its first client is ready."""

    def __init__(
        self,
        scenario: Scenario,
        recording: Recording,
        take: Take,
        *,
        clock: CallClock,
        attendance: Attendance,
        ledger: Ledger,
        event_ts_ms: int,
    ) -> None:
        self._scenario = scenario
        self._recording = recording
        self._plan = take.plan
        self._clock = clock
        self._here = attendance
        self._ledger = ledger
        self._event_ts_ms = event_ts_ms
        self._phrasing = Phrasing(scenario, event_ts_ms)
        self._speakers = {
            one.channel_id: self._phrasing.speaker(one.channel_id) for one in take.scenario.participants
        }
        self._present: dict[str, Participant] = {}
        position_ms = clock.position_ms
        self._oldest_ms = max(0.0, position_ms - BUFFER_MS) if attendance.wants_buffered else position_ms
        self.burst_ms = int(min(position_ms, recording.duration_ms) - self._oldest_ms)
        """What was captured before the client was ready and has not expired."""

    @property
    def first_packet_ms(self) -> int:
        """Timestamp of the first packet to be sent, epoch milliseconds."""
        first_ms = min((one.at_ms for one in self._plan.packets if one.at_ms >= self._oldest_ms), default=0)
        return self._event_ts_ms + first_ms

    async def play(self) -> None:
        """Return when the call is over and everything is sent; wait for a connection where there is none."""
        async with trio.open_nursery() as sending:
            sending.start_soon(self._send_audio)
            sending.start_soon(self._send_moments)
            sending.start_soon(self._clock.wait_until, self._recording.duration_ms)

    # Audio

    async def _send_audio(self) -> None:
        # What is due at one moment goes out in one go: with many calls the system calls are what costs.
        for due_ms, packets in groupby(self._plan.packets, key=lambda packet: packet.due_ms):
            if due_ms > self._clock.position_ms:
                await self._clock.wait_until(due_ms)
            await self._send_packets([(packet, self._message(packet)) for packet in packets])

    def _message(self, packet: Packet) -> str:
        payload = self._plan.payload(packet)
        return encode(
            AudioData(
                content=AudioContent(
                    data=payload,
                    timestamp=self._event_ts_ms + packet.at_ms,
                    length=len(payload),
                    **self._speakers[packet.channel_id],
                )
            )
        )

    async def _send_packets(self, messages: list[tuple[Packet, str]]) -> None:
        """Send them on whatever connection there is; again on the next one if that fails."""
        sent = False
        while not sent:
            carrier = await self._carrier()
            messages = [(packet, text) for packet, text in messages if not self._has_expired(packet)]
            sent = not messages or await carrier.link.send_text(*(text for _, text in messages))
        note = self._ledger.packet_vanished if carrier.link.is_half_open else self._ledger.packet_sent
        for packet, _ in messages:
            note(packet)

    def _has_expired(self, packet: Packet) -> bool:
        if packet.at_ms >= self._oldest_ms:
            return False
        self._ledger.packet_expired(packet)
        return True

    async def _carrier(self) -> MediaLink:
        carrier = self._here.carrier(MediaType.AUDIO)
        if carrier is None:
            await self._here.until(self._here.has_audio)
            self._oldest_ms = max(self._oldest_ms, self._clock.position_ms - BUFFER_MS)
            return await self._carrier()
        return carrier

    # Everything else

    def _moments(self) -> Iterator[tuple[int, Moment]]:
        yield from ((event.at_ms, event) for event in self._scenario.events)
        yield from (
            (one.end_ms, one) for one in self._recording.utterances if not self._is_paused(one.start_ms)
        )
        yield from ((one.at_ms, one) for one in self._scenario.chat)
        yield from ((at_ms, CUT_OFF) for at_ms in self._scenario.faults.garbage_at_ms)
        for picture in self._scenario.pictures:
            for at_ms in range(picture.from_ms, picture.to_ms, picture.every_ms):
                yield at_ms, (picture, at_ms)
        if not TRAITS[self._scenario.product].has_channels:
            yield from ((event.at_ms, event) for event in self._speaker_changes())

    def _speaker_changes(self) -> Iterator[CallEvent]:
        """ACTIVE_SPEAKER_CHANGE, whenever somebody else begins to speak."""
        speaking: str | None = None
        for one in self._recording.utterances:
            if one.channel_id != speaking:
                speaking = one.channel_id
                at_ms = one.start_ms + self._scenario.dialect.speaker_delay_ms
                yield CallEvent(EventType.ACTIVE_SPEAKER_CHANGE, at_ms, speaking)

    def _is_paused(self, at_ms: int) -> bool:
        """Whether nothing was captured then: Zoom has no transcript of what it did not hear."""
        pauses = (one for one in self._scenario.mishaps if one.kind is Kind.PAUSE)
        return any(one.at_ms <= at_ms < one.at_ms + one.for_ms for one in pauses)

    async def _send_moments(self) -> None:
        for at_ms, moment in sorted(self._moments(), key=lambda pair: pair[0]):
            await self._clock.wait_until(at_ms)
            match moment:
                case CallEvent():
                    await self._send_event(moment)
                case UtteranceTruth():
                    if await self._send_media(MediaType.TRANSCRIPT, self._phrasing.transcript(moment)):
                        self._ledger.transcript_sent(moment)
                case ChatMessage():
                    if await self._send_media(MediaType.CHAT, self._phrasing.chat(moment)):
                        self._ledger.chat_sent(moment)
                case (picture, picture_at_ms):
                    message = self._phrasing.picture(picture, picture_at_ms)
                    self._ledger.pictures_sent_count += await self._send_media(MediaType.AUDIO, message)
                case str():
                    await (await self._carrier()).link.send_text(moment)

    async def _send_media(self, media_type: MediaType, message: Fields) -> bool:
        """Send on a connection that carries such media, if there is one: only audio is kept for later."""
        carrier = self._here.carrier(media_type)
        return carrier is not None and await carrier.link.send(message) and not carrier.link.is_half_open

    async def _send_event(self, event: CallEvent) -> None:
        self._note_who_is_here(event)
        if not self._here.wants(event.event_type):
            return
        message = self._phrasing.event(event)
        while not await self._here.tell(message):
            # A connection that has just failed is attached until its own task has noticed.
            await self._here.until(lambda: self._here.signaling is not None and self._here.signaling.is_open)
        if not any(link.is_half_open for link in self._here.links() if link.name == "signaling"):
            self._ledger.event_sent(event)

    def _note_who_is_here(self, event: CallEvent) -> None:
        if event.event_type is EventType.PARTICIPANT_JOIN:
            self._present[event.channel_id] = self._scenario.participant(event.channel_id)
        elif event.event_type is EventType.PARTICIPANT_LEAVE:
            self._present.pop(event.channel_id, None)

    async def tell_who_is_here(self, now_ms: int) -> None:
        """The client has just subscribed to PARTICIPANT_JOIN: tell of those who had joined before."""
        if people := list(self._present.values()):
            await self._here.tell(self._phrasing.already_here(people, now_ms))
            for one in people:
                self._ledger.event_sent(CallEvent(EventType.PARTICIPANT_JOIN, one.from_ms, one.channel_id))
