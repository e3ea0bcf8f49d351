"""What is heard while nobody speaks: of the right length and loudness, and keys are keys."""

from __future__ import annotations

import numpy as np
import pytest

from demo_model.line import RATE_HZ, resample
from demo_model.wordless import SHARES, clicks, keys, tones, tune, wordless_sound
from zccvoice.speech.tones import tonality

LENGTH = 3 * RATE_HZ


@pytest.mark.parametrize("maker", [tones, keys, tune, clicks])
@pytest.mark.parametrize("length", [100, 4_000, LENGTH])
def test_sound_of_any_length_is_made_of_numbers(maker: object, length: int) -> None:
    assert callable(maker)
    for seed in range(20):
        sound = maker(length, np.random.default_rng(seed))
        assert (sound.shape, sound.dtype) == ((length,), np.float32)
        assert np.isfinite(sound).all()


def test_the_shares_are_all_there_is() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)


def test_nothing_is_louder_than_full_scale_and_the_same_seed_gives_the_same() -> None:
    voice = np.sin(np.arange(1_000)).astype(np.float32)
    for seed in range(60):
        sound, again = (wordless_sound(LENGTH, np.random.default_rng(seed), voice) for _ in range(2))
        assert sound.shape == (LENGTH,)
        assert np.abs(sound).max() <= 1
        assert np.array_equal(sound, again)


def test_keys_are_heard_as_keys() -> None:
    heard = 0
    for seed in range(30):
        sound = resample(keys(LENGTH, np.random.default_rng(seed)), RATE_HZ, 2 * RATE_HZ)
        samples = np.rint(sound / (np.abs(sound).max() + 1e-9) * 10_000).astype(np.int16)
        heard += bool(tonality(samples).is_key.any())
    assert heard >= 25
