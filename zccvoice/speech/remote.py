"""CORE: an utterance as a request to ``/v1/audio/transcriptions``, and the answer as a transcript.

The interface of OpenAI's "Create transcription", as vLLM, Speaches, front ends of Triton, and ``zccvoice
recognizer`` speak it: a form with the sound as a WAV file, answered by JSON. ``verbose_json`` is asked for, since
it alone tells times, words and what the guards judge by; a server that answers with less is taken as far as it
goes. Sources: OpenAI API reference, "Audio"; Speaches and vLLM documentation, "Transcriptions API".
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.errors import RecognizerError
from zccvoice.speech.language_names import code_of
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Evidence, Transcript, Utterance, Word

PATH = "/v1/audio/transcriptions"
MODELS_PATH = "/v1/models"
"""The list of what a server has; asking for it costs nothing."""
LONGEST_ANSWER_BYTES = 4_000_000
Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What is posted."""

    fields: tuple[tuple[str, str], ...]
    """In order; a name may be repeated."""
    sound: bytes
    """The part ``file``: a WAV file."""


def form_of(item: RecognizerItem, model: str, *, temperature: float = 0.0) -> Form:
    """The request for one utterance. `model` is the server's name of the weights."""
    fields = [
        ("model", model),
        ("language", item.language),
        ("response_format", "verbose_json"),
        ("temperature", f"{temperature:g}"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
    ]
    prompt = " ".join(filter(None, (item.prompt, item.hotwords)))
    if prompt:
        fields.append(("prompt", prompt))
    return Form(tuple(fields), wav_of(item.utterance.samples))


def detection_form(utterance: Utterance, model: str) -> Form:
    """The request that asks for the language alone, as far as a server knows such a thing: it is left out."""
    return Form((("model", model), ("response_format", "verbose_json")), wav_of(utterance.samples))


def wav_of(samples: npt.NDArray[np.int16]) -> bytes:
    """``int16[n]``, mono, 16 kHz, as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes(samples.astype("<i2", copy=False).tobytes())
    return file.getvalue()


def transcript_of(answer: object, item: RecognizerItem, model: str) -> Transcript:
    """What a server's answer says of an utterance.

    Without segments there is neither `Evidence` nor confidence; without words that have times there are none; a
    server that tells no probability of its words gives them the confidence of the whole.

    Raises:
        RecognizerError: the answer is not what was asked for. Its text is not repeated.
    """
    if not isinstance(answer, Mapping) or not isinstance(answer.get("text"), str):
        raise RecognizerError(
            "expected a JSON object with a text from the recognition server, got another answer"
        )
    utterance = item.utterance
    evidence, confidence = _evidence(_objects(answer, "segments"), utterance)
    words = [one for segment in _objects(answer, "segments") for one in _objects(segment, "words")]
    return Transcript(
        text=_whole(answer["text"]).strip(),
        words=tuple(_words(_objects(answer, "words") or words, utterance, confidence)),
        language=item.language,
        confidence=confidence,
        model=model,
        evidence=evidence,
    )


def languages_of(answer: object, among: Sequence[str]) -> dict[str, float]:
    """How probable each of the languages is, by a server's answer to `detection_form`; they sum to 1.

    Our own server tells probabilities. Another names one language, which then has all of it. One that is not
    among those asked for speaks for none of them: then all are alike.
    """
    told = answer.get("language_probabilities") if isinstance(answer, Mapping) else None
    if isinstance(told, Mapping):
        known = {code: max(0.0, _number(told.get(code)) or 0.0) for code in among}
        if total := sum(known.values()):
            return {code: value / total for code, value in known.items()}
    code = code_of(str(answer.get("language", ""))) if isinstance(answer, Mapping) else ""
    if code in among:
        return {one: float(one == code) for one in among}
    return {one: 1 / len(among) for one in among}


def _evidence(segments: Sequence[Document], utterance: Utterance) -> tuple[Evidence | None, float | None]:
    """What the segments tell of the whole, weighted by their length, and the confidence that follows."""
    told = [
        (max(0.01, (_number(one.get("end")) or 0) - (_number(one.get("start")) or 0)), one)
        for one in segments
        if _number(one.get("avg_logprob")) is not None
    ]
    if not told:
        return None, None
    total = sum(length for length, _ in told)

    def mean(name: str, otherwise: float) -> float:
        return (
            sum(
                length * (otherwise if (value := _number(one.get(name))) is None else value)
                for length, one in told
            )
            / total
        )

    log_probability = min(0.0, mean("avg_logprob", 0.0))
    tokens = [one.get("tokens") for _, one in told]
    evidence = Evidence(
        average_log_probability=log_probability,
        no_speech_probability=min(1.0, max(0.0, mean("no_speech_prob", 0.0))),
        token_count=sum(len(one) for one in tokens if isinstance(one, list)),
        compression_ratio=mean("compression_ratio", 1.0),
        temperature=mean("temperature", 0.0),
        window_s=utterance.samples.size / SAMPLE_RATE_HZ,
        is_cut=any(one.get("is_cut") is True for _, one in told),  # only our own server says so
    )
    return evidence, math.exp(log_probability)


def _words(told: Sequence[Document], utterance: Utterance, confidence: float | None) -> list[Word]:
    """Without a time of its own (WhisperX gives numerals none) a word lies between its neighbours."""

    def within_speech(seconds: float | None) -> int | None:
        if seconds is None:
            return None
        return min(max(0, round(seconds * 1000) - utterance.lead_ms), utterance.duration_ms)

    begins = [within_speech(_number(one.get("start"))) for one in told]
    ends = [within_speech(_number(one.get("end"))) for one in told]
    if begins and all(time is None for time in (*begins, *ends)):
        return []
    latest = [utterance.duration_ms]
    for begin in reversed(begins):
        latest.append(latest[-1] if begin is None else begin)
    words: list[Word] = []
    for one, begin, end, next_begin in zip(told, begins, ends, latest[-2::-1], strict=True):
        text, probability = one.get("word"), _number(one.get("probability"))
        if not isinstance(text, str):
            raise RecognizerError("expected words with a word from the recognition server")
        start_ms = begin if begin is not None else words[-1].end_ms if words else 0
        words.append(
            Word(
                text=_whole(text).strip(),
                start_ms=start_ms,
                end_ms=max(start_ms, next_begin if end is None else end),
                probability=confidence if probability is None else min(1.0, max(0.0, probability)),
            )
        )
    return words


def _whole(text: str) -> str:
    """JSON can name half a character, and a server that cuts an emoji in two does: nobody can write that down."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _objects(answer: Document, name: str) -> list[Document]:
    told = answer.get(name)
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
