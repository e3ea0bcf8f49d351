"""One track of all voices, from Zoom's packets to rows: who spoke is what the scenario says, or nobody."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import trio
from sqlalchemy import Connection, text

from zccvoice.analytics.attribution import SPEAKER_NAMED
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.config import load
from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.daemon.replay import replay
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.journal.vault import Vault
from zccvoice.rehearsal.virtual import run_virtually, virtual_daemon
from zccvoice.rtms.media import MIX
from zccvoice.simulator import demo
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.truth import CallTruth
from zccvoice.store.facts import CallEventSeen, Fact
from zccvoice.store.reads import UtteranceRow, utterances
from zccvoice.store.writes import apply

ANA, LEE, JOE = "16778240", "16779264", "16780288"
NAMES = {ANA: "Ana Example", LEE: "Lee Agent", JOE: "Joe Later"}
NAMED_LEE = SPEAKER_NAMED, LEE
SPOKEN = [
    (ANA, 1_000, "01"),
    (LEE, 6_500, "04"),
    (LEE, 11_200, "07"),
    (JOE, 15_600, "02"),
    (ANA, 20_000, "01"),
    # Lee falls in with the last word, so that both are one utterance.
    (LEE, 24_100, "01"),
    (JOE, 30_000, "08"),
]


def meeting(product: str, delay_ms: int, **fields: Any) -> Scenario:
    return parse_scenario(
        {
            "title": "A mixed meeting",
            "product": product,
            "participant": [{"channel_id": one, "display_name": name} for one, name in NAMES.items()],
            "speech": [
                {"who": who, "at_ms": at_ms, "text": "Words.", "sound": f"factura/{sound}.flac"}
                for who, at_ms, sound in SPOKEN
            ],
            "dialect": {"speaker_delay_ms": delay_ms},
            **fields,
        },
        name="mixed",
        folder=Path(demo.__file__).parent,
    )


def played(folder: Path, scenario: Scenario) -> tuple[CallTruth, list[Fact]]:
    """What was sent, and what of it is stored; its journal is in the folder."""

    async def run() -> tuple[CallTruth, list[Fact]]:
        async with virtual_daemon(folder, mixed=True) as daemon:
            with trio.fail_after(600):
                truth = await daemon.play(scenario)
                await daemon.settled()
            assert daemon.zoom.violations == ()
            return truth, daemon.facts[truth.stream_id]

    return run_virtually(run)


def who_spoke(truth: CallTruth, row: UtteranceRow) -> set[str]:
    return {
        one.channel_id
        for one in truth.utterances
        if one.start_ms < row.end_ms - 200 and row.start_ms + 200 < one.end_ms
    }


@pytest.mark.parametrize(("product", "delay_ms"), [("meeting", 0), ("webinar", 900), ("video_sdk", 400)])
def test_who_spoke(tmp_path: Path, connection: Connection, product: str, delay_ms: int) -> None:
    truth, facts = played(tmp_path, meeting(product, delay_ms))
    apply(connection, facts)
    rows = utterances(connection, truth.engagement_id)
    assert {row.channel_id for row in rows} == {MIX}
    spoke = [who_spoke(truth, row) for row in rows]
    assert {LEE, ANA} in spoke
    alone = [next(iter(one)) if len(one) == 1 else None for one in spoke]
    assert [row.speaker_channel_id for row in rows] == alone
    assert [row.display_name for row in rows] == [one and NAMES[one] for one in alone]
    assert set(alone) == {*NAMES, None}


def test_late_and_repeated_events_come_to_the_same(tmp_path: Path, connection: Connection) -> None:
    truth, facts = played(tmp_path, meeting("meeting", 0))
    events = [one for one in facts if isinstance(one, CallEventSeen) and one.name == SPEAKER_NAMED]
    apply(connection, [one for one in facts if one not in events])
    assert {row.speaker_channel_id for row in utterances(connection, truth.engagement_id)} == {None}
    for event in [*reversed(events), *events]:
        apply(connection, [event])
    late = [row.speaker_channel_id for row in utterances(connection, truth.engagement_id)]
    assert late == [ANA, LEE, LEE, JOE, None, JOE]


def test_a_replay_says_the_same(tmp_path: Path, connection: Connection) -> None:
    truth, facts = played(tmp_path, meeting("meeting", 900))
    apply(connection, facts)
    rows = utterances(connection, truth.engagement_id)
    connection.execute(text("UPDATE zccvoice.utterance SET speaker_channel_id = NULL"))
    shelf = Shelf(tmp_path / "journal", Vault(tmp_path / "keys", "a master key"), ENTRY_TYPES)
    name = journal_name(truth.stream_id)
    apply(connection, list(replay(lambda: shelf.reader(name), load(None), PhonePseudonym("a key"))))
    assert utterances(connection, truth.engagement_id) == rows
    assert {row.speaker_channel_id for row in rows} == {*NAMES, None}


def test_whoever_was_named_during_an_outage_may_not_be_known(tmp_path: Path, connection: Connection) -> None:
    """Zoom keeps the sound; the events perhaps not, and then what was said meanwhile is nobody's."""
    random.seed(1)  # how long is waited before each attempt: Joe is to be named when we listen again
    outage = {"kind": "outage", "at_ms": 5_500, "for_ms": 8_000}
    truth, facts = played(tmp_path, meeting("meeting", 0, mishap=[outage]))
    lee_is_named = next(
        one for one in facts if isinstance(one, CallEventSeen) and (one.name, one.channel_id) == NAMED_LEE
    )
    apply(connection, [one for one in facts if one != lee_is_named])
    rows = utterances(connection, truth.engagement_id)
    assert [row.speaker_channel_id for row in rows] == [ANA, None, None, JOE, None, JOE]
    apply(connection, [lee_is_named])
    rows = utterances(connection, truth.engagement_id)
    assert [row.speaker_channel_id for row in rows] == [ANA, LEE, LEE, JOE, None, JOE]
