"""What can be used of a message in which some field holds something else than it should.

A message tells several things, and one of them that cannot be read is no reason to lose the others: that an agent
answered counts also when the account beside it is a list. What decides how sound is decoded, or whose something
is, is never left out: then the message is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import msgspec

from zccvoice.rtms.messages import (
    AudioContent,
    ChatContent,
    EffectiveAudio,
    EffectiveParams,
    MediaHandshakeResponse,
    TranscriptContent,
)
from zccvoice.rtms.payload import integer

_WHOSE = frozenset({"channel_id", "user_id"})
_INDISPENSABLE: Mapping[type, frozenset[str]] = {
    MediaHandshakeResponse: frozenset({"media_params"}),
    EffectiveParams: frozenset({"audio"}),
    EffectiveAudio: frozenset(EffectiveAudio.__struct_fields__),
    AudioContent: _WHOSE,
    TranscriptContent: _WHOSE,
    ChatContent: _WHOSE,
}
"""Optional fields without which a message would say something else."""
_fields = cache(msgspec.structs.fields)


def usable(kind: type[msgspec.Struct], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one struct, numbers as texts where texts belong, without optional ones that cannot be read.

    What is missing or wrong beyond that stays so, for the decoder to refuse.
    """
    left = dict(fields)
    for field in _fields(kind):
        if field.name not in left:
            continue
        left[field.name] = _readable(left[field.name], field.type)
        is_dispensable = not field.required and field.name not in _INDISPENSABLE.get(kind, ())
        if is_dispensable and not _fits(left[field.name], field.type):
            del left[field.name]
    return left


def _readable(value: Any, wanted: Any) -> Any:
    """The value in a form that fits, if there is one."""
    if _fits(value, wanted):
        return value
    inner = _struct_in(wanted)
    match value:
        case dict() if inner is not None:
            return usable(inner, value)
        case list() if inner is not None:
            return [one for each in value if _fits(one := _readable(each, inner), inner)]
        case int() if integer(value) is not None:
            return str(value)
    return value


def _fits(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted, strict=False)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


def _struct_in(wanted: Any) -> type[msgspec.Struct] | None:
    """The struct that is wanted, alone, in a list, or as one of several possibilities."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return wanted
    return next((one for each in get_args(wanted) if (one := _struct_in(each)) is not None), None)
