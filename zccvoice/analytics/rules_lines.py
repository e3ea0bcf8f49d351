"""Where keys stand in a rules file: the TOML parser of the standard library does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

_RULE = re.compile(r"\s*\[\[\s*rule\s*\]\]")
_CONDITION = re.compile(r"\s*\[\[\s*rule\s*\.\s*when\s*\]\]")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")
_LONG_QUOTE = re.compile(r"\"\"\"|'''")


class Lines:
    """The line of every rule, condition and key, of a text that is TOML. Lines count from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[int | None, int | None, str | None], int] = {}
        rule: int | None = None
        condition: int | None = None
        for number, line in _outside_long_texts(text):
            if _RULE.match(line):
                rule, condition, key = (0 if rule is None else rule + 1), None, None
            elif _CONDITION.match(line):
                condition, key = (0 if condition is None else condition + 1), None
            elif match := _KEY.match(line):
                key = match[1]
            else:
                continue
            self._lines.setdefault((rule, condition, key), number)

    def of(self, rule: int | None, condition: int | None, key: str | None) -> int:
        """The line of a key, or of what it would be in; of the file's beginning at last."""
        places = (
            (rule, condition, key),
            (rule, condition, None),
            (rule, None, "when"),
            (rule, None, None),
            (None, None, "rule"),
        )
        return next((self._lines[place] for place in places if place in self._lines), 1)


def _outside_long_texts(text: str) -> Iterator[tuple[int, str]]:
    """Every line that does not begin within a text of several lines."""
    quote: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if quote is None:
            yield number, line
        for mark in _LONG_QUOTE.findall(line):
            if quote is None:
                quote = mark
            elif quote == mark:
                quote = None
