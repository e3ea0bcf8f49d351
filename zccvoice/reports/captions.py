"""Report → WebVTT, SubRip and plain text: what was said, and nothing else.

Only words that count are shown. An utterance may be half a minute long; captions are cut between words so that
they can be read: two lines of 42 letters and seven seconds at most, what subtitlers agree on.

Sources: W3C "WebVTT", sections 1.1 and 6.4; SubRip is what players take for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from zccvoice.reports.calls import CallReport
from zccvoice.reports.transcript import speaker
from zccvoice.store.reads import UtteranceRow

LONGEST_LETTERS = 84
LONGEST_MS = 7_000


@dataclass(frozen=True, slots=True)
class Caption:
    """What is to be read at one time."""

    start_ms: int
    end_ms: int
    speaker: str
    """Side or name; empty when neither is known."""
    text: str


def captions(report: CallReport) -> list[Caption]:
    """The captions of a call, in time order."""
    found = [caption for utterance in report.utterances for caption in _cut(utterance)]
    return sorted(found, key=lambda one: (one.start_ms, one.end_ms))


def write_vtt(report: CallReport, file: IO[str]) -> None:
    """Write WebVTT, the side or name of whoever speaks as the voice of each cue."""
    file.write("WEBVTT\n")
    for caption in captions(report):
        voice = f"<v {_escaped(caption.speaker)}>" if caption.speaker else ""
        times = f"{_clock(caption.start_ms, '.')} --> {_clock(caption.end_ms, '.')}"
        file.write(f"\n{times}\n{voice}{_escaped(caption.text)}\n")


def write_srt(report: CallReport, file: IO[str]) -> None:
    """Write SubRip, the side or name of whoever speaks before each text."""
    for number, caption in enumerate(captions(report), 1):
        times = f"{_clock(caption.start_ms, ',')} --> {_clock(caption.end_ms, ',')}"
        file.write(f"{number}\n{times}\n{_who(caption.speaker)}{caption.text}\n\n")


def write_text(report: CallReport, file: IO[str]) -> None:
    """Write a line for each utterance: when, who, what."""
    for utterance in report.utterances:
        if text := _counted(utterance):
            clock = _clock(utterance.start_ms, ".")
            file.write(f"[{clock}] {_who(_line(speaker(utterance)))}{text}\n")


def _cut(utterance: UtteranceRow) -> Iterator[Caption]:
    text = _counted(utterance)
    if not text:
        return
    if not utterance.words:
        yield Caption(utterance.start_ms, utterance.end_ms, _line(speaker(utterance)), text)
        return
    kept = [utterance.words[0]]
    for word in utterance.words[1:]:
        letters = sum(len(one.text) + 1 for one in kept) + len(word.text)
        if letters > LONGEST_LETTERS or word.end_ms - kept[0].start_ms > LONGEST_MS:
            yield _caption(utterance, kept[0].start_ms, kept[-1].end_ms, [one.text for one in kept])
            kept = []
        kept.append(word)
    yield _caption(utterance, kept[0].start_ms, kept[-1].end_ms, [one.text for one in kept])


def _caption(utterance: UtteranceRow, start_ms: int, end_ms: int, words: list[str]) -> Caption:
    begin_ms = utterance.start_ms + start_ms
    # A recognizer gives some words no length; a cue has to have one.
    last_ms = max(begin_ms + 1, utterance.start_ms + end_ms)
    return Caption(begin_ms, last_ms, _line(speaker(utterance)), _line(" ".join(words)))


def _counted(utterance: UtteranceRow) -> str:
    return _line(utterance.text or "") if utterance.verdict == "kept" else ""


def _line(text: str) -> str:
    """One line of text: an empty line would end a caption."""
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _who(speaker: str) -> str:
    return f"{speaker}: " if speaker else ""


def _clock(time_ms: int, point: str) -> str:
    seconds, milliseconds = divmod(max(0, time_ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"
