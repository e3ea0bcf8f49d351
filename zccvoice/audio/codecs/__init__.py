"""Payload → samples, one file per codec.

Decoders keep the state of one track where the codec has one; `decoder_for` makes them, `sample_count` tells
how much audio a payload claims to be without decoding it (the timeline needs that first).
"""

from __future__ import annotations

from typing import Protocol, assert_never

import numpy as np
import numpy.typing as npt

from zccvoice.audio.codecs import l16
from zccvoice.audio.frame import AudioFormat, Encoding


class Decoder(Protocol):
    """Decodes the payloads of one track, in order."""

    def decode(self, payload: bytes) -> npt.NDArray[np.int16]:
        """One payload as ``int16[n]``, mono, at the format's rate.

        Raises:
            DecodeError: the payload is not of this codec.
        """
        ...


def decoder_for(audio_format: AudioFormat) -> Decoder:
    """A fresh decoder for one track."""
    match audio_format.encoding:
        case Encoding.L16:
            return l16.L16Decoder()
        case _:
            assert_never(audio_format.encoding)


def sample_count(audio_format: AudioFormat, payload: bytes) -> int:
    """Samples that the payload holds, per channel.

    Raises:
        DecodeError: its size is impossible.
    """
    match audio_format.encoding:
        case Encoding.L16:
            return l16.sample_count(payload)
        case _:
            assert_never(audio_format.encoding)
