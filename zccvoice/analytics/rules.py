"""Rules: what a supervisor wants to be told of, as data.

A rule is a set of conditions, and all of them must hold. `rules_file` reads rules, `rules_matching` tells whether
and where they hold in a call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from zccvoice.analytics.record import Side, Span


class Quantity(StrEnum):
    """What a condition may set a limit to."""

    SILENCE_MS = "silence_ms"
    HOLD_MS = "hold_ms"
    INTERRUPTIONS_COUNT = "interruptions_count"
    INTERRUPTIONS_MS = "interruptions_ms"
    SENTIMENT = "sentiment_score"
    TALK_SPEED_WPM = "talk_speed_wpm"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Words that are said: whole words, in this order, whatever their case, accents and punctuation."""

    phrases: tuple[str, ...]
    all_of: bool = False
    """Every one of them; otherwise any."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that is passed."""

    quantity: Quantity
    limit: float
    """In the quantity's unit; a sentiment score is −5…+5."""
    is_above: bool = True
    """Whether the condition holds above the limit; otherwise below it. At the limit it does not hold."""

    def __str__(self) -> str:
        name, _, unit = self.quantity.rpartition("_")
        unit = f" {unit}" if unit in ("ms", "wpm") else ""
        return f"{name.replace('_', ' ')} {'above' if self.is_above else 'below'} {self.limit:.10g}{unit}"

    def is_passed_by(self, value: float) -> bool:
        """Whether a value is beyond the limit."""
        return value > self.limit if self.is_above else value < self.limit


Filter: TypeAlias = Phrases | Limit


class Unit(StrEnum):
    """How a window is counted."""

    MS = "ms"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the call, by default all of it. What begins in it is in it."""

    start: float = 0
    """From the call's first moment; below 0: back from its last."""
    end: float | None = None
    """Not included; None is the call's end."""
    unit: Unit = Unit.MS

    def within(self, call: Span) -> Span:
        """Where it lies in a call; empty where the call is too short for it."""
        scale = 1 if self.unit is Unit.MS else call.length_ms / 100
        start_ms = round(self.start * scale)
        start_ms += call.end_ms if self.start < 0 else call.start_ms
        end_ms = call.end_ms if self.end is None else call.start_ms + round(self.end * scale)
        start_ms, end_ms = min(max(start_ms, call.start_ms), call.end_ms), min(end_ms, call.end_ms)
        return Span(start_ms, max(start_ms, end_ms))

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole call."""
        return self.start == 0 and self.end is None

    @property
    def needs_end(self) -> bool:
        """Whether only the end of the call tells where it lies."""
        return self.start < 0 or (self.unit is Unit.PERCENT and not self.is_whole)

    def __str__(self) -> str:
        unit = "ms" if self.unit is Unit.MS else "%"
        if self.is_whole:
            return "in the call"
        if self.start < 0:
            return f"in the last {-self.start:.10g} {unit} of the call"
        if self.end is None:
            return f"from {self.start:.10g} {unit} on"
        return f"in {self.start:.10g}–{self.end:.10g} {unit} of the call"


WHOLE_CALL = Window()


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold, or with `negate` must not, for a rule to match."""

    filter: Filter
    side: Side | None = None
    """Whose words, interruptions and so on; None is anybody's."""
    window: Window = WHOLE_CALL
    negate: bool = False

    def __str__(self) -> str:
        match self.filter:
            case Phrases(phrases, all_of):
                words = (" and " if all_of else " or ").join(map(_quoted, phrases))
                what = f"{words} said"
            case Limit() as limit:
                what = str(limit)
        by = "" if self.side is None else f" by {self.side}"
        return f"{'not: ' if self.negate else ''}{what}{by} {self.window}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call came from: what rules may be limited to."""

    product: str | None = None
    queue_id: str | None = None
    queue_name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A category that calls may fall into."""

    name: str
    when: tuple[Condition, ...]
    """All must hold; at least one."""
    description: str = ""
    queues: tuple[str, ...] = ()
    """Ids or names of queues whose calls it is for, in any case; none: all."""
    products: tuple[str, ...] = ()
    """Zoom's products that it is for; none: all."""
    languages: tuple[str, ...] = ()
    """Whisper codes of the languages that it is for; none: all."""
    pause_sound_s: float = 0
    """For so long after what matched nothing audible of a running call is kept; 0: all is."""

    def is_for(self, origin: Origin) -> bool:
        """Whether calls from there are looked at."""
        queues = {one.casefold() for one in (origin.queue_id, origin.queue_name) if one}
        return (
            (not self.queues or not queues.isdisjoint(one.casefold() for one in self.queues))
            and (not self.products or origin.product in self.products)
            and (not self.languages or origin.language in self.languages)
        )

    @property
    def text(self) -> str:
        """Its content as a rules file would have it: the same for the same content, however it was written."""
        return "\n".join(_lines(self))


def _lines(rule: Rule) -> Iterator[str]:
    yield "[[rule]]"
    yield f"name = {_quoted(rule.name)}"
    if rule.description:
        yield f"description = {_quoted(rule.description)}"
    for key in ("queues", "products", "languages"):
        if values := getattr(rule, key):
            yield f"{key} = {_quoted(values)}"
    if rule.pause_sound_s:
        yield f"pause_sound_s = {rule.pause_sound_s:.10g}"
    for condition in rule.when:
        yield "[[rule.when]]"
        match condition.filter:
            case Phrases(phrases, all_of):
                yield f"{'all_of' if all_of else 'any_of'} = {_quoted(phrases)}"
            case Limit() as limit:
                yield f"{key_of(limit.quantity, is_above=limit.is_above)} = {limit.limit:.10g}"
        if condition.side is not None:
            yield f"side = {_quoted(condition.side)}"
        window = condition.window
        if window.start < 0:
            yield f"last_{window.unit} = {-window.start:.10g}"
        elif not window.is_whole:
            end = 100 if window.end is None else window.end
            yield f"between_{window.unit} = [{window.start:.10g}, {end:.10g}]"
        if condition.negate:
            yield "negate = true"


def key_of(quantity: Quantity, *, is_above: bool) -> str:
    """The key of a limit in a rules file: the unit comes last, as in all names."""
    word = "above" if is_above else "below"
    name, _, unit = quantity.rpartition("_")
    return f"{name}_{word}" if quantity is Quantity.SENTIMENT else f"{name}_{word}_{unit}"


def _quoted(value: object) -> str:
    """As TOML writes it; JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False)
