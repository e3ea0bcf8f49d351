"""A call is judged while it runs: whoever listens and whoever is posted to hears of it before it ends."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
from sqlalchemy import Engine, text

from tests.end_to_end.conftest import APP
from tests.http_server import Reply, Request, http_server
from zccvoice.analytics import timing
from zccvoice.daemon.rule_webhook import sign
from zccvoice.rehearsal import DEMO_RULES, running_daemon, write_config
from zccvoice.simulator.play import simulate
from zccvoice.simulator.scenario import Scenario
from zccvoice.store.database import transaction
from zccvoice.store.reads import call_record
from zccvoice.store.rules import CHANNEL

SPEED = 3
SILENCING = """
[[rule]]
name = "nothing after the greeting"
pause_sound_s = 3600
[[rule.when]]
any_of = ["thank you for calling"]
"""
SECRET = "a-secret-of-the-receiver"
EXPECTED = {
    "refund promised",
    "repeated contact",
    "apology for the delivery",
    "long hold",
    "agent interrupts",
}


async def test_hits_while_the_call_runs(
    tmp_path: Path, database_url: str, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    posted: list[Request] = []

    def receive(request: Request) -> Reply:
        posted.append(request)
        return Reply(204)

    orders = scenarios["orders"]
    config_file = write_config(tmp_path, [orders], rules=DEMO_RULES)
    plain = database_url.replace("postgresql+psycopg://", "postgresql://")
    with http_server(receive) as origin, psycopg.connect(plain, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        settings = {
            "ZCCVOICE_DATABASE__URL": database_url,
            "ZCCVOICE_RULES__WEBHOOK__URL": origin,
            "ZCCVOICE_RULES__WEBHOOK__SECRET": SECRET,
            "ZCCVOICE_RULES__WEBHOOK__ALLOWED_HOSTS": '["127.0.0.1"]',
        }
        async with running_daemon(tmp_path, config_file, APP, settings) as daemon:
            await simulate([orders], APP, await daemon.url(), speed=SPEED)
            heard_while_running = {json.loads(request.body)["rule"] for request in posted}
            await daemon.stored([orders.engagement_id])
            assert await daemon.stop() == 0
        told = [json.loads(one.payload) for one in listener.notifies(timeout=0)]
    assert "repeated contact" in heard_while_running
    assert {one["rule"] for one in told} >= EXPECTED
    assert {(one["engagement_id"], one["state"]) for one in told} == {(orders.engagement_id, "matched")}
    for request in posted:
        timestamp = request.headers["zccvoice-timestamp"]
        assert request.headers["zccvoice-signature"] == sign(SECRET, timestamp, request.body)
    with transaction(engine) as connection:
        hits = connection.execute(text("SELECT rule, provisional FROM reporting.category")).all()
        waiting = connection.scalar(
            text("SELECT count(*) FROM zccvoice.rule_delivery WHERE delivered_at IS NULL")
        )
    assert {hit.rule for hit in hits} == {one["rule"] for one in told}
    assert not any(hit.provisional for hit in hits)
    assert len(posted) + (waiting or 0) >= len(told), "what was not posted before the stop still waits"


async def test_a_rule_silences_the_rest_of_the_call(
    tmp_path: Path, database_url: str, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    orders = scenarios["orders"]
    rules_file = tmp_path / "rules.toml"
    rules_file.write_text(SILENCING, encoding="utf-8")
    config_file = write_config(tmp_path, [orders], rules=rules_file)
    settings = {"ZCCVOICE_DATABASE__URL": database_url}
    async with running_daemon(tmp_path, config_file, APP, settings) as daemon:
        (truth,) = (await simulate([orders], APP, await daemon.url(), speed=SPEED)).truths
        await daemon.stored([orders.engagement_id])
        assert await daemon.stop() == 0
    with transaction(engine) as connection:
        record = call_record(connection, orders.engagement_id)
        measured = connection.execute(text("SELECT * FROM reporting.call")).one()
    (pause,) = timing.pauses(record)
    assert 0 < pause.start_ms < truth.duration_ms / 2
    assert pause.end_ms > measured.duration_ms
    spoken_ms = [one.start_ms for one in record.utterances]
    assert spoken_ms
    assert max(spoken_ms) < pause.start_ms, "what was said in the pause is nowhere"
    assert (measured.gap_count, measured.damaged, measured.lost_packets_count) == (0, False, 0)
    assert measured.duration_ms >= truth.duration_ms - 1_000, "the call went on"
