"""Scorers by language, and the sentiment of a side from those of its utterances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from zccvoice.analytics.record import Span, SpokenUtterance
from zccvoice.analytics.sentiment.lexicon import LexiconScorer, parse_lexicon
from zccvoice.errors import ConfigError

SCALE = 5
"""Scores of sides are −5…+5, those of utterances −1…+1."""


class SentimentScorer(Protocol):
    """Judges one utterance of one language."""

    def score(self, text: str) -> float:
        """The sentiment of what was said, −1 (bad) to +1 (good); 0 where nothing in it tells."""


Scorers = Mapping[str, SentimentScorer]
"""By Whisper code. A language that is not in it has no sentiment."""


def load_scorers(folder: Path | None = None) -> Scorers:
    """The shipped scorers (English, Spanish, German), and those of a folder of lexicons in their place or beside.

    Args:
        folder: its files ``<Whisper code>.txt`` are lexicons, see `lexicon`.

    Raises:
        ConfigError: the folder cannot be read, or a file in it is no lexicon; all that is wrong in it.
    """
    texts = {
        one.name: one.read_text(encoding="utf-8")
        for one in files("zccvoice.analytics.sentiment").joinpath("lexicons").iterdir()
        if one.name.endswith(".txt")
    }
    problems: list[str] = []
    if folder is not None:
        texts |= _texts_in(folder, problems)
    scorers: dict[str, SentimentScorer] = {}
    for name, text in texts.items():
        try:
            scorers[name.removesuffix(".txt")] = LexiconScorer(parse_lexicon(text, name))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return scorers


def _texts_in(folder: Path, problems: list[str]) -> dict[str, str]:
    found = {}
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix == ".txt":
                found[path.name] = path.read_text(encoding="utf-8")
    except OSError as error:
        problems.append(f"sentiment.lexicons: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append("sentiment.lexicons: expected UTF-8 text")
    return found


def sentiment_of(text: str | None, language: str | None, scorers: Scorers) -> float | None:
    """That of an utterance; None without words, or where the language has no scorer."""
    scorer = scorers.get(language or "")
    return None if not text or scorer is None else scorer.score(text)


def side_score(utterances: Sequence[SpokenUtterance]) -> float | None:
    """The mean of the utterances' scores weighted by their words, −5…+5.

    None when none has a score, or the words of one that has cannot be counted.
    """
    if any(one.has_uncounted_words for one in utterances if one.sentiment is not None):
        return None
    words = side_words_count(utterances)
    rated = [(one.sentiment, one.word_count or 0) for one in utterances if one.sentiment is not None]
    return SCALE * math.fsum(score * count for score, count in rated) / words if words else None


def side_words_count(utterances: Sequence[SpokenUtterance]) -> int:
    """How many words `side_score` is of: those of the utterances that have a score."""
    return sum(one.word_count or 0 for one in utterances if one.sentiment is not None)


def quarter_scores(utterances: Sequence[SpokenUtterance], call: Span) -> list[float | None]:
    """The same over four equal periods of the whole call; an utterance is of the period that it begins in."""
    by_quarter: list[list[SpokenUtterance]] = [[] for _ in range(4)]
    for one in utterances:
        since_ms = one.start_ms - call.start_ms
        if call.length_ms:
            by_quarter[min(3, max(0, 4 * since_ms // call.length_ms))].append(one)
    return [side_score(quarter) for quarter in by_quarter]
