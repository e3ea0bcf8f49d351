"""Finding phrases in what was said: whole words, without regard to case, accents and punctuation.

What counts as an accent depends on the language: Spanish ``ñ`` and Swedish ``å`` are letters of their own, and
German ``ü`` is the same as ``ue`` and not as ``u``. A phrase may begin in one utterance and end in the next, as
long as one speaker goes on with one turn; an utterance of which no words are known lies between like a wall.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from zccvoice.analytics.record import CallRecord, Side, Span, SpokenUtterance
from zccvoice.analytics.thresholds import Thresholds
from zccvoice.analytics.turns import Turn, turn_taking

_LETTERS = {
    **dict.fromkeys(("es", "gl", "eu"), "ñ"),
    **dict.fromkeys(("sv", "fi"), "åäö"),
    **dict.fromkeys(("da", "no", "nn"), "æøå"),
}
"""Letters of a language that are not another one with an accent."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_ELIDING = frozenset({"fr", "it", "ca"})
"""Languages that join short words to the next one with an apostrophe: l'adresse has the word adresse."""
_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km"})
"""Languages written without spaces: every character stands for itself."""
_DOTTED = frozenset({"tr", "az"})
"""Languages with two letters i, with and without the dot, capital and small."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Where a phrase was said."""

    span: Span
    """From its first word to its last."""
    is_joined: bool
    """Whether it goes over several utterances: what others say between them may yet turn out to part them."""


@dataclass(slots=True)
class Passage:
    """Successive words of one speaker."""

    side: Side | None
    words: list[str] = field(default_factory=list)
    """As `words_of` gives them."""
    spans: list[Span] = field(default_factory=list)
    """When each was said."""
    utterances: list[int] = field(default_factory=list)
    """Start of the utterance that each is of, ms."""
    _places: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, utterance: SpokenUtterance, language: str | None) -> None:
        """Go on with the words of an utterance."""
        for word, span in _timed_words(utterance):
            for part in words_of(word, language):
                self._places[part].append(len(self.words))
                self.words.append(part)
                self.spans.append(span)
                self.utterances.append(utterance.start_ms)

    def find(self, phrase: Sequence[str]) -> Iterator[Occurrence]:
        """Where the words stand one after the other."""
        for first in self._places.get(phrase[0], ()) if phrase else ():
            last = first + len(phrase) - 1
            if self.words[first : last + 1] == list(phrase):
                start_ms = self.spans[first].start_ms
                span = Span(start_ms, max(start_ms, self.spans[last].end_ms))
                yield Occurrence(span, self.utterances[first] != self.utterances[last])


def passages(record: CallRecord, thresholds: Thresholds) -> list[Passage]:
    """Everything that was understood, in pieces in which a phrase may lie, by their start."""
    turns: defaultdict[Side | None, list[Turn]] = defaultdict(list)
    for one in turn_taking(record, thresholds).turns:
        turns[one.side].append(one)
    found: list[Passage] = []
    going_on: dict[str, tuple[Turn | None, Passage]] = {}
    for utterance in sorted(record.utterances, key=lambda one: (one.start_ms, one.end_ms)):
        channel_id, turn = utterance.channel_id, _turn_of(utterance, turns)
        if utterance.text is None:
            going_on.pop(channel_id, None)
            continue
        before, passage = going_on.get(channel_id, (None, None))
        if passage is None or turn is None or turn != before:
            passage = Passage(utterance.side)
            found.append(passage)
        passage.add(utterance, record.language)
        going_on[channel_id] = turn, passage
    return found


def words_of(text: str, language: str | None) -> list[str]:
    """The words of a text in the form in which they are compared."""
    if (
        language not in _UNSPACED
        and language not in _DOTTED
        and text.isascii()
        and (plain := text.strip('.,;:?!"')).isalnum()
    ):
        return [plain.lower()]  # nearly every word of English, at a tenth of the cost
    folded = text if text.isascii() else unicodedata.normalize("NFC", text)
    if language in _DOTTED:
        folded = folded.replace("I", "ı").replace("İ", "i")
    folded = folded.casefold().replace("i\u0307", "i").replace("’", "'")
    if language == "de":
        folded = folded.translate(_UMLAUTS)
    if not folded.isascii():
        letters = _LETTERS.get(language or "", "")
        folded = "".join(one if one in letters else _without_accent(one) for one in folded)
    joined = "" if language in _ELIDING else "'"
    spaced = "".join(one if one == joined or _is_of_word(one) else " " for one in folded)
    words = [stripped for word in spaced.split() if (stripped := word.strip("'"))]
    return list("".join(words)) if language in _UNSPACED else words


@cache
def _without_accent(letter: str) -> str:
    """Latin and Greek letters lose what is above and below them; elsewhere it tells letters apart."""
    base = unicodedata.normalize("NFD", letter)[0]
    return base if letter == "ё" or unicodedata.name(base, "").startswith(("LATIN", "GREEK")) else letter


def _is_of_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _turn_of(utterance: SpokenUtterance, turns: Mapping[Side | None, Sequence[Turn]]) -> Turn | None:
    """The turn that it is a part of; None for back-channels, and for channels whose side is not known."""
    of_side = turns.get(utterance.side, ())
    place = bisect_right(of_side, utterance.start_ms, key=lambda one: one.start_ms) - 1
    return of_side[place] if place >= 0 and utterance.end_ms <= of_side[place].end_ms else None


def _timed_words(utterance: SpokenUtterance) -> Iterator[tuple[str, Span]]:
    """The words with their times: as told, or as if every letter took the same time."""
    text = utterance.text or ""
    words = text.split()
    if len(utterance.word_spans) == len(words):
        yield from zip(words, utterance.word_spans, strict=True)
        return
    length_ms, at = utterance.end_ms - utterance.start_ms, 0
    for word in words:
        at = text.index(word, at)
        start_ms = utterance.start_ms + length_ms * at // len(text)
        at += len(word)
        yield word, Span(start_ms, utterance.start_ms + length_ms * at // len(text))
