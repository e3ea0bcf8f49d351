"""A labelled set for redaction: utterances with and without what must not be stored, the same on every run.

Numbers are made with the check digits that they need and then written or said as people do; the number words are
this file's own, so that one mistake in the vocabulary does not hide another. Said beside an utterance is its
marked part: nothing of it may be left over.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zccvoice.bench.number_words import digit_by_digit, spoken, written

_AT = {"en": "at", "es": "arroba", "de": "at"}
_DOT = {"en": "dot", "es": "punto", "de": "Punkt"}
_UNDERSCORE = {"en": "underscore", "es": "guion bajo", "de": "Unterstrich"}

_TRACKING = ("{10}", "{11}", "{12}", "{14}", "{16}", "{20}", "{22}", "1Z{16}", "RR{9}DE")
"""How carriers number parcels."""

_CARRIERS = {
    ("card", "en"): (
        "{}",
        "my card number is {}",
        "sure, it's {}, got it?",
        "{} that's the Visa",
        "Yes. {}. Thanks",
    ),
    ("card", "es"): ("{}", "mi tarjeta es la {}", "sí, apunte: {}, ¿vale?", "el número es {} gracias"),
    ("card", "de"): ("{}", "meine Kartennummer lautet {}", "gerne: {}, haben Sie das", "{} ist meine Visa"),
    ("security_code", "en"): ("the security code is {}", "CVV {}", "my CVC is {} thanks", "{} is the CVV"),
    ("security_code", "es"): ("el código de seguridad es {}", "el CVV es {}", "CVC {} gracias"),
    ("security_code", "de"): ("der Sicherheitscode ist {}", "die Prüfnummer lautet {}", "CVC {} bitte"),
    ("iban", "en"): ("my IBAN is {}", "{}", "please take {} thanks"),
    ("iban", "es"): ("mi IBAN es {}", "{}", "la cuenta es la {} gracias"),
    ("iban", "de"): ("meine IBAN ist {}", "{}", "buchen Sie von {} bitte"),
    ("national_id", "en"): ("my social security number is {}", "social {}", "my SSN, {}, okay"),
    ("national_id", "es"): ("mi DNI es {}", "{}", "documento {} gracias"),
    ("national_id", "de"): ("meine Steuer-ID ist {}", "{}", "Identifikationsnummer {} bitte"),
    ("email", "en"): ("my email is {}", "write to {} please", "it's {}"),
    ("email", "es"): ("mi correo es {}", "escríbame al {} por favor", "es {}"),
    ("email", "de"): ("meine Mailadresse ist {}", "schreiben Sie an {} bitte", "das ist {}"),
    ("phone", "en"): ("my number is {}", "call me back at {} please", "my cell is {}"),
    ("phone", "es"): ("mi teléfono es el {}", "llámeme al {} por favor", "mi móvil, {}"),
    ("phone", "de"): ("meine Nummer ist die {}", "Sie erreichen mich unter {}", "mein Handy {}"),
}
_INNOCENT = {
    "en": (
        "my order number is {long}", "tracking number {tracking}", "it was on {day} at {time}",
        "that is ${amount}",
        "extension {short}", "I ordered {few} of them for {amount} dollars",
        "I have called {few} times since {year}",
        "one moment please", "it's flight BA {short} at {time}", "my invoice {long} says {amount}",
        "the parcel with the number {tracking} never came", "twenty one days, then thirty more, for two people",
        "ticket {long}, opened on {day}", "zip code {zip}", "look at our site at example dot com", "room {short}",
        "order {spoken}", "about {few} or {few} thousand", "between {time} and {time}", "you saved {few} percent",
    ),
    "es": (
        "mi número de pedido es {long}", "número de seguimiento {tracking}",
        "fue el {day} a las {time}",
        "son {amount} euros",
        "extensión {short}", "pedí {few} por {amount} euros", "llamé {few} veces desde {year}",
        "un momento por favor", "el vuelo IB {short} sale a las {time}", "la factura {long} dice {amount}",
        "el paquete {tracking} no llegó", "veintiún días, luego treinta más, para dos personas",
        "incidencia {long}, abierta el {day}", "código postal {zip}", "habitación {short}", "pedido {spoken}",
        "entre las {time} y las {time}", "un {few} por ciento de descuento", "no hay punto de comparación",
    ),
    "de": (
        "meine Bestellnummer ist {long}", "Sendungsnummer {tracking}", "das war am {day} um {time} Uhr",
        "das macht {amount} Euro", "Durchwahl {short}", "ich habe {few} Stück für {amount} Euro bestellt",
        "einen Moment bitte", "Flug LH {short} um {time}", "Rechnung {long} über {amount} Euro",
        "das Paket {tracking} ist nie angekommen", "einundzwanzig Tage, dann dreißig weitere, für zwei Personen",
        "Vorgang {long} vom {day}", "Postleitzahl {zip}", "Zimmer {short}", "Bestellung {spoken}",
        "zwischen {time} und {time}", "ein Rabatt von {few} Prozent", "seit {year} bin ich Kunde",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """One utterance of the set."""

    kind: str
    """The class of what must be found; ``none``."""
    language: str
    form: str
    """``written`` or ``spoken``."""
    text: str
    marked: str = ""
    """The part that must be gone."""


def positives(count: int, seed: int = 1) -> Iterator[Labelled]:
    """Utterances with something in them: `count` of each class, language and form."""
    for (kind, language), carriers in _CARRIERS.items():
        for form in ("written", "spoken"):
            draw = random.Random(f"{seed} {kind} {language} {form}")  # noqa: S311  # the same every time
            for _ in range(count):
                marked = _MAKERS[kind](draw, language, form)
                yield Labelled(kind, language, form, draw.choice(carriers).format(marked), marked)


def negatives(count: int, seed: int = 1) -> Iterator[Labelled]:
    """Innocent utterances with numbers in them: `count` of each language."""
    for language, sentences in _INNOCENT.items():
        draw = random.Random(f"{seed} {language}")  # noqa: S311  # the same every time
        for _ in range(count):
            yield Labelled(
                "none", language, "written", draw.choice(sentences).format(**_numbers(draw, language))
            )


def luhn_digit(body: str) -> str:
    """The digit that makes a card number of its other digits."""
    doubled = [int(one) * (2 if place % 2 == 0 else 1) for place, one in enumerate(reversed(body))]
    return str(-sum(one - 9 if one > 9 else one for one in doubled) % 10)


def _random_digits(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(count))


def _card(draw: random.Random, language: str, form: str) -> str:
    begin, length = draw.choice(
        [("4", 16), ("4", 16), (f"5{draw.randint(1, 5)}", 16), ("2350", 16), ("37", 15), ("34", 15), ("6011", 16),
         ("36", 14), ("3530", 16)]
    )  # fmt: skip
    body = begin + _random_digits(draw, length - 1 - len(begin))
    number = body + luhn_digit(body)
    return written(draw, number, language) if form == "written" else spoken(draw, number, language)


def _security_code(draw: random.Random, language: str, form: str) -> str:
    number = _random_digits(draw, draw.choice((3, 3, 4)))
    return number if form == "written" else digit_by_digit(draw, number, language)


def _iban(draw: random.Random, language: str, form: str) -> str:
    country, bank, length = {"en": ("GB", "NWBK", 14), "es": ("ES", "", 20), "de": ("DE", "", 18)}[language]
    account = bank + _random_digits(draw, length)
    value = int("".join(str(int(one, 36)) for one in account + country + "00"))
    number = f"{country}{98 - value % 97:02}{account}"
    if form == "written":
        return draw.choice((number, " ".join(number[at : at + 4] for at in range(0, len(number), 4))))
    letters, digits = f"{country} ", number[2:4]
    said = letters + digit_by_digit(draw, digits, language)
    said += " " + " ".join(bank) if bank else ""
    return f"{said}, {spoken(draw, account[len(bank) :], language)}"


def _national_id(draw: random.Random, language: str, form: str) -> str:
    if language == "en":
        parts = (f"{draw.randint(1, 665):03}", f"{draw.randint(1, 99):02}", f"{draw.randint(1, 9999):04}")
        if form == "written":
            return draw.choice("- ").join(parts)
        return ", ".join(digit_by_digit(draw, part, language) for part in parts)
    if language == "es":
        number = draw.randint(10_000_000, 99_999_999)
        letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
        if form == "written":
            return f"{number}{draw.choice((' ', '-', ''))}{letter}"
        return f"{digit_by_digit(draw, str(number), language)} {letter}"
    number_ = _steuer_id(draw)
    return number_ if form == "written" else spoken(draw, number_, language)


def _steuer_id(draw: random.Random) -> str:
    digits = draw.sample("0123456789", 9)
    digits.insert(draw.randrange(1, 9), draw.choice(digits[1:]))
    if digits[0] == "0":
        digits[0], digits[-1] = digits[-1], digits[0]
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    check = str((11 - product) % 10)
    return _steuer_id(draw) if digits[0] == "0" else "".join(digits) + check


def _email(draw: random.Random, language: str, form: str) -> str:
    first, last = (
        draw.choice(("jane", "maria", "max", "li", "ahmed")),
        draw.choice(("doe", "ruiz", "muster", "wong")),
    )
    host, top = (
        draw.choice(("gmail", "example", "web", "firma")),
        {"en": "com", "es": "es", "de": "de"}[language],
    )
    number = draw.choice(("", "", str(draw.randint(1, 99))))
    joint = draw.choice((".", "_", ""))
    if form == "written":
        return f"{first}{joint}{last}{number}@{host}.{top}"
    between = {".": f" {_DOT[language]} ", "_": f" {_UNDERSCORE[language]} "}.get(joint)
    name = f"{first}{between}{last}" if between else draw.choice((first, " ".join(first)))
    if number:
        name = f"{name} {number}"
    return f"{name} {_AT[language]} {host} {_DOT[language]} {top}"


def _phone(draw: random.Random, language: str, form: str) -> str:
    if language == "en":
        parts = (f"{draw.randint(201, 989)}", f"{draw.randint(200, 999)}", _random_digits(draw, 4))
        if form == "written":
            return draw.choice(("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1 {} {} {}", "{} {} {}")).format(
                *parts
            )
    elif language == "es":
        parts = (f"{draw.randint(600, 799)}", _random_digits(draw, 3), _random_digits(draw, 3))
        if form == "written":
            return draw.choice(("{} {} {}", "+34 {} {} {}", "{}{}{}")).format(*parts)
    else:
        parts = (f"01{draw.randint(50, 79)}", _random_digits(draw, 7), "")
        if form == "written":
            return draw.choice(("{} {}", "{}/{}", "{}{}", "+49 {} {}")).format(*parts)
    return ", ".join(digit_by_digit(draw, part, language) for part in parts if part)


_MAKERS: dict[str, Callable[[random.Random, str, str], str]] = {
    "card": _card,
    "security_code": _security_code,
    "iban": _iban,
    "national_id": _national_id,
    "email": _email,
    "phone": _phone,
}


def _numbers(draw: random.Random, language: str) -> dict[str, str]:
    tracking = draw.choice(_TRACKING)
    length = int(tracking[tracking.index("{") + 1 : tracking.index("}")])
    return {
        "long": _random_digits(draw, draw.randint(6, 12)),
        "tracking": tracking.replace(f"{{{length}}}", _random_digits(draw, length)),
        "day": draw.choice(("12/03/2026", "3.4.2026", "2026-11-26", "26 11 2026")),
        "time": f"{draw.randint(0, 23)}:{draw.randint(0, 59):02}",
        "amount": f"{draw.randint(1, 9999)}.{draw.randint(0, 99):02}",
        "short": _random_digits(draw, draw.randint(2, 4)),
        "few": str(draw.randint(2, 30)),
        "year": str(draw.randint(1990, 2026)),
        "zip": _random_digits(draw, 5),
        "spoken": digit_by_digit(draw, _random_digits(draw, draw.randint(5, 9)), language),
    }
