"""Payload → samples, one file per codec.

A codec keeps the state of one track where it has one and works on runs of packets; `codec_for` makes it.
`counter_for` tells how much audio a payload claims to be without decoding it (the timeline needs that first),
`as_carried` what a track's payloads really are, and `unwrapped` takes off what a transport put around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, assert_never

from zccvoice.audio import rtp
from zccvoice.audio.codecs import g711, g722, l16, opus
from zccvoice.audio.frame import AudioFormat, Encoding, Packet, Samples
from zccvoice.errors import DecodeError


class Codec(Protocol):
    """Decodes the packets of one track, in order."""

    rate_hz: int
    """Of the samples it gives."""
    delay_samples: int
    """How much later than it was said the sound comes out, at that rate: encoder and decoder together."""
    preroll_ms: int
    """How much sound before a place a fresh one has to decode to give nearly the same there."""

    def decode(self, packets: Sequence[Packet]) -> tuple[Samples, list[Packet]]:
        """A run of packets without a hole, at least one, each of which `sample_count` accepts.

        Returns:
            ``int16[n]``, mono, at `rate_hz`, exactly as long as the packets claim to be; and the packets that the
            library refused all the same: they sound like lost ones.
        """
        ...

    def conceal(self, sample_count: int, follower: Packet | None) -> Samples:
        """What is to be heard in a hole: nothing, where the codec has no way of its own.

        Args:
            sample_count: length of the hole, at `rate_hz`.
            follower: the packet after it, if one came: it may hold the end of the hole once more.

        Returns:
            ``int16[n]``, n ≤ `sample_count`: the beginning of the hole; silence is to follow.
        """
        ...


def codec_for(audio_format: AudioFormat) -> Codec:
    """A fresh codec for one track."""
    match audio_format.encoding:
        case Encoding.L16:
            return l16.L16(audio_format.rate_hz, audio_format.channel_count)
        case Encoding.PCMA | Encoding.PCMU:
            return g711.G711(audio_format.encoding)
        case Encoding.G722:
            return g722.G722()
        case Encoding.OPUS:
            return opus.new_codec()
        case _:
            assert_never(audio_format.encoding)


def counter_for(audio_format: AudioFormat) -> Callable[[bytes], int]:
    """Tells how long an unwrapped payload is, in samples at 16 kHz.

    Raises (what is returned does):
        DecodeError: its size or its structure is impossible.
    """
    match audio_format.encoding:
        case Encoding.L16:
            return l16.Counter(audio_format.rate_hz, audio_format.channel_count).sample_count
        case Encoding.PCMA | Encoding.PCMU:
            return g711.sample_count
        case Encoding.G722:
            return g722.sample_count
        case Encoding.OPUS:
            return opus.sample_count
        case _:
            assert_never(audio_format.encoding)


def sample_count(audio_format: AudioFormat, payload: bytes) -> int:
    """`counter_for`, for a single payload."""
    return counter_for(audio_format)(payload)


def is_silence_notice(audio_format: AudioFormat, payload: bytes) -> bool:
    """Whether the sender says with this payload that it will send nothing while nobody speaks (Opus' DTX)."""
    return audio_format.encoding is Encoding.OPUS and opus.is_silence_notice(payload)


def unwrapped(audio_format: AudioFormat, payload: bytes) -> bytes:
    """The codec's own bytes of a payload.

    Raises:
        DecodeError: the RTP header around them is broken.
    """
    return rtp.unwrap(payload) if audio_format.is_rtp else payload


def as_carried(announced: AudioFormat, payload: bytes) -> AudioFormat:
    """What a track's payloads are by the look of its first one, where that differs from what was announced.

    Zoom's documents disagree on whether "RTP" payloads have RTP's header and on when L16 is stereo; where the size
    of a packet is known the payload itself decides. What fits neither is taken for what was announced.
    """
    carried = announced
    if announced.is_rtp:
        carried = replace(announced, is_rtp=_is_rtp(announced, payload))
    if announced.encoding is Encoding.L16 and announced.packet_ms is not None:
        try:
            size = len(unwrapped(carried, payload))
        except DecodeError:
            return carried
        sample_bytes = 2 * announced.rate_hz * announced.packet_ms // 1000
        for channel_count in (1, 2):
            if size == sample_bytes * channel_count:
                carried = replace(carried, channel_count=channel_count)
    return carried


def _is_rtp(announced: AudioFormat, payload: bytes) -> bool:
    if _fits(announced, payload):
        return False
    try:
        rtp.unwrap(payload)
    except DecodeError:
        return not _is_plausible(announced, payload)
    return True


def _fits(announced: AudioFormat, payload: bytes) -> bool:
    """Whether a bare payload is exactly as long as one of this format is."""
    match announced.encoding:
        case Encoding.L16:
            byte_rate = 2 * announced.rate_hz * announced.channel_count
        case Encoding.OPUS:
            return False
        case _:
            byte_rate = g711.RATE_HZ
    return announced.packet_ms is not None and len(payload) * 1000 == byte_rate * announced.packet_ms


def _is_plausible(announced: AudioFormat, payload: bytes) -> bool:
    try:
        sample_count(announced, payload)
    except DecodeError:
        return False
    return True
