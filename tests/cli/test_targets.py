"""Targets are set, shown beside the numbers, and ended."""

from __future__ import annotations

import json

import pytest

from tests.cli.recorded import Installation


def held(there: Installation, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert there.run("targets", "list", "--json") == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)["tables"]["targets"]["rows"]
    return rows


def test_set_list_and_remove(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert held(there, capsys) == []
    assert there.run("targets", "set", "talk_share_agent", "--low", "0.4", "--high", "0.6") == 0
    assert there.run("targets", "set", "talk_share_agent", "--high", "0.5", "--queue", "q") == 0
    assert [(one["queue_id"], one["low"], one["high"]) for one in held(there, capsys)] == [
        (None, 0.4, 0.6),
        ("q", None, 0.5),
    ]
    assert there.run("targets", "remove", "talk_share_agent") == 0
    assert [one["queue_id"] for one in held(there, capsys)] == ["q"]


def test_from_a_day_of_the_readers_zone(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    when = ("--from", "2026-01-01", "--timezone", "Asia/Tokyo")
    assert there.run("targets", "set", "hold_count", "--high", "1", *when) == 0
    assert held(there, capsys)[0]["valid_from"] == "2025-12-31T15:00:00Z"
    assert (
        there.run("targets", "set", "hold_count", "--high", "1", "--from", "2999-01-01", "--queue", "q") == 0
    )
    assert len(held(there, capsys)) == 1, "one that is to come does not hold yet"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "expected --low, --high or both"),
        (("--low", "2", "--high", "1"), "got 2.0 and 1.0"),
        (("--low", "2", "--from", "soon"), "such as 2026-05-01"),
        (("--low", "nan"), "expected finite"),
    ],
)
def test_what_is_no_target(
    there: Installation, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    assert there.run("targets", "set", "hold_count", *arguments) == 2
    assert why in capsys.readouterr().err


def test_only_measures_have_targets(there: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        there.run("targets", "set", "happiness", "--low", "1")
    assert caught.value.code == 2
    assert "talk_share_agent" in capsys.readouterr().err
