from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.sounds import LevelDetector, Samples, noise, voice
from zccvoice.config import VadConfig
from zccvoice.speech.vad import FRAME_SAMPLES, NoiseFloor, WebRtcDetector


def share(detector: WebRtcDetector | LevelDetector, samples: Samples) -> float:
    is_speech = detector.detect(samples).is_speech
    return sum(is_speech) / len(is_speech)


@pytest.mark.parametrize("make", [lambda: WebRtcDetector(VadConfig()), LevelDetector])
def test_voice_is_speech_and_quiet_noise_is_not(make: type[LevelDetector]) -> None:
    """For the real detector and for the one that other tests put in its place."""
    detector = make()
    assert share(detector, noise(3000)) == 0
    assert share(detector, voice(2000)) > 0.9
    assert share(detector, noise(3000)[: 2000 * 16]) < 0.1


@pytest.mark.parametrize("dbfs", [-50, -40, -30, -20])
def test_steady_noise_is_not_speech_however_loud(dbfs: float) -> None:
    detector = WebRtcDetector(VadConfig())
    detector.detect(noise(4000, dbfs=dbfs))
    assert share(detector, noise(4000, dbfs=dbfs, seed=2)) < 0.02


def test_voice_over_noise_is_found() -> None:
    detector = WebRtcDetector(VadConfig())
    detector.detect(noise(3000, dbfs=-40))
    mixed = voice(2000, dbfs=-22) + noise(2000, dbfs=-40, seed=3)
    assert share(detector, mixed) > 0.85


def test_the_first_frames_of_a_noisy_line_are_not_speech() -> None:
    assert share(WebRtcDetector(VadConfig()), noise(400, dbfs=-48)) == 0


def test_voice_from_the_first_frame_on_is_found() -> None:
    assert share(WebRtcDetector(VadConfig()), voice(1000)) > 0.8


def test_voice_after_a_long_silence_is_found_at_once() -> None:
    detector = WebRtcDetector(VadConfig())
    detector.detect(noise(60_000))
    found = detector.detect(voice(1000)).is_speech
    assert found.index(True) <= 1
    assert sum(found) > 0.9 * len(found)


def test_where_the_input_is_cut_does_not_matter() -> None:
    sound = np.concatenate([noise(1000), voice(1500), noise(800)])
    sound = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES]
    whole = WebRtcDetector(VadConfig()).detect(sound).is_speech
    piecewise, detector = [], WebRtcDetector(VadConfig())
    for at in range(0, len(sound), FRAME_SAMPLES):
        piecewise += detector.detect(sound[at : at + FRAME_SAMPLES]).is_speech
    assert whole == piecewise


def test_a_telephones_band_is_heard_alike_at_either_rate() -> None:
    sound = np.concatenate([noise(1000), voice(1500), noise(800)])
    sound = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES]
    wide = WebRtcDetector(VadConfig()).detect(sound).is_speech
    narrow = WebRtcDetector(VadConfig(), 8_000).detect(sound[::2]).is_speech
    assert len(narrow) == len(wide)
    assert sum(one != other for one, other in zip(narrow, wide, strict=True)) <= 2


def test_the_floor_follows_the_line_and_not_digital_silence() -> None:
    floor = NoiseFloor()
    assert floor.follow([-55] * 100 + [-20])[-1] == -55
    assert floor.follow([-120] * 200 + [-20])[-1] == -55
    assert floor.follow([-35] * 200)[-1] == -35
    assert floor.follow([-40, -20])[-1] == -40


LEVELS_DBFS = st.lists(st.sampled_from([-120.0, -70.0, -62.0, -60.0, -58.0, -30.0]), max_size=120)


@given(LEVELS_DBFS, LEVELS_DBFS, st.integers(1, 60))
def test_the_floor_of_many_frames_at_once_is_that_of_one_after_another(
    few: list[float], many: list[float], repeated: int
) -> None:
    levels_dbfs = few + many * (repeated % 4) + [-61.0] * repeated
    at_once, one_by_one = NoiseFloor(), NoiseFloor()
    assert at_once.follow(levels_dbfs) == [one_by_one.follow([level])[0] for level in levels_dbfs]
