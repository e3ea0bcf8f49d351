from __future__ import annotations

import pytest

from zccvoice.rtms.transcript_language import TranscriptLanguage, bcp47_of, language_of, whisper_code_of


@pytest.mark.parametrize(
    ("language", "tag", "code"),
    [("ARABIC", "ar", "ar"), ("CANTONESE", "yue", "yue"), ("CHINESE_TRADITIONAL", "zh-Hant", "zh"),
     ("ENGLISH", "en", "en"), ("FRENCH_CANADA", "fr-CA", "fr"), ("GERMAN", "de", "de"), ("TAGALOG", "tl", "tl"),
     ("SPANISH", "es", "es"), ("VIETNAMESE", "vi", "vi"), ("NONE", None, None)],
)  # fmt: skip
def test_tags_and_codes(language: str, tag: str | None, code: str | None) -> None:
    number = TranscriptLanguage[language]
    assert (bcp47_of(number), whisper_code_of(number)) == (tag, code)


@pytest.mark.parametrize("number", [None, -1, -2, 37, 10**9])
def test_numbers_without_a_language(number: int | None) -> None:
    assert bcp47_of(number) is None
    assert whisper_code_of(number) is None


def test_every_language_has_a_tag_and_comes_back() -> None:
    for language in TranscriptLanguage:
        if language is TranscriptLanguage.NONE:
            continue
        code = whisper_code_of(language)
        assert code is not None
        back = language_of(code)
        assert back is not None
        assert whisper_code_of(back) == code


@pytest.mark.parametrize(
    ("code", "language"), [("fr", "FRENCH_FRANCE"), ("zh", "CHINESE_SIMPLIFIED"), ("de", "GERMAN")]
)
def test_what_is_asked_for(code: str, language: str) -> None:
    assert language_of(code) is TranscriptLanguage[language]


def test_a_language_that_zoom_does_not_transcribe() -> None:
    assert language_of("la") is None
