"""Random weights of the exact shapes of Whisper's *tiny*, *base* and *small*: what they cost, with no download.

All numbers in them are random, but for what makes them write: one timestamp, `TOKENS` tokens of text, one more
timestamp, the end, whatever they hear. (Positions and tokens have one of three directions in common, and say so
louder than the layers do.) So all paths decode as many tokens, about as many as 3 s of speech have. Of words they
tell nothing.

Sources: sizes from A. Radford et al. (2022), table 1; alignment heads from OpenAI's ``whisper/__init__.py``; names
of weights from CTranslate2's ``WhisperLoader``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from zccvoice.speech.whisper import DEMO_MODEL, weights_location

TOKENS = 10
"""Of text, in each utterance."""
MELS, FRAMES, POSITIONS = 80, 1500, 448
TEXT_TOKENS, LANGUAGES, TIMESTAMPS = 50_257, 99, 1_501
PROMPT = 3
"""Tokens before the first timestamp."""
LOUD, SAID = 60.0, 4.0
"""What a position, and a token, have of their direction; a layer's own share is about one."""
_FILES = "tokenizer.json", "preprocessor_config.json"
Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """Of one of Whisper's sizes."""

    width: int
    heads: int
    layers: int
    """Of the encoder, and as many of the decoder."""
    alignment_heads: tuple[tuple[int, int], ...]


_OF_SMALL = ((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5))
SHAPES = {
    "random-tiny": Shape(384, 6, 4, ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5))),
    "random-base": Shape(512, 8, 6, ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6))),
    "random-small": Shape(768, 12, 12, _OF_SMALL),
}


@contextmanager
def weights_for(model: str) -> Iterator[str]:
    """What ``speech.model`` is to be: random weights in a folder that goes again, or what was named."""
    if model not in SHAPES:
        yield model
        return
    with TemporaryDirectory(prefix=f"{model}-") as folder:
        write_random(SHAPES[model], Path(folder))
        yield folder


def write_random(shape: Shape, folder: Path) -> None:
    """Write weights, int8, and a tokenizer; a few seconds."""
    from ctranslate2.specs import WhisperSpec

    demo = Path(weights_location(DEMO_MODEL))
    tokenizer = json.loads((demo / "tokenizer.json").read_text("utf-8"))
    vocabulary = _vocabulary(tokenizer)
    spec: Any = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    _Filler(shape).fill(spec, len(vocabulary))
    spec.register_vocabulary(vocabulary)
    spec.config.alignment_heads = [list(one) for one in shape.alignment_heads]
    spec.config.lang_ids = list(range(TEXT_TOKENS + 2, TEXT_TOKENS + 2 + LANGUAGES))
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    shutil.copy(demo / "preprocessor_config.json", folder)


def _vocabulary(tokenizer: dict[str, Any]) -> list[str]:
    """Makes the demo's tokenizer one of Whisper's size, with its special tokens where Whisper has them."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    special = {one["content"] for one in tokenizer["added_tokens"]}
    known = tokenizer["model"]["vocab"]
    text = [token for token in sorted(known, key=known.__getitem__) if token not in special]
    text += [f"Ġ{number:05}" for number in range(TEXT_TOKENS - len(text))]
    names = ["endoftext", "startoftranscript", *_LANGUAGE_CODES[:LANGUAGES], "translate", "transcribe"]
    names += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    names += [f"{number * 0.02:.2f}" for number in range(TIMESTAMPS)]
    added = [f"<|{name}|>" for name in names]
    shown = dict(tokenizer["added_tokens"][0])
    tokenizer["added_tokens"] = [
        shown | {"id": TEXT_TOKENS + number, "content": token} for number, token in enumerate(added)
    ]
    vocabulary = [*text, *added]
    tokenizer["model"]["vocab"] = {token: number for number, token in enumerate(vocabulary)}
    return vocabulary


class _Filler:
    """Random numbers for one model."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._rng = np.random.default_rng(7)
        self._to_text, self._to_time, self._to_end = np.eye(3, shape.width, dtype=np.float32)

    def fill(self, spec: Any, tokens: int) -> None:
        width = self._shape.width
        encoder, decoder = spec.encoder, spec.decoder
        for conv, inputs in ((encoder.conv1, MELS), (encoder.conv2, width)):
            conv.weight, conv.bias = self._random(width, inputs, 3), self._zeros(width)
        encoder.position_encodings.encodings = self._random(FRAMES, width)
        decoder.position_encodings.encodings = self._positions()
        decoder.embeddings.weight = decoder.projection.weight = self._embeddings(tokens)
        for side in (encoder, decoder):
            self._norm(side.layer_norm)
            for layer in side.layer:
                self._attention(layer.self_attention, (3 * width, width))
                self._linear(layer.ffn.linear_0, 4 * width, width)
                self._linear(layer.ffn.linear_1, width, 4 * width)
                self._norm(layer.ffn.layer_norm)
        for layer in decoder.layer:
            self._attention(layer.attention, (width, 2 * width, width))

    def _positions(self) -> Weights:
        """What a position has the decoder write next."""
        found = self._random(POSITIONS, self._shape.width)
        begin, end = PROMPT + TOKENS, PROMPT + TOKENS + 1
        found[:begin] += LOUD * self._to_text
        found[begin:end] += LOUD * self._to_time
        found[end:] += LOUD * self._to_end
        return found

    def _embeddings(self, tokens: int) -> Weights:
        found = self._random(tokens, self._shape.width)
        found[:TEXT_TOKENS] += SAID * self._to_text
        found[TEXT_TOKENS] += SAID * self._to_end
        found[-TIMESTAMPS:] += SAID * self._to_time
        return found

    def _attention(self, spec: Any, outputs: tuple[int, ...]) -> None:
        for linear, count in zip(spec.linear, outputs, strict=True):
            self._linear(linear, count, self._shape.width)
        self._norm(spec.layer_norm)

    def _linear(self, spec: Any, outputs: int, inputs: int) -> None:
        spec.weight, spec.bias = self._random(outputs, inputs), self._zeros(outputs)

    def _norm(self, spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(self._shape.width, np.float32), self._zeros(self._shape.width)

    def _random(self, *sizes: int) -> Weights:
        return self._rng.normal(0, 0.02, sizes).astype(np.float32)

    def _zeros(self, count: int) -> Weights:
        return np.zeros(count, np.float32)
