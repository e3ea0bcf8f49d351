"""The account has to notice what does not balance, or the matrix shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import trio

from zccvoice.rehearsal.accounts import account_of
from zccvoice.rehearsal.matrix import FAULTS, Cell, scenario_of
from zccvoice.rehearsal.virtual import run_virtually, virtual_daemon
from zccvoice.rtms.enums import Product
from zccvoice.simulator.truth import CallTruth
from zccvoice.store.facts import CallEventSeen, Fact, GapFound, StreamClosed, TrackClosed


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[CallTruth, list[Fact]]:
    """A call with lost packets, and what was stored of it."""

    async def play() -> tuple[CallTruth, list[Fact]]:
        cell = Cell(Product.CONTACT_CENTER, "g711", "split", "packets lost")
        async with virtual_daemon(tmp_path_factory.mktemp("accounts")) as daemon:
            truth = await daemon.play(scenario_of(cell, FAULTS[cell.fault]))
            with trio.fail_after(60):
                await daemon.settled()
            return truth, daemon.facts[truth.stream_id]

    return run_virtually(play)


def test_it_balances(played: tuple[CallTruth, list[Fact]]) -> None:
    account = account_of(*played)
    assert account.problems == []
    assert account.gaps["lost_packets"] == account.missing > 0
    assert account.decoded == account.sent


def without(kind: type[Fact]) -> Callable[[list[Fact]], list[Fact]]:
    def change(facts: list[Fact]) -> list[Fact]:
        place = next(place for place, fact in enumerate(facts) if isinstance(fact, kind))
        return facts[:place] + facts[place + 1 :]

    return change


def moved(facts: list[Fact]) -> list[Fact]:
    return [
        replace(fact, last_timestamp_ms=fact.last_timestamp_ms + 20)
        if isinstance(fact, TrackClosed)
        else fact
        for fact in facts
    ]


def made_up(facts: list[Fact]) -> list[Fact]:
    event = next(fact for fact in facts if isinstance(fact, CallEventSeen) and fact.channel_id)
    return [*facts, replace(event, timestamp_ms=event.timestamp_ms + 1)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without(GapFound), "!= decoded"),
        (without(TrackClosed), "expected its end once"),
        (without(StreamClosed), "expected one end"),
        (without(CallEventSeen), "not received"),
        (moved, "ms long, but"),
        (made_up, "never sent"),
    ],
)
def test_a_single_thing_amiss_is_told(
    change: Callable[[list[Fact]], list[Fact]], told: str, played: tuple[CallTruth, list[Fact]]
) -> None:
    truth, facts = played
    answered = [
        fact for fact in facts if not isinstance(fact, CallEventSeen) or fact.name.endswith("answered")
    ]
    account = account_of(truth, change(answered))
    assert any(told in problem for problem in account.problems), account.problems
