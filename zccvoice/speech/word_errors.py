"""Word error rate: how far a transcript is from what was said."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Substitutions, insertions and deletions against a reference."""

    errors: int
    reference_words: int

    @property
    def rate(self) -> float:
        """Errors per word of the reference; 0 for nothing said and nothing heard."""
        if self.reference_words == 0:
            return 0.0 if self.errors == 0 else float("inf")
        return self.errors / self.reference_words

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(self.errors + other.errors, self.reference_words + other.reference_words)


def spoken_words(text: str) -> list[str]:
    """The words of a text without regard to case and punctuation; accents count."""
    kept = (
        " " if unicodedata.category(letter)[0] in "PSZC" else letter
        for letter in unicodedata.normalize("NFC", text).casefold().replace("'", "").replace("’", "")
    )
    return "".join(kept).split()


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """The least number of word edits from `reference` to `hypothesis` (Levenshtein distance)."""
    wanted, got = spoken_words(reference), spoken_words(hypothesis)
    row = list(range(len(got) + 1))
    for line, word in enumerate(wanted, 1):
        previous, row = row, [line]
        for column, other in enumerate(got, 1):
            row.append(min(previous[column] + 1, row[-1] + 1, previous[column - 1] + (word != other)))
    return WordErrors(row[-1], len(wanted))
