from __future__ import annotations

import stat
from pathlib import Path

import pytest

from zccvoice.cli.transcript_sources import NAME, TranscriptSources
from zccvoice.recordings.recorded_call import content_id


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "0001.wav"
    path.parent.mkdir()
    path.write_bytes(b"monday")
    return path


def test_what_is_noted_is_known_again_and_the_last_word_counts(tmp_path: Path, recording: Path) -> None:
    sources, transcript = TranscriptSources(tmp_path), tmp_path / "0001.txt"
    assert sources.other_source(transcript, [recording]) is None
    sources.note(transcript, [recording], content_id([recording]))
    assert sources.other_source(transcript, [recording]) is None
    recording.write_bytes(b"tuesday")
    assert sources.other_source(transcript, [recording]) == str(recording)
    sources.note(transcript, [recording], content_id([recording]))
    assert sources.other_source(transcript, [recording]) is None
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_torn_line_costs_itself_alone(tmp_path: Path, recording: Path) -> None:
    sources, transcript = TranscriptSources(tmp_path), tmp_path / "0001.txt"
    (tmp_path / NAME).write_text('{"transcript": "00', encoding="utf-8")
    sources.note(transcript, [recording], content_id([recording]))
    recording.write_bytes(b"tuesday")
    assert sources.other_source(transcript, [recording]) == str(recording)
