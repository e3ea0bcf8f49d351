"""From webhook to row, against what the simulator really sent."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from sqlalchemy import Engine

from tests.end_to_end.conftest import APP
from zccvoice.analytics.record import Side
from zccvoice.rehearsal import Daemon, figures, running_daemon, write_config
from zccvoice.simulator import scenario as simulated
from zccvoice.simulator.play import simulate
from zccvoice.simulator.scenario import Scenario
from zccvoice.simulator.truth import CallTruth, TrackTruth
from zccvoice.simulator.webhooks import signed
from zccvoice.speech.word_errors import WordErrors, word_errors
from zccvoice.store import reads
from zccvoice.store.database import transaction
from zccvoice.store.reads import CallRow, UtteranceRow

Start = Callable[[], AbstractAsyncContextManager[Daemon]]
SIDES = {simulated.Side.AGENT: Side.AGENT, simulated.Side.CONSUMER: Side.CUSTOMER}
SPEED = 8


def stored(engine: Engine, engagement_id: str) -> tuple[CallRow, list[UtteranceRow]]:
    with transaction(engine) as connection:
        row = reads.call(connection, engagement_id)
        assert row is not None
        return row, reads.utterances(connection, engagement_id)


def noticeable_losses(track: TrackTruth) -> int:
    """Lost packets between a leg's first and last one: what is lost before and after nobody can tell."""
    return sum(
        (span.end_ms - span.start_ms) // 100
        for span in track.lost
        if span.start_ms > 0 and span.end_ms < (track.packets_sent_count + track.packets_lost_count) * 100
    )


def errors(truth: CallTruth, utterances: list[UtteranceRow]) -> WordErrors:
    total = WordErrors(0, 0)
    for one, side in SIDES.items():
        said = " ".join(utterance.text for utterance in truth.utterances if utterance.side is one)
        total += word_errors(said, " ".join(row.text or "" for row in utterances if row.side is side))
    return total


async def test_three_calls_at_once(daemon: Start, engine: Engine, scenarios: dict[str, Scenario]) -> None:
    async with daemon() as running:
        simulation = await simulate(list(scenarios.values()), APP, await running.url(), speed=SPEED)
        await running.stored([one.engagement_id for one in simulation.truths])
        metrics = figures(await running.metrics())
        assert await running.stop() == 0
    assert simulation.violations == ()
    truths = dict(zip(scenarios, simulation.truths, strict=True))
    total = WordErrors(0, 0)
    for truth in truths.values():
        call, utterances = stored(engine, truth.engagement_id)
        card = call.scorecard
        assert card is not None
        assert (call.language, call.queue_name) == (truth.language, truth.queue_name)
        assert card.duration_ms == pytest.approx(truth.duration_ms, abs=300)
        assert card.lost_packets_count == sum(noticeable_losses(track) for track in truth.tracks)
        assert card.duplicate_packets_count == sum(track.packets_repeated_count for track in truth.tracks)
        assert card.hold_time_ms == pytest.approx(sum(h.end_ms - h.start_ms for h in truth.holds), abs=50)
        total += errors(truth, utterances)
        for said in truth.utterances:
            assert any(
                row.side is SIDES[said.side] and row.start_ms < said.end_ms and said.start_ms < row.end_ms
                for row in utterances
            ), f"nothing heard of {said}"
    assert total.rate < 0.15
    orders, router = (
        stored(engine, truths["orders"].engagement_id)[0],
        stored(engine, truths["router"].engagement_id)[0],
    )
    assert orders.scorecard is not None
    assert router.scorecard is not None
    assert orders.scorecard.interruptions_agent_count == 1
    assert orders.scorecard.hold_count == 1
    assert (orders.scorecard.coverage_ratio, orders.scorecard.damaged) == (1, False)
    assert router.scorecard.damaged
    packets = sum(t.packets_sent_count + t.packets_repeated_count for x in truths.values() for t in x.tracks)
    assert metrics["zccvoice_audio_packets_total"] == packets


async def test_sigterm_in_mid_call_finishes_and_stores_what_was_heard(
    daemon: Start, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    scenario = scenarios["router"]  # nobody says a number, of which a second half would be waited for
    async with daemon() as running, trio.open_nursery() as nursery:
        url = await running.url()
        nursery.start_soon(lambda: simulate([scenario], APP, url, speed=4))
        await in_the_middle_of(running, 8)
        assert await running.stop() == 0
        nursery.cancel_scope.cancel()
    call, utterances = stored(engine, scenario.engagement_id)
    assert call.ended_at is not None
    assert call.end_reason == "shutdown"
    assert call.scorecard is not None
    assert utterances[0].text is not None
    assert utterances[0].text.startswith("Danke für Ihren Anruf")
    assert all(row.verdict in ("kept", "empty") for row in utterances)
    with transaction(engine) as connection:
        assert reads.unfinished_streams(connection) == []


async def test_a_second_sigterm_stops_at_once(
    daemon: Start, scenarios: dict[str, Scenario], tmp_path: Path
) -> None:
    async with daemon() as running, trio.open_nursery() as nursery:
        url = await running.url()
        nursery.start_soon(lambda: simulate(list(scenarios.values()), APP, url, speed=SPEED))
        await in_the_middle_of(running, 20)
        running.process.send_signal(signal.SIGTERM)
        log = tmp_path / "daemon.log"
        while '"event": "stopping"' not in log.read_text(encoding="utf-8"):  # two at once would be one
            await trio.sleep(0.01)
        running.process.send_signal(signal.SIGTERM)
        with trio.fail_after(10):
            status = await running.process.wait()
        nursery.cancel_scope.cancel()
    assert status in (0, 1)
    last = log.read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last) | {"time": ""} == {
        "event": "stopped",
        "complete": status == 0,
        "level": "info",
        "time": "",
    }


