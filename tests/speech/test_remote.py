"""An utterance as a form, a server's answer as a transcript; and our own server's reading and writing of both."""

from __future__ import annotations

import io
import json
import math
import wave
from typing import Any

import httpx
import numpy as np
import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.sounds import voice
from zccvoice.config import VadConfig
from zccvoice.errors import RecognizerError
from zccvoice.recordings.sound_writer import write_sound
from zccvoice.speech import remote, serving
from zccvoice.speech.language_names import NAMES, code_of
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.remote import Form
from zccvoice.speech.serving import RequestError, TranscriptionRequest
from zccvoice.speech.utterance import Evidence, Transcript, Utterance, Word

SAMPLES = (8_000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.int16)
ITEM = RecognizerItem(
    Utterance("ch", 50_000, 50_800, SAMPLES, 100, -12.0, 0.0), "de", "Guten Tag", "Nordwind"
)

# What servers answer with, by their documentation.
OPENAI: dict[str, Any] = {
    "task": "transcribe",
    "language": "german",
    "duration": 1.0,
    "text": " Guten Tag, Müller.",
    "words": [
        {"word": "Guten", "start": 0.1, "end": 0.3},
        {"word": "Tag", "start": 0.3, "end": 0.5},
        {"word": "Müller", "start": 0.5, "end": 1.0},
    ],
    "segments": [
        {
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": 1.0,
            "text": " Guten Tag, Müller.",
            "tokens": [50364, 11, 12, 50414],
            "temperature": 0.0,
            "avg_logprob": -0.5,
            "compression_ratio": 0.9,
            "no_speech_prob": 0.01,
        }
    ],
}
SPEACHES: dict[str, Any] = {
    **{name: OPENAI[name] for name in ("task", "duration", "text")},
    "language": "de",
    "segments": [
        {**OPENAI["segments"][0], "words": [{**one, "probability": 0.9} for one in OPENAI["words"]]}
    ],
}
VLLM: dict[str, Any] = {"text": "Guten Tag, Müller.", "usage": {"type": "duration", "seconds": 1}}


def body_of(form: Form) -> tuple[str, bytes]:
    """The form as an HTTP library writes it."""
    fields: dict[str, Any] = {}
    for name, value in form.fields:
        fields.setdefault(name, []).append(value)
    request = httpx.Request(
        "POST", "http://x", data=fields, files={"file": ("a.wav", form.sound, "audio/wav")}
    )
    return request.headers["content-type"], request.read()


