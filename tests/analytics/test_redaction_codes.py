"""Security codes: in the sentences that people use, and beside a card."""

from __future__ import annotations

import pytest

from zccvoice.analytics.redaction import redact, redact_words
from zccvoice.analytics.redaction.policy import asked_for

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "and the three numbers on the back are {}"),
        ("en", "The numbers on the back are {}."),
        ("en", "{} is the security number"),
        ("es", "los tres números de detrás son {}"),
        ("es", "los números del reverso son {}"),
        ("es", "los tres dígitos de la parte trasera son {}"),
        ("es", "el código de tres cifras es {}"),
        ("de", "die Zahl auf der Rückseite ist {}"),
        ("de", "die dreistellige Nummer hinten ist {}"),
        ("de", "die drei Zahlen hinten auf der Karte sind {}"),
    ],
)
def test_usual_sentences(language: str, text: str) -> None:
    assert redact(text.format("737"), language) == text.format("[security_code]")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "{}, expires 12/26, and the code is {}"),
        ("en", "{}, exp 12 26, {} on the back"),
        ("en", "{}, expiration december 2026, {} on the back"),
        ("en", "{}, exp 12/26, security {}"),
        ("en", "{}, that was 450 euros, the code is {}"),
        ("en", "order {}, code is {}"),
        ("es", "{}, caduca 12/26, y el código es {}"),
        ("es", "{}, caduca 12/26, {} por detrás"),
        ("de", "{}, gültig bis 12/26, und der Code ist {}"),
        ("de", "{}, gültig bis 12/26, {} steht hinten"),
    ],
)
@pytest.mark.parametrize("code", ["123", "7371"])
def test_the_code_of_a_card_needs_less_to_be_one(language: str, text: str, code: str) -> None:
    assert redact(text.format(CARD, code), language) == text.format("[card]", "[security_code]")


@pytest.mark.parametrize("code", ["one two three", "one twenty-three", "1 2 3"])
def test_it_may_be_said(code: str) -> None:
    text = "{}, expires 12/26, and the code is {}"
    assert redact(text.format(CARD, code), "en") == text.format("[card]", "[security_code]")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "{}, my zip code is 9410"),
        ("en", "{}, and my promo code is 123"),
        ("en", "{}, the order code is 456"),
        ("en", "{}, code of what, it expires 12/26"),
        ("en", "{}, code of what, it expires 3/26"),
        ("en", "{}, code of what, it expires 1226, december 2026"),
        ("en", "{}, and that was 450 euros"),
        ("es", "{}, el código postal es 2800"),
        ("es", "{}, el código del pedido es 456"),
        ("de", "{}, der Gutschein-Code ist 1234"),
        ("de", "{}, das waren 450 Euro"),
    ],
)
def test_other_numbers_beside_a_card_stay(language: str, text: str) -> None:
    assert redact(text.format(CARD), language) == text.format("[card]")


def test_a_number_that_is_called_stays_whole_beside_a_card() -> None:
    text = f"{CARD}, and call me back on 612 345 678"
    assert redact(text, "en") == "[card], and call me back on [phone]"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "the code is 123"),
        ("en", "my order code is 456, room 123 on the back"),
        ("es", "el código postal es 2800 y el código es 123"),
        ("de", "Der Code des Gutscheins ist 1234"),
        ("de", "auf der Rückseite steht 123"),
    ],
)
def test_without_a_card_the_same_words_are_no_cues(language: str, text: str) -> None:
    assert redact(text, language) == text


def test_a_card_may_just_have_been_given() -> None:
    words = ["expires", "12/26", "and", "the", "code", "is", "123"]
    assert redact_words(words, "en") == words
    assert redact_words(words, "en", expected={"card"})[-1] == "[security_code]"


@pytest.mark.parametrize(
    ("language", "question", "is_asked"),
    [
        ("en", "And the three numbers on the back?", True),
        ("en", "And the security number?", True),
        ("en", "And your social security number?", False),
        ("es", "¿Y los tres números que están detrás?", True),
        ("de", "Und die drei Zahlen hinten auf der Karte?", True),
        ("de", "Und die Hausnummer?", False),
    ],
)
def test_questions(language: str, question: str, is_asked: bool) -> None:
    assert ("security_code" in asked_for(question.split(), language)) == is_asked
