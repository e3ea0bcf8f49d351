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


@pytest.mark.parametrize("name", ["recording_ended", "damaged_recording"])
def test_nobody_on_the_call_has_a_part_in_what_a_file_is(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", name]) == 0
    assert "whose doing     whoever made the recording\n" in capsys.readouterr().out


def test_a_reason_that_only_zoom_knows_is_explained_as_it_is_written_down(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "unknown_27"]) == 0
    said = capsys.readouterr().out
    assert "ended with 'unknown_27', which this version does not know" in said
    assert "whose doing     Zoom\n" in said


def test_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "4242"]) == 1
    assert "got '4242'" in capsys.readouterr().err
