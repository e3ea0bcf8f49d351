"""CORE: speech decisions per frame → where utterances begin and end, in frames.

An utterance begins at the first speech frame of the last `ONSET_WINDOW_FRAMES` once `onset_frames` of them are
speech, and ends after its last speech frame once `hangover_frames` passed without any. One that grows to
`longest_frames` is cut in the middle of its quietest 200 ms in its last third, so that no word is cut that
need not be. Results are ordered and disjoint, and do not depend on how the input was cut into pieces.

Mostly nothing begins and nothing can end: such frames are taken in many at a time, and cost next to nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from zccvoice.config import VadConfig
from zccvoice.speech.vad import FRAME_MS, Decisions

ONSET_WINDOW_FRAMES = 6
"""The last so many frames decide whether speech has begun: 120 ms."""
_QUIET_FRAMES = 10
"""Length of the stretch that is searched for the quietest place: 200 ms."""
_FRAMES_AT_ONCE = 10
"""Much less than a hangover, so that in speech most are taken in at once."""


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """Frames ``[start, end)`` of speech."""

    start: int
    end: int
    is_cut: bool = False
    """True when speech goes on right after it."""
    is_open: bool = False
    """True for what is no utterance yet: one that goes on, and has just become `doubtful_frames` long."""


class Endpointer:
    """The hysteresis of one track."""

    def __init__(
        self,
        *,
        onset_frames: int,
        shortest_frames: int,
        hangover_frames: int,
        longest_frames: int,
        doubtful_frames: int | None = None,
    ) -> None:
        self._onset_frames = onset_frames
        self._shortest_frames = shortest_frames
        self._hangover_frames = hangover_frames
        self._longest_frames = longest_frames
        self._doubtful_frames = doubtful_frames
        self._recent: deque[bool] = deque(maxlen=ONSET_WINDOW_FRAMES)
        self._levels: list[float] = []
        self._start: int | None = None
        self._speech_end = 0
        self._position = 0

    @property
    def open_since(self) -> int | None:
        """First frame of the utterance that is open now, None between utterances."""
        return self._start

    @property
    def position(self) -> int:
        """Frames taken in so far."""
        return self._position

    def push(self, decisions: Decisions) -> Iterator[SpeechSpan]:
        """Take in the next frames; gives each utterance as soon as it is complete, before the frames after it.

        Meanwhile `position` is there, and `flush` may be called. It has to be iterated to its end.
        """
        for at in range(0, len(decisions.is_speech), _FRAMES_AT_ONCE):
            flags = decisions.is_speech[at : at + _FRAMES_AT_ONCE]
            levels = decisions.levels_dbfs[at : at + _FRAMES_AT_ONCE]
            if self._is_calm(flags):
                self._take(flags, levels)
                continue
            for is_speech, level_dbfs in zip(flags, levels, strict=True):
                span = self._step(is_speech, level_dbfs)
                if span is not None:
                    yield span

    def flush(self) -> SpeechSpan | None:
        """No more frames follow here (end of the track, a long gap): closes the open utterance."""
        self._recent.clear()
        return None if self._start is None else self._finish()

    def _is_calm(self, flags: list[bool]) -> bool:
        """Whether nothing can begin, end or become doubtful with these frames."""
        if self._start is None:
            return True not in flags and True not in self._recent
        position = self._position + len(flags)
        open_frames = position - self._start
        return position - self._speech_end < self._hangover_frames and (
            open_frames < self._longest_frames
            and not (
                self._doubtful_frames and open_frames - len(flags) < self._doubtful_frames <= open_frames
            )
        )

    def _take(self, flags: list[bool], levels_dbfs: list[float]) -> None:
        """Calm frames, all at once."""
        self._levels += levels_dbfs
        if self._start is None:
            self._recent.extend(flags)
            del self._levels[: -len(self._recent)]
        elif True in flags:
            self._speech_end = self._position + len(flags) - flags[::-1].index(True)
        self._position += len(flags)

    def _step(self, is_speech: bool, level_dbfs: float) -> SpeechSpan | None:
        """One frame, with which anything may happen."""
        self._position += 1
        if self._start is None:
            self._begin_if_speech(is_speech, level_dbfs)
            return None
        self._levels.append(level_dbfs)
        if is_speech:
            self._speech_end = self._position
        if self._position - self._speech_end >= self._hangover_frames:
            return self._finish()
        if self._position - self._start >= self._longest_frames:
            return self._cut()
        if self._position - self._start == self._doubtful_frames:
            return SpeechSpan(self._start, self._position, is_cut=True, is_open=True)
        return None

    def _begin_if_speech(self, is_speech: bool, level_dbfs: float) -> None:
        self._recent.append(is_speech)
        self._levels.append(level_dbfs)
        del self._levels[: -len(self._recent)]
        if sum(self._recent) >= self._onset_frames:
            first = list(self._recent).index(True)
            self._start = self._position - len(self._recent) + first
            del self._levels[:first]
            self._speech_end = self._position

    def _finish(self) -> SpeechSpan | None:
        assert self._start is not None
        span = SpeechSpan(self._start, self._speech_end)
        self._start = None
        self._recent.clear()
        self._levels.clear()
        return span if span.end - span.start >= self._shortest_frames else None

    def _cut(self) -> SpeechSpan | None:
        """Cut at the quietest place; what lies after it begins the next utterance."""
        assert self._start is not None
        first = len(self._levels) * 2 // 3
        sums = [
            sum(self._levels[at : at + _QUIET_FRAMES])
            for at in range(first, len(self._levels) - _QUIET_FRAMES + 1)
        ]
        cut = first + min(range(len(sums)), key=sums.__getitem__) + _QUIET_FRAMES // 2
        middle = self._start + cut
        span = SpeechSpan(self._start, min(middle, self._speech_end), is_cut=self._speech_end > middle)
        if not span.is_cut:  # only silence follows: wait for new speech
            return self._finish()
        self._start = middle
        del self._levels[:cut]
        return span


def endpointer_for(settings: VadConfig) -> Endpointer:
    """An endpointer with the configured times."""
    return Endpointer(
        onset_frames=settings.onset_frames,
        shortest_frames=settings.shortest_ms // FRAME_MS,
        hangover_frames=settings.hangover_ms // FRAME_MS,
        longest_frames=settings.longest_s * 1000 // FRAME_MS,
        doubtful_frames=settings.doubtful_s * 1000 // FRAME_MS,
    )
