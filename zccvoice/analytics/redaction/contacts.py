"""How people are reached, and what they are called: e-mail addresses, telephone numbers, names.

Nothing in them proves them, so their form and what is said around them decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from zccvoice.analytics.redaction.finding import Find
from zccvoice.analytics.redaction.tokens import Group, Text
from zccvoice.analytics.redaction.vocabulary import fold

_TOP_LEVELS = frozenset(
    [
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "mil",
        "info",
        "biz",
        "eu",
        "io",
        "co",
        "app",
        "dev",
        "de",
        "at",
        "ch",
        "es",
        "mx",
        "ar",
        "cl",
        "pe",
        "uk",
        "us",
        "ca",
        "au",
        "nz",
        "ie",
        "fr",
        "it",
        "pt",
        "nl",
        "be",
        "example",
        "test",
        "online",
        "cloud",
        "me",
    ]
)
_NEAR = 8
_ADDRESS_CHARACTERS = frozenset("._%+-")
_PHONE_FORMS = (
    re.compile(r"1?[2-9]\d\d[2-9]\d{6}"),  # North America
    re.compile(r"0[1-9]\d{8,10}"),  # United Kingdom, Germany: the 0 of a call within the country
    re.compile(r"(?:34)?[6-9]\d{8}"),  # Spain
    re.compile(r"00[1-9]\d{8,13}"),
)
_PHONE_GROUPS = ((3, 3, 4), (1, 3, 3, 4), (3, 3, 3), (3, 2, 2, 2))
_CUED_DIGITS = range(7, 16)


def has_at(text: Text) -> bool:
    """Whether an address may be in it."""
    return any(token.raw == "@" or token.word in text.words.at for token in text.tokens)


def emails(text: Text) -> Iterator[Find]:
    """E-mail addresses, written or said ("jane dot doe at example dot com")."""
    for index, token in enumerate(text.tokens):
        if token.raw != "@" and token.word not in text.words.at:
            continue
        first, last = _local_part(text, index), _domain(text, index)
        if first < index < last and (token.raw == "@" or _is_address(text, first, index, last)):
            yield Find("email", first, last)


def _is_address(text: Text, first: int, at: int, last: int) -> bool:
    """Whether a spoken "at" is that of an address: "look at example dot com" is none."""
    if text.is_cued(text.words.email_cues, first, last, before=_NEAR):
        return True
    return (
        text.tokens[at].word == "arroba"
        or at - first > 1
        or text.tokens[first].word not in text.words.no_address
    )


def _domain(text: Text, at: int) -> int:
    """The last token of the domain after an at; the at itself when there is none."""
    end, index, labels = at, at + 1, 0
    while index < len(text.tokens) and (label_end := _label(text, index)) is not None:
        labels += 1
        is_spoken = text.tokens[at].raw != "@"
        if labels > 1 and (not is_spoken or text.tokens[label_end].word in _TOP_LEVELS):
            end = label_end
        dot = _hyphenated(text, label_end) + 1
        if dot >= len(text.tokens) - 1 or not _is_dot(text, dot):
            break
        index = dot + 1
    return end


def _label(text: Text, index: int) -> int | None:
    """The last token of one part of a domain: a word or digits, with hyphens."""
    if not text.tokens[index].raw.isalnum():
        return None
    while (
        index + 2 < len(text.tokens)
        and text.tokens[index + 1].raw in "-_"
        and _are_touching(text, index, index + 2)
        and text.tokens[index + 2].raw.isalnum()
    ) or (
        index + 1 < len(text.tokens)
        and _are_touching(text, index, index + 1)
        and text.tokens[index + 1].raw.isalnum()
    ):
        index += 2 if text.tokens[index + 1].raw in "-_" else 1
    return index


def _hyphenated(text: Text, index: int) -> int:
    """The last token of a part of a domain whose first word this is: "t minus online"."""
    while joint := _joint_after(text, index):
        end = _label(text, index + 1 + joint)
        if end is None:
            break
        index = end
    return index


def _joint_after(text: Text, index: int) -> int:
    """How many tokens right after this one are a joint that is no dot; 0 when none is, or nothing follows it."""
    for length in (2, 1):
        words = tuple(one.word for one in text.tokens[index + 1 : index + 1 + length])
        if words in text.words.joins and index + 1 + length < len(text.tokens):
            return length
    return 0


def _is_dot(text: Text, index: int) -> bool:
    token = text.tokens[index]
    return token.word in text.words.dot or (token.raw == "." and _are_touching(text, index - 1, index + 1))


def _are_touching(text: Text, first: int, last: int) -> bool:
    return all(text.tokens[at].end == text.tokens[at + 1].start for at in range(first, last))


def _local_part(text: Text, at: int) -> int:
    """The first token of what stands before an at: one word, or several that are joined, or spelled."""
    first = at
    while first > 0:
        before = text.tokens[first - 1]
        if _is_joined(text, first, at) or (first == at and before.raw.isalnum()):
            first -= 1
        elif (joint := _joint(text, first)) and first < at:
            first -= joint
        else:
            break
    while first < at and text.tokens[first].raw in _ADDRESS_CHARACTERS:
        first += 1
    return first


def _is_joined(text: Text, first: int, at: int) -> bool:
    """Whether the token before `first` belongs to the same address: touching it, or spelled like it."""
    before = text.tokens[first - 1]
    if first == at:
        return before.end == text.tokens[at].start and before.raw in _ADDRESS_CHARACTERS
    if before.end == text.tokens[first].start and (before.raw.isalnum() or before.raw in _ADDRESS_CHARACTERS):
        return True
    is_after_joint = _joint(text, first + 1) > 0 or _joint(text, first + 2) == 2
    if is_after_joint and before.raw.isalnum():
        return True
    if text.tokens[first].is_digits or first in text.groups:
        return before.is_word and before.word not in text.words.no_address
    spelled = [one for one in (before, text.tokens[first]) if one.raw.isalnum()]
    return (
        len(spelled) == 2
        and _is_spelled(text, first - 1)
        and (_is_spelled(text, first) or text.tokens[first].is_digits)
    )


def _is_spelled(text: Text, index: int) -> bool:
    raw = text.tokens[index].raw
    return (raw.isalpha() and len(raw) == 1) or text.tokens[index].is_digits or index in text.groups


def _joint(text: Text, first: int) -> int:
    """How many tokens right before `first` are a joint: a dot, an underscore, a hyphen; 0 when none is."""
    if not 0 < first <= len(text.tokens):
        return 0
    if text.tokens[first - 1].word in text.words.dot:
        return 1
    for length in (2, 1):
        words = tuple(one.word for one in text.tokens[max(0, first - length) : first])
        if len(words) == length and words in text.words.joins:
            return length
    return 0


def phones(text: Text, *, is_expected: bool) -> Iterator[Find]:
    """Telephone numbers: international ones, and those that look so and are not announced as other numbers.

    Args:
        text: where they are looked for.
        is_expected: somebody has just asked for one.
    """
    for row in text.rows():
        plus = (
            row[0].first - 1
            if row[0].first and text.tokens[row[0].first - 1].word in ("+", "plus", "mas")
            else None
        )
        if plus is not None:
            if (last := _last_within(row, 15)) is not None:
                yield Find("phone", plus, row[last].last)
        elif _is_phone(text, row, is_expected=is_expected):
            yield Find("phone", _with_bracket(text, row[0].first), row[-1].last)


def _last_within(row: Sequence[Group], longest: int) -> int | None:
    """The last group with which an international number has 8 to `longest` digits."""
    total, found = 0, None
    for place, group in enumerate(row):
        total += len(group.digits)
        if 8 <= total <= longest:
            found = place
    return found


def _is_phone(text: Text, row: Sequence[Group], *, is_expected: bool) -> bool:
    first, last, words = row[0].first, row[-1].last, text.words
    if _is_date(text, row) or _is_amount(text, row):
        return False
    number = "".join(group.digits for group in row)
    if text.is_cued(words.other_number_cues, first, last, before=5):
        return False
    if is_expected or text.is_cued(words.phone_cues, first, last, before=_NEAR, after=3):
        return len(number) in _CUED_DIGITS
    if not any(form.fullmatch(number) for form in _PHONE_FORMS):
        return False
    lengths = tuple(len(group.digits) for group in row)
    is_said = all(group.is_spoken for group in row)
    return (
        lengths in _PHONE_GROUPS
        or is_said
        or (number.startswith("0") and len(row) > 1)
        or number.startswith("00")
    )


def _is_date(text: Text, row: Sequence[Group]) -> bool:
    """Whether it is written like a day: 12.03.2024, 3/12/2025, 2024-03-12 (a shorter year is no matter)."""
    if len(row) != 3 or _separator(text, row) not in (".", "/", "-"):
        return False
    year = row[0] if len(row[0].digits) == 4 else row[2]
    day, month = sorted(int(one.digits) for one in row if one is not year)[::-1]
    return (
        all(len(one.digits) <= 2 for one in row if one is not year)
        and re.fullmatch(r"(?:19|20)\d\d", year.digits) is not None
        and 1 <= month <= 12
        and 1 <= day <= 31
    )


def _is_amount(text: Text, row: Sequence[Group]) -> bool:
    """Whether it is written like 1,299,000 or 12.500.000; 612.345.678 may be a number that is called."""
    lengths = [len(one.digits) for one in row]
    return (
        len(row) == 3
        and lengths[0] <= 2
        and lengths[1:] == [3, 3]
        and row[0].digits[0] != "0"
        and _separator(text, row) in (".", ",")
        and text.tokens[row[-1].last].end - text.tokens[row[0].first].start == sum(lengths) + 2
    )


def _separator(text: Text, row: Sequence[Group]) -> str | None:
    """What stands between the written groups of a row, if that is one character and everywhere the same."""
    between = {
        "".join(one.raw for one in text.tokens[before.last + 1 : after.first])
        for before, after in pairwise(row)
    }
    is_written = not any(one.is_spoken for one in row)
    return between.pop() if is_written and len(between) == 1 else None


def _with_bracket(text: Text, first: int) -> int:
    return first - 1 if first and text.tokens[first - 1].raw == "(" else first


def names(text: Text, known: Collection[str]) -> Iterator[Find]:
    """Names: those that are known, and what somebody gives as a name or after a title.

    Args:
        text: where they are looked for.
        known: names of people on the call; each part of three letters and more counts.
    """
    parts = {fold(part) for name in known for part in name.split() if len(part) > 2}
    has_capitals = any(
        token.raw[0].isupper() for token in text.tokens[1:] if token.is_word and len(token.raw) > 1
    )
    for index, token in enumerate(text.tokens):
        if token.word in parts:
            yield Find("name", index, index)
        elif _introduces(text, index) and (last := _last_of_name(text, index + 1, has_capitals)) is not None:
            yield Find("name", index + 1 + _skipped(text, index + 1), last)


def _introduces(text: Text, index: int) -> bool:
    if text.tokens[index].word in text.words.titles:
        return True
    return any(
        tuple(one.word for one in text.tokens[max(0, index + 1 - len(cue)) : index + 1]) == cue
        for cue in text.words.name_cues
    )


def _skipped(text: Text, index: int) -> int:
    """The full stop of "Mr."."""
    return 1 if index < len(text.tokens) and text.tokens[index].raw in ".:" else 0


def _last_of_name(text: Text, index: int, has_capitals: bool) -> int | None:
    index += _skipped(text, index)
    found = None
    for at in range(index, min(index + 3, len(text.tokens))):
        token = text.tokens[at]
        is_name = (
            token.is_word and token.word not in text.words.no_name and token.word not in text.words.titles
        )
        if (
            not is_name
            or (has_capitals and not token.raw[0].isupper())
            or (not has_capitals and at > index + 1)
        ):
            break
        found = at
    return found
