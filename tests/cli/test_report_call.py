"""``zccvoice report call``: one call in every form, and its page with the sound."""

from __future__ import annotations

import json
import re
import stat
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from tests.audio.encoded import snr_db
from tests.cli.recorded import Installation, demo_calls
from tests.cli.test_export import shelf_of, sound, store
from tests.recordings.conftest import talk
from zccvoice.cli import page_sound
from zccvoice.recordings.sound_file import examine, read
from zccvoice.reports.html import page_name


@pytest.fixture
def stored(there: Installation, capsys: pytest.CaptureFixture[str]) -> Installation:
    """The call E, two sides that take turns."""
    return store(there, capsys, talk())


@pytest.fixture
def spoken(there: Installation, capsys: pytest.CaptureFixture[str]) -> Installation:
    """The call E, in which somebody says something."""
    return store(there, capsys, next(demo_calls()).samples[:, : 8 * 16_000])


@pytest.mark.parametrize(
    ("form", "begins"),
    [("text", "Call "), ("vtt", "WEBVTT\n"), ("srt", "1\n00:00:0"), ("txt", "[00:00:0"), ("json", "{\n")],
)
def test_a_form_goes_to_standard_output_or_into_a_private_file(
    spoken: Installation, form: str, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert spoken.run("report", "call", "E", "--format", form, "--timezone", "UTC") == 0
    printed = capsys.readouterr().out
    assert printed.startswith(begins)
    path = spoken.folder / f"E.{form}"  # which tells the form as well
    assert spoken.run("report", "call", "E", "--timezone", "UTC", "--output", path) == 0
    assert path.read_text(encoding="utf-8") == printed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert capsys.readouterr().out == ""


def test_json_has_levels_and_rules(stored: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert stored.run("report", "call", "E", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rule_hits"] == []
    for one in document["utterances"]:
        seconds = (one["end_ms"] - one["start_ms"]) / 1000
        assert len(one["loudness_by_second"]) == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize("output", [None, "pages", "pages/E.html", "E.HTML"])
def test_a_page_is_one_file(
    stored: Installation, output: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--output", output] if output else []
    assert stored.run("report", "call", "E", "--format", "html", *more) == 0
    page = Path(capsys.readouterr().out.strip())
    is_file = output is not None and output.lower().endswith(".html")
    assert page == (Path(output or "report") if is_file else Path(output or "report") / page_name("E"))
    text = page.read_text(encoding="utf-8")
    assert "<audio" not in text
    assert "index.html" not in text, "there is none"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_a_page_with_sound_has_the_agent_left_and_the_customer_right(
    stored: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stored.run("report", "call", "E", "--format", "html", "--sound", "--output", "E.html") == 0
    assert re.search('event="audio exported" .*engagement_id=E', capsys.readouterr().err)
    page = (stored.folder / "E.html").read_text(encoding="utf-8")
    (encoded,) = re.findall(r'src="data:audio/ogg;base64,([^"]*)"', page)
    path = stored.folder / "of the page.ogg"
    path.write_bytes(b64decode(encoded))
    left, right = np.concatenate([one.samples for one in read(examine(path), 16_000)], axis=1)
    assert snr_db(talk()[1], left) >= 15
    assert snr_db(talk()[0], right) >= 15


def test_a_long_sound_lies_beside_the_page(
    stored: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page_sound, "LONGEST_WITHIN_BYTES", 100)
    assert stored.run("report", "call", "E", "--format", "html", "--sound", "--output", "a b.html") == 0
    assert 'src="a%20b.ogg"' in (stored.folder / "a b.html").read_text(encoding="utf-8")
    beside = stored.folder / "a b.ogg"
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    assert sound(beside).shape == (2, 6 * 16_000)


def test_sides_that_nobody_told_are_heard_together(
    there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    store(there, capsys, talk()[:1])
    assert there.run("report", "call", "E", "--format", "html", "--sound", "--output", "E.html") == 0
    assert "All sides together." in (there.folder / "E.html").read_text(encoding="utf-8")


def test_sound_that_is_gone_is_told_and_no_page_written(
    stored: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = shelf_of(stored)
    (name,) = shelf.names()
    shelf.shred(name)
    assert stored.run("report", "call", "E", "--format", "html", "--sound", "--output", "E.html") == 3
    assert "is gone: deleted by retention" in capsys.readouterr().err
    assert not (stored.folder / "E.html").exists()
    assert stored.run("report", "call", "E", "--format", "html", "--output", "E.html") == 0


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (["E", "--sound"], 2, "--sound: goes with --format html"),
        (["nobody"], 3, "nothing is known of the call 'nobody'"),
        (["E", "--format", "vtt", "--output", "nowhere/E.vtt"], 3, "nowhere/E.vtt: cannot be written"),
    ],
)
def test_what_cannot_be_done(
    stored: Installation, arguments: list[str], status: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stored.run("report", "call", *arguments) == status
    assert problem in capsys.readouterr().err


def test_calls_that_were_erased(stored: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert stored.run("db", "erase", "--engagement", "E", "--yes") == 0
    assert stored.run("report", "call", "E") == 3
    assert "call E: erased on 20" in capsys.readouterr().err
