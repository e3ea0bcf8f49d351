from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.window import ANY_S, LONGEST_S, TAIL_S, Windows, windows_for


@pytest.mark.parametrize(
    ("setting", "any_length", "sizes"),
    [("auto", False, (30.0,)),
     ("auto", True, ANY_S),
     ("any", False, ANY_S),
     ("30", True, (30.0,)),
     ("20,10,15", False, (10.0, 15.0, 20.0, 30.0))],
)  # fmt: skip
def test_settings(setting: str, any_length: bool, sizes: tuple[float, ...]) -> None:
    assert windows_for(setting, any_length=any_length).sizes_s == sizes


def test_only_weights_of_whispers_own_training_take_several_utterances() -> None:
    assert windows_for("auto", any_length=False).takes_several
    assert windows_for("any", any_length=False).takes_several
    assert not windows_for("30", any_length=True).takes_several


@given(st.floats(0, 29.5), st.sampled_from([Windows(), Windows(ANY_S), Windows((10.0, 15.0, 20.0, 30.0))]))
def test_sound_gets_the_lowest_rung_that_it_fits_into(sound_s: float, windows: Windows) -> None:
    size = windows.size_s(sound_s)
    assert sound_s + TAIL_S <= size
    below = [one for one in windows.sizes_s if one < size]
    assert not below or below[-1] < sound_s + TAIL_S


def test_the_longest_window_takes_all() -> None:
    assert Windows(ANY_S).size_s(29.9) == LONGEST_S
