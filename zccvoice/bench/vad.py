"""How well speech is found: the tracks' spans against the truth of the labelled set (`labelled`).

What counts as found are utterances' spans, without their padding: what measures stand on. They end with the last
speech frame, so the hangover that ends an utterance is not in them; pauses shorter than the hangover are, and
those of more than 200 ms count against precision, as the truth has a hole there. Precision, recall and F1 are over
steps of 10 ms; boundary errors are distances of beginning and end of each stretch of truth from the nearest
beginning and end of the spans that touch it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.labelled import STEP_MS, Half, Labelled, labelled_set
from zccvoice.config import VadConfig
from zccvoice.speech.track import Track
from zccvoice.speech.utterance import Utterance

HALVES: tuple[Half, ...] = ("held out", "tuning")
WANTED_F1 = 0.95
WANTED_BOUNDARY_MS = 50
WANTED_TAKEN_RATIO = 0.02
"""Of hold music, and of signal tones."""
_WANTED_AT = {f"{noise} 10 dB" for noise in ("pink", "street", "fan")}
"""All through G.711. Babble is people: it is told in the table, and no bound is set for it."""
_START_MS = 1_700_000_000_000

_Steps = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Score:
    """What was found in some recordings."""

    hit_steps: int = 0
    false_steps: int = 0
    missed_steps: int = 0
    steps: int = 0
    boundary_errors_ms: list[int] = field(default_factory=list)
    missed_count: int = 0
    """Stretches of truth of which nothing was found."""

    def add(self, truth: _Steps, found: _Steps) -> None:
        """Take in a recording."""
        self.hit_steps += int((truth & found).sum())
        self.false_steps += int((~truth & found).sum())
        self.missed_steps += int((truth & ~found).sum())
        self.steps += len(truth)
        spans = runs(found)
        for start, end in runs(truth):
            touching = [span for span in spans if span[0] < end and span[1] > start]
            if not touching:
                self.missed_count += 1
                continue
            self.boundary_errors_ms.append(min(abs(span[0] - start) for span in touching) * STEP_MS)
            self.boundary_errors_ms.append(min(abs(span[1] - end) for span in touching) * STEP_MS)

    def merge(self, other: Score) -> None:
        """Take in another score."""
        self.hit_steps += other.hit_steps
        self.false_steps += other.false_steps
        self.missed_steps += other.missed_steps
        self.steps += other.steps
        self.boundary_errors_ms += other.boundary_errors_ms
        self.missed_count += other.missed_count

    @property
    def precision(self) -> float:
        """Share of what was found that is speech; 1 when nothing was found."""
        found = self.hit_steps + self.false_steps
        return self.hit_steps / found if found else 1.0

    @property
    def recall(self) -> float:
        """Share of the speech that was found; 1 when there is none."""
        speech = self.hit_steps + self.missed_steps
        return self.hit_steps / speech if speech else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    @property
    def taken_ratio(self) -> float:
        """Share of everything that nobody says and that was taken for speech."""
        silent = self.steps - self.hit_steps - self.missed_steps
        return self.false_steps / silent if silent else 0.0

    def row(self) -> dict[str, float | None]:
        """As a row of the table: boundary errors in ms, and the share of what is not speech taken for it."""
        errors = self.boundary_errors_ms
        has_speech = self.hit_steps + self.missed_steps > 0
        return {
            "P": round(self.precision, 3) if has_speech else None,
            "R": round(self.recall, 3) if has_speech else None,
            "F1": round(self.f1, 3) if has_speech else None,
            "p50 ms": percentile(errors, 50) if errors else None,
            "p90 ms": percentile(errors, 90) if errors else None,
            "missed": self.missed_count if has_speech else None,
            "taken %": round(100 * self.taken_ratio, 2),
        }


def run(settings: VadConfig, half: Half) -> BenchResult:
    """Measure the settings on one half of the set; takes some minutes."""
    return result_of(scores(labelled_set(half), settings), half)


def scores(recordings: Iterable[Labelled], settings: VadConfig) -> dict[str, Score]:
    """By condition, in the order of the recordings."""
    found: dict[str, Score] = defaultdict(Score)
    for recording in recordings:
        found[recording.condition].add(recording.is_speech, found_steps(recording, settings))
    return dict(found)


def found_steps(recording: Labelled, settings: VadConfig) -> _Steps:
    """Where a track finds speech in a recording, for every step."""
    carried = recording.carried
    track = Track("bench", carried.codec.audio_format, settings)
    found = np.zeros(len(recording.is_speech), bool)
    done = []
    for timestamp_ms, payload in carried.arriving(_START_MS):
        track.place(timestamp_ms, payload)
        done += track.hear(track.decode())
    for one in done + track.flush():
        if isinstance(one, Utterance):
            start, end = one.start_timestamp_ms - _START_MS, one.end_timestamp_ms - _START_MS
            found[start // STEP_MS : end // STEP_MS] = True
    return found


def result_of(by_condition: dict[str, Score], half: Half) -> BenchResult:
    """The table, and the figures that are wanted."""
    result = BenchResult("vad")
    result.cases = {condition: score.row() for condition, score in by_condition.items()}
    noisy = _merged(score for condition, score in by_condition.items() if condition in _WANTED_AT)
    how = f"{half} half, pink, street and fan noise at 10 dB SNR through G.711"
    errors_ms = noisy.boundary_errors_ms
    boundary_ms = percentile(errors_ms, 50) if errors_ms else 0.0
    result.figures["f1_10db"] = Figure(round(noisy.f1, 4), "", how)
    result.figures["boundary_10db_p50"] = Figure(boundary_ms, "ms", how)
    result.wanted.append(Wanted("f1_10db", WANTED_F1, round(noisy.f1, 4), is_least=True))
    result.wanted.append(Wanted("boundary_10db_p50", WANTED_BOUNDARY_MS, boundary_ms))
    for name, prefix, bound in (
        ("music_taken", "music", WANTED_TAKEN_RATIO),
        ("signals_taken", "signal", WANTED_TAKEN_RATIO),
        ("dtmf_taken", "DTMF", 0.0),
    ):
        of_kind = _merged(score for condition, score in by_condition.items() if condition.startswith(prefix))
        taken = round(of_kind.taken_ratio, 4)
        result.figures[name] = Figure(taken, "ratio", f"{half} half, share of its time taken for speech")
        result.wanted.append(Wanted(name, bound, taken))
    return result


def _merged(some: Iterable[Score]) -> Score:
    merged = Score()
    for score in some:
        merged.merge(score)
    return merged


def runs(flags: _Steps) -> list[tuple[int, int]]:
    """Stretches of True as [start, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
