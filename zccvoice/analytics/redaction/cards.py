"""Payment cards: their numbers, and the security codes beside them.

A number has the right check digit (Luhn), so an order number mostly stays. Digits that stand alone are a card
number by length and Luhn, unless they are announced as another number; within a longer row of digits
("…1111 12 26 123": expiry date, security code) a part must also begin like a payment card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from zccvoice.analytics.redaction.finding import Find
from zccvoice.analytics.redaction.tokens import Group, Text, has_phrase

_LONGEST = 19
_LENGTHS = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"30[0-5]|3[689]"), set(range(14, 20))),
    (re.compile(r"35(?:2[89]|[3-8])"), set(range(16, 20))),
    (re.compile(r"6|50|5[6-8]|220[0-4]"), set(range(13, 20))),
)
"""How the numbers of payment cards begin, and how long they then are."""
_USUAL = re.compile(
    r"(?=\d{16}$)(?:4|5[1-5]|6011|65|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)\d+|3[47]\d{13}|(?:30[0-5]|3[68])\d{11,12}"
)
"""A number that is announced as that of an order or a parcel is a card only if it is like most cards."""
_CODE_DIGITS = (3, 4)
_EXPIRY = re.compile(r"(?:0?[1-9]|1[0-2])(?:20)?[2-9]\d|20[2-9]\d")
"""An expiry date: its month and year, or the year after the name of a month."""
_LONGEST_EXPIRY = 6
_NEAR_BEFORE, _NEAR_AFTER = 8, 6
"""Words between a cue and its number."""
_BESIDE_AFTER = 4
"""The same, where only the card makes it a cue."""


def cards(text: Text) -> Iterator[Find]:
    """Card numbers."""
    for row in text.rows():
        if _is_international(text, row):
            continue
        for first, last in _cards_in(text, row):
            yield Find("card", row[first].first, row[last].last)


def security_codes(text: Text, *, is_expected: bool, has_card: bool) -> Iterator[Find]:
    """Three or four digits near a cue, or after a card number.

    Args:
        text: where they are looked for.
        is_expected: somebody has just asked for one.
        has_card: somebody has just given a card: as if it stood before the text.
    """
    codes: list[Sequence[Group]] = []
    beside_card: list[Sequence[Group]] = []
    end_before = 0
    for row in text.rows():
        found = _cards_in(text, row)
        has_card = has_card or bool(found)
        rest = row[found[-1][1] + 1 :] if found else row
        code = _code_after_card(rest) if found else _code(rest)
        if code and (found or _is_code_cued(text, code, is_expected=is_expected)):
            codes.append(code)
        elif has_card and not found and (code := _code_beside_card(text, end_before, row)):
            beside_card.append(code)
        end_before = row[-1].last + 1
    for code in codes or _cued_beside_card(text, beside_card):
        yield Find("security_code", code[0].first, code[-1].last)


def _code_beside_card(text: Text, end_before: int, row: Sequence[Group]) -> Sequence[Group]:
    """What may be the code of a card that was given before: no date, and announced as nothing else.

    Args:
        text: where the row stands.
        end_before: behind the row before it.
        row: digits after the card.
    """
    number = "".join(group.digits for group in row)
    is_like_date = len(number) == 4 or (len(row) == 2 and not row[0].is_spoken)  # 3/26; not "one twenty-six"
    is_date = is_like_date and _EXPIRY.fullmatch(number)
    code = row if len(number) in _CODE_DIGITS and not is_date else _code_after_date(row)
    words = [one.word for one in text.tokens[end_before : row[0].first]]
    return () if has_phrase(words, text.words.other_number_cues | text.words.other_code_cues) else code


def _cued_beside_card(text: Text, codes: Sequence[Sequence[Group]]) -> Sequence[Sequence[Group]]:
    """The one code of a card: "the code is 123" says it before "123 on the back"."""
    for before, after in ((_NEAR_BEFORE, 0), (0, _BESIDE_AFTER)):
        for code in codes:
            first, last = code[0].first, code[-1].last
            if text.is_cued(text.words.card_code_cues, first, last, before=before, after=after):
                return [code]
    return ()


def _is_code_cued(text: Text, code: Sequence[Group], *, is_expected: bool) -> bool:
    first, last, words = code[0].first, code[-1].last, text.words
    if text.is_cued(words.security_code_cues, first, last, before=_NEAR_BEFORE, after=_NEAR_AFTER):
        return True
    return is_expected and not text.is_cued(words.other_number_cues, first, last, before=4)


def _code(row: Sequence[Group]) -> Sequence[Group]:
    """The code that a row is, begins with, or ends with after an expiry date."""
    if sum(len(group.digits) for group in row) in _CODE_DIGITS:
        return row
    return _code_after_date(row) or (row[:1] if len(row[0].digits) in _CODE_DIGITS else ())


def _code_after_date(row: Sequence[Group]) -> Sequence[Group]:
    """What a row has after the date that it begins with, if that may be a code."""
    number = "".join(group.digits for group in row)
    if len(number) > _LONGEST_EXPIRY + max(_CODE_DIGITS):
        return ()
    date = ""
    for first, group in enumerate(row):
        if _EXPIRY.fullmatch(date) and len(number) - len(date) in _CODE_DIGITS:
            return row[first:]
        date += group.digits
    return ()


def _code_after_card(rest: Sequence[Group]) -> Sequence[Group]:
    """The code at the end of what follows a card number: alone, or after an expiry date of four digits."""
    if not rest:
        return ()
    if len(rest[-1].digits) == 3:
        return rest[-1:]
    if sum(len(group.digits) for group in rest) not in (3, 7):
        return ()
    first = len(rest)
    while sum(len(group.digits) for group in rest[first:]) < 3:
        first -= 1
    return rest[first:] if sum(len(group.digits) for group in rest[first:]) == 3 else ()


def _is_international(text: Text, row: Sequence[Group]) -> bool:
    """Whether it begins with a plus: a telephone number."""
    return row[0].first > 0 and text.tokens[row[0].first - 1].word in ("+", "plus")


def _cards_in(text: Text, row: Sequence[Group]) -> list[tuple[int, int]]:
    """First and last group of every card number in a row."""
    is_other = text.is_cued(text.words.other_number_cues, row[0].first, row[-1].last, before=4)
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(row):
        last = _last_of_card(row, first, is_other=is_other)
        if last is not None:
            found.append((first, last))
            first = last
        first += 1
    return found


def _last_of_card(row: Sequence[Group], first: int, *, is_other: bool) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    number, found = "", None
    for last in range(first, len(row)):
        number += row[last].digits
        if len(number) > _LONGEST:
            break
        is_alone = (first, last) == (0, len(row) - 1)
        if _is_card(number, is_alone=is_alone) and (not is_other or _USUAL.fullmatch(number)):
            found = last
    return found


def _is_card(number: str, *, is_alone: bool) -> bool:
    if not 13 <= len(number) <= _LONGEST or number[0] == "0" or not _is_luhn(number):
        return False
    return is_alone or any(begins.match(number) and len(number) in lengths for begins, lengths in _LENGTHS)


def _is_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
