"""Numbers as people write and say them, in three languages: in groups, digit by digit, with hesitations.

Not the vocabulary that redaction reads them with: one mistake must not hide another.
"""

from __future__ import annotations

import random

_DIGITS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "es": ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
    "de": ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
}
_TEENS = {
    "en": [
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ],
    "es": [
        "diez",
        "once",
        "doce",
        "trece",
        "catorce",
        "quince",
        "dieciséis",
        "diecisiete",
        "dieciocho",
        "diecinueve",
    ],
    "de": [
        "zehn",
        "elf",
        "zwölf",
        "dreizehn",
        "vierzehn",
        "fünfzehn",
        "sechzehn",
        "siebzehn",
        "achtzehn",
        "neunzehn",
    ],
}
_TENS = {
    "en": ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
    "es": ["veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"],
    "de": ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"],
}
_HUNDREDS_ES = [
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
]
_REPEATS = {"en": ("double", "triple"), "es": ("doble", "triple"), "de": ("doppel", "dreimal")}
_FILLERS = {
    "en": ("uh", "um", "and then", "okay"),
    "es": ("eh", "y luego", "vale"),
    "de": ("äh", "und dann", "ja"),
}


def written(draw: random.Random, number: str, language: str) -> str:
    """A number in groups, as people write it: four digits each, or cut anywhere."""
    separator = draw.choice(("", " ", " ", "-", ". ", ", ", "... ", f" {draw.choice(_FILLERS[language])} "))
    size = draw.choice((4, 4, 4, 2, 0))
    groups, at = [], 0
    while at < len(number):
        step = size or draw.randint(1, 6)
        groups.append(number[at : at + step])
        at += step
    return separator.join(groups)


def spoken(draw: random.Random, number: str, language: str) -> str:
    """A number as people say it: digit by digit, in pairs, in fours, or half of it written by the recognizer."""
    way = draw.choice(("digits", "digits", "pairs", "mixed", "fours"))
    if way == "digits" or (way == "fours" and language == "en"):
        return digit_by_digit(draw, number, language)
    if way == "mixed":
        return f"{number[:4]} {digit_by_digit(draw, number[4:], language)}"
    size = 2 if way == "pairs" else 4
    groups = [number[at : at + size] for at in range(0, len(number), size)]
    return ", ".join(_grouped(draw, group, language) for group in groups)


def _grouped(draw: random.Random, group: str, language: str) -> str:
    if len(group) < 2 or group[0] == "0":
        return digit_by_digit(draw, group, language)
    return below_ten_thousand(int(group), language)


def digit_by_digit(draw: random.Random, number: str, language: str) -> str:
    """A number one digit at a time, with a repeated one sometimes said as such, and hesitations."""
    said: list[str] = []
    at = 0
    while at < len(number):
        digit = _DIGITS[language][int(number[at])]
        run = len(number[at:]) - len(number[at:].lstrip(number[at]))
        if run >= 2 and draw.random() < 0.4:
            times = min(run, 3)
            said.append(f"{_REPEATS[language][times - 2]} {digit}")
            at += times
            continue
        said.append("oh" if digit == "zero" and draw.random() < 0.5 else digit)
        at += 1
        if at < len(number) and draw.random() < 0.08:
            said.append(draw.choice(_FILLERS[language]))
    return " ".join(said)


def below_ten_thousand(number: int, language: str) -> str:
    """A number as it is said."""
    thousand, hundred, rest = number // 1000, number // 100 % 10, number % 100
    if language == "de":
        units = ["ein" if one == "eins" else one for one in _DIGITS["de"]]
        head = (f"{units[thousand]}tausend" if thousand else "") + (
            f"{units[hundred]}hundert" if hundred else ""
        )
        return head + (_below_hundred(rest, language) if rest or not head else "")
    if language == "es":
        parts = ["mil" if thousand == 1 else f"{_DIGITS['es'][thousand]} mil"] if thousand else []
        if hundred:
            name = "novecientos" if hundred == 9 else _HUNDREDS_ES[hundred - 1]
            parts.append("cien" if hundred == 1 and not rest else name)
        return " ".join([*parts, *([_below_hundred(rest, language)] if rest or not parts else [])])
    return _below_hundred(rest, language)


def _below_hundred(number: int, language: str) -> str:
    if number < 10:
        return _DIGITS[language][number]
    if number < 20:
        return _TEENS[language][number - 10]
    tens, unit = _TENS[language][number // 10 - 2], number % 10
    if not unit:
        return tens
    if language == "de":
        return f"{'ein' if unit == 1 else _DIGITS['de'][unit]}und{tens}"
    if language == "es":
        if number < 30:
            return "veinti" + {2: "dós", 3: "trés", 6: "séis"}.get(unit, _DIGITS["es"][unit])
        return f"{tens} y {_DIGITS['es'][unit]}"
    return f"{tens}-{_DIGITS['en'][unit]}"
