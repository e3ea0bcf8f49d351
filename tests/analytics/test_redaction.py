"""What must not be stored is found, and what may be stays."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zccvoice.analytics.redaction import redact, redact_words


def luhn_sum(digits: str) -> int:
    """By the book: double every second digit from the right, without the first."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    body = draw(st.from_regex(r"[1-9][0-9]{11,17}", fullmatch=True))
    return body + str(-luhn_sum(body + "0") % 10)


@st.composite
def separated(draw: st.DrawFn, digits: str) -> str:
    """The digits, cut into groups anywhere."""
    separators = st.sampled_from(["", "", "", " ", "-", ", ", ". ", " - ", "–"])
    return digits[0] + "".join(draw(separators) + digit for digit in digits[1:])


def test_a_card_after_a_word_that_is_a_country() -> None:
    assert redact("It is 790040653658070630. Thanks") == "It is [card]. Thanks"


@given(card_numbers(), st.data())
def test_a_card_number_is_always_caught(number: str, data: st.DataObject) -> None:
    spoken = data.draw(separated(number))
    assert redact(f"It is {spoken}. Thanks") == "It is [card]. Thanks"
    assert redact(spoken) == "[card]"


@given(st.from_regex(r"[0-9]{16}", fullmatch=True).filter(lambda digits: luhn_sum(digits) % 10 != 0))
def test_sixteen_digits_with_a_wrong_check_digit_stay(digits: str) -> None:
    in_fours = " ".join(digits[i : i + 4] for i in range(0, 16, 4))
    for text in (f"order {digits} please", f"order {in_fours}, please"):
        assert redact(text) == text


@given(st.from_regex(r"[0-9]{1,12}|[0-9]{20,30}", fullmatch=True))
def test_numbers_of_other_lengths_stay(digits: str) -> None:
    assert redact(f"order {digits} please") == f"order {digits} please"


PIECES = (
    "4111|1111|1111,|1111.|411111|12|26|yes|DE89|3704|0044|0532|0130|00|de|89|–|"
    "a.b@c.de|(a@b.org),|x@|@|4111-1111-1111-1111|"
)
words = st.lists(st.sampled_from(PIECES.split("|")), max_size=14)


@example(["4111-1111-1111-1111", "1111", "1111", "12", "3704", "0130"])
@given(words)
def test_text_and_words_agree(words: list[str]) -> None:
    redacted = redact_words(words)
    assert len(redacted) == len(words)
    assert redact(" ".join(words)).split() == " ".join(redacted).split()
    assert redact_words(redacted) == redacted  # once is enough


@given(st.text())
def test_any_text_without_digits_and_at_signs_stays(text: str) -> None:
    harmless = "".join(letter for letter in text if letter != "@" and not letter.isdigit())
    assert redact(harmless) == harmless


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("card 4111 1111 1111 1111", "card [card]"),
        ("card 3782 822463 10005 amex", "card [card] amex"),
        ("4111 1111 1111 1111 12 26 123", "[card] 12 26 [security_code]"),  # expiry date and code after it
        ("two of 4111111111111111", "two of [card]"),
        ("I bought 2 4111-1111-1111-1111", "I bought 2 [card]"),
        ("«4111111111111111»", "«[card]»"),
        ("5555 5555 5555 4444 and 4111 1111 1111 1111", "[card] and [card]"),
        ("call +49 151 234567891", "call [phone]"),
        ("ref X4111111111111111", "ref X4111111111111111"),
        ("ISBN 978-3-16-148410-0", "ISBN 978-3-16-148410-0"),
        ("DE89 3704 0044 0532 0130 00", "[iban]"),
        ("de 89 37 04 00 44 05 32 01 30 00.", "[iban]."),
        ("D E 89 3704 0044 0532 0130 00, thanks", "[iban], thanks"),
        ("IBAN: GB82WEST12345698765432!", "IBAN: [iban]!"),
        ("GB82 WEST 1234 5698 7654 33", "GB82 WEST 1234 5698 7654 33"),
        ("NO93 8601 1117 947 e altro", "[iban] e altro"),
        ("DE89 3704 0044 0532 0130 001", "DE89 3704 0044 0532 0130 001"),
        ("XX89 3704 0044 0532 0130 00", "XX89 3704 0044 0532 0130 00"),
        ("write to jane.doe+x@mail.example.org.", "write to [email]."),
        ("jane @ example.org ok", "[email] ok"),
        ("two for @home and me@home", "two for @home and me@home"),
        ("at 5 o'clock, 20 % off", "at 5 o'clock, 20 % off"),
    ],
)
def test_examples(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_a_find_over_several_words_leaves_its_mark_at_the_first() -> None:
    assert redact_words(["It's", "4111", "1111", "1111", "1111.", "Right"]) == [
        "It's",
        "[card].",
        "",
        "",
        "",
        "Right",
    ]


def test_two_finds_may_share_a_word() -> None:
    assert redact_words(["4111", "111111111111,a@b.de", "!"]) == ["[card],[email]", "", "!"]


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 20_000,
        "a@" * 20_000,
        "DE89 " * 10_000,
        "a." * 30_000,
        "4" * 50_000,
        "4111111111111111 " + "123 x " * 3_000,
    ],
)
def test_long_input_takes_no_long_time(text: str) -> None:
    assert redact(text)
