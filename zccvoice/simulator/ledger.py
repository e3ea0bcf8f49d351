"""Writes down what a call sends while it is played, and makes the truth of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from zccvoice.rtms.enums import SampleRate, StopReason
from zccvoice.simulator.extras import ChatMessage
from zccvoice.simulator.mishaps import Kind
from zccvoice.simulator.mixing import MIX
from zccvoice.simulator.packets import Packet
from zccvoice.simulator.phrasing import language_number
from zccvoice.simulator.scenario import CallEvent, Scenario
from zccvoice.simulator.sources import Recording
from zccvoice.simulator.studio import Take
from zccvoice.simulator.truth import (
    CallTruth,
    ChatTruth,
    ConnectionTruth,
    EventTruth,
    Span,
    TrackTruth,
    TranscriptTruth,
    UtteranceTruth,
    joined,
)


class Ledger:
    """The account of one call. Times in it are the scenario's until `truth` moves them to the first packet."""

    def __init__(self) -> None:
        self.take: Take | None = None
        """Set when the first client has agreed on parameters."""
        self.interruptions_count = 0
        self.pictures_sent_count = 0
        self.violations: list[str] = []
        self.connections: list[ConnectionTruth] = []
        """With times on the scenario's axis."""
        self._sent: dict[str, set[int]] = defaultdict(set)
        self._vanished: dict[str, set[int]] = defaultdict(set)
        self._expired: dict[str, set[int]] = defaultdict(set)
        self._events: list[CallEvent] = []
        self._transcripts: list[UtteranceTruth] = []
        self._chat: list[ChatMessage] = []
        self._first_at_ms: int | None = None

    def packets_begin(self, first_ms: int) -> None:
        """Packets are sent from now on, the first of them captured at this time."""
        self._first_at_ms = first_ms

    def packet_sent(self, packet: Packet) -> None:
        """A packet went out, perhaps not for the first time."""
        self._sent[packet.channel_id].add(packet.number)

    def packet_vanished(self, packet: Packet) -> None:
        """A packet was sent into a connection that leads nowhere."""
        self._vanished[packet.channel_id].add(packet.number)

    def packet_expired(self, packet: Packet) -> None:
        """A packet was too old when somebody was there to take it."""
        self._expired[packet.channel_id].add(packet.number)

    def event_sent(self, event: CallEvent) -> None:
        """An event went out."""
        self._events.append(event)

    def transcript_sent(self, spoken: UtteranceTruth) -> None:
        """One of Zoom's transcripts went out."""
        self._transcripts.append(spoken)

    def chat_sent(self, chat: ChatMessage) -> None:
        """A chat message went out."""
        self._chat.append(chat)

    def truth(
        self,
        scenario: Scenario,
        recording: Recording,
        *,
        event_ts_ms: int,
        end_ms: int,
        burst_ms: int,
        stop_reason: StopReason,
    ) -> CallTruth:
        """The account, closed.

        Args:
            scenario: what was to be played.
            recording: its sound.
            event_ts_ms: epoch milliseconds of the scenario's time 0.
            end_ms: where the call ended, on the scenario's axis.
            burst_ms: how much came at once at the start.
            stop_reason: why it ended.
        """
        first_ms = self._first_at_ms or 0

        def moved(start_ms: int, stop_ms: int) -> Span:
            return Span(max(0, start_ms - first_ms), min(stop_ms, end_ms) - first_ms)

        def heard(start_ms: int, stop_ms: int) -> bool:
            return stop_ms > first_ms and start_ms < end_ms

        pauses = [(one.at_ms, one.at_ms + one.for_ms) for one in scenario.mishaps if one.kind is Kind.PAUSE]
        return CallTruth(
            title=scenario.title,
            engagement_id=scenario.engagement_id,
            stream_id=scenario.stream_id,
            queue_id=scenario.queue.queue_id,
            queue_name=scenario.queue.name,
            language=scenario.language,
            first_packet_timestamp_ms=0 if self._first_at_ms is None else event_ts_ms + first_ms,
            duration_ms=end_ms - first_ms,
            burst_ms=burst_ms,
            sample_rate_hz=SampleRate(self.take.plan.params.sample_rate).hz if self.take else 0,
            send_rate_ms=self.take.plan.params.send_rate if self.take else 0,
            tracks=self._tracks(self.take, first_ms, end_ms) if self.take else (),
            utterances=tuple(
                UtteranceTruth(one.side, one.channel_id, span.start_ms, span.end_ms, one.text, one.language)
                for one in recording.utterances
                if heard(one.start_ms, one.end_ms)
                for span in (moved(one.start_ms, one.end_ms),)
            ),
            holds=joined([moved(h.from_ms, h.to_ms) for h in scenario.holds if heard(h.from_ms, h.to_ms)]),
            events=tuple(
                EventTruth(event.event_type.name.lower(), event.at_ms - first_ms, event.channel_id)
                for event in self._events
            ),
            stop_reason=stop_reason,
            interruptions_count=self.interruptions_count,
            product=scenario.product.value,
            transcripts=tuple(
                TranscriptTruth(
                    one.channel_id,
                    one.start_ms - first_ms,
                    one.end_ms - first_ms,
                    one.text,
                    language_number(one.language),
                )
                for one in self._transcripts
            ),
            chat=tuple(ChatTruth(one.channel_id, one.at_ms - first_ms, one.text) for one in self._chat),
            pictures_sent_count=self.pictures_sent_count,
            pauses=joined([moved(*pause) for pause in pauses if heard(*pause)]),
            connections=tuple(
                replace(one, opened_ms=one.opened_ms - first_ms, closed_ms=one.closed_ms - first_ms)
                for one in sorted(self.connections, key=lambda one: (one.opened_ms, one.closed_ms, one.name))
            ),
            violations=tuple(self.violations),
        )

    def _tracks(self, take: Take, first_ms: int, end_ms: int) -> tuple[TrackTruth, ...]:
        plan, step_ms = take.plan, take.plan.params.send_rate

        def missing(numbers: set[int]) -> tuple[Span, ...]:
            return joined(
                [Span(n * step_ms - first_ms, (n + 1) * step_ms - first_ms) for n in sorted(numbers)]
            )

        tracks = []
        for person in take.scenario.participants:
            way, sent = plan.transmissions[person.channel_id], self._sent[person.channel_id]
            lost = {number for number in way.lost if first_ms <= number * step_ms < end_ms}
            lost |= self._vanished[person.channel_id] - sent
            expired = self._expired[person.channel_id] - sent
            held = (
                Span(max(0, span.start_ms - first_ms), span.end_ms - first_ms)
                for span in plan.held[person.channel_id]
                if span.end_ms > first_ms and span.start_ms < end_ms
            )
            tracks.append(
                TrackTruth(
                    side=None if person.channel_id == MIX else person.side,
                    channel_id=person.channel_id,
                    display_name=person.display_name,
                    packets_sent_count=len(sent),
                    samples_sent_count=len(sent) * plan.samples_per_packet,
                    packets_lost_count=len(lost),
                    packets_expired_count=len(expired),
                    packets_repeated_count=len(way.repeated & sent),
                    packets_swapped_count=len(way.swapped & sent),
                    lost=missing(lost),
                    held=tuple(held),
                    expired=missing(expired),
                )
            )
        return tuple(tracks)
