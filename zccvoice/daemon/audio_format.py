"""Zoom's words for an audio format ↔ ours."""

from __future__ import annotations

from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.config import ZoomConfig
from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms.enums import MEETINGS, Codec, ContentType, DataOption, Product, SampleRate
from zccvoice.rtms.messages import AudioParams

_CODECS = {"l16": Codec.L16, "g711": Codec.G711, "g722": Codec.G722, "opus": Codec.OPUS}
_ENCODINGS = {
    Codec.L16: Encoding.L16,
    Codec.G711: Encoding.PCMA,
    Codec.G722: Encoding.G722,
    Codec.OPUS: Encoding.OPUS,
}
_RATES = {
    Codec.L16: frozenset(SampleRate),
    Codec.G711: frozenset({SampleRate.SR_8K}),
    Codec.G722: frozenset({SampleRate.SR_16K}),
    Codec.OPUS: frozenset({SampleRate.SR_48K}),
}
_STEREO = frozenset({Codec.L16, Codec.OPUS})


def wanted_audio(settings: ZoomConfig, product: Product) -> AudioParams:
    """What we ask Zoom for: one series of packets per participant, unless meetings are to be mixed."""
    is_mixed = settings.mixed and product in MEETINGS
    return AudioParams(
        content_type=ContentType.RTP if settings.rtp else ContentType.RAW_AUDIO,
        codec=_CODECS[settings.codec],
        sample_rate=next(rate for rate in SampleRate if rate.hz == settings.audio_rate_hz),
        channel=settings.channels,
        data_opt=DataOption.AUDIO_MIXED_STREAM if is_mixed else DataOption.AUDIO_MULTI_STREAMS,
        send_rate=settings.audio_send_rate_ms,
    )


def format_of(audio: AudioParams, before: AudioFormat | None = None) -> AudioFormat:
    """The effective parameters of a media handshake as a format of ours.

    Args:
        audio: the parameters.
        before: that of the stream's sound so far, if there is any.

    Raises:
        RemoteProtocolError: they are none of audio, do not go together, or differ from what they were before.
    """
    values = (audio.content_type, audio.codec, audio.sample_rate, audio.channel, audio.send_rate)
    if not (
        audio.content_type in (ContentType.RTP, ContentType.RAW_AUDIO)
        and audio.codec in _ENCODINGS
        and audio.sample_rate in _RATES[Codec(audio.codec)]
        and audio.channel in ((1, 2) if audio.codec in _STEREO else (1,))
        and 20 <= audio.send_rate <= 1000
    ):
        raise RemoteProtocolError(
            "expected L16 at 8 to 48 kHz, G.711, G.722 or Opus in packets of 20 to 1000 ms; Zoom will send "
            f"content_type, codec, sample_rate, channel, send_rate = {values}"
        )
    told = AudioFormat(
        _ENCODINGS[Codec(audio.codec)],
        SampleRate(audio.sample_rate).hz,
        audio.channel,
        is_rtp=audio.content_type == ContentType.RTP,
        packet_ms=audio.send_rate,
    )
    if before not in (None, told):
        raise RemoteProtocolError(f"expected the audio to come back as {before}, Zoom will send {told}")
    return told


def is_decodable(audio: AudioParams) -> bool:
    """Whether `format_of` takes these parameters."""
    try:
        format_of(audio)
    except RemoteProtocolError:
        return False
    return True
