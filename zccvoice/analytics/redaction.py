"""What must not be stored, taken out of a transcript before it is stored: card numbers, IBANs, e-mail addresses.

A recognizer cuts a number where the speaker paused ("4111 1111", "1111 1111") and its words are stored
beside the text, so the search runs over words joined by single spaces, and a find may reach over several
words. `redact` splits a text into words and does the same: text and words always agree.

Only what has the right check digits is taken out (Luhn; ISO 7064 mod 97), so an order number mostly stays.
Digits that stand alone are a card number by length and Luhn; within a longer row of digits ("…1111 12 26
123": expiry date, security code) a part must also begin like a payment card. Numbers spoken as number words
are not found, for recognizers write digits; nor is a number that was spoken in several utterances.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

CARD = "[card]"
IBAN = "[iban]"
EMAIL = "[email]"

_BETWEEN = r"[\s.,\-–—]{1,3}"
_DIGITS = re.compile(rf"(?<![\w+])\d+(?:{_BETWEEN}\d+)*(?!\w)")
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+\s?@\s?[\w-]+(?:\.[\w-]+)+")
_IBAN_START = re.compile(
    rf"(?<!\w)([A-Z])(?:{_BETWEEN})?([A-Z])(?:{_BETWEEN})?\d(?:{_BETWEEN})?\d", re.IGNORECASE
)

_CARD_LENGTHS = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"30[0-5]|3[689]"), set(range(14, 20))),
    (re.compile(r"6|50|5[6-8]|35(?:2[89]|[3-8])|220[0-4]"), set(range(13, 20))),
)
"""How the numbers of payment cards begin, and how long they then are."""

_WORD = re.compile(r"[A-Za-z]{5}")

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


def redact(text: str) -> str:
    """The text with every find replaced by ``[card]``, ``[iban]`` or ``[email]``; unchanged without any."""
    words = text.split()
    redacted = redact_words(words)
    return text if redacted == words else " ".join(word for word in redacted if word)


def redact_words(words: Sequence[str]) -> list[str]:
    """The words with every find replaced, as many as were given.

    The first word of a find becomes its mark (with what was glued to it: quotation marks, the full stop
    after its last word); the other words of it become empty strings, to be dropped by whoever stores words.
    """
    redacted = list(words)
    while (again := _redact_once(redacted)) != redacted:  # what a find leaves over may be one by itself
        redacted = again
    return redacted


def _redact_once(words: Sequence[str]) -> list[str]:
    redacted = list(words)
    starts = list(accumulate((len(word) + 1 for word in words), initial=0))[:-1]
    for start, end, mark in sorted(_finds(" ".join(words)), reverse=True):
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end) - 1
        after = redacted[last][end - starts[last] :]
        redacted[first] = redacted[first][: start - starts[first]] + mark + after
        redacted[first + 1 : last + 1] = [""] * (last - first)
    return redacted


def _finds(text: str) -> Iterator[tuple[int, int, str]]:
    taken: list[tuple[int, int]] = []
    for find in (*_emails(text), *_ibans(text), *_cards(text)):
        if all(find[1] <= start or end <= find[0] for start, end in taken):
            taken.append(find[:2])
            yield find


def _emails(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _EMAIL.finditer(text):
        yield match.start(), match.end(), EMAIL


def _ibans(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get((match[1] + match[2]).upper())
        if length is None:
            continue
        further = rf"[A-Z0-9](?:(?:{_BETWEEN})?[A-Z0-9]){{{length - 1}}}(?!\w)"
        number = re.compile(further, re.ASCII | re.IGNORECASE).match(text, match.start())
        if number and _is_iban(number[0]):
            yield number.start(), number.end(), IBAN


def _is_iban(number: str) -> bool:
    letters = "".join(filter(str.isalnum, number))
    if _WORD.search(letters, 4):  # no country's bank codes have five letters: the next word was taken in
        return False
    return int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4])) % 97 == 1


def _cards(text: str) -> Iterator[tuple[int, int, str]]:
    for row in _DIGITS.finditer(text):
        groups = [(row.start() + one.start(), row.start() + one.end()) for one in re.finditer(r"\d+", row[0])]
        first = 0
        while first < len(groups):
            last = _last_of_card(text, groups, first)
            if last is not None:
                yield groups[first][0], groups[last][1], CARD
                first = last
            first += 1


def _last_of_card(text: str, groups: Sequence[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    number, found = "", None
    for last, (start, end) in enumerate(groups[first:], first):
        number += text[start:end]
        if len(number) > 19:
            break
        if _is_card(number, alone=(first, last) == (0, len(groups) - 1)):
            found = last
    return found


def _is_card(number: str, *, alone: bool) -> bool:
    if not 13 <= len(number) <= 19 or number[0] == "0" or not _is_luhn(number):
        return False
    return alone or any(begins.match(number) and len(number) in lengths for begins, lengths in _CARD_LENGTHS)


def _is_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
