"""Sentences of service calls, made of few words: some in nearly every sentence, others in one of hundreds.

What matters to a database is how often a word occurs; to nobody else do these sentences make sense.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

SENTENCES = 20_000
"""Per language."""
WORD_MS = 330

_WORDS = {
    "en": "the to I you a it and that is my we for on have order can your not in be me please with was do "
    "this account will yes just number so card what there call thank help would could check today "
    "delivery payment address invoice refund problem email phone cancel change price wait working "
    "contract manager router password internet update package tomorrow receipt warranty broken "
    "credit transfer complaint supervisor discount appointment technician subscription replacement "
    "confirmation installation overcharged reimbursement voucher",
    "de": "ich die das ist und Sie der nicht ein zu wir es mit haben für auf Ihre den mir kann auch noch "
    "dann mal ja bitte Bestellung habe eine Nummer was wie danke wird heute Konto einmal prüfen "
    "Lieferung Rechnung Adresse Problem Karte Zahlung ändern morgen warten Vertrag Preis Telefon "
    "Passwort Anschluss Internet Paket kündigen Beleg Garantie kaputt Gutschrift Termin Beschwerde "
    "Rabatt Techniker Erstattung Ersatz Bestätigung Einrichtung Vorgesetzter Gutschein Mahnung "
    "Verzögerung Reklamation",
    "es": "que de la no el es y en me un por lo con para una mi se le su pedido tengo está usted número "
    "puede favor gracias sí cuenta hoy ya pero como cuando ayuda llamada revisar entrega pago "
    "dirección factura problema tarjeta correo cambiar precio esperar contrato teléfono contraseña "
    "internet paquete mañana cancelar recibo garantía roto crédito transferencia queja supervisor "
    "descuento cita técnico reembolso suscripción reemplazo confirmación instalación vale demora "
    "reclamación",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One utterance's text and what goes with it, as COPY takes it."""

    text: str
    words: tuple[str, str, str, str]
    """Arrays of the words, their starts, ends and probabilities, as Postgres' text."""
    loudness: str
    length_ms: int


def words_of(language: str) -> list[str]:
    """The words of a language, from the most frequent to the rarest."""
    return _WORDS[language].split()


def sentences(language: str) -> list[Sentence]:
    """The sentences of a language, the same every time; a word's frequency falls with its rank (Zipf)."""
    chance = random.Random(language)  # noqa: S311  # the same every time is what is wanted
    words = words_of(language)
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return [
        _sentence([*chance.choices(words, weights, k=chance.randint(4, 13)), str(chance.randrange(10_000))])
        for _ in range(SENTENCES)
    ]


def _sentence(words: list[str]) -> Sentence:
    starts = range(0, len(words) * WORD_MS, WORD_MS)
    length_ms = len(words) * WORD_MS
    return Sentence(
        " ".join(words),
        (
            _array(words),
            _array(starts),
            _array(start + 300 for start in starts),
            _array([0.875] * len(words)),
        ),
        _array([-24.5] * (length_ms // 1000 + 1)),
        length_ms,
    )


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
