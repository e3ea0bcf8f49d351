"""What a check says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    NOT_CHECKED = "not checked"
    """It could not, or need not be looked at."""
    WARNING = "warning"
    """It works, and may not for long, or not as well as it could."""
    FAILED = "failed"


_BY_WEIGHT = (Verdict.OK, Verdict.NOT_CHECKED, Verdict.WARNING, Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Holds no secrets."""

    check: str
    """What was looked at, in a word or two."""
    verdict: Verdict
    found: str
    """What it is like."""
    next_step: str = ""
    """What to do about it, if anything."""


def worst(findings: Iterable[Finding]) -> Verdict:
    """The gravest verdict among them."""
    return max((one.verdict for one in findings), key=_BY_WEIGHT.index, default=Verdict.OK)
