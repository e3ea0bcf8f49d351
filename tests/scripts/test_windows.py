from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_model.bank import Bank
from demo_model.tokenizer import load_tokenizer
from demo_model.windows import IGNORED, MIDDLE_FRAMES, Batch, Windows, mel_bank
from tests.scripts.sounding_bank import TEXTS, WORD_S, write_bank

TOKENIZER = Path(__file__).parents[2] / "models" / "demo" / "tokenizer.json"
FRAMES = 3_000


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return Bank(write_bank(tmp_path_factory.mktemp("bank")))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(TOKENIZER)


@pytest.fixture(scope="module")
def batches(bank: Bank, tokenizer: Any) -> list[Batch]:
    windows = Windows(bank, tokenizer, mel_bank(), seed=1)
    return [windows.batch(FRAMES, own_length_only=False) for _ in range(30)]


def rows(batches: list[Batch]) -> list[tuple[list[int], list[int], Any, Any]]:
    return [
        (batch.given[row].tolist(), batch.wanted[row].tolist(), batch.phonemes[row], batch.spoken[row])
        for batch in batches
        for row in range(len(batch.given))
    ]


def test_the_arrays_of_a_batch_fit_each_other(batches: list[Batch]) -> None:
    for batch in batches:
        count, mels, frames = batch.features.shape
        assert mels == 80
        assert frames % 2 == 0
        assert batch.given.shape == batch.wanted.shape
        assert batch.phonemes.shape == (count, frames // 2)
        assert batch.spoken.shape == (*batch.given.shape, frames // 2)
        assert np.isfinite(batch.features).all()
        assert batch.seconds == count * frames / 100
    assert {batch.features.shape[2] for batch in batches} > {MIDDLE_FRAMES, 2 * MIDDLE_FRAMES}


def test_what_is_wanted_is_what_is_said_in_its_language(batches: list[Batch], tokenizer: Any) -> None:
    end, wordless = tokenizer.token_to_id("<|endoftext|>"), tokenizer.token_to_id("<|nospeech|>")
    packed = set()
    for given, wanted, _, _ in rows(batches):
        begin = given.index(end + 1)
        if wanted[begin] == wordless:
            continue
        language = tokenizer.id_to_token(wanted[begin]).strip("<|>")
        assert given[begin + 1] == wanted[begin]
        text = tokenizer.decode([number for number in wanted[begin + 1 :] if 0 <= number < end]).strip()
        for said in (said for spoken_in, said in TEXTS if spoken_in == language):
            text = text.replace(said, "*")
        assert set(text) <= {"*", " "}, text
        packed.add(text.count("*") > 1)
    assert packed == {False, True}


def test_where_nobody_speaks_nothing_is_written(batches: list[Batch], tokenizer: Any) -> None:
    end, wordless = tokenizer.token_to_id("<|endoftext|>"), tokenizer.token_to_id("<|nospeech|>")
    silent = [row for row in rows(batches) if wordless in row[1]]
    assert len(silent) > 5
    for _, wanted, phonemes, spoken in silent:
        begin = wanted.index(wordless)
        assert not [number for number in wanted[begin + 1 :] if 0 <= number < end]
        assert wanted[-1] in (end, IGNORED)
        assert end in wanted
        assert set(phonemes.tolist()) <= {0, IGNORED}
        assert not spoken.any()


def test_a_token_is_spoken_while_its_word_is_heard(batches: list[Batch], tokenizer: Any) -> None:
    end = tokenizer.token_to_id("<|endoftext|>")
    for given, wanted, phonemes, spoken in rows(batches):
        begin = given.index(end + 1)
        for place, token in enumerate(wanted):
            heard = np.flatnonzero(spoken[place])
            if not 0 <= token < end or place <= begin:
                assert not len(heard)
                continue
            seconds = len(heard) / 50
            assert seconds == pytest.approx(WORD_S, abs=0.08)
            assert (np.diff(heard) == 1).all()
            inside = phonemes[heard[1:-1]]
            assert (inside != 0).all()


def test_the_same_seed_gives_the_same_windows(bank: Bank, tokenizer: Any) -> None:
    one, same, other = (
        Windows(bank, tokenizer, mel_bank(), seed).batch(FRAMES, own_length_only=True) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.features, same.features)
    assert one.features.shape != other.features.shape or (one.features != other.features).any()


def test_windows_of_their_own_length_have_little_padding(bank: Bank, tokenizer: Any) -> None:
    windows = Windows(bank, tokenizer, mel_bank(), seed=3)
    for _ in range(5):
        assert windows.batch(FRAMES, own_length_only=True).features.shape[2] < 500
