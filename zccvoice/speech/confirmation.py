"""CORE: the second look at what the endpointer found, before it becomes an utterance.

WebRTC's detector and the energy gate tell to the frame where speech begins and ends, but take music, tones, a
street and a breath for speech as well. So each complete stretch is looked at once more, as a whole. It is
*doubtful* when it sounds like tones or music (`tones`), when no clear voice is in it for longer than people speak
without one, or when it goes on for longer than people do without a pause. What is not doubtful stays as it is. Of
what is, only those frames stay that Silero hears as speech, and the endpointer's rules are applied to them again.

The result depends on nothing but the stretch, so it is the same however the track came in pieces.

Silero takes tens of milliseconds for half a minute: too long for a thread that others wait for. So who confirms is
handed a `Doubt`, and sees to it that it is settled before going on.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from zccvoice.config import VadConfig
from zccvoice.speech.endpointer import SpeechSpan, endpointer_for
from zccvoice.speech.silero import WINDOW_SAMPLES as SILERO_SAMPLES
from zccvoice.speech.silero import speech_windows
from zccvoice.speech.tones import STEP_SAMPLES as TONE_SAMPLES
from zccvoice.speech.tones import Tonality, tonality
from zccvoice.speech.vad import DIGITAL_SILENCE_DBFS, FRAME_MS, FRAME_SAMPLES, Decisions

_VOICED = 0.5
"""Periodicity of a voice, at the least."""
_CLEAR_DB = 15.0
"""A voice so far above the quietest places of its stretch is clear."""
_VOICELESS_FRAMES = 22
"""No consonant lasts 400 ms; what the steps of `tones` resolve comes on top."""
_HELD_FRAMES = 50
"""No vowel lasts a second..."""
_HELD_SHARE = 3
"""... and is a third of what is said."""
_SILERO_LATE_FRAMES = (3, 7)
"""Silero hears speech end at least 60 ms late, and begin up to 140 ms late."""

_Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What the endpointer found, with its surroundings."""

    span: SpeechSpan
    first: int
    """The frame with which the two below begin: that of the span, or some before it."""
    samples: npt.NDArray[np.int16]
    """``int16[n]``, mono, 16 kHz."""
    decisions: Decisions
    """The fast detector's, for each whole frame of `samples`."""

    @property
    def inside(self) -> range:
        """The span's frames, counted from `first`."""
        return range(self.span.start - self.first, self.span.end - self.first)


@dataclass(slots=True, eq=False)
class Doubt:
    """A question to Silero: where in a stretch is speech?"""

    stretch: Stretch
    settings: VadConfig
    is_speech: _Flags = field(init=False)
    """The answer, for each frame of the stretch; not there before `settle`."""

    def settle(self) -> None:
        """Listen. Touches nothing but this, so any thread may do it."""
        least, most = _SILERO_LATE_FRAMES
        heard = _by_frame(speech_windows(self.stretch.samples, self.settings), SILERO_SAMPLES, self.stretch)
        ahead = np.pad(heard[least:], (0, most), mode="edge")[: len(heard) + most - least]
        near = np.lib.stride_tricks.sliding_window_view(ahead, most - least + 1)
        self.is_speech = np.asarray(near.any(axis=1), np.bool_)


