"""A rules file: TOML → rules, or every problem of it with its line.

    [[rule]]
    name = "no_greeting"
    queues = ["Orders"]                       # or products, languages; left out: all calls

    [[rule.when]]                             # all of them must hold
    any_of = ["thank you for calling", "good morning"]
    side = "agent"
    first_ms = 15_000
    negate = true

A condition has one filter: `any_of` or `all_of` phrases, or a limit (`LIMITS`); at most one window (`WINDOWS`);
a side, where the filter knows one; and `negate`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args

from zccvoice.analytics.record import Side
from zccvoice.analytics.rules import (
    WHOLE_CALL,
    Condition,
    Filter,
    Limit,
    Phrases,
    Quantity,
    Rule,
    Unit,
    Window,
    key_of,
)
from zccvoice.analytics.rules_lines import Lines
from zccvoice.analytics.rules_phrases import words_of
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.config.sources import did_you_mean
from zccvoice.config.zoom import ProductName
from zccvoice.errors import ConfigError

LONGEST_NAME = 100
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 10, 3_600
"""A hit is found some seconds after what matched: of a shorter pause nothing would be left by then."""
_DAY_MS = 86_400_000
_RANGES: dict[Quantity, tuple[float, float]] = {  # but of silences: the shortest is a threshold
    Quantity.HOLD_MS: (0, _DAY_MS),
    Quantity.INTERRUPTIONS_COUNT: (0, 10_000),
    Quantity.INTERRUPTIONS_MS: (0, _DAY_MS),
    Quantity.SENTIMENT: (-5, 5),
    Quantity.TALK_SPEED_WPM: (0, 1_000),
}
LIMITS = {
    key_of(quantity, is_above=is_above): (quantity, is_above)
    for quantity in Quantity
    for is_above in (True, False)
    if is_above or quantity in (Quantity.SENTIMENT, Quantity.TALK_SPEED_WPM)
}
"""What each limit's key means: the quantity, and whether the condition holds above it or below."""
WINDOWS = tuple(f"{where}_{unit}" for where in ("first", "last", "between") for unit in Unit)
"""A window's keys: a number, or with ``between`` two of them, of milliseconds or of percent of the call."""
_FILTERS = ("any_of", "all_of", *LIMITS)
_CONDITION_KEYS = (*_FILTERS, *WINDOWS, "side", "negate")
_RULE_KEYS = ("name", "description", "queues", "products", "languages", "pause_sound_s", "when")
_WITHOUT_SIDE = (Quantity.SILENCE_MS, Quantity.HOLD_MS)


def load_rules(path: Path, thresholds: Thresholds) -> tuple[Rule, ...]:
    """The rules of a file on the disk.

    Args:
        path: the file.
        thresholds: of the measures that calls will be judged by: what is no silence there can match no rule.

    Raises:
        ConfigError: it cannot be read, or all that is wrong with it, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: cannot be read: it is not UTF-8 text"]) from None
    return read_rules(text, str(path), thresholds)


def read_rules(text: str, name: str, thresholds: Thresholds = DEFAULTS) -> tuple[Rule, ...]:
    """The rules of a file, in its order.

    Args:
        text: its content.
        name: what it is called in the problems.
        thresholds: as for `load_rules`.

    Raises:
        ConfigError: all that is wrong with it, each as ``name:line: problem``.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{name}: not TOML: {error}"]) from None
    reader = _Reader(Lines(text), thresholds)
    rules = reader.rules(document)
    if reader.problems:
        raise ConfigError([f"{name}:{line}: {problem}" for line, problem in sorted(reader.problems)])
    return rules


