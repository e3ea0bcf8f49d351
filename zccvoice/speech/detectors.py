"""Which detector the settings ask for."""

from __future__ import annotations

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.config import VadConfig
from zccvoice.speech.silero import SileroDetector
from zccvoice.speech.vad import SpeechDetector, WebRtcDetector


def detector_for(settings: VadConfig, rate_hz: int = SAMPLE_RATE_HZ) -> SpeechDetector:
    """The detector of one track, for `VadConfig.detector`; ``both`` is the fast one, confirmed by Silero.

    Args:
        settings: which, and how it decides.
        rate_hz: of the samples: 16000, or 8000 for all but Silero.
    """
    return SileroDetector(settings) if settings.detector == "silero" else WebRtcDetector(settings, rate_hz)
