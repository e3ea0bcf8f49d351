"""A scorer that knows words: which are good, which are bad, and what turns them round.

A lexicon is a text file, ``<Whisper code>.txt`` in UTF-8, one entry a line: a term, and what it does. Lines that
begin with ``#`` and empty lines count for nothing.

    thank you       +0.4      valence, −1…+1; the longest term that fits counts, so a phrase overrides its words
    good morning    0
    disappoint*     -0.6      every word that begins so
    not             negates   turns round what follows within three words, and weakens it
    very            x1.3      makes what follows within two words so much stronger
    but             turns     what was said before it in the sentence counts half

Questions count for nothing: who asks whether something works does not say that it does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zccvoice.errors import ConfigError

_SENTENCE = re.compile(r"[^.!?…]+[.!?…]*")
_CLAUSE = re.compile(r"[,;:–—]")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LINE = re.compile(r"(?P<term>\S(?:.*\S)?)\s+(?P<effect>\S+)")
_NEGATED = -0.6
_NEGATES_WITHIN, _STRENGTHENS_WITHIN = 3, 2
_HALF_WAY = 1.0
"""The sum of valences whose square counts as much as that of all others: it bends sums into −1…+1."""
_LONGEST_TERM = 6
"""Words of the longest term."""
_MASK = re.compile(r"\[\S+\]")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What the terms of a language do."""

    valences: dict[tuple[str, ...], float] = field(default_factory=dict)
    prefixes: dict[str, float] = field(default_factory=dict)
    negators: frozenset[str] = frozenset()
    strengths: dict[str, float] = field(default_factory=dict)
    turns: frozenset[str] = frozenset()

    def valence(self, words: Sequence[str]) -> tuple[float, int] | None:
        """That of the longest term that the words begin with, and of how many words it is."""
        for length in range(min(len(words), _LONGEST_TERM), 0, -1):
            if (found := self.valences.get(tuple(words[:length]))) is not None:
                return found, length
        for length in range(len(words[0]), 3, -1):
            if (found := self.prefixes.get(words[0][:length])) is not None:
                return found, 1
        return None


class LexiconScorer:
    """A `SentimentScorer` by a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def score(self, text: str) -> float:
        """The sentiment of what was said, −1 (bad) to +1 (good); 0 where nothing in it tells."""
        total = math.fsum(
            valence
            for sentence in _SENTENCE.findall(_MASK.sub(" ", text.casefold().replace("’", "'")))
            if "?" not in sentence
            for valence in self._sentence(sentence)
        )
        return total / math.hypot(total, _HALF_WAY)

    def _sentence(self, sentence: str) -> list[float]:
        found: list[float] = []
        for clause in _CLAUSE.split(sentence):
            words = _WORD.findall(clause)
            at = 0
            while at < len(words):
                if words[at] in self._lexicon.turns:
                    found = [one / 2 for one in found]
                valence = self._lexicon.valence(words[at:])
                if valence is not None:
                    found.append(valence[0] * self._change(words[:at], is_phrase=valence[1] > 1))
                at += 1 if valence is None else valence[1]
        return found

    def _change(self, before: Sequence[str], *, is_phrase: bool) -> float:
        """By what the words before it multiply a valence; a phrase has its negation within it."""
        strength = math.prod(self._lexicon.strengths.get(word, 1.0) for word in before[-_STRENGTHENS_WITHIN:])
        is_negated = any(word in self._lexicon.negators for word in before[-_NEGATES_WITHIN:])
        return strength * (_NEGATED if is_negated and not is_phrase else 1.0)


def parse_lexicon(text: str, name: str) -> Lexicon:
    """Read a lexicon.

    Args:
        text: the file.
        name: of the file, for what is wrong with it.

    Raises:
        ConfigError: lines that are no entries, or say again what another line has said; all of them.
    """
    problems: list[str] = []
    effects: dict[str, str] = {}
    for number, term, effect in _lines(text, f"{name}, line", problems):
        if term in effects:
            problems.append(f"{name}, line {number}: expected each term once, got {term!r} again")
        elif problem := _problem(term, effect):
            problems.append(f"{name}, line {number}: {problem}")
        effects.setdefault(term, effect)
    if problems:
        raise ConfigError(problems)
    valences = {term: float(effect) for term, effect in effects.items() if effect[0] in "+-0"}
    return Lexicon(
        valences={tuple(term.split()): value for term, value in valences.items() if not term.endswith("*")},
        prefixes={term[:-1]: value for term, value in valences.items() if term.endswith("*")},
        negators=frozenset(term for term, effect in effects.items() if effect == "negates"),
        strengths={term: float(effect[1:]) for term, effect in effects.items() if effect[0] == "x"},
        turns=frozenset(term for term, effect in effects.items() if effect == "turns"),
    )


def _lines(text: str, where: str, problems: list[str]) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.append(f"{where} {number}: expected a term and what it does, got one word")
        else:
            yield number, " ".join(match["term"].casefold().replace("’", "'").split()), match["effect"]


def _problem(term: str, effect: str) -> str | None:
    stem = term.removesuffix("*")
    if len(stem.split()) > _LONGEST_TERM:
        return f"expected at most {_LONGEST_TERM} words, got {term!r}"
    if not all(_WORD.fullmatch(word) for word in stem.split()):
        return f"expected words of letters, got {term!r}"
    if stem != term and (len(stem) < 4 or " " in stem):
        return f"expected a * after four letters or more of one word, got {term!r}"
    if effect in ("negates", "turns") or re.fullmatch(r"x\d(?:\.\d+)?", effect):
        return None if " " not in term and stem == term else f"expected one word with {effect}, got {term!r}"
    if not re.fullmatch(r"[+-](?:0(?:\.\d+)?|1(?:\.0+)?)|0", effect):
        return f"expected -1 to +1 with its sign, 0, negates, turns or x and a number, got {effect!r}"
    return None
