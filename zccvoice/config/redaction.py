"""What must not be stored of what people say and write, and what stands in its place."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from zccvoice.config.section import Section
from zccvoice.config.zoom import ProductName

RedactedClass = Literal["email", "iban", "card", "national_id", "security_code", "phone", "name"]
"""What can be taken out. ``card``: payment cards; ``security_code``: the three or four digits beside them;
``iban``: bank accounts; ``national_id``: US SSN, UK NINO, Spanish DNI and NIE, German tax id; ``name``: names that
are given as such or stand after a title, and those of the people on the call."""
CLASSES: tuple[RedactedClass, ...] = get_args(RedactedClass)
Mask = Annotated[str, Field(pattern=r"^(\[[^\s\d\[\]]{1,30}\]|[*#•█]{1,20})$")]
"""One word in brackets, or a row of stars: nothing that could be taken for words or numbers of its own."""


class RedactionRules(Section):
    """What is taken out."""

    classes: tuple[RedactedClass, ...] = tuple(one for one in CLASSES if one != "name")
    """Everything but names, when nothing is said."""
    masks: dict[RedactedClass, Mask] = Field(default_factory=dict)
    """What stands in the place of what was taken out, by class; left out: the class in brackets, ``[card]``."""


class RedactionException(RedactionRules):
    """Other rules for some calls."""

    queues: tuple[str, ...] = ()
    """Ids or names of queues; compared without regard to case. A call is of a queue once Zoom has told it."""
    products: tuple[ProductName, ...] = ()
    """Products; none given: all."""

    @model_validator(mode="after")
    def _is_for_somebody(self) -> Self:
        if not self.queues and not self.products:
            raise ValueError("queues, products: expected at least one of them, got neither")
        return self


class RedactionConfig(RedactionRules):
    """What must not be stored."""

    exceptions: tuple[RedactionException, ...] = ()
    """Other rules for some queues or products: one ``[[redaction.exceptions]]`` each, the first that fits."""
    pause_events: tuple[str, ...] = ("stream_paused", "session_paused")
    """Zoom's events, in lower case, from which on nothing audible of the call is kept: no sound, no text."""
    resume_events: tuple[str, ...] = ("stream_resumed", "session_resumed")
    """And until which."""