class _Reader:
    """Reads one document; what is wrong gathers in `problems`, with its line."""

    def __init__(self, lines: Lines, thresholds: Thresholds) -> None:
        self.problems: list[tuple[int, str]] = []
        self._lines = lines
        self._ranges = _RANGES | {Quantity.SILENCE_MS: (thresholds.silence_above_ms, _DAY_MS)}
        self._place: tuple[int | None, int | None] = (None, None)

    def rules(self, document: dict[str, Any]) -> tuple[Rule, ...]:
        """Every rule; those that are wrong are left out."""
        self._unknown(document, ("rule",))
        tables = document.get("rule", [])
        if not _is_list_of(tables, dict):
            self._note("rule", "rule: expected tables, each under [[rule]]")
            return ()
        found: dict[str, Rule] = {}
        for number, table in enumerate(tables):
            rule = self._rule(number, table)
            if rule is not None and rule.name.casefold() in found:
                self._note("name", f"name: expected one that no other rule has, got {rule.name!r} again")
            elif rule is not None:
                found[rule.name.casefold()] = rule
        return tuple(found.values())

    def _rule(self, number: int, table: dict[str, Any]) -> Rule | None:
        self._place = (number, None)
        before = len(self.problems)
        self._unknown(table, _RULE_KEYS)
        name = self._text(table, "name", required=True)
        if len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
            self._note("name", f"name: expected at most {LONGEST_NAME} printable characters, no space around")
        description = self._text(table, "description")
        queues, products, languages = (self._texts(table, key) for key in ("queues", "products", "languages"))
        for product in products:
            if product not in get_args(ProductName):
                known = ", ".join(get_args(ProductName))
                self._note("products", f"products: expected some of {known}, got {product!r}")
        pause_s = self._pause_s(table)
        conditions = table.get("when")
        if not _is_list_of(conditions, dict) or not conditions:
            self._note("when", "when: expected at least one condition, under [[rule.when]]")
            conditions = []
        when = [one for i, each in enumerate(conditions) if (one := self._condition(number, i, each))]
        self._place = (number, None)
        if len(self.problems) > before:
            return None
        return Rule(
            name, tuple(when), description, queues, products, tuple(map(str.lower, languages)), pause_s
        )

    def _pause_s(self, table: dict[str, Any]) -> float:
        value = table.get("pause_sound_s", 0)
        if "pause_sound_s" in table and not (
            _is_number(value) and SHORTEST_PAUSE_S <= value <= LONGEST_PAUSE_S
        ):
            expected = f"a number of seconds, {SHORTEST_PAUSE_S} to {LONGEST_PAUSE_S}"
            self._note("pause_sound_s", f"pause_sound_s: expected {expected}, got {value!r}")
            return 0
        return float(value)

    def _condition(self, rule: int, number: int, table: dict[str, Any]) -> Condition | None:
        self._place = (rule, number)
        before = len(self.problems)
        self._unknown(table, _CONDITION_KEYS)
        filter_ = self._filter(table)
        side = self._side(table, filter_)
        window = self._window(table)
        negate = table.get("negate", False)
        if not isinstance(negate, bool):
            self._note("negate", f"negate: expected true or false, got {negate!r}")
        if filter_ is None or len(self.problems) > before:
            return None
        return Condition(filter_, side, window, negate)

    def _filter(self, table: dict[str, Any]) -> Filter | None:
        keys = [key for key in _FILTERS if key in table]
        if len(keys) != 1:
            got = " and ".join(keys) or "none"
            self._note(keys[-1] if keys else None, f"expected one filter ({', '.join(_FILTERS)}), got {got}")
            return None
        key = keys[0]
        if key in LIMITS:
            quantity, is_above = LIMITS[key]
            least, most = self._ranges[quantity]
            value = table[key]
            if not _is_number(value) or not least <= value <= most:
                self._note(key, f"{key}: expected a number, {least:.10g} to {most:.10g}, got {value!r}")
                value = least
            return Limit(quantity, float(value), is_above)
        phrases = self._texts(table, key)
        if key in table and table[key] == []:
            self._note(key, f"{key}: expected at least one phrase")
        for phrase in phrases:
            if not words_of(phrase, None):
                self._note(key, f"{key}: expected words, got {phrase!r}")
        return Phrases(phrases, key == "all_of")

    def _side(self, table: dict[str, Any], filter_: Filter | None) -> Side | None:
        value = table.get("side")
        if value is None:
            if isinstance(filter_, Limit) and filter_.quantity is Quantity.TALK_SPEED_WPM:
                self._note(None, "side: required with a talk speed")
            return None
        if not isinstance(value, str) or value not in tuple(Side):
            self._note("side", f"side: expected {', '.join(Side)}, got {value!r}")
            return None
        if isinstance(filter_, Limit) and filter_.quantity in _WITHOUT_SIDE:
            self._note("side", f"side: a {filter_.quantity.removesuffix('_ms')} is of no side")
        return Side(value)

    def _window(self, table: dict[str, Any]) -> Window:
        keys = [key for key in WINDOWS if key in table]
        if not keys:
            return WHOLE_CALL
        if len(keys) > 1:
            self._note(keys[-1], f"expected at most one window, got {' and '.join(keys)}")
            return WHOLE_CALL
        key, value = keys[0], table[keys[0]]
        where, unit = key.split("_")
        most = 100 if unit == Unit.PERCENT else _DAY_MS
        if where == "between":
            is_pair = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
            if not is_pair or not 0 <= value[0] < value[1] <= most:
                self._note(key, f"{key}: expected two rising numbers, 0 to {most}, got {value!r}")
                return WHOLE_CALL
            return Window(value[0], value[1], Unit(unit))
        if not _is_number(value) or not 0 < value <= most:
            self._note(key, f"{key}: expected a number above 0, at most {most}, got {value!r}")
            return WHOLE_CALL
        return Window(0, value, Unit(unit)) if where == "first" else Window(-value, None, Unit(unit))

    def _text(self, table: dict[str, Any], key: str, *, required: bool = False) -> str:
        value = table.get(key, "")
        if isinstance(value, str) and (value or not required):
            return value
        self._note(key, f"{key}: required" if key not in table else f"{key}: expected a text, got {value!r}")
        return ""

    def _texts(self, table: dict[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if _is_list_of(value, str):
            return tuple(value)
        self._note(key, f"{key}: expected a list of texts, got {value!r}")
        return ()

    def _unknown(self, table: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                meant = did_you_mean(key, dict.fromkeys(known))
                self._note(key, f"{key}: no such key" + (f"; did you mean {meant}?" if meant else ""))

    def _note(self, key: str | None, problem: str) -> None:
        self.problems.append((self._lines.of(*self._place, key), problem))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)
