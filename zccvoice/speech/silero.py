"""Silero VAD, the second detector: a small recurrent network that was trained on people.

The weights come with faster-whisper (`faster_whisper.vad`, Silero v6, 16 kHz). They take windows of 512 samples
with the 64 samples before each, and carry a state from window to window. Steady noise, music and tones hardly
move them; singing and other people's talk do. At the usual thresholds (0.5 and 0.35) they lose speech of a
telephone's band, and digital silence dulls them for what follows: ours are lower (`VadConfig`), and zeros are not
fed to them (snakers4/silero-vad#685, #686, #725).
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from zccvoice.audio.quality import frame_levels_dbfs, level_dbfs
from zccvoice.config import VadConfig
from zccvoice.speech.vad import DIGITAL_SILENCE_DBFS, FRAME_SAMPLES, Decisions

WINDOW_SAMPLES = 512
"""One probability each: 32 ms."""
_LIKELIEST_WINDOWS = 3
_CONTEXT_SAMPLES = 64
_STATE_SIZE = 128

Samples: TypeAlias = npt.NDArray[np.int16]
"""``int16[n]``, mono, 16 kHz."""


class Silero:
    """The state of one track, or of one stretch of it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._h = np.zeros((1, 1, _STATE_SIZE), np.float32)
        self._c = np.zeros((1, 1, _STATE_SIZE), np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        """How likely each next window is speech: ``float32[n / 512]``; n is a multiple of 512."""
        if samples.size == 0:
            return np.empty(0, np.float32)
        sound = samples.astype(np.float32) / 32_768
        with_context = np.concatenate([self._context, sound])
        self._context = with_context[-_CONTEXT_SAMPLES:]
        width = _CONTEXT_SAMPLES + WINDOW_SAMPLES
        windows = np.lib.stride_tricks.sliding_window_view(with_context, width)[::WINDOW_SAMPLES]
        given = {"input": np.ascontiguousarray(windows), "h": self._h, "c": self._c}
        found, self._h, self._c = _session().run(None, given)
        return np.asarray(found, np.float32).reshape(-1)


class SileroDetector:
    """`SpeechDetector` on Silero alone: the best ear, at some ten times the cost."""

    def __init__(self, settings: VadConfig) -> None:
        self._silero = Silero()
        self._settings = settings
        self._is_speech = False
        self._rest = np.empty(0, np.int16)

    def detect(self, samples: Samples) -> Decisions:
        """See `SpeechDetector`; a frame is judged by the last window that ends within it or before."""
        is_speech = []
        for at in range(0, samples.size, FRAME_SAMPLES):
            frame = samples[at : at + FRAME_SAMPLES]
            self._rest = np.concatenate([self._rest, frame])
            if self._rest.size >= WINDOW_SAMPLES:
                self._hear(self._rest[:WINDOW_SAMPLES])
                self._rest = self._rest[WINDOW_SAMPLES:]
            is_speech.append(self._is_speech)
        return Decisions(is_speech, frame_levels_dbfs(samples, FRAME_SAMPLES))

    def _hear(self, window: Samples) -> None:
        # One window at a time: results of larger batches may differ in the last bit, and then with the cut.
        if level_dbfs(window) <= DIGITAL_SILENCE_DBFS:
            self._silero.reset()
            self._is_speech = False
            return
        threshold = self._settings.silero_leave if self._is_speech else self._settings.silero_enter
        self._is_speech = bool(self._silero.probabilities(window)[0] >= threshold)


def speech_windows(samples: Samples, settings: VadConfig) -> npt.NDArray[np.bool_]:
    """Where in a stretch of sound Silero hears speech: one decision per whole window of 512 samples."""
    whole = samples[: samples.size // WINDOW_SAMPLES * WINDOW_SAMPLES]
    decisions = np.zeros(whole.size // WINDOW_SAMPLES, bool)
    is_speech = False
    for number, probability in enumerate(Silero().probabilities(whole)):
        is_speech = bool(probability >= (settings.silero_leave if is_speech else settings.silero_enter))
        decisions[number] = is_speech
    return decisions


def voice_probability(samples: Samples) -> float:
    """How likely somebody speaks in a stretch of sound, at its likeliest 100 ms; 0-1."""
    whole = samples[: samples.size // WINDOW_SAMPLES * WINDOW_SAMPLES]
    likeliest = np.sort(Silero().probabilities(whole))[-_LIKELIEST_WINDOWS:]
    return float(likeliest[0]) if likeliest.size == _LIKELIEST_WINDOWS else 0.0


@cache
def _session() -> Any:
    """The network, one for all tracks: its state is theirs."""
    from faster_whisper.vad import get_vad_model  # a quarter of a second; who never doubts does not pay it

    return get_vad_model().session
