"""Writes down what a call sends while it is played, and makes the truth of it."""

from __future__ import annotations

from collections import defaultdict

from zccvoice.rtms.enums import SampleRate, StopReason
from zccvoice.simulator.packets import Packet, PacketPlan
from zccvoice.simulator.scenario import CallEvent, Scenario
from zccvoice.simulator.sources import Recording
from zccvoice.simulator.truth import CallTruth, EventTruth, Span, TrackTruth, UtteranceTruth, joined


class Ledger:
    """The account of one call. Times in it are the scenario's until `truth` moves them to the first packet."""

    def __init__(self) -> None:
        self.plan: PacketPlan | None = None
        """Set when the first client has agreed on parameters."""
        self.interruptions_count = 0
        self._sent: dict[str, set[int]] = defaultdict(set)
        self._expired: dict[str, set[int]] = defaultdict(set)
        self._events: list[CallEvent] = []
        self._first_at_ms: int | None = None

    def packet_sent(self, packet: Packet) -> None:
        """A packet went out, perhaps not for the first time."""
        self._sent[packet.channel_id].add(packet.number)
        if self._first_at_ms is None or packet.at_ms < self._first_at_ms:
            self._first_at_ms = packet.at_ms

    def packet_expired(self, packet: Packet) -> None:
        """A packet was too old when somebody was there to take it."""
        self._expired[packet.channel_id].add(packet.number)

    def event_sent(self, event: CallEvent) -> None:
        """An event went out."""
        self._events.append(event)

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
            sample_rate_hz=SampleRate(self.plan.params.sample_rate).hz if self.plan else 0,
            send_rate_ms=self.plan.params.send_rate if self.plan else 0,
            tracks=self._tracks(scenario, self.plan, first_ms, end_ms) if self.plan else (),
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
        )

    def _tracks(
        self, scenario: Scenario, plan: PacketPlan, first_ms: int, end_ms: int
    ) -> tuple[TrackTruth, ...]:
        step_ms = plan.params.send_rate

        def missing(numbers: set[int]) -> tuple[Span, ...]:
            return joined(
                [Span(n * step_ms - first_ms, (n + 1) * step_ms - first_ms) for n in sorted(numbers)]
            )

        tracks = []
        for person in scenario.participants:
            way, sent = plan.transmissions[person.channel_id], self._sent[person.channel_id]
            lost = {number for number in way.lost if first_ms <= number * step_ms < end_ms}
            expired = self._expired[person.channel_id] - sent
            held = (
                Span(max(0, span.start_ms - first_ms), span.end_ms - first_ms)
                for span in plan.held[person.channel_id]
                if span.end_ms > first_ms and span.start_ms < end_ms
            )
            tracks.append(
                TrackTruth(
                    side=person.side,
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
                )
            )
        return tuple(tracks)
