"""A text as tokens, and the numbers in it: written, or said in words.

    "forty-one eleven, uh, 1111"  →  groups 41 · 11 · 1111 in one row

A *group* is what was written or said as one number; a *row* is groups with nothing between them but what people
put between the digits of one number. Positions are those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zccvoice.analytics.redaction.vocabulary import Phrases, Vocabulary, fold

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
"""Where letters of Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean are: others follow without a space."""
_TOKEN = re.compile(
    rf"\d+|(?:(?![{_UNSPACED}])[^\W\d_])+(?:['’][^\W\d_]+)?|(?:(?=[{_UNSPACED}])[^\W\d_])+|\[[^\s\d\[\]]+\]|\S"
)
_SEPARATORS = frozenset(".,-–—/()…")
_MOST_SEPARATORS, _MOST_FILLERS = 6, 4


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a row of written digits, a mask, or one other character."""

    start: int
    end: int
    raw: str
    word: str
    """Folded."""

    @property
    def is_digits(self) -> bool:
        """Whether it is written digits."""
        return self.raw[0].isdecimal()

    @property
    def is_word(self) -> bool:
        """Whether it is letters."""
        return self.raw[0].isalpha()


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that were written or said together."""

    digits: str
    first: int
    """Index of its first token."""
    last: int
    """Index of its last token."""
    is_spoken: bool


class Text:
    """A text in a language, with its tokens and its rows of digits."""

    def __init__(self, text: str, words: Vocabulary, *, is_eager: bool = False) -> None:
        """Read it.

        Args:
            text: the text.
            words: of its language.
            is_eager: how to read "cuatro mil dos mil uno": as 4002 1001, and else as 4000 2001.
        """
        self.words = words
        self._is_eager = is_eager
        self.tokens = [
            Token(one.start(), one.end(), one[0], fold(one[0]).replace("’", "'"))
            for one in _TOKEN.finditer(text)
        ]
        self.groups: dict[int, Group] = {}
        """By their first token."""
        index = 0
        while index < len(self.tokens):
            group = self._group(index)
            if group is not None:
                self.groups[index] = group
            index = index + 1 if group is None else group.last + 1

    def is_glued(self, index: int) -> bool:
        """Whether a letter, a digit or an underscore stands right before this token, and makes one word with it.

        Letters of scripts without capitals do not: in many of them words and numbers have no space between.
        """
        return index > 0 and self._is_glued_after(index - 1)

    def _is_glued_after(self, index: int) -> bool:
        if index + 1 >= len(self.tokens):
            return False
        one, next_ = self.tokens[index], self.tokens[index + 1]
        return one.end == next_.start and _glues(one.raw[-1]) and _glues(next_.raw[0])

    def is_alone(self, first: int, last: int) -> bool:
        """Whether nothing is glued to these tokens."""
        return not self.is_glued(first) and not self._is_glued_after(last)

    def rows(self) -> Iterator[list[Group]]:
        """Groups that may be one number, in order; what is glued to letters is in none."""
        row: list[Group] = []
        for group in self.groups.values():
            if not self.is_alone(group.first, group.last):
                continue
            if row and not self.is_between(row[-1].last + 1, group.first):
                yield row
                row = []
            row.append(group)
        if row:
            yield row

    def is_between(self, first: int, end: int) -> bool:
        """Whether tokens `first` to before `end` may stand between the digits of one number."""
        between = self.tokens[first:end]
        fillers = sum(one.word in self.words.fillers for one in between)
        separators = sum(one.raw in _SEPARATORS for one in between)
        return (
            fillers + separators == len(between)
            and fillers <= _MOST_FILLERS
            and separators <= _MOST_SEPARATORS
        )

    def is_cued(self, cues: Phrases, first: int, last: int, *, before: int, after: int = 0) -> bool:
        """Whether a cue stands so many words before token `first`, or after token `last`."""
        left = [one.word for one in self.tokens[max(0, first - 2 * before) : first] if one.is_word][-before:]
        right = [one.word for one in self.tokens[last + 1 : last + 1 + 2 * after] if one.is_word][:after]
        return has_phrase(left, cues) or has_phrase(right, cues)

    # Numbers in words

    def _group(self, index: int) -> Group | None:
        token = self.tokens[index]
        if token.is_digits:
            return Group("".join(str(int(one)) for one in token.raw), index, index, is_spoken=False)
        times = self.words.repeats.get(token.word)
        if times and (repeated := self._repeated(index + 1, times)):
            return repeated
        value = self._below_million(index)
        return None if value is None else Group(value[0], index, value[1] - 1, is_spoken=True)

    def _repeated(self, index: int, times: int) -> Group | None:
        begin = index - 1
        while self._word(index) in self.words.fillers:  # "dreimal die vier"
            index += 1
        digit = (
            self._word(index) if self._word(index).isdecimal() else self.words.numbers.get(self._word(index))
        )
        if digit is None or len(digit) != 1 or not digit.isascii():
            return None
        return Group(digit * times, begin, index, is_spoken=True)

    def _word(self, index: int) -> str:
        return self.tokens[index].word if index < len(self.tokens) else ""

    def _below_million(self, index: int) -> tuple[str, int] | None:
        if self._word(index) in self.words.thousand and self._word(index) not in self.words.numbers:
            thousands, at = 1, index
        else:
            lower = self._below_thousand(index)
            if lower is None or self._word(lower[1]) not in self.words.thousand:
                return lower
            if lower[0] == "1" or lower[0].startswith("0"):  # "… uno, mil cien": two numbers
                return lower
            thousands, at = int(lower[0]), lower[1]
        rest = self._below_thousand(at + 1)
        is_next = rest is not None and len(rest[0]) == 1 and self._word(rest[1]) in self.words.thousand
        if rest is None or rest[0].startswith("0") or (is_next and not self._is_eager):
            return str(thousands * 1000), at + 1
        return str(thousands * 1000 + int(rest[0])), rest[1]

    def _below_thousand(self, index: int) -> tuple[str, int] | None:
        if (hundreds := self.words.hundreds.get(self._word(index))) is not None:
            at = index + 1
        else:
            lower = self._below_hundred(index)
            if lower is None or self._word(lower[1]) not in self.words.hundred or lower[0].startswith("0"):
                return lower
            hundreds, at = int(lower[0]) * 100, lower[1] + 1
        begin = at + 1 if self._word(at) == "and" else at
        rest = self._below_hundred(begin)
        if rest is None or rest[0].startswith("0") or self._word(rest[1]) in self.words.hundred:
            return str(hundreds), at
        return str(hundreds + int(rest[0])), rest[1]

    def _below_hundred(self, index: int) -> tuple[str, int] | None:
        tens = self.words.tens.get(self._word(index))
        if tens is None:
            number = self.words.numbers.get(self._word(index))
            if number is None:
                return None
            return self._unit_and_tens(number, index) or (number, index + 1)
        at = index + 1
        if self._word(at) == "-" or self._word(at) in self.words.tens_joiners:
            at += 1
        unit = self.words.numbers.get(self._word(at), "")
        if len(unit) == 1 and unit != "0":
            return str(tens + int(unit)), at + 1
        return str(tens), index + 1

    def _unit_and_tens(self, unit: str, index: int) -> tuple[str, int] | None:
        """German, where it was not written as one word: "ein und vierzig"."""
        tens = self.words.numbers.get(self._word(index + 2), "")
        is_one = self._word(index + 1) in self.words.unit_joiners and len(unit) == 1 and unit != "0"
        return (tens[0] + unit, index + 3) if is_one and re.fullmatch("[2-9]0", tens) else None


def _glues(letter: str) -> bool:
    return letter == "_" or letter.isdecimal() or (letter.isalpha() and letter.upper() != letter.lower())


def has_phrase(words: Sequence[str], phrases: Phrases) -> bool:
    """Whether one of the phrases stands somewhere among the words."""
    return any(
        tuple(words[first : first + length]) in phrases
        for length in {len(phrase) for phrase in phrases}
        for first in range(len(words) - length + 1)
    )
