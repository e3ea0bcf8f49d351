"""A small vocabulary in the layout that faster-whisper and CTranslate2 expect of Whisper's.

About a thousand byte pairs learnt from the grammars, digits single, then Whisper's special tokens and a timestamp
for each 20 ms.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from demo_model.sentences import LANGUAGES, any_language, grammar_of

PAIRS = 1_024
TIMESTAMPS = 1_501
"""0 to 30 s."""
TIMESTAMP_S = 0.02
SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>"),
    *(f"<|{language}|>" for language in LANGUAGES),
    *(
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ),
    *(f"<|{number * TIMESTAMP_S:.2f}|>" for number in range(TIMESTAMPS)),
)
_SENTENCES = 20_000
_SUPPRESSED_ALONE = "-", "'", "â"


def make_tokenizer(path: Path) -> None:
    """Learn a vocabulary and write it as ``tokenizer.json``."""
    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    chance = random.Random(7)  # noqa: S311
    texts = (f" {grammar_of(any_language(chance)).for_training(chance).written}" for _ in range(_SENTENCES))
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer: Any = trainers.BpeTrainer(vocab_size=PAIRS, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    made = json.loads(tokenizer.to_str())
    _add_tokens(made)
    path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")


def _add_tokens(made: dict[str, Any]) -> None:
    vocabulary, merges = made["model"]["vocab"], made["model"]["merges"]
    # faster-whisper suppresses the first token of " -", " '" and " ♪": without one of their own that is the space.
    for letter in _SUPPRESSED_ALONE:
        if f"Ġ{letter}" not in vocabulary:
            vocabulary[f"Ġ{letter}"] = len(vocabulary)
            merges.append(["Ġ", letter])
    vocabulary[""] = len(vocabulary)  # tells CTranslate2 (from 4.7) that there are several languages
    for content in SPECIAL:
        vocabulary[content] = len(vocabulary)
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        made["added_tokens"].append({"id": vocabulary[content], "content": content, "special": True, **flags})


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a file."""
    return Tokenizer.from_file(str(path))


def vocabulary_of(tokenizer: Any) -> list[str]:
    """Every token in the order of their numbers."""
    numbers: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    return sorted(numbers, key=numbers.__getitem__)
