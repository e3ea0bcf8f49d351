"""The recognizer on real weights: those of the demo, with clips that are known to come out right."""

from __future__ import annotations

import faster_whisper
import numpy as np
import pytest

from tests.speech.sounds import Samples, noise
from zccvoice.config import SpeechConfig
from zccvoice.errors import ConfigError, RecognizerError
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.whisper import WhisperRecognizer, weights_location

DEMO = demo_scenarios()[0].parent


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(SpeechConfig(workers=1))


def utterance(samples: Samples, lead_ms: int = 0) -> Utterance:
    return Utterance("ch", 0, len(samples) // 16 - lead_ms, samples, lead_ms, -20.0, 0.0)


def hear(recognizer: WhisperRecognizer, clip: str, language: str) -> Transcript:
    return hear_sound(recognizer, utterance(read_sound(DEMO / clip)), language)


def hear_sound(recognizer: WhisperRecognizer, spoken: Utterance, language: str) -> Transcript:
    (transcript,) = recognizer.transcribe([RecognizerItem(spoken, language)])
    assert isinstance(transcript, Transcript)
    return transcript


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
    assert transcript.confidence is not None
    assert 0.5 < transcript.confidence <= 1
    assert " ".join(word.text for word in transcript.words) == text


def test_words_have_times_from_the_beginning_of_the_speech(recognizer: WhisperRecognizer) -> None:
    clip = read_sound(DEMO / "orders/04.flac")
    lead = np.concatenate([noise(500), clip])
    transcript = hear_sound(recognizer, utterance(lead, lead_ms=500), "en")
    starts = [word.start_ms for word in transcript.words]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert transcript.words[-1].end_ms <= len(clip) // 16
    assert all(word.start_ms <= word.end_ms for word in transcript.words)
    assert all(word.probability is not None and 0 <= word.probability <= 1 for word in transcript.words)


def test_the_pin_holds_whatever_it_sounds_like(recognizer: WhisperRecognizer) -> None:
    right = hear(recognizer, "factura/02.flac", "es")
    wrong = hear(recognizer, "factura/02.flac", "en")
    assert wrong.language == "en"
    assert wrong.confidence is not None
    assert right.confidence is not None
    assert wrong.confidence < right.confidence


def test_digital_silence_has_no_text(recognizer: WhisperRecognizer) -> None:
    transcript = hear_sound(recognizer, utterance(np.zeros(32_000, np.int16)), "en")
    assert (transcript.text, transcript.words) == ("", ())


def test_languages_that_the_weights_do_not_know(recognizer: WhisperRecognizer) -> None:
    recognizer.require_languages(frozenset({"en", "es", "de"}))
    with pytest.raises(RecognizerError, match="fr, xx"):
        recognizer.require_languages(frozenset({"xx", "en", "fr"}))


def test_weights_that_are_not_there(tmp_path: object) -> None:
    with pytest.raises(
        RecognizerError, match=r"^speech.model: cannot load '/nowhere/weights': there is no such folder$"
    ):
        WhisperRecognizer(SpeechConfig(model="/nowhere/weights"))


CLIPS = [
    ("orders/04.flac", "en"),
    ("factura/02.flac", "es"),
    ("router/05.flac", "de"),
    ("orders/02.flac", "en"),
]


def spoken_clips() -> list[RecognizerItem]:
    return [RecognizerItem(utterance(read_sound(DEMO / clip)), language) for clip, language in CLIPS]


@pytest.mark.parametrize("windows", ["any", "10", "30"])
def test_a_batch_gives_what_each_gives_alone(windows: str) -> None:
    recognizer = WhisperRecognizer(SpeechConfig(workers=1, windows=windows))
    together = recognizer.transcribe(spoken_clips())
    alone = [one for item in spoken_clips() for one in recognizer.transcribe([item])]
    for a, b in zip(together, alone, strict=True):
        assert isinstance(a, Transcript)
        assert isinstance(b, Transcript)
        assert a.evidence is not None
        assert b.evidence is not None
        assert a.text == b.text != ""
        assert a.evidence.token_count == b.evidence.token_count
        assert a.evidence.window_s == b.evidence.window_s
        assert a.confidence == pytest.approx(b.confidence, abs=1e-3)
        assert [word.start_ms for word in a.words] == pytest.approx([w.start_ms for w in b.words], abs=40)


def test_windows_of_30_s_give_what_faster_whisper_gives() -> None:
    recognizer = WhisperRecognizer(SpeechConfig(workers=1, windows="30"))
    reference = faster_whisper.WhisperModel(weights_location("demo"), device="cpu", compute_type="int8")
    for item, found in zip(spoken_clips(), recognizer.transcribe(spoken_clips()), strict=True):
        segments, _ = reference.transcribe(
            item.utterance.samples.astype(np.float32) / 32_768,
            language=item.language,
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
        )
        wanted = list(segments)
        assert isinstance(found, Transcript)
        assert found.evidence is not None
        assert found.text == " ".join(one.text.strip() for one in wanted)
        assert found.evidence.token_count == sum(len(one.tokens) for one in wanted)
        assert found.evidence.average_log_probability == pytest.approx(wanted[0].avg_logprob, abs=1e-2)


def test_prompts_of_unlike_length_do_not_meet(recognizer: WhisperRecognizer) -> None:
    item = spoken_clips()[0]
    prompted = RecognizerItem(item.utterance, "en", prompt="Thank you for calling.")
    plain, _, other = recognizer.transcribe([item, prompted, item])
    assert isinstance(plain, Transcript)
    assert isinstance(other, Transcript)
    assert plain.text == other.text == "My order number is 483920."


def test_all_prompts_that_are_too_long_are_told_at_start() -> None:
    spelt = {"hotwords": ["Kilowattstundenzähler"] * 12}
    settings = SpeechConfig.model_validate({"prompt": spelt, "prompts": {"Orders": spelt, "Bills": {}}})
    with pytest.raises(ConfigError) as caught:
        WhisperRecognizer(settings)
    assert [one.split(" tokens")[0] for one in caught.value.problems] == [
        "speech.prompt: expected at most 49",
        "speech.prompts.Orders: expected at most 49",
    ]


def test_languages_are_found_together_as_each_by_itself(recognizer: WhisperRecognizer) -> None:
    spoken = [item.utterance for item in spoken_clips()]
    together = recognizer.detect_language(spoken, ["de", "en", "es"])
    alone = [one for each in spoken for one in recognizer.detect_language([each], ["de", "en", "es"])]
    assert together == [pytest.approx(one, abs=1e-3) for one in alone]


def test_one_in_a_full_window_at_a_temperature(recognizer: WhisperRecognizer) -> None:
    transcript = recognizer.transcribe_at(spoken_clips()[0], 0.4)
    assert transcript.evidence is not None
    assert (transcript.evidence.temperature, transcript.evidence.window_s) == (0.4, 30.0)


def test_the_language_is_found_among_those_that_may_be(recognizer: WhisperRecognizer) -> None:
    items = spoken_clips()
    told = recognizer.detect_language([item.utterance for item in items], ["de", "en", "es"])
    assert [max(one, key=one.__getitem__) for one in told] == [item.language for item in items]
    assert [sum(one.values()) for one in told] == pytest.approx([1.0] * len(items))
    (without,) = recognizer.detect_language([items[0].utterance], ["de", "es"])
    assert set(without) == {"de", "es"}
