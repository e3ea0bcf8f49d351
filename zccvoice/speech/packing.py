"""Neighbours of one track in one window, and their transcripts out of it again; pure functions.

Whisper pads whatever it is given to 30 s, so several short utterances cost hardly more than one. When more waits
than can be worked off, those of one track that wait together are joined, with quiet between them as Whisper's
training had between sentences, and what was written is cut apart by the times of its words. What comes out of that
empty, or cannot be cut, or had no room for its end, is transcribed by itself: a window that was shared must not
cost anybody his words.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.errors import RecognizerError
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.repetition import compression_ratio
from zccvoice.speech.utterance import Evidence, Transcript, Word
from zccvoice.speech.window import PAUSE_S

Found = Transcript | RecognizerError
_PAUSE = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.int16)
_LEAST_PROBABILITY = 1e-6


def transcribe_packed(
    items: Sequence[RecognizerItem], transcribe: Callable[[Sequence[RecognizerItem]], list[Found]]
) -> list[Found]:
    """Transcribe items, with those that share a window in one.

    Args:
        items: see `RecognizerItem.shares`; those that share have the same language, prompt and hotwords.
        transcribe: transcribes each in a window of its own, as `Recognizer.transcribe` promises it.
    """
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        groups[("own", place) if item.shares is None else item.shares].append(place)
    packs = [[items[place] for place in places] for places in groups.values()]
    told = transcribe([pack[0] if len(pack) == 1 else joined(pack) for pack in packs])
    found: dict[int, Found] = {}
    for places, pack, one in zip(groups.values(), packs, told, strict=True):
        if len(pack) == 1:
            found[places[0]] = one
        elif isinstance(one, Transcript):
            parts = cut(one, pack)
            found |= {place: part for place, part in zip(places, parts, strict=True) if part is not None}
    left = [place for place in range(len(items)) if place not in found]
    if left:
        found |= zip(left, transcribe([items[place] for place in left]), strict=True)
    return [found[place] for place in range(len(items))]


def joined(pack: Sequence[RecognizerItem]) -> RecognizerItem:
    """One item of several; times of its words count from its first sample."""
    pieces = [piece for item in pack for piece in (_PAUSE, item.utterance.samples)][1:]
    samples = np.concatenate(pieces)
    first = pack[0].utterance
    duration_ms = len(samples) * 1000 // SAMPLE_RATE_HZ
    whole = replace(
        first, end_timestamp_ms=first.start_timestamp_ms + duration_ms, samples=samples, lead_ms=0
    )
    return replace(pack[0], utterance=whole, shares=None)


def cut(transcript: Transcript, pack: Sequence[RecognizerItem]) -> list[Transcript | None]:
    """What of the transcript of `joined` is whose, by the middle of each word; None: it is not to be told."""
    begins = _begins_ms(pack)
    bounds = [begin - PAUSE_S * 1000 / 2 for begin in begins[1:]]
    spoken: list[list[Word]] = [[] for _ in pack]
    for word in transcript.words:
        spoken[int(np.searchsorted(bounds, (word.start_ms + word.end_ms) / 2))].append(word)
    texts = _texts(transcript.text, [[word.text for word in words] for words in spoken])
    if texts is None:
        return [None] * len(pack)
    if transcript.evidence is not None and transcript.evidence.is_cut:
        spoken[max((place for place, words in enumerate(spoken) if words), default=0)] = []
    return [
        _part(transcript, text, tuple(_moved(word, item, begin) for word in words)) if words else None
        for item, begin, words, text in zip(pack, begins, spoken, texts, strict=True)
    ]


def _begins_ms(pack: Sequence[RecognizerItem]) -> list[float]:
    """Where the samples of each begin in the window."""
    lengths = [len(item.utterance.samples) + len(_PAUSE) for item in pack]
    return [float(begin) * 1000 / SAMPLE_RATE_HZ for begin in np.cumsum([0, *lengths[:-1]])]


def _texts(text: str, spoken: Sequence[Sequence[str]]) -> list[str] | None:
    """The text, cut before the first word of each; None when words stand in another order than in the text."""
    cuts, at = [], 0
    for words in spoken:
        cuts.append(at)
        for number, word in enumerate(words):
            begin = text.find(word, at)
            if begin < 0:
                return None
            if number == 0:
                cuts[-1] = begin
            at = begin + len(word)
    return [text[begin:end].strip() for begin, end in pairwise([*cuts, len(text)])]


def _moved(word: Word, item: RecognizerItem, begin_ms: float) -> Word:
    utterance = item.utterance

    def within_speech(ms: int) -> int:
        return min(max(0, round(ms - begin_ms) - utterance.lead_ms), utterance.duration_ms)

    return replace(word, start_ms=within_speech(word.start_ms), end_ms=within_speech(word.end_ms))


def _part(transcript: Transcript, text: str, words: tuple[Word, ...]) -> Transcript:
    """With evidence of its own as far as there is any: a clear neighbour must not vouch for it."""
    likely = [max(word.probability or 0.0, _LEAST_PROBABILITY) for word in words]
    average = math.fsum(map(math.log, likely)) / len(words)
    evidence = transcript.evidence
    if evidence is not None:
        evidence = _evidence(evidence, text, len(text) / len(transcript.text), average)
    return replace(transcript, text=text, words=words, confidence=math.exp(average), evidence=evidence)


def _evidence(whole: Evidence, text: str, share: float, average: float) -> Evidence:
    return replace(
        whole,
        average_log_probability=average,
        token_count=math.ceil(whole.token_count * share),
        compression_ratio=compression_ratio(text),
        is_cut=False,
    )
