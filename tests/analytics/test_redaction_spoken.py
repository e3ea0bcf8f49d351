"""A card number is gone in whatever way its digits are said, and whatever script stands beside it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.redaction import redact
from zccvoice.bench.number_words import below_ten_thousand, digit_by_digit
from zccvoice.bench.redaction_set import luhn_digit


def cards(begin: str = "4") -> st.SearchStrategy[str]:
    bodies = st.from_regex(rf"{begin}[0-9]{{14}}", fullmatch=True)
    return bodies.map(lambda body: body + luhn_digit(body))


def said(draw: random.Random, group: str, language: str) -> str:
    """Four digits as one of the ways a speaker may choose: by digits, in pairs, or as one number."""
    way = draw.choice(("digits", "digits", "pairs", "number"))
    if way == "digits":
        digits = digit_by_digit(draw, group, language)
        return digits.replace("dreimal ", "dreimal die ") if draw.random() < 0.5 else digits
    if way == "number" and group[0] != "0":
        if language != "en":
            return below_ten_thousand(int(group), language)
        if group[2:] == "00":
            hundreds = below_ten_thousand(int(group[:2]), "en")
            return f"{draw.choice((hundreds, hundreds.replace('-', ' ')))} hundred"
    if "0" in (group[0], group[2]):
        return digit_by_digit(draw, group, language)
    return " ".join(below_ten_thousand(int(pair), language) for pair in (group[:2], group[2:]))


@pytest.mark.parametrize("language", ["en", "es", "de"])
@given(number=cards(), draw=st.randoms(use_true_random=False))
def test_however_it_is_said(language: str, number: str, draw: random.Random) -> None:
    groups = [number[at : at + 4] for at in range(0, 16, 4)]
    assert redact(", ".join(said(draw, group, language) for group in groups), language) == "[card]"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "vier dreimal die eins, viermal die eins, viermal die eins, viermal die eins"),
        ("de", "4 dreimal die 1, 1111, 1111 und 1111"),
        ("en", "four five four eight, fourteen fifty four, two one two four, seventy-two hundred"),
        ("en", "forty six hundred, four seven five four, nine one one seven, 4868"),
    ],
)
def test_groups_that_were_missed(language: str, text: str) -> None:
    assert redact(text, language) == "[card]"


@pytest.mark.parametrize("text", ["twenty-one hundred", "forty-one hundred and eleven dollars"])
def test_other_hundreds_stay(text: str) -> None:
    assert redact(text, "en") == text


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("zh", "我的卡号是", "。"),
        ("ja", "カード番号は", "です"),
        ("ko", "카드 번호는 ", "입니다"),
        ("th", "หมายเลขบัตร", "ครับ"),
        ("ar", "رقم البطاقة ", "و"),
        (None, "卡", "号"),
    ],
)
@pytest.mark.parametrize(
    ("number", "mask"),
    [
        ("4111111111111111", "[card]"),
        ("4111 1111 1111 1111", "[card]"),
        ("4111-1111-1111-1111", "[card]"),
        ("๔๑๑๑๑๑๑๑๑๑๑๑๑๑๑๑", "[card]"),
        ("DE89370400440532013000", "[iban]"),
        ("DE89 3704 0044 0532 0130 00", "[iban]"),
    ],
)
def test_letters_of_scripts_without_spaces_are_no_part_of_a_number(
    language: str | None, before: str, after: str, number: str, mask: str
) -> None:
    assert redact(f"{before}{number}{after}", language) == f"{before}{mask}{after}"


@pytest.mark.parametrize("letter", ["X", "é", "ж", "ß", "_", "9"])
def test_other_letters_are(letter: str) -> None:
    for text in (f"ref {letter}4111111111111111", f"ref 4111111111111111{letter}"):
        assert redact(text) == text


@pytest.mark.parametrize(
    "text", ["2024年12月31日", "订单号4111111111111112。", "価格は12000円です", "합계 35000원"]
)
def test_other_numbers_beside_them_stay(text: str) -> None:
    assert redact(text, "zh") == text
