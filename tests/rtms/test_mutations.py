"""Wrong messages into parser and cores; `scripts/try_messages.py` throws a million."""

from __future__ import annotations

import json
import random

import pytest

from zccvoice.errors import RemoteProtocolError
from zccvoice.rehearsal.mutations import OPENINGS, SEEDS, mutated, throw
from zccvoice.rtms import wire
from zccvoice.rtms.timestamps import plausible_ms


def test_nothing_but_messages_and_refusals() -> None:
    figures = throw(20_000, seed=7)
    assert figures.total >= 20_000
    for count in (figures.unreadable, figures.unknown, figures.illegal, figures.understood, figures.events):
        assert count > figures.total / 50, "all of these are met"


def test_it_throws_the_same_again() -> None:
    assert throw(500, seed=3) == throw(500, seed=3) != throw(500, seed=4)


def test_what_is_changed_was_right() -> None:
    for fields in (*OPENINGS, *SEEDS):
        wire.decode(json.dumps(fields))
    chance = random.Random(1)
    assert len({mutated(chance) for _ in range(500)}) > 300


def test_brackets_within_brackets_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="expected a JSON object"):
        wire.decode("[" * 100_000)
    with pytest.raises(RemoteProtocolError):
        wire.decode('{"msg_type":99,"content":' + '{"a":' * 100_000)


@pytest.mark.parametrize("timestamp", [-1e308, 1e308, float("inf"), float("nan"), 10**400, 0, -5, None])
def test_what_is_no_time(timestamp: float | None) -> None:
    assert plausible_ms(timestamp) is None
