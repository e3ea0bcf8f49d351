"""What is believed and what is not, on transcripts that the test makes up and sounds that it makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.sounds import Samples, noise
from zccvoice.audio.quality import level_dbfs
from zccvoice.config import GuardConfig, load
from zccvoice.errors import ConfigError
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.guard import Guard
from zccvoice.speech.utterance import Evidence, Transcript, Utterance

GUARD = Guard(GuardConfig())
CLIPS = sorted(demo_scenarios()[0].parent.rglob("*.flac"))
VOICE = read_sound(CLIPS[0])
GOOD = Evidence(
    average_log_probability=-0.2,
    no_speech_probability=0.01,
    token_count=10,
    compression_ratio=1.0,
    temperature=0.0,
    window_s=30.0,
)


def utterance(samples: Samples = VOICE, *, length_ms: int = 3000) -> Utterance:
    return Utterance("ch", 0, length_ms, samples, 0, level_dbfs(samples), 0.0)


def transcript(text: str, language: str = "en", **evidence: Any) -> Transcript:
    return Transcript(text, (), language, 0.8, "made up", replace(GOOD, **evidence))


def doubt(
    text: str, *, length_ms: int = 3000, prompt: str = "", language: str = "en", **evidence: Any
) -> str | None:
    return GUARD.doubt(transcript(text, language, **evidence), utterance(length_ms=length_ms), prompt)


def test_what_people_say_is_believed() -> None:
    for text in (
        "My order number is 483920.",
        "Thank you.",
        "No, no, no, no!",
        "Bye.",
        "I'm sorry, I'm sorry.",
        "",
    ):
        assert doubt(text) is None, text
    assert doubt("Vielen Dank!", language="de") is None


@pytest.mark.parametrize(
    ("reason", "text", "evidence"),
    [("no speech", "I will see.", {"no_speech_probability": 0.9}),
     ("no speech", "I will see.", {"no_speech_probability": 0.7, "average_log_probability": -1.1}),
     ("guessed", "I will see.", {"average_log_probability": -1.6}),
     ("too fast", "I will see.", {"token_count": 45}),
     ("repeats itself", "I'm sorry. " * 4, {}),
     ("repeats itself", "abcabcabc" * 20, {}),
     ("cut off", "My order number is 4839", {"is_cut": True}),
     ("likely invention", "Thank you.", {"no_speech_probability": 0.7}),
     ("likely invention", "Thanks for watching!", {"average_log_probability": -1.2}),
     ("likely invention", "Subtitles by somebody or other", {"average_log_probability": -1.2})],
)  # fmt: skip
def test_what_is_not(reason: str, text: str, evidence: dict[str, Any]) -> None:
    assert doubt(text, **evidence) == reason


def test_one_sign_of_two_is_none() -> None:
    assert doubt("I will see.", no_speech_probability=0.7) is None
    assert doubt("I will see.", average_log_probability=-1.1) is None
    assert doubt("Thanks for watching!") is None
    assert doubt("I will see.", token_count=44) is None


def test_a_phrase_that_there_was_no_time_for() -> None:
    assert doubt("Thank you.", length_ms=400) is None
    assert doubt("Thank you for watching.", length_ms=400) == "likely invention"


def test_a_phrase_that_nobody_said() -> None:
    hiss = utterance(noise(3000, dbfs=-40))
    assert GUARD.doubt(transcript("Thank you."), hiss) == "likely invention"
    assert GUARD.doubt(transcript("I will see."), hiss) is None


def test_phrases_are_those_of_the_language() -> None:
    unsure: dict[str, Any] = {"average_log_probability": -1.2}
    assert doubt("Untertitel im Auftrag des Senders", language="de", **unsure) == "likely invention"
    assert doubt("Untertitel im Auftrag des Senders", language="en", **unsure) is None
    assert doubt("Thank you.", language="xx", **unsure) is None


def test_the_prompt_is_not_what_was_said() -> None:
    prompt = "Northwind, refund, order number, invoice"
    assert doubt("refund order number invoice", prompt=prompt) == "echo of the prompt"
    assert doubt("A refund.", prompt=prompt) is None
    assert doubt("Refund.", prompt=prompt) is None
    assert doubt("Refund.", prompt=prompt, no_speech_probability=0.7) == "echo of the prompt"


def test_silence_and_noise_are_not_given_to_the_recognizer() -> None:
    assert GUARD.gate(utterance(np.zeros(32_000, np.int16))) == "too quiet"
    assert GUARD.gate(utterance(noise(2000, dbfs=-47))) == "too quiet"
    assert GUARD.gate(utterance(noise(2000, dbfs=-40))) == "no voice"


@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_voices_are(clip: Path) -> None:
    samples = read_sound(clip)
    assert GUARD.gate(utterance(samples)) is None
    assert GUARD.gate(utterance((samples * 0.1).astype(np.int16))) is None  # 20 dB quieter


@given(st.text(max_size=80), st.floats(-3, 0), st.floats(0, 1), st.integers(0, 200), st.integers(120, 28_000))
def test_any_transcript_is_believed_or_there_is_a_reason(
    text: str, log_probability: float, no_speech: float, tokens: int, length_ms: int
) -> None:
    evidence = replace(
        GOOD, average_log_probability=log_probability, no_speech_probability=no_speech, token_count=tokens
    )
    one = Transcript(text, (), "en", 0.8, "made up", evidence)
    reason = GUARD.doubt(one, utterance(length_ms=length_ms))
    assert reason != ""
    bad = replace(one, evidence=replace(evidence, average_log_probability=-9.0))
    if reason is not None:  # worse evidence never makes it better
        assert GUARD.doubt(bad, utterance(length_ms=length_ms)) is not None


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [({"surely_no_speech": 0.5}, "speech.guard.surely_no_speech: expected at least no_speech (0.6), got 0.5"),
     ({"least_log_probability": -0.5},
      "speech.guard.least_log_probability: expected at most unsure_log_probability (-1), got -0.5"),
     ({"repeats": 1}, "speech.guard.repeats: expected at least 2 and at most 50, got 1")],
)  # fmt: skip
def test_thresholds_that_cannot_be_meant(wrong: dict[str, float], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, speech={"guard": wrong})
    assert problem in caught.value.problems
