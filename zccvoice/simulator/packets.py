"""A call's sound as encoded packets, each with the moment it goes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zccvoice.rtms.enums import Codec, ContentType, SampleRate
from zccvoice.rtms.messages import AudioParams
from zccvoice.simulator.encoders import ENCODERS, in_rtp
from zccvoice.simulator.faults import Transmission, transmit
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.sources import Leg, Recording, resample
from zccvoice.simulator.truth import Span, joined


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of one leg."""

    channel_id: str
    number: int
    """Counted from the call's first packet; the leg's packet begins at ``number * send_rate``."""
    at_ms: int
    """Its first sample, from the call's first packet."""
    due_ms: int
    """When it goes out: its last sample is captured, and its predecessor in the leg has gone."""


class PacketPlan:
    """Everything a call sends as audio, in the order it is sent, for the parameters agreed on."""

    def __init__(self, scenario: Scenario, recording: Recording, params: AudioParams) -> None:
        rate = SampleRate(params.sample_rate)
        self.params = params
        self.samples_per_packet = rate.hz * params.send_rate // 1_000
        """Per channel."""
        self.transmissions: dict[str, Transmission] = {}
        """By channel id."""
        self.held: dict[str, tuple[Span, ...]] = {}
        """By channel id: where the leg sends nothing."""
        self._payloads = {
            leg.participant.channel_id: self._encoded(leg, rate, fec=scenario.opus_fec)
            for leg in recording.legs
        }
        packets: list[Packet] = []
        for leg in recording.legs:
            packets += self._leg(leg, scenario, recording.duration_ms)
        packets.sort(key=lambda packet: packet.due_ms)
        self.packets = tuple(packets)
        """By `Packet.due_ms`; within a leg as `faults` ordered them."""

    def _leg(self, leg: Leg, scenario: Scenario, duration_ms: int) -> list[Packet]:
        step, channel_id = self.params.send_rate, leg.participant.channel_id
        end_ms = duration_ms if leg.participant.to_ms is None else min(leg.participant.to_ms, duration_ms)
        first, past = -(-leg.participant.from_ms // step), -(-end_ms // step)
        held = joined([Span(h.from_ms, h.to_ms) for h in scenario.holds if channel_id in h.held])
        numbers = tuple(n for n in range(first, past) if not _inside(n * step, held))
        sent = transmit(
            numbers, scenario.faults, channel_id=channel_id, send_rate_ms=step, seed=scenario.seed
        )
        self.transmissions[channel_id], self.held[channel_id] = sent, held
        packets, due_ms = [], 0
        for number in sent.order:
            due_ms = max(due_ms, (number + 1) * step)
            packets.append(Packet(channel_id, number, number * step, due_ms))
        return packets

    def payload(self, packet: Packet) -> bytes:
        """The packet's bytes, encoded."""
        return self._payloads[packet.channel_id][packet.number]

    def _encoded(self, leg: Leg, rate: SampleRate, *, fec: bool) -> list[bytes]:
        """The leg's packets, from the call's first on."""
        params, size = self.params, self.samples_per_packet
        samples = resample(leg.samples, rate.hz)
        samples = np.repeat(samples[: len(samples) // size * size], params.channel)
        payloads = ENCODERS[params.codec](samples, params.channel, size, fec)
        if params.content_type == ContentType.RTP and params.codec != Codec.L16:
            return in_rtp(payloads, params.codec, size)
        return payloads  # Zoom's samples ask for L16 as RTP, and read it as it is


def _inside(at_ms: int, spans: tuple[Span, ...]) -> bool:
    return any(span.start_ms <= at_ms < span.end_ms for span in spans)
