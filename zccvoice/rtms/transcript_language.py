"""RTMS_TRANSCRIPT_LANGUAGE: the languages of Zoom's own transcripts, beside BCP-47 tags and Whisper's codes.

Zoom tells languages apart that Whisper does not (Canadian French, the two Chinese scripts), so a code may stand
for several numbers; the first one is asked for.

Source: Zoom RTMS documentation, "Data types"; Whisper's tokenizer (openai/whisper).
"""

from __future__ import annotations

from enum import IntEnum


class TranscriptLanguage(IntEnum):
    """Zoom's number of a language."""

    NONE = -1
    """Not told, or to be detected."""
    ARABIC = 0
    BENGALI = 1
    CANTONESE = 2
    CATALAN = 3
    CHINESE_SIMPLIFIED = 4
    CHINESE_TRADITIONAL = 5
    CZECH = 6
    DANISH = 7
    DUTCH = 8
    ENGLISH = 9
    ESTONIAN = 10
    FINNISH = 11
    FRENCH_CANADA = 12
    FRENCH_FRANCE = 13
    GERMAN = 14
    HEBREW = 15
    HINDI = 16
    HUNGARIAN = 17
    INDONESIAN = 18
    ITALIAN = 19
    JAPANESE = 20
    KOREAN = 21
    MALAY = 22
    PERSIAN = 23
    POLISH = 24
    PORTUGUESE = 25
    ROMANIAN = 26
    RUSSIAN = 27
    SPANISH = 28
    SWEDISH = 29
    TAGALOG = 30
    TAMIL = 31
    TELUGU = 32
    THAI = 33
    TURKISH = 34
    UKRAINIAN = 35
    VIETNAMESE = 36


# fmt: off
_BCP_47 = (
    "ar", "bn", "yue", "ca", "zh-Hans", "zh-Hant", "cs", "da", "nl", "en", "et", "fi", "fr-CA", "fr-FR", "de",
    "he", "hi", "hu", "id", "it", "ja", "ko", "ms", "fa", "pl", "pt", "ro", "ru", "es", "sv", "tl", "ta", "te",
    "th", "tr", "uk", "vi",
)
# fmt: on
"""By Zoom's number."""


def bcp47_of(number: int | None) -> str | None:
    """The language tag of one of Zoom's numbers; None for none, and for one that we do not know."""
    return _BCP_47[number] if number is not None and 0 <= number < len(_BCP_47) else None


def whisper_code_of(number: int | None) -> str | None:
    """The same as a Whisper code, such as ``fr`` for Canadian French."""
    tag = bcp47_of(number)
    return None if tag is None else tag.partition("-")[0]


def language_of(whisper_code: str) -> TranscriptLanguage | None:
    """Zoom's language for a Whisper code; None when Zoom does not transcribe it."""
    if whisper_code == "fr":
        return TranscriptLanguage.FRENCH_FRANCE
    return next(
        (
            TranscriptLanguage(number)
            for number, tag in enumerate(_BCP_47)
            if tag.partition("-")[0] == whisper_code
        ),
        None,
    )
