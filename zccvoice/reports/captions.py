"""Report → WebVTT, SubRip and plain text: what was said, and nothing else.

Only words that count are shown. An utterance may be half a minute long; its text is cut between words so that
captions can be read: two lines of 42 letters and seven seconds at most, what subtitlers agree on. The recognizer's
words with their times tell when a piece of the text was said, never what.

Sources: W3C "WebVTT", sections 1.1 and 6.4; SubRip is what players take for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, NamedTuple

from zccvoice.analytics.unspaced import UNSPACED_LETTER
from zccvoice.reports.calls import CallReport
from zccvoice.reports.transcript import speaker
from zccvoice.store.facts import StoredWord
from zccvoice.store.reads import UtteranceRow
from zccvoice.store.word_places import word_places

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


class _Piece(NamedTuple):
    """What is not cut any further: some of the text, with the space after it."""

    text: str
    start_ms: int
    """From the start of the utterance, as that of words."""
    end_ms: int


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
    first, *others = _pieces(text, utterance.words)
    kept = [first]
    for piece in others:
        letters = len("".join(one.text for one in kept)) + len(piece.text.rstrip())
        if letters > LONGEST_LETTERS or piece.end_ms - kept[0].start_ms > LONGEST_MS:
            yield _caption(utterance, kept)
            kept = []
        kept.append(piece)
    yield _caption(utterance, kept)


def _caption(utterance: UtteranceRow, pieces: list[_Piece]) -> Caption:
    begin_ms = utterance.start_ms + pieces[0].start_ms
    # A recognizer gives some words no length; a cue has to have one.
    last_ms = max(begin_ms + 1, utterance.start_ms + pieces[-1].end_ms)
    text = "".join(one.text for one in pieces).rstrip()
    return Caption(begin_ms, last_ms, _line(speaker(utterance)), text)


def _pieces(text: str, words: tuple[StoredWord, ...]) -> list[_Piece]:
    """All of the text, one line, in pieces that a caption may begin with; each has the times of its words."""
    places = word_places(text, words)
    if places is None:
        return _shared_out(text, words)
    cuts, firsts = [0], [0]
    for number, (before, place) in enumerate(pairwise(places), 1):
        cut = _cut_between(text, before.stop, place.start)
        if cut is not None and cut > cuts[-1]:  # a word without letters begins no piece
            cuts.append(cut)
            firsts.append(number)
    return [
        _Piece(text[begin:end], words[first].start_ms, words[last - 1].end_ms)
        for (begin, end), (first, last) in zip(
            pairwise([*cuts, len(text)]), pairwise([*firsts, len(words)]), strict=True
        )
    ]


def _cut_between(text: str, end: int, begin: int) -> int | None:
    """Where to cut between words that end and begin there; None where the second goes on with the first."""
    space = text.rfind(" ", end, begin)
    if space >= 0:
        return space + 1
    is_unspaced = UNSPACED_LETTER.search(text[max(0, begin - 1) : begin + 1]) is not None
    return begin if is_unspaced and text[begin : begin + 1].isalnum() else None


def _shared_out(text: str, words: tuple[StoredWord, ...]) -> list[_Piece]:
    """Words that are not those of the text tell about when: its own, between spaces, share them out in order."""
    tokens = text.split()
    firsts = [number * len(words) // len(tokens) for number in range(len(tokens) + 1)]
    return [
        _Piece(f"{token} ", words[first].start_ms, words[max(first, next_first - 1)].end_ms)
        for token, (first, next_first) in zip(tokens, pairwise(firsts), strict=True)
    ]


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
