"""Zoom's words for an audio format → ours."""

from __future__ import annotations

from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms.enums import Codec, SampleRate
from zccvoice.rtms.messages import AudioParams


def format_of(audio: AudioParams) -> AudioFormat:
    """The effective parameters of a media handshake as a format of ours.

    Raises:
        RemoteProtocolError: Zoom answered with something other than what we asked for.
    """
    wanted = (Codec.L16, SampleRate.SR_16K, 1)
    if (audio.codec, audio.sample_rate, audio.channel) != wanted:
        raise RemoteProtocolError(
            "expected L16 at 16 kHz mono (codec, sample_rate, channel = 1, 1, 1), Zoom will send "
            f"{audio.codec}, {audio.sample_rate}, {audio.channel}"
        )
    if not 20 <= audio.send_rate <= 1000:
        raise RemoteProtocolError(f"expected a send_rate of 20 to 1000 ms, Zoom will send {audio.send_rate}")
    return AudioFormat(Encoding.L16, SampleRate(audio.sample_rate).hz)
