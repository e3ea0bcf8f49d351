"""Which detector the settings ask for."""

from __future__ import annotations

from zccvoice.config import VadConfig
from zccvoice.speech.silero import SileroDetector
from zccvoice.speech.vad import SpeechDetector, WebRtcDetector


def detector_for(settings: VadConfig) -> SpeechDetector:
    """The detector of one track, for `VadConfig.detector`; ``both`` is the fast one, confirmed by Silero."""
    return SileroDetector(settings) if settings.detector == "silero" else WebRtcDetector(settings)
