"""CORE: what several utterances say together about the language of whoever spoke them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_LEAST_PROBABILITY = 1e-6
"""No single utterance rules a language out for good."""


@dataclass(frozen=True, slots=True)
class Clue:
    """What the recognizer made of one utterance."""

    voiced_s: float
    """How long somebody spoke: what it weighs."""
    probabilities: Mapping[str, float]
    """By Whisper code. Empty when the recognizer failed on it, all alike when it heard none of them."""

    @property
    def is_telling(self) -> bool:
        """Whether it speaks for one language rather than another."""
        return len({*self.probabilities.values()}) > 1 or len(self.probabilities) == 1


def weigh(clues: Iterable[Clue], among: Sequence[str]) -> tuple[str, float] | None:
    """The likeliest of the languages `among`, and how likely it is: 0-1; None when no clue says anything.

    Log probabilities are averaged, weighted by the seconds of speech. Their sum would pretend that two utterances
    of one voice on one line are independent, and be certain too soon.
    """
    told = [clue for clue in clues if clue.is_telling]
    voiced_s = math.fsum(clue.voiced_s for clue in told)
    if not voiced_s:
        return None
    scores = {
        language: math.fsum(
            clue.voiced_s * math.log(max(clue.probabilities.get(language, 0.0), _LEAST_PROBABILITY))
            for clue in told
        )
        / voiced_s
        for language in among
    }
    best = max(among, key=scores.__getitem__)
    return best, 1 / math.fsum(math.exp(score - scores[best]) for score in scores.values())
