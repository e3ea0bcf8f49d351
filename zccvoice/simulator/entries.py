"""Reads the tables of a scenario file entry by entry and collects every mistake in it, not only the first."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Any, TypeVar

EnumT = TypeVar("EnumT", bound=Enum)
ValueT = TypeVar("ValueT")


class Entry:
    """One table: each value is taken by its type, and `finish` complains of what nobody took.

    A mistake is noted and a harmless value returned, so that reading goes on; the reader refuses the whole
    file at the end if `problems` is not empty.
    """

    def __init__(self, where: str, fields: Mapping[str, Any], problems: list[str]) -> None:
        self._where = where
        self._fields = dict(fields)
        self._problems = problems

    def complain(self, problem: str) -> None:
        """Note a mistake of this entry; `problem` begins with the key."""
        self._problems.append(f"{self._where}: {problem}" if self._where else problem)

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without `default` it must be there."""
        value = self._take(key, default)
        if isinstance(value, str):
            return value
        return self._refuse(key, "text", value, "")

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """An integer not below `least`; without `default` it must be there."""
        value = self._take(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        return self._refuse(key, f"a whole number from {least}", value, least)

    def whole_or_none(self, key: str, *, least: int = 0) -> int | None:
        """An integer not below `least`, or None where there is none."""
        return self.whole(key, least=least) if key in self._fields else None

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of integers from 0, empty where there is none."""
        value = self._take(key, [])
        if isinstance(value, list) and all(type(one) is int and one >= 0 for one in value):
            return tuple(value)
        return self._refuse(key, "a list of whole numbers", value, ())

    def real(self, key: str, default: float, *, least: float, most: float) -> float:
        """A number between `least` and `most`."""
        value = self._take(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        return self._refuse(key, f"a number from {least:g} to {most:g}", value, default)

    def flag(self, key: str) -> bool:
        """A boolean, false where there is none."""
        value = self._take(key, False)
        return value if isinstance(value, bool) else self._refuse(key, "true or false", value, False)

    def choice(self, key: str, choices: type[EnumT], default: EnumT | None = None) -> EnumT:
        """A member of an enum by its name in any case (or by its number, where members have one)."""
        value = self._take(key, None if default is None else default.name)
        for member in choices:
            if isinstance(value, str) and value.upper() == member.name:
                return member
            if issubclass(choices, IntEnum) and type(value) is int and value == member.value:
                return member
        names = ", ".join(member.name.lower() for member in choices)
        return self._refuse(
            key, f"one of {names}", value, next(iter(choices)) if default is None else default
        )

    def table(self, key: str) -> Entry:
        """A table inside this one, empty where there is none."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            value = self._refuse(key, "a table", value, {})
        return Entry(f"[{key}]", value, self._problems)

    def entries(self, key: str) -> list[Entry]:
        """An array of tables, empty where there is none."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            value = self._refuse(key, "a list of tables", value, [])
        inside = f"{self._where} " if self._where else ""
        return [Entry(f"{inside}[[{key}]] {n}", one, self._problems) for n, one in enumerate(value, 1)]

    def finish(self) -> None:
        """Complain of every key that was not asked for."""
        for key in self._fields:
            self.complain(f"{key}: unknown key")

    def _take(self, key: str, default: Any) -> Any:
        return self._fields.pop(key, default)

    def _refuse(self, key: str, expected: str, value: Any, harmless: ValueT) -> ValueT:
        got = "nothing" if value is None else repr(value)
        self.complain(f"{key}: expected {expected}, got {got}")
        return harmless


class Who:
    """Turns the ``who`` of an entry, a side or a channel id, into channel ids."""

    def __init__(self, sides: Mapping[str, str]) -> None:
        self._sides = sides  # by channel id

    def all_of(self, entry: Entry, key: str, default: str | None = None) -> tuple[str, ...]:
        """Everybody that is meant, in the order of the participants."""
        wanted = entry.text(key, default)
        found = tuple(channel_id for channel_id, side in self._sides.items() if wanted in (channel_id, side))
        if not found and wanted:
            entry.complain(f"{key}: nobody is {wanted!r}; expected a side or a channel_id")
        return found

    def one_of(self, entry: Entry, key: str, default: str | None = None) -> str:
        """The first of them, or nobody."""
        return next(iter(self.all_of(entry, key, default)), "")
