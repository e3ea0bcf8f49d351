"""Opus (RFC 6716): what a packet claims to be, and two decoders: libopus, and FFmpeg's where libopus is missing.

libopus is asked for 16 kHz mono: that costs less than 48 kHz and needs no resampling; of a stereo packet it gives
the mean of the channels. Lost packets are concealed by libopus itself, from the next packet if that carries them a
second time (in-band FEC), for 100 ms at most: after that it would invent.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import av
import numpy as np

from zccvoice.audio.codecs import libopus
from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Packet, Samples
from zccvoice.errors import DecodeError

LONGEST_CONCEALED_MS = 100
_LONGEST_FRAME_BYTES = 1_275
_LONGEST_PACKET_SAMPLES = 120 * SAMPLES_PER_MS
_STEP_SAMPLES = SAMPLE_RATE_HZ // 400
"""libopus counts what is lost in steps of 2.5 ms."""
_SILENCE_NOTICE_BYTES = 2
_ENCODER_DELAY_S = 0.0065
"""How much of the future libopus' encoder waits for (``OPUS_GET_LOOKAHEAD``: 312 samples at 48 kHz). In its
low-delay application, which is not for speech, it is 2.5 ms; packets do not tell."""
_FRAME_SAMPLES = tuple(
    int(milliseconds * SAMPLES_PER_MS)
    for milliseconds in (*(10, 20, 40, 60) * 3, *(10, 20) * 2, *(2.5, 5, 10, 20) * 4)
)
"""By configuration, RFC 6716 §3.1 table 2."""


def sample_count(payload: bytes) -> int:
    """How long a packet is, in samples at 16 kHz, by its own word; its structure is checked to the end.

    RFC 6716 §3.1 and 3.2; R1 to R7 there are what a packet has to obey.

    Raises:
        DecodeError: it does not.
    """
    size = len(payload)
    if size and payload[0] & 3 == 0 and size - 1 <= _LONGEST_FRAME_BYTES:
        return _FRAME_SAMPLES[payload[0] >> 3]  # one frame: nearly every packet
    count = _frame_count(payload)
    samples = count * _FRAME_SAMPLES[payload[0] >> 3] if count else 0
    if not 0 < samples <= _LONGEST_PACKET_SAMPLES:
        raise DecodeError(
            f"Opus payload: expected a packet of RFC 6716 of 120 ms at most; got {size} bytes "
            f"beginning with {payload[:8].hex() or 'nothing'}"
        )
    return samples


def _frame_count(payload: bytes) -> int:
    """Frames in a packet, 0 for one whose structure is broken."""
    if not payload:
        return 0
    code, rest = payload[0] & 3, len(payload) - 1
    if code == 0:
        return int(rest <= _LONGEST_FRAME_BYTES)
    if code == 1:
        return 2 if rest % 2 == 0 and rest // 2 <= _LONGEST_FRAME_BYTES else 0
    if code == 2:
        first, used = _frame_length(payload, 1)
        return 2 if used and 0 <= rest - used - first <= _LONGEST_FRAME_BYTES else 0
    return _many_frames(payload)


def _many_frames(payload: bytes) -> int:
    """§3.2.5: a count of frames, perhaps padding, and their lengths where they differ."""
    if len(payload) < 2:
        return 0
    head, at, end = payload[1], 2, len(payload)
    count = head & 0x3F
    if head & 0x40:
        while True:
            if at >= end:
                return 0
            padding = payload[at]
            at += 1
            end -= min(padding, 254)
            if padding != 255:
                break
    if head & 0x80:
        for _ in range(count - 1):
            length, used = _frame_length(payload[:end], at)
            if not used:
                return 0
            at += used
            end -= length
        return count if 0 <= end - at <= _LONGEST_FRAME_BYTES else 0
    room = end - at
    return count if count and room >= 0 and room % count == 0 and room // count <= _LONGEST_FRAME_BYTES else 0


def _frame_length(payload: bytes, at: int) -> tuple[int, int]:
    """§3.2.1: a length of one byte or two, and how many it took; (0, 0) when they are not there."""
    if at >= len(payload):
        return 0, 0
    if payload[at] < 252:
        return payload[at], 1
    return (payload[at + 1] * 4 + payload[at], 2) if at + 1 < len(payload) else (0, 0)


def is_silence_notice(payload: bytes) -> bool:
    """Whether nothing more may come while nobody speaks: frames of nothing, DTX (RFC 6716 §2.1.9)."""
    return len(payload) <= _SILENCE_NOTICE_BYTES


def new_codec() -> LibOpusCodec | FFmpegOpusCodec:
    """A decoder with concealment, or the other one."""
    library = libopus.load()
    return FFmpegOpusCodec() if library is None else LibOpusCodec(library)


def is_concealing() -> bool:
    """Whether lost packets can be concealed: libopus was found."""
    return libopus.load() is not None


class LibOpusCodec:
    """See `codecs.Codec`."""

    rate_hz = SAMPLE_RATE_HZ
    delay_samples = int(SAMPLE_RATE_HZ * _ENCODER_DELAY_S)
    preroll_ms = 800

    def __init__(self, library: libopus.LibOpus) -> None:
        self._decode = library.decode
        self._memory = ctypes.create_string_buffer(library.decoder_bytes(1))
        self._decoder = ctypes.c_void_p(ctypes.addressof(self._memory))
        status = library.start_decoder(self._decoder, SAMPLE_RATE_HZ, 1)
        assert status == 0, f"libopus {library.version}: no decoder, status {status}"

    def decode(self, packets: Sequence[Packet]) -> tuple[Samples, list[Packet]]:
        """See `codecs.Codec`."""
        samples = np.zeros(sum([packet.sample_count for packet in packets]), np.int16)
        refused = []
        decode, decoder, address = self._decode, self._decoder, samples.ctypes.data
        pointer = ctypes.c_void_p()  # for all packets: one each is a fifth of what Python adds here
        for packet in packets:
            _, count, payload, _ = packet
            pointer.value = address
            if decode(decoder, payload, len(payload), pointer, count, 0) != count:
                decode(decoder, None, 0, pointer, count, 0)
                refused.append(packet)
            address += 2 * count
        return samples, refused

    def conceal(self, sample_count: int, follower: Packet | None) -> Samples:
        """See `codecs.Codec`."""
        longest = LONGEST_CONCEALED_MS * SAMPLES_PER_MS
        count = min(sample_count, longest) // _STEP_SAMPLES * _STEP_SAMPLES
        samples = np.zeros(count, np.int16)
        if count and follower is not None and sample_count <= longest:
            payload = follower.payload  # without FEC in it libopus conceals
            self._decode(self._decoder, payload, len(payload), ctypes.c_void_p(samples.ctypes.data), count, 1)
        elif count:
            self._decode(self._decoder, None, 0, ctypes.c_void_p(samples.ctypes.data), count, 0)
        return samples


class FFmpegOpusCodec:
    """See `codecs.Codec`. Conceals nothing, and gives 48 kHz."""

    rate_hz = 48_000
    delay_samples = int(rate_hz * _ENCODER_DELAY_S)
    preroll_ms = 800

    def __init__(self) -> None:
        self._context = av.CodecContext.create("opus", "r")
        assert isinstance(self._context, av.AudioCodecContext)
        self._context.sample_rate = self.rate_hz
        self._context.layout = "stereo"

    def decode(self, packets: Sequence[Packet]) -> tuple[Samples, list[Packet]]:
        """See `codecs.Codec`."""
        sounds, refused = [], []
        for packet in packets:
            wanted = packet.sample_count * self.rate_hz // SAMPLE_RATE_HZ
            sound = self._decode(packet.payload)
            if len(sound) != wanted:
                refused.append(packet)
                sound = np.zeros(wanted, np.int16)
            sounds.append(sound)
        return np.concatenate(sounds), refused

    def conceal(self, sample_count: int, follower: Packet | None) -> Samples:
        """Nothing."""
        return np.empty(0, np.int16)

    def _decode(self, payload: bytes) -> Samples:
        try:
            frames = self._context.decode(av.Packet(payload))
        except av.FFmpegError:
            return np.empty(0, np.int16)
        if not frames:
            return np.empty(0, np.int16)
        channels = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
        mono = channels.mean(axis=0) * 32_768
        rounded: Samples = np.clip(np.rint(mono), -32_768, 32_767).astype(np.int16)
        return rounded
