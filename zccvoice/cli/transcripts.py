"""Transcripts as files and on standard output, for the commands that have some."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zccvoice.errors import SoundGoneError, StoreError, ZccvoiceError
from zccvoice.reports.calls import CallReport
from zccvoice.reports.captions import write_srt, write_text, write_vtt
from zccvoice.reports.document import call_document, write_document
from zccvoice.reports.private_file import private_file


def _write_json(report: CallReport, file: IO[str]) -> None:
    write_document(call_document(report), file)


_WRITERS = {"txt": write_text, "vtt": write_vtt, "srt": write_srt, "json": _write_json}
FORMATS = tuple(_WRITERS)
"""The first is the one of who asks for none."""


def form_by_name(output: Path | None, forms: Sequence[str] = FORMATS) -> str:
    """The form that a file's name tells; the first without a file, or when its name tells none."""
    form = "" if output is None else output.suffix.lower().removeprefix(".")
    return form if form in forms else forms[0]


def unknown_call(engagement_id: str, gone: str | None) -> ZccvoiceError:
    """The error for a call that is not in the database; `gone` is what a tombstone says of it."""
    if gone is not None:
        return SoundGoneError(f"call {engagement_id}: {gone}")
    return StoreError(f"nothing is known of the call {engagement_id!r}")


def print_transcript(report: CallReport, form: str) -> None:
    """Write to standard output."""
    _write(report, sys.stdout, form)


def write_transcript(report: CallReport, path: Path, form: str) -> None:
    """Write a file for nobody but its owner, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with private_text_file(path) as file:
        _write(report, file, form)


@contextmanager
def private_text_file(path: Path) -> Iterator[IO[str]]:
    """A file as of `private_file`, for text in UTF-8.

    Raises:
        OSError: it cannot be written.
    """
    with private_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        yield text
        text.detach()


def _write(report: CallReport, file: IO[str], form: str) -> None:
    _WRITERS[form](report, file)
