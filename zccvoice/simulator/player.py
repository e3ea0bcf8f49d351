"""Sends what a call has to send, each thing at its time: audio, events, transcripts and the odd mishap."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from zccvoice.rtms.enums import MediaType
from zccvoice.rtms.messages import (
    AudioContent,
    AudioData,
    Event,
    EventUpdate,
    ParticipantInfo,
    TranscriptContent,
    TranscriptData,
)
from zccvoice.simulator.attendance import Attendance, MediaLink
from zccvoice.simulator.ledger import Ledger
from zccvoice.simulator.packets import Packet, PacketPlan
from zccvoice.simulator.scenario import CallEvent, Scenario, Side
from zccvoice.simulator.sources import Recording
from zccvoice.simulator.timing import CallClock
from zccvoice.simulator.truth import UtteranceTruth

BUFFER_MS = 60_000
"""Older audio is gone when a client comes (RTMS documentation, audio buffering)."""

GARBAGE = '{"msg_type": 14, "content": {"data": '
"""What the fault ``garbage_at_ms`` sends: a message cut off."""

_LANGUAGE_NUMBERS = {"en": 9, "es": 28, "de": 14, "fr": 13, "it": 19, "pt": 25, "nl": 8}
"""RTMS_TRANSCRIPT_LANGUAGE of ISO 639-1 codes."""


@dataclass(frozen=True, slots=True)
class _Garbage:
    """A moment at which something that is no message is sent."""

    at_ms: int


class Player:
    """The sending side of one call, once its first client is ready."""

    def __init__(
        self,
        scenario: Scenario,
        recording: Recording,
        plan: PacketPlan,
        *,
        clock: CallClock,
        attendance: Attendance,
        ledger: Ledger,
        event_ts_ms: int,
    ) -> None:
        self._scenario = scenario
        self._recording = recording
        self._plan = plan
        self._clock = clock
        self._here = attendance
        self._ledger = ledger
        self._event_ts_ms = event_ts_ms
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

    async def _send_audio(self) -> None:
        for packet in self._plan.packets:
            if packet.due_ms > self._clock.position_ms:
                await self._clock.wait_until(packet.due_ms)
            await self._send_packet(packet)

    async def _send_packet(self, packet: Packet) -> None:
        """Send one packet on whatever connection there is; again on the next one if that fails."""
        message = AudioData(
            content=AudioContent(
                data=(payload := self._plan.payload(packet)),
                timestamp=self._event_ts_ms + packet.at_ms,
                channel_id=packet.channel_id,
                length=len(payload),
            )
        )
        sent = False
        while not sent:
            carrier = await self._carrier()
            if packet.at_ms < self._oldest_ms:
                self._ledger.packet_expired(packet)
                return
            sent = await carrier.link.send(message)
        self._ledger.packet_sent(packet)

    async def _carrier(self) -> MediaLink:
        carrier = self._here.carrier(MediaType.AUDIO)
        if carrier is None:
            await self._here.until(self._here.has_audio)
            self._oldest_ms = max(self._oldest_ms, self._clock.position_ms - BUFFER_MS)
            return await self._carrier()
        return carrier

    async def _send_moments(self) -> None:
        moments: list[tuple[int, CallEvent | UtteranceTruth | _Garbage]] = [
            *((event.at_ms, event) for event in self._scenario.events),
            *((one.end_ms, one) for one in self._recording.utterances),
            *((at_ms, _Garbage(at_ms)) for at_ms in self._scenario.faults.garbage_at_ms),
        ]
        for at_ms, moment in sorted(moments, key=lambda pair: pair[0]):
            await self._clock.wait_until(at_ms)
            match moment:
                case CallEvent():
                    await self._send_event(moment)
                case UtteranceTruth():
                    await self._send_transcript(moment)
                case _Garbage():
                    await (await self._carrier()).link.send_text(GARBAGE)

    async def _send_event(self, event: CallEvent) -> None:
        if not self._here.wants(event.event_type):
            return
        message = EventUpdate(event=self._described(event))
        while not await self._here.tell(message):
            # A connection that has just failed is attached until its own task has noticed.
            await self._here.until(lambda: self._here.signaling is not None and self._here.signaling.is_open)
            await trio.lowlevel.checkpoint()  # `send` may have failed without one
        self._ledger.event_sent(event)

    def _described(self, event: CallEvent) -> Event:
        person, queue = self._scenario.participant(event.channel_id), self._scenario.queue
        info = ParticipantInfo(
            channel_id=person.channel_id,
            participant_mode="caller" if person.side is Side.CONSUMER else "callee",
            queue_id=queue.queue_id,
            queue_name=queue.name,
            account_id=queue.account_id,
            phone_number=person.phone_number,
            user_id=person.user_id,
            display_name=person.display_name,
        )
        misspelt = self._scenario.faults.misspelt_participant_info
        return Event(
            event_type=event.event_type,
            event_ts=self._event_ts_ms + event.at_ms,
            participant_info=None if misspelt else info,
            paticipant_info=info if misspelt else None,
        )

    async def _send_transcript(self, spoken: UtteranceTruth) -> None:
        """What Zoom's own recognizer would have made of it; only for a client that asked for transcripts."""
        carrier = self._here.carrier(MediaType.TRANSCRIPT)
        if carrier is None:
            return
        content = TranscriptContent(
            data=spoken.text,
            timestamp=self._event_ts_ms + spoken.start_ms,
            start_time=self._event_ts_ms + spoken.start_ms,
            end_time=self._event_ts_ms + spoken.end_ms,
            channel_id=spoken.channel_id,
            language=_LANGUAGE_NUMBERS.get(spoken.language),
        )
        await carrier.link.send(TranscriptData(content=content))
