"""What is wrong with settings of languages, in words."""

from __future__ import annotations

from typing import Any

import pytest

from zccvoice.config import LanguageConfig, load
from zccvoice.errors import ConfigError


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [({"default": "detect"}, "language.among: expected two languages at least, got 0"),
     ({"agents": {"A": "detect"}, "among": ["de", "DE"]},
      "language.among: expected two languages at least, got 1"),
     ({"among": ["de", "en"], "fallback": "es"}, "language.fallback: expected one of among (de, en), got es"),
     ({"voiced_s": 20}, "language.most_voiced_s: expected at least voiced_s (20), got 15"),
     ({"products": {"voice": "en"}},
      "language.products.voice: expected 'contact_center', 'meeting', 'webinar', 'video_sdk', 'phone' or "
      "'recording', got 'voice'"),
     ({"agents": {"u1": "german"}},
      "language.agents.u1: expected a text that matches ^(detect|[a-z]{2,3})$, got 'german'")],
)  # fmt: skip
def test_what_cannot_be_meant(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, language=wrong)
    assert problem in caught.value.problems


def test_languages_that_the_weights_have_to_know() -> None:
    assert LanguageConfig().languages == {"en"}
    assert LanguageConfig(default="en", among=("de", "es")).languages == {"en"}
    several = LanguageConfig(default="DETECT", among=("de", "es"), products={"meeting": "fr"})
    assert several.languages == {"de", "es", "fr"}