async def test_bad_webhooks_are_answered_and_leave_a_call_alone(
    daemon: Start, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    scenario = scenarios["factura"]
    payload = {"engagement_id": "E", "rtms_stream_id": "S"}
    event = "contact_center.voice_rtms_started"
    evil = {**payload, "server_urls": "wss://zoom.us.evil.test/x"}
    async with daemon() as running:
        url = await running.url()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: simulate([scenario], APP, url, speed=SPEED))
            await in_the_middle_of(running, 5)
            answers = [
                await post(url, b"not json", {}),
                await post(url, *request("no such secret", event, payload)),
                await post(url, *request(APP.secret_token, "no.such_event", payload)),
                await post(url, *request(APP.secret_token, event, payload)),
                await post(url, *request(APP.secret_token, event, evil)),
                await post(url.replace("/zoom/", "/elsewhere/"), b"", {}),
            ]
        assert answers == [401, 401, 200, 200, 200, 404]
        await running.stored([scenario.engagement_id, "E"])
        metrics = figures(await running.metrics())
    assert metrics['zccvoice_webhooks_total{outcome="bad_signature"}'] == 2
    assert metrics['zccvoice_webhooks_total{outcome="unknown_event"}'] == 1
    assert metrics['zccvoice_webhooks_total{outcome="no_server_urls"}'] == 1
    assert metrics['zccvoice_streams_ended_total{reason="forbidden_host"}'] == 1
    refused, _ = stored(engine, "E")
    assert (refused.end_reason, refused.scorecard) == ("forbidden_host", None), "nothing received, no zeros"
    call, utterances = stored(engine, scenario.engagement_id)
    assert call.end_reason == "customer_disconnected"
    assert call.language == "es"
    assert len(utterances) >= 10


async def test_secrets_and_words_stay_out_of_the_log(
    daemon: Start, scenarios: dict[str, Scenario], tmp_path: Path
) -> None:
    async with daemon() as running:
        simulation = await simulate([scenarios["orders"]], APP, await running.url(), speed=SPEED)
        await running.stored([simulation.truths[0].engagement_id])
        assert await running.stop() == 0
    log = (tmp_path / "daemon.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"ready", "call begins", "media open", "stream ended", "call stored", "stopped"} <= {
        line["event"] for line in lines
    }
    begins = next(n for n, line in enumerate(lines) if line["event"] == "call begins")
    ends = next(n for n, line in enumerate(lines) if line["event"] == "call stored")
    for line in lines[begins : ends + 1]:
        assert line["engagement_id"] == scenarios["orders"].engagement_id
        assert line["stream_id"] == scenarios["orders"].stream_id
    for secret in (APP.client_secret, APP.secret_token, "Northwind", "delivery", "483920"):
        assert secret not in log


async def in_the_middle_of(running: Daemon, utterances: int) -> None:
    """Wait until the daemon has transcribed so many utterances."""
    with trio.fail_after(60):
        while True:
            kept = figures(await running.metrics()).get('zccvoice_utterances_total{verdict="kept"}', 0)
            if kept >= utterances:
                return
            await trio.sleep(0.05)


def request(secret: str, event: str, payload: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    made = signed(secret, event, 1_781_000_000_000, payload)
    return made.body, dict(made.headers)


async def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Post a webhook; returns the status."""

    def send() -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code

    return await trio.to_thread.run_sync(send)


@pytest.mark.parametrize("codec", ["opus"])  # the others: test_matrix
async def test_a_call_in_another_codec(
    codec: str, tmp_path: Path, database_url: str, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    scenario = replace(scenarios["orders"], opus_fec=True)
    settings = {"ZCCVOICE_DATABASE__URL": database_url, "ZCCVOICE_ZOOM__CODEC": codec}
    config_file = write_config(tmp_path, [scenario])
    async with running_daemon(tmp_path, config_file, APP, settings) as running:
        simulation = await simulate([scenario], APP, await running.url(), speed=SPEED)
        await running.stored([scenario.engagement_id])
        assert await running.stop() == 0
    assert simulation.violations == ()
    (truth,) = simulation.truths
    assert truth.send_rate_ms == 20
    call, utterances = stored(engine, truth.engagement_id)
    assert call.scorecard is not None
    assert call.scorecard.duration_ms == pytest.approx(truth.duration_ms, abs=300)
    assert errors(truth, utterances).rate < 0.2, "the words are found"
