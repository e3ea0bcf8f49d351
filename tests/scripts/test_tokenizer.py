from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_model.sentences import LANGUAGES
from demo_model.tokenizer import PAIRS, SPECIAL, load_tokenizer, make_tokenizer, vocabulary_of


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    make_tokenizer(path)
    return load_tokenizer(path)


def encoded(tokenizer: Any, text: str) -> list[int]:
    numbers: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return numbers


@given(
    text=st.text(st.characters(blacklist_categories=["Cs"]), max_size=40).filter(
        lambda text: "<|" not in text
    )
)
def test_what_is_encoded_is_decoded(tokenizer: Any, text: str) -> None:
    assert tokenizer.decode(encoded(tokenizer, text)) == text


def test_each_digit_is_a_token(tokenizer: Any) -> None:
    assert len(encoded(tokenizer, "483920")) == 6


def test_its_own_words_are_few_tokens(tokenizer: Any) -> None:
    assert len(encoded(tokenizer, " Thank you for calling")) <= 5


def test_the_special_tokens_follow_each_other_as_in_whisper(tokenizer: Any) -> None:
    first = tokenizer.token_to_id(SPECIAL[0])
    assert [tokenizer.token_to_id(content) for content in SPECIAL] == [*range(first, first + len(SPECIAL))]
    assert vocabulary_of(tokenizer)[first:] == list(SPECIAL)
    assert {f"<|{language}|>" for language in LANGUAGES} < set(SPECIAL)
    assert SPECIAL[-1] == "<|30.00|>"
    assert PAIRS <= first <= PAIRS + 4


def test_the_space_is_no_part_of_what_is_suppressed(tokenizer: Any) -> None:
    space = encoded(tokenizer, " ")[0]
    assert all(encoded(tokenizer, text)[0] != space for text in (" -", " '", " ♪"))


def test_ctranslate2_is_told_of_several_languages(tokenizer: Any) -> None:
    assert "" in vocabulary_of(tokenizer)
