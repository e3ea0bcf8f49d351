"""What may be said of redaction, and what may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from zccvoice.config import RedactionConfig


@pytest.mark.parametrize("mask", ["[card]", "[Karte]", "****", "••••"])
def test_masks(mask: str) -> None:
    assert RedactionConfig(masks={"card": mask}).masks == {"card": mask}


@pytest.mark.parametrize("mask", ["", "1234", "[card 1]", "secret word", "[4111]", "card"])
def test_a_mask_must_not_look_like_anything_that_was_said(mask: str) -> None:
    with pytest.raises(ValidationError):
        RedactionConfig(masks={"card": mask})


def test_names_are_taken_out_only_when_asked_for() -> None:
    assert "name" not in RedactionConfig().classes
    assert RedactionConfig(classes=("name",)).classes == ("name",)


def test_an_exception_is_for_somebody() -> None:
    with pytest.raises(ValidationError, match="queues, products: expected at least one of them"):
        RedactionConfig.model_validate({"exceptions": [{"classes": []}]})
