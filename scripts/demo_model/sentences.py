"""What the demo weights are taught to hear: contact-centre sentences, numbers and loose words, from grammars.

A grammar (``grammar/<language>.txt``) has a template a line. ``{slot}`` stands for one of ``@slot a|b|c``,
``(a|b)`` for a or b, ``{digits6}`` for six digits and ``{letters3}`` for three letters; these are written together
and spoken one by one.

One text in 25 is held out by its checksum: never trained on, whoever draws it, whenever.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

GRAMMARS = Path(__file__).parent / "grammar"
LANGUAGES = ("en", "es", "de")
SHARES = (36, 30, 34)
"""Of the languages, in per cent."""
NUMBERS_RATIO, WORDS_RATIO = 0.40, 0.20
"""Of what is drawn for training: texts around or of digits, and words in no order. Without them the decoder writes
what the grammar makes likely rather than what was said."""
HELD_OUT_OF_256 = 10

_SLOT = re.compile(r"\{([a-z]+)(\d*)\}|\(([^()]*)\)")
_SPELT = re.compile(r"\d{2,}|\b[A-Z]{2,}\b")
_BETWEEN_GROUPS = re.compile(r"(?<=\d) (?=\d)")
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing to say."""

    language: str
    written: str

    @property
    def spoken(self) -> str:
        """As a synthesizer is to say it: numbers and codes one by one, groups of digits with a pause between."""
        return spelt(_BETWEEN_GROUPS.sub(", ", self.written))

    @property
    def is_held_out(self) -> bool:
        """Whether this is for evaluation, and never for training."""
        return hashlib.md5(self.written.encode(), usedforsecurity=False).digest()[0] < HELD_OUT_OF_256


def spelt(written: str) -> str:
    """With spaces inside numbers and codes, so that each digit and letter is spoken alone."""
    return _SPELT.sub(lambda run: " ".join(run[0]), written)


def written_at(written: str, spoken: str, positions: list[int]) -> list[int | None]:
    """Where these positions of the spoken text are in the written one; None inside a pause or past the end."""
    places: dict[int, int] = {}
    at = 0
    for position, letter in enumerate(spoken):
        if at < len(written) and written[at] == letter:
            places[position] = at
            at += 1
    return [places.get(position) for position in positions]


class Grammar:
    """The sentences of one language."""

    def __init__(self, language: str, text: str) -> None:
        """`text`: as in the files."""
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        slots = [line[1:].partition(" ") for line in lines if line.startswith("@")]
        self.language = language
        self._slots = {name: choices.split("|") for name, _, choices in slots}
        self._templates = [line for line in lines if not line.startswith("@")]
        self._numbered = [line for line in self._templates if re.search(r"\{(digits|letters)\d", line)]
        said = " ".join((*self._templates, *(word for words in self._slots.values() for word in words)))
        loose = re.sub(r"\{\w+\}|[|()]", " ", said).split()
        self.words = sorted({word for raw in loose if (word := raw.strip("¿?¡!.,")).isalpha()})
        """Every word of the grammar, without digits."""

    def sentence(self, chance: random.Random) -> Sentence:
        """Any of its sentences."""
        return self._filled(chance.choice(self._templates), chance)

    def number(self, chance: random.Random) -> Sentence:
        """Digits or codes: half the time in a sentence that has some, else alone."""
        if chance.random() < 0.5:
            return self._filled(chance.choice(self._numbered), chance)
        groups = [chance.randint(2, 10)] if chance.random() < 0.6 else [chance.randint(2, 4)] * 2
        return Sentence(self.language, " ".join(_digits(count, chance) for count in groups) + ".")

    def loose_words(self, chance: random.Random) -> Sentence:
        """Two to seven words in no order: sounds instead of sentence patterns."""
        text = " ".join(chance.choices(self.words, k=chance.randint(2, 7)))
        return Sentence(self.language, text[0].upper() + text[1:] + ".")

    def for_training(self, chance: random.Random) -> Sentence:
        """One of the three kinds, never a held-out one."""
        while True:
            kind = chance.random()
            if kind < NUMBERS_RATIO:
                drawn = self.number(chance)
            elif kind < NUMBERS_RATIO + WORDS_RATIO:
                drawn = self.loose_words(chance)
            else:
                drawn = self.sentence(chance)
            if not drawn.is_held_out:
                return drawn

    def held_out(self, chance: random.Random, *, numbers: bool = False) -> Sentence:
        """A sentence (or a number) that training never draws."""
        while True:
            drawn = self.number(chance) if numbers else self.sentence(chance)
            if drawn.is_held_out:
                return drawn

    def _filled(self, text: str, chance: random.Random) -> Sentence:
        while (found := _SLOT.search(text)) is not None:
            text = text[: found.start()] + self._choice(found, chance) + text[found.end() :]
        return Sentence(self.language, re.sub(r" +([,.?])", r"\1", re.sub(" +", " ", text)).strip())

    def _choice(self, slot: re.Match[str], chance: random.Random) -> str:
        name, count, choices = slot[1], slot[2], slot[3]
        if choices is not None:
            return str(chance.choice(choices.split("|")))
        if name == "digits":
            return _digits(int(count), chance)
        if name == "letters":
            return "".join(chance.choices(_CAPITALS, k=int(count)))
        return chance.choice(self._slots[name])


def _digits(count: int, chance: random.Random) -> str:
    return "".join(chance.choices("0123456789", k=count))


@cache
def grammar_of(language: str) -> Grammar:
    """The grammar of one of `LANGUAGES`."""
    return Grammar(language, (GRAMMARS / f"{language}.txt").read_text(encoding="utf-8"))


def any_language(chance: random.Random) -> str:
    """One of `LANGUAGES`, by `SHARES`."""
    return chance.choices(LANGUAGES, SHARES)[0]
