from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech.sounds import Samples, noise
from zccvoice.config import VadConfig
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.silero import WINDOW_SAMPLES, Silero, SileroDetector, speech_windows
from zccvoice.speech.vad import FRAME_SAMPLES


def spoken() -> Samples:
    """Two sentences of a demo call, with pauses."""
    clips = [speech.sound for speech in load_scenario(demo_scenarios()[0]).speech[:2]]
    sounds = [read_sound(clip) for clip in clips if clip is not None]
    sound = np.concatenate([noise(800), sounds[0], noise(900), sounds[1], noise(700)])
    return sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES]


SPOKEN = spoken()


def decisions(pieces: list[Samples]) -> list[bool]:
    detector = SileroDetector(VadConfig())
    return [is_speech for piece in pieces for is_speech in detector.detect(piece).is_speech]


def test_speech_is_found_and_noise_is_not() -> None:
    found = decisions([SPOKEN])
    assert not any(found[:40])
    assert np.mean(found[45:150]) > 0.8
    assert not any(decisions([noise(3000, dbfs=-30)]))


@settings(max_examples=10)
@given(st.lists(st.integers(1, len(SPOKEN) // FRAME_SAMPLES - 1), max_size=6).map(sorted))
def test_where_the_input_is_cut_does_not_matter(cuts: list[int]) -> None:
    pieces = np.split(SPOKEN, [cut * FRAME_SAMPLES for cut in cuts])
    assert decisions(pieces) == decisions([SPOKEN])


def test_digital_silence_does_not_dull_it() -> None:
    silence = np.zeros(10 * 16_000, np.int16)
    found = decisions([np.concatenate([silence, SPOKEN])])
    assert not any(found[:500])
    assert np.mean(found[545:650]) > 0.8


def test_the_state_goes_on_from_piece_to_piece() -> None:
    whole = SPOKEN[: len(SPOKEN) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    at_once, silero = Silero().probabilities(whole), Silero()
    half = len(at_once) // 2 * WINDOW_SAMPLES
    in_two = np.concatenate([silero.probabilities(whole[:half]), silero.probabilities(whole[half:])])
    assert np.allclose(at_once, in_two, atol=1e-4)
    assert silero.probabilities(np.empty(0, np.int16)).size == 0


def test_windows_of_a_stretch() -> None:
    windows = speech_windows(SPOKEN, VadConfig())
    assert len(windows) == len(SPOKEN) // WINDOW_SAMPLES
    assert windows.any()
    assert not windows.all()
