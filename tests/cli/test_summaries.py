"""Reports over many calls from the command line: forms, files, periods, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
from pyarrow import parquet
from sqlalchemy import make_url

from tests.cli.recorded import Installation
from tests.store.supervised_calls import store_calls
from zccvoice.store.database import connect, transaction

MONTH = ("--month", "2026-11", "--timezone", "UTC")


@pytest.fixture
def calls(there: Installation, database_url: str) -> Installation:
    engine = connect(database_url)
    with transaction(engine) as connection:
        store_calls(connection)
    engine.dispose()
    return there


@pytest.mark.parametrize(
    "report",
    [("agents",), ("agent", "Ann"), ("queues",), ("worst", "duration_ms"), ("compliance",), ("quality",)],
    ids=lambda report: report[0],
)
def test_every_report_in_every_form(
    calls: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path, report: tuple[str, ...]
) -> None:
    assert calls.run("report", *report, *MONTH) == 0
    shown = capsys.readouterr()
    assert "1–30 November 2026 (UTC)" in shown.out
    assert shown.err == "", "nothing for cron to send"
    assert calls.run("report", *report, *MONTH, "--json") == 0
    assert json.loads(capsys.readouterr().out)["report"] == report[0]
    for form in ("csv", "xlsx", "parquet", "html"):
        file = tmp_path / f"report.{form}"
        assert calls.run("report", *report, *MONTH, "--output", file) == 0
        assert file.stat().st_size > 100
    assert capsys.readouterr().out == ""
    assert not list(tmp_path.glob(".report*")), "no half of a file is left"


def test_nothing_is_no_failure(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("agents", "queues", "compliance", "quality"):
        assert there.run("report", name) == 0
        assert "0 calls" in capsys.readouterr().out


def test_a_queue_that_nobody_knows_is_told_and_one_without_calls_is_not(
    calls: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for queue, told in (
        ("Queue", ""),
        ("Qeue", "zccvoice: no call ever came through a queue 'Qeue', by id or name\n"),
    ):
        for month in ("2026-11", "2020-01"):
            assert calls.run("report", "agents", "--month", month, "--queue", queue) == 0
            assert capsys.readouterr().err == told


def test_another_table(calls: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert calls.run("report", "compliance", *MONTH, "--format", "csv", "--table", "agents") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [row["agent_name"] for row in rows] == ["Ann", "Mia", "Nia", "Sam"]
    assert calls.run("report", "compliance", *MONTH, "--format", "csv", "--table", "nothing") == 2
    assert "rules, agents, days, hits" in capsys.readouterr().err
    assert calls.run("report", "compliance", *MONTH, "--table", "agents") == 2
    assert "csv and parquet" in capsys.readouterr().err


def test_only_some_calls(calls: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert calls.run("report", "agents", *MONTH, "--team", "sales", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["tables"]["agents"]["rows"]
    assert [row["agent_name"] for row in rows] == ["Mia", "Sam", "All calls"]
    assert calls.run("report", "worst", "duration_ms", *MONTH, "--queue", "q-ann", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["tables"]["worst"]["rows"]
    assert [row["engagement_id"] for row in rows] == ["ann"]
    assert calls.run("report", "worst", "duration_ms", *MONTH, "--most", "2", "--pages", "p", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["tables"]["worst"]["rows"]
    assert len(rows) == 2
    assert all(row["page"].startswith("p/call-") for row in rows)


def test_a_login_that_may_only_read(
    calls: Installation, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = connect(database_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS sales_desk")
        connection.exec_driver_sql("CREATE ROLE sales_desk LOGIN IN ROLE zccvoice_reader")
        connection.exec_driver_sql(
            "INSERT INTO zccvoice.team_reader VALUES ('sales_desk', 'sales', now() - interval '1 h', NULL)"
        )
    engine.dispose()
    url = make_url(database_url).set(username="sales_desk").render_as_string(hide_password=False)
    reader = Installation(calls.folder, ["--set", f"database.url={url}"])
    assert reader.run("report", "agents", *MONTH, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["tables"]["agents"]["rows"]
    assert [(row["agent_name"], row["calls_count"]) for row in rows] == [
        ("Mia", 2),
        ("Sam", 1),
        ("All calls", 3),
    ]
    assert reader.run("targets", "set", "hold_count", "--high", "1") == 3
    assert "permission denied" in capsys.readouterr().err


def test_whom_the_report_is_about_must_be_known(
    calls: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calls.run("report", "agent", "Zoe", *MONTH) == 3
    assert "got 'Zoe'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--month", "2026-13"), "month must be in 1..12"),
        (("--month", "November"), "a month such as 2026-10"),
        (("--month", "9999-12"), "out of range"),
        (("--week", "2026-44"), "a week such as 2026-W43"),
        (("--month", "--since", "7d"), "go without --since"),
        (("--since", "2026-11-02", "--until", "2026-11-01"), "ends after it begins"),
        (("--since", "2020-01-01"), "at most 366 days"),
    ],
)
def test_what_is_no_period(
    there: Installation, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    assert there.run("report", "queues", *arguments) == 2
    assert why in capsys.readouterr().err


def test_days_are_those_of_the_readers_zone(calls: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    zone = ("--timezone", "Pacific/Auckland")  # where the calls began on the next day
    for day, count in (("2026-11-20", 0), ("2026-11-21", 6)):
        until = f"{day[:-2]}{int(day[-2:]) + 1}"
        assert calls.run("report", "agents", "--since", day, "--until", until, *zone) == 0
        assert f"{count} calls" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_leaves_what_was_there(
    calls: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert calls.run("report", "agents", *MONTH, "--output", tmp_path / "no" / "folder.csv") == 3
    assert "cannot be written" in capsys.readouterr().err


def test_all_calls_with_every_measure(
    calls: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    since = ("--since", "2026-11-01", "--timezone", "UTC")
    assert calls.run("report", "calls", *since, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert rows[0]["engagement_id"] == "mia-after"
    assert rows[0]["talk_time_agent_ms"] == "1500"
    file = tmp_path / "calls.parquet"
    assert calls.run("report", "calls", *since, "--format", "parquet", "--output", file) == 0
    assert parquet.read_table(file).num_rows == 6
    assert calls.run("report", "calls", *since, "--output", tmp_path / "calls.csv") == 0
    assert "talk_time_agent_ms" in (tmp_path / "calls.csv").read_text()
    file = tmp_path / "calls.txt"
    assert calls.run("report", "calls", *since, "--output", file) == 0
    assert "Queue" in file.read_text()


@pytest.mark.parametrize("report", ["agents", "calls"])
def test_a_name_that_tells_no_form(
    calls: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path, report: str
) -> None:
    assert calls.run("report", report, "--output", tmp_path / "report.pdf") == 2
    assert "expected --format" in capsys.readouterr().err
    assert not (tmp_path / "report.pdf").exists()


def test_dashboards_are_files(
    there: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from zccvoice.cli import main

    assert main(["report", "grafana", "--output", str(tmp_path / "grafana")]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert all(path.is_file() for path in paths)
    (tmp_path / "file").touch()
    assert main(["report", "grafana", "--output", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("report", ["agents", "calls"])
def test_a_link_stays_and_what_it_leads_to_is_written(
    calls: Installation, tmp_path: Path, report: str
) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("before")
    link.symlink_to(target)
    assert calls.run("report", report, "--since", "2026-11-01", "--output", link) == 0
    assert link.is_symlink()
    assert "," in target.read_text(encoding="utf-8")


def test_a_pipe_is_written_into(calls: Installation, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert calls.run("report", "agents", *MONTH, "--format", "csv", "--output", pipe) == 0
        assert os.read(reader, 9_999).startswith(b"agent_name,")
    finally:
        os.close(reader)


def test_pages_want_a_folder(calls: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        assert calls.run("report", "calls", "--format", "html", "--output", output) == 2
        assert "expected a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "before"
