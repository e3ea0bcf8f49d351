"""``zccvoice transcribe`` with the real recognizer, on files as call centres have them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audio.encoded import encoded
from tests.cli.recorded import DemoCall, Installation, demo_calls
from tests.recordings.sounds import encode
from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.speech.word_errors import WordErrors

LINE = re.compile(r"\[(\d\d):(\d\d):(\d\d)\.(\d{3})\] (Agent|Customer): (.+)")
KILLED = """
import os, signal, sys
from zccvoice.recordings.outcome import Outcome
add = Outcome.add
def add_and_die(outcome, fact):
    add(outcome, fact)
    if outcome.utterances_count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
Outcome.add = add_and_die
from zccvoice.cli import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def calls() -> dict[str, DemoCall]:
    return {call.scenario.language: call for call in demo_calls()}


@pytest.fixture(scope="module")
def short(calls: dict[str, DemoCall], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 12 s of the English one: four utterances or so."""
    path = tmp_path_factory.mktemp("short") / "Anruf ñ.wav"
    return encode(path, "pcm_s16le", 16_000, calls["en"].samples[:, : 12 * 16_000])


def read_lines(text: str) -> list[tuple[str, int, str]]:
    found = [LINE.fullmatch(line) for line in text.splitlines()]
    assert all(found), text
    return [
        (m[5], (int(m[1]) * 3600 + int(m[2]) * 60 + int(m[3])) * 1000 + int(m[4]), m[6]) for m in found if m
    ]


def test_the_demo_calls_hold_the_words_that_were_said(
    calls: dict[str, DemoCall],
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forms = {
        "es": ("wav", "pcm_alaw", 8_000),
        "en": ("ogg", "libopus", 48_000),
        "de": ("mp3", "libmp3lame", 44_100),
    }
    total = WordErrors(0, 0)
    for language, (suffix, codec, rate_hz) in forms.items():
        call = calls[language]
        path = encode(there.folder / f"{language}.{suffix}", codec, rate_hz, call.samples[::-1])
        assert there.run("transcribe", path, "--agent", "right", "--language", language) == 0
        said = read_lines(capsys.readouterr().out)
        total += call.errors(said)
        begins = [begin_ms for _, begin_ms, _ in said]
        for _, begin_ms, _ in call.lines[:5]:
            assert min(abs(begin_ms - one) for one in begins) <= 100
    assert total.rate < 0.08, total


def test_a_file_for_each_side(
    calls: dict[str, DemoCall],
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sides = calls["en"].samples[:, : 12 * 16_000]
    for name, side in zip(("agent", "customer"), sides, strict=True):
        encode(there.folder / f"call-{name}.flac", "flac", 16_000, side.reshape(1, -1))
    both = [there.folder / f"call-{name}.flac" for name in ("customer", "agent")]
    assert there.run("transcribe", *both) == 0
    by_name = capsys.readouterr().out
    assert there.run("transcribe", both[1], "--customer", both[0]) == 0
    assert capsys.readouterr().out == by_name
    encode(there.folder / "both.flac", "flac", 16_000, sides)
    assert there.run("transcribe", there.folder / "both.flac", "--agent", "left") == 0
    assert capsys.readouterr().out == by_name
    assert {side for side, _, _ in read_lines(by_name)} == {"Agent", "Customer"}


def test_stored_once_and_reported(
    short: Path,
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("transcribe", short, "--agent", "left", "--store", "--queue", "Orders")
    assert there.run(*arguments, "--engagement-id", "E/1", "--started-at", "2026-05-01T10:00:00Z") == 0
    said = capsys.readouterr()
    assert re.search(r"Anruf ñ\.wav: (\d+) of \1 utterances transcribed, 12 s in .*: E/1", said.out)
    assert said.err == ""
    assert there.run(*arguments, "--engagement-id", "E/1") == 0
    assert "stored already as E/1" in capsys.readouterr().err
    assert there.run("report", "calls", "--format", "json") == 0
    (call,) = json.loads(capsys.readouterr().out)["calls"]
    assert (call["engagement_id"], call["queue_name"], call["product"]) == ("E/1", "Orders", "recording")
    assert call["started_at"] == "2026-05-01T10:00:00Z"
    assert call["scorecard"]["words_agent_count"] > 5
    assert there.run("report", "calls") == 0
    assert "cut off" not in capsys.readouterr().out


def test_stored_calls_are_judged_by_the_rules(
    short: Path, there: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = there.folder / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "no xylophone"\n[[rule.when]]\nany_of = ["xylophone"]\nnegate = true\n'
    )
    configured = ("--set", f"rules.file={rules}")
    assert (
        there.run("transcribe", short, "--agent", "left", "--store", "--engagement-id", "E/1", *configured)
        == 0
    )
    capsys.readouterr()
    assert there.run("report", "call", "E/1", "--format", "json") == 0
    (hit,) = json.loads(capsys.readouterr().out)["rule_hits"]
    assert (hit["rule"], hit["revision"]) == ("no xylophone", 1)


def test_a_killed_run_goes_on_where_it_was(
    short: Path,
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["transcribe", str(short), "--agent", "left", "--store", "--format", "json", *there.settings]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout == b""
    assert there.run("transcribe", short, "--agent", "left", "--store", "--format", "json") == 0
    resumed = json.loads(capsys.readouterr().out)
    assert there.run("transcribe", short, "--agent", "left", "--format", "json") == 0
    fresh = json.loads(capsys.readouterr().out)
    assert len(fresh["utterances"]) > 2
    assert [what_was_said(one) for one in resumed["utterances"]] == [
        what_was_said(one) for one in fresh["utterances"]
    ]
    assert resumed["scorecard"]["words_agent_count"] == fresh["scorecard"]["words_agent_count"]


def what_was_said(utterance: dict[str, Any]) -> tuple[Any, ...]:
    words = tuple((word["text"], word["start_ms"], word["end_ms"]) for word in utterance["words"])
    return utterance["side"], utterance["start_ms"], utterance["end_ms"], utterance["text"], words


def test_results_go_to_standard_output_beside_a_terminal(short: Path, there: Installation) -> None:
    ours, terminal = os.openpty()
    command = [sys.executable, "-m", "zccvoice", "transcribe", str(short), "--agent", "left", *there.settings]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    assert read_lines(done.stdout.decode())
    assert "times real time" in os.read(ours, 65_536).decode()
    os.close(ours)


def test_files_are_private_whole_and_made_once(
    short: Path,
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = there.folder / "out"
    arguments = ("transcribe", short, "--agent", "left", "--format", "vtt", "--output", output)
    assert there.run(*arguments) == 0
    (made,) = output.glob("[!.]*")
    assert made.name == "Anruf ñ.vtt"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    text = made.read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n\n00:00:0")
    assert "<v Customer>" in text
    made.write_text("mine", encoding="utf-8")
    capsys.readouterr()
    assert there.run(*arguments) == 0
    assert "is there already" in capsys.readouterr().err
    assert made.read_text(encoding="utf-8") == "mine"
    assert there.run(*arguments, "--again") == 0
    assert made.read_text(encoding="utf-8") == text


def test_another_recording_of_the_same_name_is_not_done(
    short: Path,
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = there.folder / "out"
    arguments = ("--agent", "left", "--output", output)
    assert there.run("transcribe", short, *arguments) == 0
    (made,) = output.glob("[!.]*")
    text = made.read_text(encoding="utf-8")
    elsewhere = there.folder / "tomorrow" / short.name
    elsewhere.parent.mkdir()
    shutil.copyfile(short, elsewhere)
    assert there.run("transcribe", elsewhere, *arguments) == 0, "a copy is the same recording"
    with wave.open(str(elsewhere), "wb") as other:
        other.setparams((2, 2, 8_000, 0, "NONE", ""))
        other.writeframes(bytes(32_000))
    capsys.readouterr()
    assert there.run("transcribe", elsewhere, *arguments) == 1
    said = capsys.readouterr().err
    assert str(short.resolve()) in said
    assert "--again" in said
    assert made.read_text(encoding="utf-8") == text
    assert there.run("transcribe", elsewhere, *arguments, "--again") == 0
    assert made.read_text(encoding="utf-8") != text
    assert there.run("transcribe", short, *arguments) == 1


def test_what_is_broken_is_told_by_name_and_stops_nothing(
    short: Path,
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"empty.wav": b"", "letter.mp3": b"Dear Sir or Madam. " * 99}
    for name, content in names.items():
        (there.folder / name).write_bytes(content)
    files = [there.folder / "empty.wav", short, there.folder / "letter.mp3", there.folder / "gone.ogg"]
    output = there.folder / "out"
    assert there.run("transcribe", *files, "--agent", "left", "--output", output) == 1
    said = capsys.readouterr()
    assert [path.name for path in output.glob("[!.]*")] == ["Anruf ñ.txt"]
    for name in (*names, "gone.ogg"):
        assert sum(name in line for line in said.err.splitlines()) == 1
    assert "Traceback" not in said.err
    assert there.run("transcribe", short) == 1
    assert "--agent left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["a.wav", "b.wav", "--engagement-id", "E"], "--engagement-id: expected a single call"),
        (["a.wav", "b.wav", "--started-at", "7d"], "--started-at: expected a single call"),
        (["a.wav", "b.wav", "--customer", "c.wav"], "--customer: expected one FILE"),
        (["x/a.wav", "y/a.wav", "--output", "out"], "the same name"),
        (["a.wav", "b.wav", "--format", "vtt"], "--output FOLDER"),
        (["a.wav", "--language", "english"], "language.default"),
    ],
)
def test_what_cannot_be_meant(
    arguments: list[str],
    problem: str,
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert there.run("transcribe", *arguments) == 2
    assert problem in capsys.readouterr().err


def test_raw_files_of_both_laws(
    calls: dict[str, DemoCall],
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    side = np.ascontiguousarray(calls["en"].samples[0, : 8 * 16_000])
    for law, name in ((Encoding.PCMA, "a.al"), (Encoding.PCMU, "u.raw")):
        (there.folder / name).write_bytes(b"".join(encoded(side, AudioFormat(law, 8_000))))
    assert there.run("transcribe", there.folder / "a.al", "--mono", "agent") == 0
    known = capsys.readouterr().out
    assert there.run("transcribe", there.folder / "u.raw", "--raw", "pcmu", "--mono", "agent") == 0
    assert read_lines(known)[0][2].split()[:4] == read_lines(capsys.readouterr().out)[0][2].split()[:4]
