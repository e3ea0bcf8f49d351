"""What was found about the call that is being measured is found once, though many measures rest on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def remembered(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """For a function of immutable values: asked again about the very same objects, it answers the same object.

    One answer is kept, so memory stays that of one call. Whoever gets the answer must not change it. Threads may
    ask at once: question and answer are kept as one value.
    """
    last: tuple[tuple[Any, ...], Any] = (), None

    @wraps(function)
    def answer(*asked: Arguments.args, **more: Arguments.kwargs) -> Result:
        nonlocal last
        if more:
            return function(*asked, **more)
        question, known = last
        if (
            asked
            and len(asked) == len(question)
            and all(a is b for a, b in zip(asked, question, strict=True))
        ):
            return known  # type: ignore[no-any-return]
        found = function(*asked)  # type: ignore[call-arg]
        last = asked, found
        return found

    return answer
