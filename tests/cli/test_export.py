"""``zccvoice export``: what is kept, in files; and what is not there any more."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from tests.audio.encoded import snr_db
from tests.cli.recorded import Installation
from tests.recordings.conftest import talk
from tests.recordings.sounds import Channels, click, clicks_ms, encode
from zccvoice.cli import settings
from zccvoice.config import load
from zccvoice.journal.shelf import Shelf
from zccvoice.recordings.sound_file import examine, read


@pytest.fixture
def stored(there: Installation, capsys: pytest.CaptureFixture[str]) -> Installation:
    """The call E, two sides that take turns."""
    return store(there, capsys, talk())


def store(
    there: Installation,
    capsys: pytest.CaptureFixture[str],
    samples: Channels,
    *more: str,
) -> Installation:
    path = encode(there.folder / "talk.wav", "pcm_s16le", 16_000, samples)
    sides = ["--agent", "right"] if len(samples) == 2 else []
    assert there.run("transcribe", path, "--store", "--engagement-id", "E", *sides, *more) == 0
    capsys.readouterr()
    return there


def shelf_of(there: Installation) -> Shelf:
    return settings.shelf(load(None, data={"folder": there.folder / "state"}))


def sound(path: Path) -> Channels:
    return np.concatenate([one.samples for one in read(examine(path), 16_000)], axis=1)


@pytest.mark.parametrize(("suffix", "least_db"), [("wav", np.inf), ("flac", np.inf), ("ogg", 15)])
def test_the_agent_is_left_and_the_customer_right(
    stored: Installation, suffix: str, least_db: float, capsys: pytest.CaptureFixture[str]
) -> None:
    path = stored.folder / f"ñ.{suffix}"
    assert stored.run("export", "E", "--audio", "--output", path) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    left, right = sound(path)
    assert len(left) == 6 * 16_000
    assert snr_db(talk()[1], left) >= least_db
    assert snr_db(talk()[0], right) >= least_db
    said = capsys.readouterr()
    assert f"written: {path}" in said.out
    assert 'event="audio exported"' in said.err
    assert "engagement_id=E" in said.err
    assert "by=" in said.err


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_a_click_comes_out_where_it_was(
    there: Installation,
    suffix: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store(there, capsys, np.stack([click(25_000, 500, 10_000, 24_000), click(25_000, 10_500)]))
    path = there.folder / f"clicks.{suffix}"
    assert there.run("export", "E", "--audio", "--output", path) == 0
    left, right = sound(path)
    assert clicks_ms(left, 16_000) == pytest.approx([10_500], abs=2)
    assert clicks_ms(right, 16_000) == pytest.approx([500, 10_000, 24_000], abs=2)


def test_one_side_and_the_mix(stored: Installation) -> None:
    for side, wanted in (("agent", talk()[1]), ("customer", talk()[0])):
        assert stored.run("export", "E", "--audio", "--side", side) == 0
        assert np.array_equal(sound(Path("E.wav"))[0], wanted)
    assert stored.run("export", "E", "--audio", "--side", "mix") == 0
    both = np.clip(talk().astype(np.int32).sum(axis=0), -32_768, 32_767)
    assert np.array_equal(sound(Path("E.wav"))[0], both)


def test_a_mix_has_no_sides(
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store(there, capsys, talk()[:1])
    assert there.run("export", "E", "--audio") == 3
    assert "nobody told whose channels mono are" in capsys.readouterr().err
    assert there.run("export", "E", "--audio", "--side", "mix") == 0
    assert np.array_equal(sound(Path("E.wav")), talk()[:1])


def test_a_side_that_was_never_heard(
    there: Installation,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store(there, capsys, talk()[:1], "--mono", "agent")
    assert there.run("export", "E", "--audio", "--side", "customer") == 3
    assert "nothing was heard of the customer" in capsys.readouterr().err


def test_sound_that_is_gone_is_told(stored: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    shelf = shelf_of(stored)
    (name,) = shelf.names()
    with shelf.writer(name):
        assert stored.run("export", "E", "--audio") == 3
    shelf.close(name)
    assert "is not complete" in capsys.readouterr().err
    key = stored.folder / "state" / "keys" / f"{name}.key"
    kept = key.read_bytes()
    key.unlink()
    assert stored.run("export", "E", "--audio") == 3
    assert "its key was shredded" in capsys.readouterr().err
    key.write_bytes(bytes(len(kept)))
    assert stored.run("export", "E", "--audio") == 3
    assert "does not open with this master key" in capsys.readouterr().err
    shelf.shred(name)
    assert stored.run("export", "E", "--audio") == 3
    assert "is gone: deleted by retention" in capsys.readouterr().err
    assert not [path.name for path in stored.folder.iterdir() if path.name.endswith(("E.wav", ".part"))]
    assert stored.run("export", "E", "--transcript") == 0, "its words stay for longer"


def test_calls_that_were_erased_or_never_known(
    stored: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stored.run("db", "erase", "--engagement", "E", "--yes") == 0
    for what in ("--audio", "--transcript"):
        assert stored.run("export", "E", what) == 3
        assert "call E: erased on 20" in capsys.readouterr().err
        assert stored.run("export", "nobody", what) == 3
        assert "nothing is known of the call 'nobody'" in capsys.readouterr().err


def test_the_transcript(stored: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert stored.run("export", "E", "--transcript", "--format", "json") == 0
    printed = capsys.readouterr().out
    assert [one["side"] for one in json.loads(printed)["utterances"]] == ["customer", "agent"]
    path = stored.folder / "E.json"
    assert stored.run("export", "E", "--transcript", "--format", "json", "--output", path) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(printed)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert 'event="transcript exported"' in capsys.readouterr().err
    assert stored.run("export", "E", "--transcript", "--output", path) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(printed), "its name tells the form"


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (["--audio", "--output", "E.mp4"], 2, "expected a name that ends in .wav, .flac, .ogg"),
        (["--transcript", "--side", "agent"], 2, "--side: goes with --audio"),
        (["--audio", "--format", "srt"], 2, "--format: goes with --transcript"),
        (["--audio", "--output", "nowhere/E.wav"], 3, "nowhere/E.wav: cannot be written"),
    ],
)
def test_what_cannot_be_done(
    stored: Installation, arguments: list[str], status: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stored.run("export", "E", *arguments) == status
    assert problem in capsys.readouterr().err