def test_a_form_says_what_is_wanted() -> None:
    form = remote.form_of(ITEM, "large", temperature=0.4)
    assert form.fields == (
        ("model", "large"),
        ("language", "de"),
        ("response_format", "verbose_json"),
        ("temperature", "0.4"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
        ("prompt", "Guten Tag Nordwind"),
    )
    with wave.open(io.BytesIO(form.sound)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        assert sound.readframes(20_000) == SAMPLES.tobytes()


def test_our_server_reads_what_we_send() -> None:
    request = serving.read_request(*body_of(remote.form_of(ITEM, "large")))
    assert (request.language, request.prompt, request.response_format) == (
        "de",
        "Guten Tag Nordwind",
        "verbose_json",
    )
    assert np.array_equal(request.samples, SAMPLES)
    assert request.temperature == 0
    drawn = serving.read_request(*body_of(remote.form_of(ITEM, "large", temperature=0.4)))
    assert drawn.temperature == 0.4
    detection = serving.read_request(*body_of(remote.detection_form(ITEM.utterance, "large")))
    assert (detection.language, detection.response_format) == (None, "verbose_json")


@pytest.mark.parametrize("answer", [OPENAI, SPEACHES], ids=["openai", "speaches"])
def test_a_full_answer(answer: dict[str, Any]) -> None:
    transcript = remote.transcript_of(answer, ITEM, "large")
    assert (transcript.text, transcript.language, transcript.model) == ("Guten Tag, Müller.", "de", "large")
    assert transcript.confidence == pytest.approx(math.exp(-0.5))
    assert transcript.evidence == Evidence(-0.5, 0.01, 4, 0.9, 0.0, 1.0)
    # 100 ms of lead, 800 ms of speech: the last word does not end with the window.
    assert [(one.text, one.start_ms, one.end_ms) for one in transcript.words] == [
        ("Guten", 0, 200),
        ("Tag", 200, 400),
        ("Müller", 400, 800),
    ]
    told = 0.9 if answer is SPEACHES else transcript.confidence
    assert {one.probability for one in transcript.words} == {told}


def test_half_a_character_is_none() -> None:
    """A server that tells times of words may cut an emoji in two."""
    words = [{"word": one, "start": 0.1, "end": 0.3} for one in ("Tag", "\ud83d", "\ude00")]
    answer = json.loads(json.dumps({**OPENAI, "text": "Tag \ud83d", "words": words}))
    found = remote.transcript_of(answer, ITEM, "m")
    assert (found.text, [word.text for word in found.words]) == ("Tag ?", ["Tag", "?", "?"])


def test_an_answer_with_text_alone() -> None:
    assert remote.transcript_of(VLLM, ITEM, "m") == Transcript("Guten Tag, Müller.", (), "de", None, "m")
    told = remote.transcript_of(VLLM | {"words": OPENAI["words"]}, ITEM, "m")
    assert [one.probability for one in told.words] == [None] * 3


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([(0.1, 0.3), (None, None), (0.6, 1.0)], [(0, 200), (200, 500), (500, 800)]),
        ([(None, None), (0.3, 0.5), (None, None)], [(0, 200), (200, 400), (400, 800)]),
        ([(0.1, 0.3), (None, None), (None, None)], [(0, 200), (200, 800), (800, 800)]),
        ([(0.1, None), (None, 0.5), (0.6, 1.0)], [(0, 500), (500, 500), (500, 800)]),
        ([(None, None)] * 3, []),
    ],
)
def test_words_without_times_lie_between_their_neighbours(
    times: list[tuple[float | None, float | None]], expected: list[tuple[int, int]]
) -> None:
    words = [
        {"word": one["word"]}
        | {name: time for name, time in zip(("start", "end"), both, strict=True) if time}
        for one, both in zip(OPENAI["words"], times, strict=True)
    ]
    transcript = remote.transcript_of(OPENAI | {"words": words}, ITEM, "m")
    assert transcript.text == "Guten Tag, Müller."
    assert [(one.start_ms, one.end_ms) for one in transcript.words] == expected


@pytest.mark.parametrize(
    "answer", [None, [], "text", {}, {"text": None}, {"text": "a", "words": [{"start": 0, "end": 1}]}]
)
def test_another_answer_is_refused_without_its_text(answer: object) -> None:
    with pytest.raises(RecognizerError) as refused:
        remote.transcript_of(answer, ITEM, "m")
    assert "text'" not in str(refused.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "words", "segments", "word", "start", "end", "avg_logprob", "tokens", "language"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(answer=ANYTHING)
def test_any_answer_gives_a_transcript_or_an_error(answer: object) -> None:
    try:
        transcript = remote.transcript_of(answer, ITEM, "m")
    except RecognizerError:
        return
    assert transcript.confidence is None or 0 <= transcript.confidence <= 1
    for word in transcript.words:
        assert 0 <= word.start_ms <= word.end_ms <= ITEM.utterance.duration_ms
        assert word.probability is None or 0 <= word.probability <= 1


@given(answer=ANYTHING)
def test_any_answer_gives_languages(answer: object) -> None:
    found = remote.languages_of(answer, ["de", "en", "es"])
    assert list(found) == ["de", "en", "es"]
    assert sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"language": "german"}, [1, 0]),
        ({"language": "en"}, [0, 1]),
        ({"language": "de-DE"}, [1, 0]),
        ({"language": "welsh"}, [0.5, 0.5]),
        ({"language_probabilities": {"de": 0.6, "en": 0.2, "cy": 0.2}}, [0.75, 0.25]),
        (None, [0.5, 0.5]),
    ],
)
def test_languages(answer: object, expected: list[float]) -> None:
    assert list(remote.languages_of(answer, ["de", "en"]).values()) == pytest.approx(expected)


def test_every_language_of_whisper_is_known_by_its_name() -> None:
    assert set(_LANGUAGE_CODES) == {code_of(name) for name in NAMES}
    for name, code in (
        ("Catalan", "ca"),
        ("haitian creole", "ht"),
        ("Mandarin", "zh"),
        ("ca", "ca"),
        ("", ""),
    ):
        assert code_of(name) == code
    assert remote.languages_of({"language": "catalan"}, ["es", "ca"]) == {"es": 0, "ca": 1}


# Our own server


