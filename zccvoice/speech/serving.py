"""CORE: the other end of `remote`: a request to ``/v1/audio/transcriptions`` read, and its answer written.

What OpenAI's interface names and a Whisper of ours can do is done: ``file``, ``language``, ``prompt``,
``response_format`` (json, text, verbose_json), ``temperature``. ``model`` may be anything, there is one. Other
fields are passed over, as the interface grows. Beyond it, ``verbose_json`` tells each word's probability, whether
a segment ``is_cut`` for want of room, and ``language_probabilities`` where the language was not given. Source:
OpenAI API reference, "Create transcription".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from zccvoice.audio.content import samples_of
from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS, AudioFormat, Samples
from zccvoice.config import VadConfig
from zccvoice.errors import DecodeError
from zccvoice.speech.track import Track
from zccvoice.speech.utterance import Transcript, Utterance

LONGEST_S = 30 * 60
"""Sound in one request."""
WINDOW_S = 30
"""What is longer is cut into utterances; what is not was cut by whoever asks."""
FORMATS = ("json", "text", "verbose_json")
_MOST_PARTS = 32
_LONGEST_FIELD = 8_192
_PACKET = 100 * SAMPLES_PER_MS


class RequestError(Exception):
    """A request that makes no sense. Its text goes back to whoever asked."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        """Of HTTP."""


@dataclass(frozen=True, slots=True, eq=False)
class TranscriptionRequest:
    """What somebody wants to have transcribed."""

    samples: Samples
    language: str | None
    """Whisper code; None: to be found out."""
    prompt: str | None = field(repr=False)
    response_format: str
    temperature: float = 0.0


def read_request(content_type: str, body: bytes) -> TranscriptionRequest:
    """Read a request; decodes its sound, so it is work for a thread.

    Raises:
        RequestError: it makes no sense, and why.
    """
    fields, file = _parts(content_type, body)
    if file is None:
        raise RequestError(400, "expected a form with a part named file")
    response_format = fields.get("response_format") or "json"
    if response_format not in FORMATS:
        raise RequestError(400, f"response_format: expected one of {', '.join(FORMATS)}")
    if (fields.get("stream") or "false").lower() not in ("false", "0"):
        raise RequestError(400, "stream: expected false")
    language = (fields.get("language") or "").strip().lower() or None
    if language is not None and not (language.isascii() and language.isalpha() and len(language) in (2, 3)):
        raise RequestError(400, "language: expected a code such as en")
    temperature = _temperature(fields.get("temperature") or "0")
    try:
        samples = samples_of(file, longest_s=LONGEST_S)
    except DecodeError as error:
        raise RequestError(400, f"file: {error}") from None
    return TranscriptionRequest(samples, language, fields.get("prompt") or None, response_format, temperature)


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise RequestError(400, "temperature: expected a number from 0 to 1")
    return value


def utterances_of(request: TranscriptionRequest, vad: VadConfig) -> list[Utterance]:
    """What is to be recognized, in order; times count from the beginning of the file. Work for a thread."""
    samples = request.samples
    if samples.size <= WINDOW_S * SAMPLE_RATE_HZ:
        length_ms = samples.size // SAMPLES_PER_MS
        return [Utterance("file", 0, length_ms, samples, 0, 0.0, 0.0)]
    track, found = Track("file", AudioFormat(), vad), []
    for at in range(0, samples.size, _PACKET):
        track.place(at // SAMPLES_PER_MS, samples[at : at + _PACKET].astype("<i2").tobytes())
        found += track.hear(track.decode())
    found += track.flush()
    return [one for one in found if isinstance(one, Utterance)]


def answer_of(
    request: TranscriptionRequest,
    heard: Sequence[tuple[Utterance, Transcript]],
    language: str,
    probabilities: Mapping[str, float] | None = None,
) -> tuple[bytes, dict[str, Any] | None]:
    """The answer: text, or a JSON document.

    Args:
        request: what was asked.
        heard: what was made of each utterance.
        language: the one it was transcribed in.
        probabilities: of the languages, where it was found out.

    Returns:
        The text, UTF-8, for ``text``; else nothing and the document.
    """
    text = " ".join(transcript.text for _, transcript in heard if transcript.text)
    match request.response_format:
        case "text":
            return f"{text}\n".encode(), None
        case "json":
            return b"", {"text": text}
    document: dict[str, Any] = {
        "task": "transcribe",
        "language": language,
        "duration": request.samples.size / SAMPLE_RATE_HZ,
        "text": text,
        "segments": [_segment(number, *one) for number, one in enumerate(heard)],
        "words": [word for one in heard for word in _words(*one)],
    }
    if probabilities is not None:
        document["language_probabilities"] = dict(probabilities)
    return b"", document


def _segment(number: int, utterance: Utterance, transcript: Transcript) -> dict[str, Any]:
    evidence = transcript.evidence
    told: dict[str, Any] = {
        "id": number,
        "start": _second(utterance, 0),
        "end": _second(utterance, utterance.duration_ms),
        "text": transcript.text,
    }
    if evidence is not None:
        told |= {
            "avg_logprob": evidence.average_log_probability,
            "no_speech_prob": evidence.no_speech_probability,
            "compression_ratio": evidence.compression_ratio,
            "temperature": evidence.temperature,
            "is_cut": evidence.is_cut,
            "tokens": [0] * evidence.token_count,  # how many there are is what the guards ask
        }
    return told


def _words(utterance: Utterance, transcript: Transcript) -> list[dict[str, Any]]:
    return [
        {
            "word": word.text,
            "start": _second(utterance, word.start_ms),
            "end": _second(utterance, word.end_ms),
            "probability": word.probability,
        }
        for word in transcript.words
    ]


def _second(utterance: Utterance, from_start_ms: int) -> float:
    return max(0, utterance.start_timestamp_ms + from_start_ms) / 1000


def _parts(content_type: str, body: bytes) -> tuple[dict[str, str], bytes | None]:
    """The form's fields, the last one of each name, and its file."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise RequestError(415, "expected multipart/form-data")
    fields: dict[str, str] = {}
    file: bytes | None = None
    name, content = "", bytearray()
    try:
        with PushMultipartParser(options["boundary"], max_segment_count=_MOST_PARTS) as parser:
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    name, content = event.name, bytearray()
                elif event:
                    content += event
                    if name != "file" and len(content) > _LONGEST_FIELD:
                        raise RequestError(400, f"expected fields of at most {_LONGEST_FIELD} bytes")
                elif name == "file":
                    file = bytes(content)
                else:
                    fields[name] = content.decode("utf-8")
    except (MultipartError, UnicodeDecodeError):
        raise RequestError(400, "expected a form, got one that is broken") from None
    return fields, file
