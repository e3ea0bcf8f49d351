"""What is wrong with settings of speech, in words."""

from __future__ import annotations

from typing import Any

import pytest

from zccvoice.config import SpeechConfig, load
from zccvoice.errors import ConfigError


@pytest.mark.parametrize("windows", ["", "0,30", "10,31", "10;20", "all", "10,,20", "-5", "1.5"])
def test_what_is_no_ladder_of_windows(windows: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, speech={"windows": windows})
    expected = "speech.windows: expected auto, any, or seconds from 1 to 30 as in 10,15,20,30"
    assert caught.value.problems == [f"{expected}; got {windows!r}"]


@pytest.mark.parametrize("windows", ["auto", "any", "30", "20, 10,15"])
def test_ladders_of_windows(windows: str) -> None:
    assert load(None, speech={"windows": windows}).speech.windows == windows


def test_all_problems_at_once() -> None:
    prompts: dict[str, Any] = {"Orders": {"text": "word " * 30, "hotwords": ["word"] * 20}}
    with pytest.raises(ConfigError) as caught:
        load(None, speech={"windows": "all", "batch": 0, "prompts": prompts})
    assert [one.split(":")[0] for one in sorted(caught.value.problems)] == [
        "speech.batch",
        "speech.prompts.Orders",
        "speech.windows",
    ]
    assert any("expected at most 49 words together, got 50" in one for one in caught.value.problems)


def test_nothing_is_expected_unless_it_is_configured() -> None:
    settings = SpeechConfig()
    assert (settings.prompt.text, settings.prompt.hotwords, settings.prompts) == ("", (), {})
