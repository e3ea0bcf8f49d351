"""``zccvoice rules``: what is wrong with a file, what it would find, and finding it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.cli.recorded import Installation
from tests.store.calls import BEGAN, small_call
from zccvoice import config
from zccvoice.cli import main
from zccvoice.daemon.settings_in_use import rules_in
from zccvoice.errors import ConfigError
from zccvoice.rehearsal import DEMO_RULES
from zccvoice.store.database import connect, transaction
from zccvoice.store.facts import StreamOpened
from zccvoice.store.measures import put_measures
from zccvoice.store.reads import call_record
from zccvoice.store.writes import apply

RULES = """
[[rule]]
name = "greeted"
[[rule.when]]
any_of = ["hello there"]
side = "agent"

[[rule]]
name = "long hold"
queues = ["Sales"]
[[rule.when]]
hold_above_ms = 3_999

[[rule]]
name = "elsewhere"
queues = ["Orders"]
[[rule.when]]
any_of = ["hello"]

[[rule]]
name = "silent customer"
[[rule.when]]
any_of = ["yes"]
side = "customer"
negate = true
"""
SINCE = ("--since", "2026-11-01")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    with transaction(engine) as connection:
        apply(connection, small_call())
        apply(connection, [StreamOpened("running", "s9", "zcc_voice", BEGAN)])
    yield engine
    engine.dispose()


@pytest.fixture
def rules(there: Installation) -> Path:
    path = there.folder / "rules.toml"
    path.write_text(RULES, encoding="utf-8")
    return path


def hits(engine: Engine) -> list[tuple[Any, ...]]:
    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT rule, revision, start_ms FROM reporting.category ORDER BY rule")
        )
        return [tuple(row) for row in rows]


def test_the_rules_of_the_demo_are_in_order(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", str(DEMO_RULES)]) == 0
    said = capsys.readouterr()
    assert "hold above 5000 ms in the call" in said.out
    assert "in order" in said.err


def test_all_that_is_wrong_is_told(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    path = there.folder / "wrong.toml"
    path.write_text('[[rule]]\nname = "a"\n[[rule.when]]\nhold_above = 1\n\n[[rule]]\n', encoding="utf-8")
    assert main(["rules", "check", str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"zccvoice: {path}:3: expected one filter (any_of, all_of, silence_above_ms, hold_above_ms, "
        "interruptions_above_count, interruptions_above_ms, sentiment_above, sentiment_below, "
        "talk_speed_above_wpm, talk_speed_below_wpm), got none",
        f"zccvoice: {path}:4: hold_above: no such key; did you mean hold_above_ms?",
        f"zccvoice: {path}:6: name: required",
        f"zccvoice: {path}:6: when: expected at least one condition, under [[rule.when]]",
    ]
    assert main(["rules", "check", str(there.folder / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_silence_is_measured_by_the_thresholds_of_the_settings(
    there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    path = there.folder / "silence.toml"
    path.write_text('[[rule]]\nname = "a"\n[[rule.when]]\nsilence_above_ms = 4_000\n', encoding="utf-8")
    longer = "--set", "measures.thresholds.silence_above_ms=5000"
    for action in (["check"], ["test", *SINCE], ["apply", *SINCE]):
        name, *period = action
        assert there.run("rules", name, path, *period, *longer) == 2, name
        assert "silence_above_ms: expected a number, 5000 to 86400000, got 4000" in capsys.readouterr().err
    assert there.run("rules", "check", path) == 0
    of_daemon = config.load(None, rules={"file": path}, measures={"thresholds": {"silence_above_ms": 5_000}})
    with pytest.raises(ConfigError, match="5000 to 86400000"):
        rules_in(of_daemon)


def test_what_would_match_and_why(
    there: Installation, engine: Engine, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("rules", "test", rules, *SINCE) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("  Sales  e1")
    assert lines[1:] == [
        "    greeted",
        '        0:01.100 to 0:01.900  agent     "hello there"',
        "    long hold",
        "        0:05.000 to 0:09.000  call      hold above 3999 ms: 4000",
        "rule              matched  not known     calls",
        "greeted                 1          0         1",
        "long hold               1          0         1",
        "elsewhere               0          0         0",
        "silent customer         0          1         1",
    ]
    assert hits(engine) == [], "it was a test"
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM zccvoice.rule_revision")) == 0


def test_as_a_document(
    there: Installation, engine: Engine, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("rules", "test", rules, *SINCE, "--rule", "greeted", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rules"] == [
        {"rule": "greeted", "calls_count": 1, "matched_count": 1, "unknown_count": 0}
    ]
    (call,) = document["calls"]
    assert call["engagement_id"] == "e1"
    assert call["hits"]["greeted"] == [
        {"start_ms": 1_100, "end_ms": 1_900, "side": "agent", "why": '"hello there"'}
    ]


def test_a_period_and_a_rule_that_are_not_there(
    there: Installation, engine: Engine, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("rules", "test", rules, "--since", "2026-11-23", "--json") == 0
    assert json.loads(capsys.readouterr().out)["calls"] == []
    assert there.run("rules", "test", rules, *SINCE, "--rule", "x") == 2
    assert "--rule x: the file has no such rule" in capsys.readouterr().err


def test_applied_to_stored_calls(
    there: Installation, engine: Engine, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("rules", "apply", *SINCE) == 2
    assert "rules.file: required, or a FILE" in capsys.readouterr().err
    for _ in range(2):
        assert there.run("rules", "apply", *SINCE, "--set", f"rules.file={rules}") == 0
        assert capsys.readouterr().err == "1 calls judged by 4 rules; 1 of them have hits\n"
        assert hits(engine) == [("greeted", 1, 1_100), ("long hold", 1, 5_000)]
    rules.write_text(RULES.replace("3_999", "4_001"), encoding="utf-8")
    assert there.run("rules", "apply", rules, *SINCE) == 0
    assert hits(engine) == [("greeted", 1, 1_100)]


def test_what_is_no_longer_kept_is_not_judged(
    there: Installation, engine: Engine, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = '[[rule]]\nname = "silent"\n[[rule.when]]\nsilence_above_ms = 3_000\n'
    rules.write_text(RULES + silent, encoding="utf-8")
    with transaction(engine) as connection:
        put_measures(connection, call_record(connection, "e1"))
    assert there.run("rules", "apply", rules, *SINCE) == 0
    before = hits(engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM zccvoice.utterance"))
    capsys.readouterr()
    assert there.run("rules", "apply", rules, *SINCE) == 0
    assert capsys.readouterr().err.splitlines() == [
        "0 calls judged by 5 rules; 0 of them have hits",
        "1 calls: what was said is no longer kept",
    ]
    assert hits(engine) == before
    assert there.run("rules", "test", rules, *SINCE, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["calls"] == []
    assert said.err == "1 calls: what was said is no longer kept\n"
