"""Measurements, in one form: figures with their unit and how they came about, and bounds that are wanted.

Every bench gives a `BenchResult`; `zccvoice bench NAME` prints it as a table or as one JSON object. Machines are
shared and noisy: ratios are measured within one run, interleaved.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    value: float
    unit: str
    how: str
    """How it was measured, in a few words."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A bound that a figure is to keep."""

    name: str
    bound: float
    """The figure may be at most this; at least this, when `is_least`."""
    value: float
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps the bound."""
        return self.value >= self.bound if self.is_least else self.value <= self.bound


@dataclass(slots=True)
class BenchResult:
    """What a bench found."""

    bench: str
    figures: dict[str, Figure] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    cases: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """The same figures for each of several cases: a table, by case and column. None where one has no sense."""

    def document(self) -> dict[str, Any]:
        """The result as one JSON object."""
        return {
            "bench": self.bench,
            "machine": machine(),
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "wanted": [
                {"name": one.name, "bound": one.bound, "value": one.value, "met": one.is_met}
                for one in self.wanted
            ],
            "cases": self.cases,
        }

    @property
    def is_met(self) -> bool:
        """Whether all bounds are kept."""
        return all(one.is_met for one in self.wanted)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` per cent of the values do not exceed; there must be some."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def machine() -> dict[str, Any]:
    """What the figures were measured on; no names of hosts."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:  # noqa: PTH123 (procfs)
            for line in cpuinfo:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
