"""What becomes of recordings, one after the other: with a recognizer that takes no time."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.cli.recorded import Installation
from tests.daemon.fakes import FakeRecognizer
from tests.recordings.conftest import talk
from tests.recordings.sounds import encode
from zccvoice.cli import transcribe
from zccvoice.errors import RecognizerError
from zccvoice.recordings.sound_file import examine

AT_S = 1_700_000_000


@pytest.fixture
def recognizer(monkeypatch: pytest.MonkeyPatch) -> FakeRecognizer:
    fake = FakeRecognizer()

    @contextmanager
    def opened(_: object) -> Iterator[FakeRecognizer]:
        yield fake

    monkeypatch.setattr(transcribe, "open_recognizer", opened)
    return fake


@pytest.fixture
def path(there: Installation, recognizer: FakeRecognizer) -> Path:
    made = encode(there.folder / "talk.wav", "pcm_s16le", 16_000, talk())
    os.utime(made, (AT_S, AT_S))
    return made


def store(there: Installation, path: Path, *more: str) -> int:
    return there.run("transcribe", path, "--agent", "left", "--store", *more)


def test_a_file_that_was_touched_is_the_same_call_made_anew(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> tuple[object, ...]:
        capsys.readouterr()
        assert there.run("report", "call", "A", "--json") == 0
        call = json.loads(capsys.readouterr().out)
        places = [(one["start_ms"], one["end_ms"]) for one in call["utterances"]]
        return places, call["scorecard"]

    assert store(there, path, "--engagement-id", "A") == 0
    fresh = told()
    os.utime(path, (AT_S + 3_600,) * 2)
    assert store(there, path, "--engagement-id", "A", "--again") == 0
    assert told() == fresh
    assert store(there, path, "--again", "--started-at", "2023-11-14T00:00:00Z") == 0
    assert told() == fresh
    assert there.run("export", "A", "--audio", "--output", there.folder / "a.wav") == 0
    assert examine(there.folder / "a.wav").duration_s == 6


def test_a_stored_recording_is_told_by_its_own_id(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store(there, path, "--engagement-id", "A") == 0
    capsys.readouterr()
    assert store(there, path, "--engagement-id", "B", "--format", "txt") == 0
    said = capsys.readouterr()
    assert "stored already as A" in said.err
    assert "en0" in said.out
    assert store(there, path, "--engagement-id", "B", "--again") == 1
    assert "is stored as A and keeps this id" in capsys.readouterr().err


def test_the_same_recording_twice_in_one_run(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = there.folder / "copy.wav"
    shutil.copy2(path, copy)
    output = there.folder / "out"
    assert (
        there.run("transcribe", path, copy, "--agent", "left", "--store", "--output", output, "--jobs", "2")
        == 0
    ), capsys.readouterr().err
    assert (output / "talk.txt").read_text() == (output / "copy.txt").read_text() != ""


def test_what_failed_is_not_done(
    there: Installation,
    path: Path,
    recognizer: FakeRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = there.folder / "out" / "talk.txt"
    arguments = ("transcribe", path, "--agent", "left", "--output", target.parent)
    with monkeypatch.context() as away:
        away.setattr(recognizer, "transcribe", lambda items: [RecognizerError("away") for _ in items])
        assert there.run(*arguments) == 1
        assert "2 utterances could not be transcribed; no file is written" in capsys.readouterr().err
        assert store(there, path) == 1
    assert not target.exists()
    assert there.run(*arguments) == 0
    assert "en0" in target.read_text()
    capsys.readouterr()
    assert store(there, path) == 0
    assert "2 of 2 utterances" in capsys.readouterr().out


def test_a_side_that_is_cut_off_is_told_by_name(
    there: Installation, recognizer: FakeRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("call-agent.wav", "call-customer.wav")
    paths = [
        encode(there.folder / name, "pcm_s16le", 16_000, side.reshape(1, -1))
        for name, side in zip(names, talk(), strict=True)
    ]
    paths[1].write_bytes(paths[1].read_bytes()[: paths[1].stat().st_size // 2])
    assert there.run("transcribe", *paths) == 0
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "cut off" in line]
    assert "call-customer.wav: seems to be cut off: says 6 s, holds 3 s" in told


def test_an_ogg_file_that_breaks_off_is_told_by_name(
    there: Installation, recognizer: FakeRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = encode(there.folder / "whole.ogg", "libopus", 48_000, talk())
    cut = there.folder / "cut.ogg"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert there.run("transcribe", whole, cut, "--agent", "left") == 0
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "cut off" in line]
    assert "cut.ogg: seems to be cut off: has no last page, holds 2 s" in told


def test_several_calls_on_standard_output_are_told_apart(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = encode(there.folder / "other.wav", "pcm_s16le", 16_000, np.flip(talk(), axis=0))
    assert there.run("transcribe", path, other, "--agent", "left") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [number for number, line in enumerate(lines) if line in (f"# {path}", f"# {other}")] == [0, 3]
    assert there.run("transcribe", path, "--agent", "left") == 0
    assert capsys.readouterr().out.splitlines() == lines[1:3]


def test_a_file_where_a_folder_is_expected(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert there.run("transcribe", path, "--agent", "left", "--output", path) == 2
    assert f"--output {path}: expected a folder" in capsys.readouterr().err


def test_a_name_may_hold_anything_that_a_name_may(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bytes of another character set, line ends, what a terminal obeys: the others go on."""
    names = [os.fsdecode(b"Anruf \xfc.wav"), "a\nb\x1b[31m.wav", "\u2028.wav"]
    named = [Path(shutil.copy(path, there.folder / name)) for name in names]
    arguments: list[str | Path] = ["transcribe", *named, path, "--agent", "left"]
    assert there.run(*arguments) == 0
    said = capsys.readouterr().out
    assert [line.rpartition("/")[2] for line in said.splitlines() if line.startswith("#")] == [
        r"Anruf \udcfc.wav",
        r"a\nb\x1b[31m.wav",
        r"\u2028.wav",
        "talk.wav",
    ]
    output = there.folder / "out"
    assert there.run(*arguments, "--output", str(output)) == 0
    assert {one.stem for one in output.glob("*.txt")} == {one.stem for one in (*named, path)}
    other = np.roll(talk(), 1_000, axis=1)
    for one in named:
        encode(there.folder / "other.wav", "pcm_s16le", 16_000, other).replace(one)
    assert there.run(*arguments, "--output", str(output)) == 1
    said = capsys.readouterr().err
    assert said.count("is there already, of another recording") == len(named)


def test_sound_that_a_header_does_not_tell_of_is_told_by_name(
    there: Installation, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(path.read_bytes() * 2)
    assert there.run("transcribe", path, "--agent", "left") == 0
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "lie behind" in line]
    assert told == f"zccvoice: {path}: 6 s seem to lie behind what its header says; they are left out"
