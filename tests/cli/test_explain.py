from __future__ import annotations

import json

import pytest

from zccvoice.cli import main


def test_a_stop_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "26"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("stop reason 26: STREAMING_NOT_SUPPORTED\n")
    assert "assign the app to the queue" in said
    assert said.count("what to do") == 3


def test_a_name_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "connection_lost", "--json"]) == 0
    kinds = [one["kind"] for one in json.loads(capsys.readouterr().out)]
    assert kinds == ["end of a stream, by us", "cause of a gap"]


def test_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "4242"]) == 1
    assert "got '4242'" in capsys.readouterr().err
