"""Of which recordings the transcripts in a folder are, for ``zccvoice transcribe --output``.

Names of recordings begin again every day at many recorders. So a hidden file beside the transcripts tells of each
what it was made of, a line of JSON after the other: what is done already is known from what only has its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zccvoice.recordings.recorded_call import content_id

NAME = ".sources.jsonl"


class TranscriptSources:
    """Those of one folder. Several threads, and several programs, may use it at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def other_source(self, transcript: Path, recordings: Sequence[Path]) -> str | None:
        """What else a transcript was made of; None when it is of these recordings, or nobody knows.

        Files that lie where they lay and look as they did are believed to be the same; others are read.

        Raises:
            OSError: a recording or the hidden file cannot be read.
            RecordingError: a recording cannot be read.
        """
        known = self._known(transcript.name)
        if (
            known is None
            or known["files"] == _looks(recordings)
            or known["content"] == content_id(recordings)
        ):
            return None
        return " + ".join(str(one[0]) for one in known["files"])

    def note(self, transcript: Path, recordings: Sequence[Path], content: str) -> None:
        """A transcript is there now; `content` is the recordings' `content_id`.

        Raises:
            OSError: it cannot be written.
        """
        told = {"transcript": transcript.name, "content": content, "files": _looks(recordings)}
        line = (
            "\n" + json.dumps(told, ensure_ascii=False) + "\n"
        )  # whatever a full disk left of the line before
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # In one piece, so that lines of others do not come in between; names may hold any bytes.
            os.write(file, line.encode("utf-8", "surrogateescape"))
        finally:
            os.close(file)

    def _known(self, name: str) -> dict[str, Any] | None:
        """The last line counts."""
        found = None
        try:
            lines = self._path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        except FileNotFoundError:
            return None
        for line in lines:
            try:
                told = json.loads(line)
            except ValueError:  # torn, or empty
                continue
            if told["transcript"] == name:
                found = told
        return found


def _looks(recordings: Sequence[Path]) -> list[list[Any]]:
    """Where each lies, its size, and when it was written."""
    return [
        [str(path.resolve()), status.st_size, status.st_mtime_ns]
        for path, status in ((path, path.stat()) for path in recordings)
    ]