@pytest.mark.parametrize("is_cut", [False, True])
def test_what_our_server_writes_is_what_we_read(is_cut: bool) -> None:
    request = serving.read_request(*body_of(remote.form_of(ITEM, "large")))
    (utterance,) = serving.utterances_of(request, VadConfig())
    heard = Transcript(
        "Guten Tag",
        (Word("Guten", 100, 300, 0.9), Word("Tag", 310, 500, 0.8)),
        "de",
        math.exp(-0.25),
        "demo",
        Evidence(-0.25, 0.125, 7, 1.5, 0.0, 1.0, is_cut=is_cut),
    )
    _, document = serving.answer_of(request, [(utterance, heard)], "de", {"de": 0.75, "en": 0.25})
    answer = json.loads(json.dumps(document))
    read = remote.transcript_of(answer, ITEM, "demo")
    assert read.text == heard.text
    assert read.evidence == heard.evidence
    assert read.confidence == pytest.approx(heard.confidence)
    assert read.words == (Word("Guten", 0, 200, 0.9), Word("Tag", 210, 400, 0.8))
    assert remote.languages_of(answer, ["de", "en"]) == {"de": 0.75, "en": 0.25}


def test_the_shorter_answers() -> None:
    utterance = Utterance("file", 0, 1_000, SAMPLES, 0, 0.0, 0.0)
    heard = [
        (utterance, Transcript("Grüß", (), "de", 1.0, "demo")),
        (utterance, Transcript("Gott", (), "de", 1.0, "d")),
    ]
    for response_format, expected in (
        ("text", ("Grüß Gott\n".encode(), None)),
        ("json", (b"", {"text": "Grüß Gott"})),
    ):
        request = TranscriptionRequest(SAMPLES, "de", None, response_format)
        assert serving.answer_of(request, heard, "de") == expected


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"response_format": "srt"}, "response_format: expected one of json, text, verbose_json"),
        ({"language": "german!"}, "language: expected a code such as en"),
        ({"temperature": "nan"}, "temperature: expected a number from 0 to 1"),
        ({"stream": "true"}, "stream: expected false"),
        ({"prompt": "x" * 9_000}, "expected fields of at most 8192 bytes"),
    ],
)
def test_requests_that_make_no_sense(fields: dict[str, str], problem: str) -> None:
    with pytest.raises(RequestError) as refused:
        serving.read_request(*body_of(Form(tuple(fields.items()), remote.wav_of(SAMPLES))))
    assert (refused.value.status, str(refused.value)) == (400, problem)


def test_a_file_that_is_no_sound() -> None:
    for content in (b"", b"no sound", b"#EXTM3U\nhttp://elsewhere/a.wav\n", remote.wav_of(SAMPLES[:0])):
        with pytest.raises(RequestError, match=r"^file: expected a sound file"):
            serving.read_request(*body_of(Form((("model", "m"),), content)))


def test_no_form_and_no_file() -> None:
    with pytest.raises(RequestError, match="multipart"):
        serving.read_request("application/json", b"{}")
    with pytest.raises(RequestError, match="part named file"):
        serving.read_request(
            "multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n',
        )


@given(cut=st.integers(0, 600), junk=st.binary(max_size=40))
def test_a_broken_form_is_refused(cut: int, junk: bytes) -> None:
    content_type, body = body_of(Form((("model", "m"),), b"no sound"))
    with pytest.raises(RequestError):
        serving.read_request(content_type, body[:cut] + junk)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".wav"])
def test_other_containers_are_read(suffix: str) -> None:
    file = io.BytesIO()
    write_sound(file, suffix, [np.stack([SAMPLES, SAMPLES])], 2)
    found = serving.read_request(*body_of(Form((), file.getvalue()))).samples
    assert found.size == pytest.approx(SAMPLES.size, abs=400)
    middle = found[4_000:12_000].astype(float)
    assert 20 * math.log10(np.sqrt((middle**2).mean()) / 32_768) == pytest.approx(-15.2, abs=1)


def test_a_long_file_is_cut_into_utterances() -> None:
    speech = np.concatenate([np.zeros(16_000, np.int16), voice(2_000), np.zeros(16_000, np.int16)])
    samples = np.tile(speech, 8)
    request = TranscriptionRequest(samples, "en", None, "verbose_json")
    found = serving.utterances_of(request, VadConfig())
    assert len(found) == 8
    for number, one in enumerate(found):
        assert 4_000 * number + 850 <= one.start_timestamp_ms < 4_000 * number + 2_000
        assert one.end_timestamp_ms == pytest.approx(4_000 * number + 3_000, abs=150)
