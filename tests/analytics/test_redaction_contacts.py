"""Addresses with a hyphen that is said, and telephone numbers beside dates and amounts."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zccvoice.analytics.redaction import redact


@pytest.mark.parametrize(
    ("language", "text", "redacted"),
    [
        ("de", "max punkt mustermann at t minus online punkt de", "[email]"),
        ("de", "m punkt weber at stadtwerke bindestrich bonn punkt de bitte", "[email] bitte"),
        ("de", "max@t minus online.de", "[email]"),
        ("es", "ana arroba mi guion empresa punto es", "[email]"),
        ("es", "ana arroba mi guion bajo empresa punto es", "[email]"),
        ("en", "john at my dash company dot com", "[email]"),
        ("en", "john at my dash big dash company dot co dot uk", "[email]"),
    ],
)
def test_a_hyphen_in_a_domain_may_be_said(language: str, text: str, redacted: str) -> None:
    assert redact(text, language) == redacted


@pytest.mark.parametrize("rest", [" dash all lower case", " minus 5", " dash", " plus dot"])
@pytest.mark.parametrize("address", ["jane at gmail dot com", "jane@gmail.com"])
def test_a_hyphen_behind_an_address_is_none_of_it(address: str, rest: str) -> None:
    assert redact(address + rest, "en") == f"[email]{rest}"


@pytest.mark.parametrize("text", ["we met at noon minus five", "look at my dash company dot com"])
def test_a_hyphen_alone_makes_no_address(text: str) -> None:
    assert redact(text, "en") == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Der Rückruf ist am 12.03.2024 um 15:45 Uhr."),
        ("de", "Das Handy wurde am 12.03.2024 geliefert."),
        ("de", "Wir rufen Sie am 12. 03. 2024 an."),
        ("en", "I'll call you back on 12/03/2024."),
        ("en", "Can you call me back on 3/31/2025?"),
        ("en", "my phone was sent on 2024-03-12"),
        ("en", "the phone is 1,299,000 pesos"),
        ("es", "Le llamo al móvil el 12/03/2024"),
        ("es", "el teléfono cuesta 1.299.000 pesos"),
        ("en", "my customer number is 10045678"),
        ("en", "my member number is 415 555 2671"),
        ("en", "my account number is 10045678"),
    ],
)
def test_what_is_no_telephone_number_stays_beside_a_cue(language: str, text: str) -> None:
    assert redact(text, language) == text


@pytest.mark.parametrize(
    ("language", "text", "redacted"),
    [
        ("en", "my number is 555-123-4567", "my number is [phone]"),
        ("en", "my number is 12.34.5678", "my number is [phone]"),  # there is no 34th month
        ("en", "my number is 12/03-2024", "my number is [phone]"),
        ("en", "my number is 12 03 2024", "my number is [phone]"),
        ("en", "my number is 01.02.3456", "my number is [phone]"),
        ("en", "my number is 12.03.20244", "my number is [phone]"),
        ("en", "my number is 1, 299, 000", "my number is [phone]"),
        ("en", "my number is 0.299.000.1", "my number is [phone]"),
        ("es", "mi teléfono es 91.123.45.67", "mi teléfono es [phone]"),
        ("es", "mi móvil es 612.345.678", "mi móvil es [phone]"),
        ("en", "the phone number on my account is 415 555 2671", "the phone number on my account is [phone]"),
    ],
)
def test_what_is_one_is_redacted(language: str, text: str, redacted: str) -> None:
    assert redact(text, language) == redacted


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%d.%m.%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y/%m/%d"]),
)
def test_no_day_of_these_centuries_is_a_telephone_number(day: date, form: str) -> None:
    text = f"call me back on {day.strftime(form)} please"
    assert redact(text, "en") == text
