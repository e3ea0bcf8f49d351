from __future__ import annotations

from collections.abc import Callable

from zccvoice.config import Config
from zccvoice.doctor.finding import Verdict
from zccvoice.doctor.weights import check_weights


def test_the_demo_weights_are_for_the_demo(settings: Callable[..., Config]) -> None:
    (found,) = check_weights(settings(language={"default": "en", "queues": {"Technik": "de"}}))
    assert found.verdict is Verdict.WARNING
    assert "knows de, en" in found.found


def test_a_language_that_they_do_not_know(settings: Callable[..., Config]) -> None:
    (found,) = check_weights(settings(language={"default": "xx"}))
    assert (found.verdict, "xx" in found.found) == (Verdict.FAILED, True)


def test_weights_that_are_not_there(settings: Callable[..., Config]) -> None:
    (found,) = check_weights(settings(speech={"model": "/nowhere/model"}))
    assert found.verdict is Verdict.FAILED
