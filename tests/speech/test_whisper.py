"""The recognizer on real weights: those of the demo, with clips that are known to come out right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.speech.sounds import Samples, noise
from zccvoice.config import SpeechConfig
from zccvoice.errors import RecognizerError
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.whisper import WhisperRecognizer

DEMO = demo_scenarios()[0].parent


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(SpeechConfig(workers=1))


def utterance(samples: Samples, lead_ms: int = 0) -> Utterance:
    return Utterance("ch", 0, len(samples) // 16 - lead_ms, samples, lead_ms, -20.0, 0.0)


def hear(recognizer: WhisperRecognizer, clip: str, language: str) -> Transcript:
    return transcribe(recognizer, utterance(read_sound(DEMO / clip)), language)


def transcribe(recognizer: WhisperRecognizer, one: Utterance, language: str) -> Transcript:
    (found,) = recognizer.transcribe([RecognizerItem(one, language)])
    assert isinstance(found, Transcript)
    return found


@pytest.mark.parametrize(
    ("clip", "language", "text"),
    [("orders/04.flac", "en", "My order number is 483920."),
     ("factura/02.flac", "es", "Hola, me llamo Jorge Torres y llamo por mi factura."),
     ("router/05.flac", "de", "Haben Sie den Router schon neu gestartet?")],
)  # fmt: skip
def test_three_languages(recognizer: WhisperRecognizer, clip: str, language: str, text: str) -> None:
    transcript = hear(recognizer, clip, language)
    assert transcript.text == text
    assert (transcript.language, transcript.model) == (language, "demo")
    assert 0.5 < transcript.confidence <= 1
    assert " ".join(word.text for word in transcript.words) == text


def test_words_have_times_from_the_beginning_of_the_speech(recognizer: WhisperRecognizer) -> None:
    clip = read_sound(DEMO / "orders/04.flac")
    lead = np.concatenate([noise(500), clip])
    transcript = transcribe(recognizer, utterance(lead, lead_ms=500), "en")
    starts = [word.start_ms for word in transcript.words]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert transcript.words[-1].end_ms <= len(clip) // 16
    assert all(word.start_ms <= word.end_ms and 0 <= word.probability <= 1 for word in transcript.words)


def test_the_pin_holds_whatever_it_sounds_like(recognizer: WhisperRecognizer) -> None:
    right = hear(recognizer, "factura/02.flac", "es")
    wrong = hear(recognizer, "factura/02.flac", "en")
    assert wrong.language == "en"
    assert wrong.confidence < right.confidence


def test_digital_silence_has_no_text(recognizer: WhisperRecognizer) -> None:
    transcript = transcribe(recognizer, utterance(np.zeros(32_000, np.int16)), "en")
    assert (transcript.text, transcript.words) == ("", ())


def test_languages_that_the_weights_do_not_know(recognizer: WhisperRecognizer) -> None:
    recognizer.require_languages(frozenset({"en", "es", "de"}))
    with pytest.raises(RecognizerError, match="fr, xx"):
        recognizer.require_languages(frozenset({"xx", "en", "fr"}))


def test_weights_that_are_not_there(tmp_path: object) -> None:
    with pytest.raises(RecognizerError, match=r"speech.model: cannot load '/nowhere/weights'"):
        WhisperRecognizer(SpeechConfig(model="/nowhere/weights"))