class Confirmation:
    """The second look, with a track's settings; keeps nothing from stretch to stretch."""

    def __init__(self, settings: VadConfig) -> None:
        self._settings = settings
        self._longest_frames = settings.doubtful_s * 1000 // FRAME_MS

    def confirm(self, stretch: Stretch) -> Generator[Doubt, None, list[SpeechSpan]]:
        """What of a stretch is speech: spans inside it, in order; mostly the stretch itself, perhaps none.

        A doubt that it gives has to be settled before it goes on.
        """
        if self._settings.detector == "silero":
            return [stretch.span]
        heard = tonality(stretch.samples)
        is_tone = self._tones(heard)
        if self._settings.detector == "webrtc":
            is_tone = _by_frame(is_tone, TONE_SAMPLES, stretch)
            return self._keep(stretch, ~is_tone) if is_tone.any() else [stretch.span]
        is_long = stretch.span.end - stretch.span.start >= self._longest_frames
        is_tonal = bool(heard.is_key.any()) or _is_held(is_tone, stretch)
        if not (is_long or is_tonal or _lacks_voice(heard, stretch)):
            return [stretch.span]
        doubt = Doubt(stretch, self._settings)
        yield doubt
        return self._keep(stretch, doubt.is_speech & ~_by_frame(heard.is_key, TONE_SAMPLES, stretch))

    def _tones(self, heard: Tonality) -> _Flags:
        """The steps that may hold some of a tone."""
        is_tone = (heard.steadiness >= self._settings.steadiness) | heard.is_key
        reached = is_tone.copy()  # a step around it may be partly filled with it
        reached[1:] |= is_tone[:-1]
        reached[:-1] |= is_tone[1:]
        return reached

    def _keep(self, stretch: Stretch, is_kept: _Flags) -> list[SpeechSpan]:
        """The endpointer's rules once more, on the frames that are kept."""
        endpointer = endpointer_for(self._settings)
        inside = slice(stretch.inside.start, stretch.inside.stop)
        is_speech = (np.array(stretch.decisions.is_speech[inside]) & is_kept[inside]).tolist()
        found = [
            *endpointer.push(Decisions(is_speech, stretch.decisions.levels_dbfs[inside])),
            endpointer.flush(),
        ]
        start, end = stretch.span.start, stretch.span.end
        spans = [
            replace(one, start=one.start + start, end=one.end + start)
            for one in found
            if one is not None and not one.is_open
        ]
        if spans and stretch.span.is_cut and spans[-1].end == end:
            spans[-1] = replace(spans[-1], is_cut=True)
        return spans


def _is_held(is_tone: _Flags, stretch: Stretch) -> bool:
    """Whether more of it is tone than a vowel can be."""
    if not is_tone.any():  # as in most of what is said
        return False
    frames = _by_frame(is_tone, TONE_SAMPLES, stretch)
    frame_count = int(np.count_nonzero(frames[stretch.inside.start : stretch.inside.stop]))
    return frame_count >= _HELD_FRAMES or frame_count * _HELD_SHARE >= len(stretch.inside)


def _lacks_voice(heard: Tonality, stretch: Stretch) -> bool:
    """Whether the fast detector found speech without a clear voice in it, at all or for longer than people can."""
    levels = np.array(stretch.decisions.levels_dbfs, np.float64)
    audible = levels[levels > DIGITAL_SILENCE_DBFS]
    audible.sort()
    clear_dbfs = (audible[audible.size // 10] if audible.size else 0.0) + _CLEAR_DB
    is_voice = _by_frame(heard.periodicity >= _VOICED, TONE_SAMPLES, stretch) & (levels >= clear_dbfs)
    inside = slice(stretch.inside.start, stretch.inside.stop)
    is_speech = stretch.decisions.is_speech[inside]
    voices: list[int] = np.flatnonzero(is_voice[inside]).tolist()
    after = 0  # the last voice
    for voice in [*voices, len(is_speech)]:
        if voice - after >= _VOICELESS_FRAMES and is_speech[after:voice].count(True) >= _VOICELESS_FRAMES:
            return True
        after = voice + 1
    return not voices


def _by_frame(windows: _Flags, window_samples: int, stretch: Stretch) -> _Flags:
    """Flags per window → per frame: that of the window in which the frame's middle lies, or of the last one."""
    frame_count = len(stretch.decisions.is_speech)
    if windows.size == 0:
        return np.zeros(frame_count, bool)
    middles = np.arange(FRAME_SAMPLES // 2, frame_count * FRAME_SAMPLES, FRAME_SAMPLES)
    return windows.take(middles // window_samples, mode="clip")
