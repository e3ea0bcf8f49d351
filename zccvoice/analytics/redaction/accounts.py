"""Numbers of letters and digits that prove themselves: bank accounts (IBAN), and people's numbers with a state.

`NATIONAL_IDS` is a table: a further country is a further line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zccvoice.analytics.redaction.finding import Find
from zccvoice.analytics.redaction.tokens import Text

_IBAN = re.compile(r"([A-Z]{2})[0-9]{2}")
_BEGINS = re.compile(r"[A-Z]{0,2}[0-9]")
_LONG_WORD = re.compile(r"[A-Z]{5}")
_LONGEST_LETTERS = 4
_NEAR = 8
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


@dataclass(frozen=True, slots=True)
class NationalId:
    """How a state numbers people."""

    name: str
    pattern: re.Pattern[str]
    """Of its letters (capitals) and digits, without anything between."""
    is_valid: Callable[[str], bool] = lambda number: True
    """Checks what a pattern cannot, as its check digit."""
    needs_cue: bool = False
    """It proves nothing: it counts near a cue, or when it is written as `written` says."""
    written: tuple[int, ...] = ()
    """Digits of its groups, as it is written with hyphens."""


def _is_dni(number: str) -> bool:
    digits = int(str("XYZ".find(number[0])) + number[1:-1] if number[0] in "XYZ" else number[:-1])
    return "TRWAGMYFPDXBNJZSQVHLCKE"[digits % 23] == number[-1]


def _is_steuer_id(number: str) -> bool:
    """ISO 7064 MOD 11,10; of the first ten digits exactly one stands twice or three times."""
    product = 10
    for digit in number[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    repeated = [count for count in Counter(number[:10]).values() if count > 1]
    return (11 - product) % 10 == int(number[10]) and len(repeated) == 1 and repeated[0] <= 3


NATIONAL_IDS = (
    NationalId(
        "us_ssn",
        re.compile(r"(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}"),
        needs_cue=True,
        written=(3, 2, 4),
    ),
    NationalId(
        "uk_nino", re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]")
    ),
    NationalId("es_dni", re.compile(r"(?:[0-9]{8}|[XYZ][0-9]{7})[A-Z]"), _is_dni),
    NationalId("de_steuer_id", re.compile(r"[1-9][0-9]{10}"), _is_steuer_id),
)
"""Whose numbers are looked for."""
_LONGEST_ID = 11


def ibans(text: Text) -> Iterator[Find]:
    """Bank accounts."""
    for first, last, number in _numbers(text, max(_IBAN_LENGTHS.values())):
        begin = _IBAN.match(number)
        if begin and len(number) == _IBAN_LENGTHS.get(begin[1]) and _is_iban(number):
            yield Find("iban", first, last)


def _is_iban(number: str) -> bool:
    if _LONG_WORD.search(number, 4):  # no country's bank codes have five letters: the next word was taken in
        return False
    return int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1


def national_ids(text: Text, *, is_expected: bool) -> Iterator[Find]:
    """People's numbers with a state.

    Args:
        text: where they are looked for.
        is_expected: somebody has just asked for one.
    """
    rows = {(row[0].first, row[-1].last) for row in text.rows()}
    for first, last, number in _numbers(text, _LONGEST_ID):
        for one in NATIONAL_IDS:
            if not one.pattern.fullmatch(number) or not one.is_valid(number):
                continue
            is_written = bool(one.written) and _is_written(text, first, last, one.written)
            if number.isdecimal() and not is_written and (first, last) not in rows:
                continue  # a part of a longer number
            is_cued = is_expected or text.is_cued(
                text.words.national_id_cues, first, last, before=_NEAR, after=4
            )
            is_other = text.is_cued(text.words.other_number_cues, first, last, before=4)
            proves_itself = is_written or (not one.needs_cue and not _has_small_letters(text, first, last))
            if is_cued or (proves_itself and not is_other):
                yield Find("national_id", first, last)


def _has_small_letters(text: Text, first: int, last: int) -> bool:
    """Whether a letter of it may be a word: "3.4.2026 a las once"."""
    words = [
        one for one in text.tokens[first : last + 1] if one.is_word and one.word not in text.words.fillers
    ]
    return any(one.raw.islower() and len(one.raw) <= 2 for one in words)


def _is_written(text: Text, first: int, last: int, lengths: tuple[int, ...]) -> bool:
    tokens = text.tokens[first : last + 1]
    digits, between = tokens[::2], tokens[1::2]
    return tuple(len(one.raw) for one in digits) == lengths and all(
        one.raw in "-–" and before.end == one.start for one, before in zip(between, digits, strict=False)
    )


def _numbers(text: Text, longest: int) -> Iterator[tuple[int, int, str]]:
    """Everything of letters and digits that may be one number: first and last token, and what it says."""
    for first in range(len(text.tokens)):
        if text.is_glued(first) or not _may_begin(text, first):
            continue
        number, index = "", first
        while (piece := _piece(text, index)) is not None:
            number += piece[0]
            last = piece[1]
            if len(number) > longest or (len(number) > 2 and not _BEGINS.match(number)):
                break
            if text.is_alone(first, last):
                yield first, last, number
            index = _next_piece(text, last + 1)


def _may_begin(text: Text, index: int) -> bool:
    """No number begins with more than two letters."""
    token = text.tokens[index]
    return index in text.groups or (
        token.is_word and (len(token.raw) <= 2 or token.word in text.words.letters)
    )


def _piece(text: Text, index: int) -> tuple[str, int] | None:
    """Digits, or a few letters, and the last token of them."""
    if index >= len(text.tokens):
        return None
    group, raw = text.groups.get(index), text.tokens[index].raw
    if group is not None and not (group.is_spoken and len(raw) == 1):
        return group.digits, group.last
    raw = text.words.letters.get(text.tokens[index].word, raw)
    return (raw.upper(), index) if raw.isascii() and raw.isalpha() and len(raw) <= _LONGEST_LETTERS else None


def _next_piece(text: Text, index: int) -> int:
    """Where the number may go on, over what people put between its parts."""
    for at in range(index, min(index + 5, len(text.tokens))):
        raw = text.tokens[at].raw
        word = text.tokens[at].word
        is_last = at + 1 >= len(text.tokens) or text.tokens[at + 1].word not in text.words.fillers
        is_letter = raw.isalpha() and len(raw) == 1 and (word not in text.words.fillers or is_last)
        if at in text.groups or is_letter or (raw.isalnum() and word not in text.words.fillers):
            return at if text.is_between(index, at) else len(text.tokens)
    return len(text.tokens)
