"""What a daemon keeps while it runs, what it deletes, and what a disk without room does to it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from sqlalchemy import Engine, text

from tests.end_to_end.conftest import APP
from tests.end_to_end.test_calls import in_the_middle_of, post, request
from zccvoice.rehearsal import Daemon, figures, running_daemon, write_config
from zccvoice.rtms.enums import StopReason
from zccvoice.simulator.play import simulate
from zccvoice.simulator.scenario import Scenario
from zccvoice.store.database import transaction

Start = Callable[[], AbstractAsyncContextManager[Daemon]]


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def files(folder: Path) -> list[str]:
    """Journals and keys of streams."""
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.suffix in (".journal", ".key") and not path.name.startswith(("webhooks", "master"))
    )


async def test_a_running_call_has_a_fresh_row(
    daemon: Start, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    async with daemon() as running:
        url = await running.url()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: simulate([scenarios["router"]], APP, url, speed=3))
            await in_the_middle_of(running, 4)
            with trio.fail_after(20):
                while not (
                    live := rows(engine, "SELECT elapsed_ms, last_words, age_ms FROM reporting.live_call")
                ):
                    await trio.sleep(0.2)
            (elapsed_ms, last_words, age_ms) = live[0]
            assert isinstance(elapsed_ms, int)
            assert elapsed_ms > 3_000
            assert last_words
            ages = [age_ms]
            for _ in range(10):
                await trio.sleep(0.3)
                ages += [age for (age,) in rows(engine, "SELECT age_ms FROM reporting.live_call")]
            assert max(int(str(age)) for age in ages) <= 5_000
        await running.stop()
    assert rows(engine, "SELECT count(*) FROM reporting.live_call") == [(0,)]
    assert rows(engine, "SELECT count(*) FROM reporting.call WHERE computed_at IS NOT NULL") == [(1,)]


async def test_a_revoked_stream_is_gone_within_five_seconds(
    daemon: Start, engine: Engine, scenarios: dict[str, Scenario], tmp_path: Path
) -> None:
    revoked = replace(scenarios["orders"], stop_reason=StopReason.STREAM_REVOKED)
    async with daemon() as running:
        url = await running.url()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(simulate, [scenarios["router"]], APP, url)
            simulation = await simulate([revoked], APP, url, speed=8)
            assert simulation.truths[0].duration_ms > 10_000
            begin = time.monotonic()
            with trio.fail_after(5):
                while not rows(engine, "SELECT reason FROM zccvoice.tombstone"):
                    await trio.sleep(0.05)
            assert time.monotonic() - begin < 5
            stream_id = revoked.stream_id
            for table in ("stream", "utterance", "call_event", "tombstone"):
                (count,) = rows(
                    engine, f"SELECT count(*) FROM zccvoice.{table} WHERE stream_id = '{stream_id}'"
                )
                assert count == ((1,) if table == "tombstone" else (0,)), table
            assert len(files(tmp_path / "data")) == 2, "the journal and the key of the other call"
            await running.stop()
            nursery.cancel_scope.cancel()
    assert rows(engine, "SELECT reason FROM zccvoice.tombstone") == [("revoked",)]
    assert rows(engine, "SELECT count(*) FROM reporting.call") == [(1,)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "zccvoice-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only an account that may mount can have a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk(
    small_disk: Path, tmp_path: Path, database_url: str, engine: Engine, scenarios: dict[str, Scenario]
) -> None:
    """Calls go on with gaps, webhooks are refused, and everything is well again when there is room."""
    config_file = write_config(tmp_path, list(scenarios.values()))
    settings = {
        "ZCCVOICE_DATABASE__URL": database_url,
        "ZCCVOICE_DATA__FOLDER": str(small_disk),
        # The stop may fall into "three times"; what may be a number would be left to the next daemon.
        "ZCCVOICE_REDACTION__CLASSES": "[]",
    }
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * 600_000)
    async with (
        running_daemon(tmp_path, config_file, APP, settings) as running,
        trio.open_nursery() as nursery,
    ):
        url = await running.url()
        nursery.start_soon(lambda: simulate([scenarios["orders"]], APP, url, speed=2))
        with trio.fail_after(60):
            while figures(await running.metrics())["zccvoice_journals_full"] == 0:
                await trio.sleep(0.1)
        statuses = []
        for number in range(2_000):  # where seconds of sound have no room, many of these still have
            event = request(
                APP.secret_token,
                "contact_center.voice_rtms_interrupted",
                {"engagement_id": f"E{number}", "rtms_stream_id": f"S{number}"},
            )
            statuses.append(await post(url, *event))
            if statuses[-1] != 200:
                break
        assert statuses[-1] == 503
        assert set(statuses) == {200, 503}
        with trio.fail_after(20):
            while figures(await running.metrics())["zccvoice_dropped_packets_total"] < 60:
                await trio.sleep(0.1)
        ballast.unlink()
        with trio.fail_after(10):
            while figures(await running.metrics())["zccvoice_journals_full"] == 1:
                await trio.sleep(0.1)
        await trio.sleep(1)
        assert await running.stop() == 0
        nursery.cancel_scope.cancel()
    gaps = rows(engine, "SELECT DISTINCT cause FROM reporting.gap")
    assert gaps == [("disk_full",)]
    # The recognizer could read all that was found; it may refuse what is left of a sentence at the gap.
    assert rows(engine, "SELECT verdict FROM reporting.utterance WHERE verdict LIKE 'failed%'") == []
    ((damaged, coverage),) = rows(engine, "SELECT damaged, coverage_ratio FROM reporting.call")
    assert damaged
    assert 0 < float(str(coverage)) < 0.98
