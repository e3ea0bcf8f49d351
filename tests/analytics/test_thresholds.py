"""Thresholds from the settings."""

from __future__ import annotations

import pytest

from zccvoice.analytics.thresholds import DEFAULTS, Thresholds, thresholds_with
from zccvoice.errors import ConfigError


def test_what_is_not_named_stays() -> None:
    assert thresholds_with({}) == DEFAULTS
    changed = thresholds_with({"silence_above_ms": 5_000.0, "damaged_below_ratio": 1})
    assert changed == Thresholds(silence_above_ms=5_000, damaged_below_ratio=1.0)
    assert type(changed.silence_above_ms) is int


def test_all_problems_are_told() -> None:
    with pytest.raises(ConfigError) as caught:
        thresholds_with({"silence": 1, "turn_pause_ms": 1.5, "sparse_below_ratio": 2, "join_below_ms": -1})
    assert [line.partition(":")[0].rpartition(".")[2] for line in caught.value.problems] == [
        "silence",
        "turn_pause_ms",
        "sparse_below_ratio",
        "join_below_ms",
    ]
