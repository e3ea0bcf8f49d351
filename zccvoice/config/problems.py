"""What is wrong with settings, in our words: the field, what was expected, what came. Never a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from zccvoice.config.section import SECRET_FILE_PROBLEM, is_secret
from zccvoice.config.sources import did_you_mean

LONGEST_SHOWN = 60
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "path": "a path",
    "tuple": "a list",
    "dict": "a table",
    "model": "a table",
}
"""What was expected, by the first word of pydantic's error type (``int_parsing``, ``model_type``, …)."""
_OF_KEY = "[key]"
"""Ends pydantic's path to a name in a table that cannot be one."""
_BOUNDS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


@dataclass(frozen=True, slots=True)
class _Place:
    """A field of the settings, as far as a problem's path leads to one."""

    annotation: Any
    bounds: tuple[Any, ...] = ()

    @property
    def section(self) -> type[BaseModel] | None:
        """The section that stands here, if one does."""
        for one in (self.annotation, *getattr(self.annotation, "__args__", ())):
            if isinstance(one, type) and issubclass(one, BaseModel):
                return one
        return None


def told(settings: type[BaseModel], error: ErrorDetails) -> str:
    """One problem in one line.

    Args:
        settings: what was to be made.
        error: one of a ``ValidationError``, with its input.
    """
    where = ".".join(str(part) for part in error["loc"] if part != _OF_KEY) or "settings"
    place = _find(settings, error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return f"{where}: no such setting{_meant(settings, error['loc'])}"
        case "missing":
            return f"{where}: required"
        case "string_too_short" | "too_short" if context["min_length"] == 1:
            return f"{where}: required"
        case "value_error" if place.section is not None:
            return f"{where}.{context['error']}"
        case "value_error":
            return f"{where}: {context['error']}"
        case _ if kind == SECRET_FILE_PROBLEM:
            return f"{where}_file: {error['msg']}"
    return f"{where}: expected {_expected(kind, context, place)}, got {_shown(error['input'], place)}"


def _expected(kind: str, context: dict[str, Any], place: _Place) -> str:
    if kind in _BOUNDS:
        return _range(place)
    if kind == "multiple_of":
        return f"a multiple of {context['multiple_of']}"
    if kind == "literal_error":
        return f"{context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"a text that matches {context['pattern']}"
    return _KINDS.get(kind.split("_", 1)[0], "another kind of value")


def _range(place: _Place) -> str:
    words = []
    for bound in place.bounds:
        match bound:
            case Ge(ge=least):
                words.append(f"at least {least:.12g}")
            case Gt(gt=least):
                words.append(f"more than {least:.12g}")
            case Le(le=most):
                words.append(f"at most {most:.12g}")
            case Lt(lt=most):
                words.append(f"less than {most:.12g}")
    return " and ".join(words)


def _shown(value: Any, place: _Place) -> str:
    """A number or a short text as it came; of a secret, and of whatever may hold one, only what it is."""
    if isinstance(value, bool | int | float | str) and _may_be_shown(place):
        text = repr(value)
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    match value:
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
        case str():
            return "a text"
    return "a number" if isinstance(value, int | float) else "something else"


def _may_be_shown(place: _Place) -> bool:
    return place.annotation is not None and place.section is None and not is_secret(place.annotation)


def _find(settings: type[BaseModel], path: Sequence[int | str]) -> _Place:
    place = _Place(settings)
    for part in path:
        if place.section is not None and isinstance(part, str):
            field = place.section.model_fields.get(part)
            if field is None:
                return _Place(None)
            place = _Place(field.annotation, tuple(field.metadata))
        elif place.section is None:  # an element of a list or a table: the last of the types in brackets
            place = _Place(next((one for one in reversed(_inner(place)) if one is not ...), None))
    return place


def _inner(place: _Place) -> tuple[Any, ...]:
    inner: tuple[Any, ...] = getattr(place.annotation, "__args__", ())
    return inner


def _meant(settings: type[BaseModel], path: Sequence[int | str]) -> str:
    *outer, wrong = path
    section = _find(settings, outer).section
    right = did_you_mean(str(wrong), _names(section)) if section is not None else ""
    return f"; did you mean {'.'.join([*map(str, outer), right])}?" if right else ""


def _names(section: type[BaseModel]) -> dict[str, None]:
    names = dict.fromkeys(section.model_fields)
    files = (f"{name}_file" for name, field in section.model_fields.items() if is_secret(field.annotation))
    return names | dict.fromkeys(files)
