"""Zoom's own SDK against the simulator: an independent witness that what we play is what Zoom sends.

It runs in a child process with a scratch folder of its own, killed after a time limit, and in real time: about a
second for each call.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio

from zccvoice.simulator.certificates import Authority
from zccvoice.simulator.mixing import mixed
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.sources import render
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom, ZoomApp, running_zoom

from .conftest import EVENT_TS_MS, MakeScenario

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("rtms") is None,
    reason="Zoom's SDK, package rtms, is not installed: it has wheels for Linux on x86-64 with glibc 2.34 and "
    "CPython up to 3.13 only",
)

LONGEST_S = 20
SPEED = 4
ANA, LEE, JOE = 16778240, 16779264, 16780288


@pytest.fixture
def spoken(tmp_path: Path) -> Callable[..., str]:
    """TOML in which each of the given parties says something, one after the other."""
    time = np.arange(8_000) / 16_000
    with wave.open(str(tmp_path / "word.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((8_000 * np.sin(2 * np.pi * 440 * time)).astype("<i2").tobytes())
    sound = tmp_path / "word.wav"
    says = '[[speech]]\nwho = "{}"\nat_ms = {}\ntext = "{} says ü"\nsound = "{}"\n'
    return lambda *who: "".join(says.format(one, 500 + 700 * n, one, sound) for n, one in enumerate(who))


def quiet_at_the_end(scenario: Scenario) -> Scenario:
    """Nobody sends in the last two seconds: the SDK gives up what it has not handed on when a stream ends."""
    return replace(
        scenario,
        duration_ms=5_000,
        participants=tuple(
            replace(one, to_ms=min(one.to_ms or 3_000, 3_000)) for one in scenario.participants
        ),
    )


class Witness:
    """What the SDK said it received, and what the simulator says it sent."""

    def __init__(self, lines: list[Any], truth: CallTruth, zoom: Zoom) -> None:
        self.lines = lines
        self.truth = truth
        self.violations = [one.what for one in zoom.violations]

    def of(self, kind: str) -> list[Any]:
        return [one for one in self.lines if one["kind"] == kind]


async def witnessed(
    app: ZoomApp,
    scenario: Scenario,
    folder: Path,
    ids: dict[str, str],
    *,
    data_opt: int = 2,
    events: Any = (),
    authority: Authority | None = None,
) -> Witness:
    """Play the scenario to the SDK."""
    (folder / "logs").mkdir()
    announced: list[str] = []
    lines: list[Any] = []
    truths: list[CallTruth] = []

    async def deliver(request: WebhookRequest) -> Any:
        payload = json.loads(request.body)["payload"]
        if "server_urls" in payload:
            announced.append(payload["server_urls"])
            known.set()
        return WebhookAnswer(200, b"")

    async def listen() -> None:
        await known.wait()
        ids["rtms_stream_id"] = scenario.stream_id
        order = {"url": announced[0], "ids": ids, "data_opt": data_opt, "events": list(events)}
        async with trio.open_nursery() as child:
            peer = await child.start(
                partial(
                    trio.run_process,
                    [sys.executable, str(Path(__file__).with_name("sdk_peer.py")), json.dumps(order)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd=folder,
                    env={**os.environ, "ZM_RTMS_LOG_ENABLED": "false", "ZM_RTMS_CA": str(folder / "ca.pem")},
                )
            )
            child.start_soon(let_go_when_over, peer.stdin)
            printed = b"".join([piece async for piece in peer.stdout])
        lines.extend(json.loads(line) for line in printed.splitlines() if line.startswith(b"{"))

    async def let_go_when_over(stdin: trio.abc.SendStream) -> None:
        await over.wait()
        await stdin.aclose()

    known, over = trio.Event(), trio.Event()
    if authority is not None:
        authority.write(folder / "ca.pem")
    with trio.fail_after(LONGEST_S):
        async with (
            running_zoom(app, deliver=deliver, speed=SPEED, authority=authority) as zoom,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(listen)
            truths.append(await zoom.play(scenario, event_ts_ms=EVENT_TS_MS))
            over.set()
    witness = Witness(lines, truths[0], zoom)
    assert witness.lines[0] == {"kind": "joined", "reason": 0}
    assert witness.of("left") == [{"kind": "left", "reason": witness.truth.stop_reason}]
    assert witness.lines[-1] == {"kind": "end"}
    assert witness.violations == []
    return witness


def sent_packets(scenario: Scenario, channel_id: str) -> dict[int, bytes]:
    """What goes out of a leg in packets of 100 ms, by timestamp."""
    leg = next(one for one in render(scenario).legs if one.participant.channel_id == channel_id)
    first, past = leg.participant.from_ms // 100, (leg.participant.to_ms or 0) // 100
    return {
        EVENT_TS_MS + n * 100: leg.samples[n * 1_600 : (n + 1) * 1_600].astype("<i2").tobytes()
        for n in range(first, past)
    }


def heard_packets(witness: Witness, **about: Any) -> dict[int, bytes]:
    """What the SDK handed on of one speaker, by timestamp."""
    found = [one for one in witness.of("audio") if all(one[key] == value for key, value in about.items())]
    packets = {one["timestamp"]: base64.b64decode(one["data"]) for one in found}
    assert len(packets) == len(found), "no packet came twice"
    return packets


@pytest.mark.parametrize(
    ("product", "id_key", "is_secure"),
    [("meeting", "meeting_uuid", False), ("video_sdk", "session_id", True)],
)
async def test_a_meeting_is_received_as_it_was_sent(
    app: ZoomApp,
    meeting: MakeScenario,
    spoken: Callable[..., str],
    tmp_path: Path,
    product: str,
    id_key: str,
    is_secure: bool,
) -> None:
    scenario = quiet_at_the_end(meeting(spoken(ANA, LEE), product=product))
    witness = await witnessed(
        app,
        scenario,
        tmp_path,
        {id_key: scenario.engagement_id},
        events=[2, 3, 4],
        authority=Authority() if is_secure else None,
    )
    for number, name in ((ANA, "Ana Example"), (LEE, "Lee Agent")):
        heard = heard_packets(witness, user=number, name=name)
        assert heard == sent_packets(scenario, str(number))
        assert len(heard) == witness.truth.track(str(number)).packets_sent_count == 30
    assert len(witness.of("audio")) == 60
    assert [
        (one["text"], one["user"], one["start"] - EVENT_TS_MS, one["end"] - EVENT_TS_MS)
        for one in witness.of("transcript")
    ] == [(f"{ANA} says ü", ANA, 500, 1_000), (f"{LEE} says ü", LEE, 1_200, 1_700)]
    events = [one["event"] for one in witness.of("event")]
    assert [one["event_type"] for one in events].count(2) == 2
    speakers = [(one["user_id"], one["timestamp"] - EVENT_TS_MS) for one in events if one["event_type"] == 2]
    assert speakers == [(ANA, 500), (LEE, 1_200)]
    joined = [who["user_name"] for one in events if one["event_type"] == 3 for who in one["participants"]]
    assert sorted(joined) == ["Ana Example", "Joe Later", "Lee Agent"]
    assert [one["operation"] for one in witness.of("session")] == [1, 2]


async def test_a_mixed_meeting(
    app: ZoomApp, meeting: MakeScenario, spoken: Callable[..., str], tmp_path: Path
) -> None:
    scenario = quiet_at_the_end(meeting(spoken(ANA, LEE)))
    witness = await witnessed(app, scenario, tmp_path, {"meeting_uuid": scenario.engagement_id}, data_opt=1)
    heard = heard_packets(witness, user=-1, name="")
    (leg,) = mixed(scenario, render(scenario))[1].legs
    sent = [leg.samples[n * 1_600 : (n + 1) * 1_600].astype("<i2").tobytes() for n in range(len(heard))]
    assert list(heard.items()) == [(EVENT_TS_MS + n * 100, data) for n, data in enumerate(sent)]
    # The mix goes on to the end of the meeting, and when that comes the SDK drops what it has not handed on.
    assert 40 <= len(heard) <= witness.truth.tracks[0].packets_sent_count == 50


# What the SDK makes of Contact Center (its reader wants ``user_name`` where Zoom's documents have none)


async def test_contact_center_as_documented_is_dropped(
    app: ZoomApp, small: MakeScenario, spoken: Callable[..., str], tmp_path: Path
) -> None:
    scenario = quiet_at_the_end(
        small(spoken("ch-7f31", "ch-90c2"), event=[{"name": "user_hold", "at_ms": 2_000}])
    )
    witness = await witnessed(
        app, scenario, tmp_path, {"engagement_id": scenario.engagement_id}, events=[8, 10, 12, 13]
    )
    assert witness.of("audio") == []
    assert witness.truth.track("ch-7f31").packets_sent_count == 30
    assert [(one["text"], one["user"], one["name"]) for one in witness.of("transcript")] == [
        ("ch-7f31 says ü", 0, ""),
        ("ch-90c2 says ü", 0, ""),
    ]
    held = [one["event"] for one in witness.of("event") if one["event"]["event_type"] == 12]
    assert [one["participant_info"]["channel_id"] for one in held] == ["ch-90c2"]


async def test_contact_center_with_names_reaches_it_without_channels(
    app: ZoomApp, small: MakeScenario, spoken: Callable[..., str], tmp_path: Path
) -> None:
    scenario = quiet_at_the_end(small(spoken("ch-7f31", "ch-90c2"), dialect={"names_channels": True}))
    witness = await witnessed(app, scenario, tmp_path, {"engagement_id": scenario.engagement_id})
    for channel_id, name in (("ch-7f31", "Ana Example"), ("ch-90c2", "Lee Agent")):
        assert heard_packets(witness, user=0, name=name) == sent_packets(scenario, channel_id)


async def test_contact_center_in_mixed_mode_has_speakers_that_nobody_can_tell_apart(
    app: ZoomApp, small: MakeScenario, spoken: Callable[..., str], tmp_path: Path
) -> None:
    scenario = quiet_at_the_end(small(spoken("ch-7f31", "ch-90c2")))
    witness = await witnessed(app, scenario, tmp_path, {"engagement_id": scenario.engagement_id}, data_opt=1)
    assert {(one["user"], one["name"]) for one in witness.of("audio")} == {(-1, "")}
    heard = sorted((one["timestamp"], base64.b64decode(one["data"])) for one in witness.of("audio"))
    sent = [*sent_packets(scenario, "ch-7f31").items(), *sent_packets(scenario, "ch-90c2").items()]
    assert heard == sorted(sent)
