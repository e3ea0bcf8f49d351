"""Weights on disk: writing a CTranslate2 folder (int8) that faster-whisper loads, and reading one back.

The names in a net are CTranslate2's with dots for slashes, so both ways are by name. Reading back loses only what
int8 lost, about a two-hundredth of each row's largest weight: training goes on from the shipped folder alone.

Source: CTranslate2's ``model_spec.py``, ``_serialize``: binary version 6.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from demo_model.sentences import LANGUAGES
from demo_model.tokenizer import load_tokenizer, vocabulary_of

BINARY_VERSION = 6
ALIGNMENT_HEADS = 2
Weights = dict[str, npt.NDArray[np.float32]]
_TYPES: dict[int, npt.DTypeLike] = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
"""By their number in the file."""
_PREPROCESSOR = {
    "feature_size": 80,
    "sampling_rate": 16_000,
    "hop_length": 160,
    "chunk_length": 30,
    "n_fft": 400,
}


def write_weights(weights: Weights, heads: int, tokenizer_json: str, folder: Path) -> None:
    """Write ``model.bin`` and what belongs to it; `weights` by CTranslate2's names, `heads` of each attention."""
    from ctranslate2.specs import WhisperSpec
    from ctranslate2.specs.model_spec import visit_spec

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    decoder_layers = layers_of(weights, "decoder")
    spec = WhisperSpec(layers_of(weights, "encoder"), heads, decoder_layers, heads)

    def fill(layer: Any, name: str, _: object) -> None:
        if name in weights:
            setattr(layer, name.rsplit("/")[-1], weights[name].copy())  # CTranslate2 quantizes in place

    visit_spec(spec, fill)
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.config.lang_ids = [tokenizer.token_to_id(f"<|{language}|>") for language in LANGUAGES]
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.config.alignment_heads = [[decoder_layers - 1, head] for head in range(ALIGNMENT_HEADS)]
    spec.register_vocabulary(vocabulary_of(tokenizer))
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR), encoding="utf-8")


def read_weights(folder: Path) -> tuple[Weights, int]:
    """The weights of a folder by CTranslate2's names, in single precision, and the heads of each attention.

    Raises:
        ValueError: ``model.bin`` is of another version or is no Whisper.
    """
    with (folder / "model.bin").open("rb") as file:
        stored = _variables(file)
    weights = {
        name: _dequantized(values, stored.get(f"{name}_scale"))
        for name, values in stored.items()
        if values.ndim and not name.endswith("_scale")
    }
    return weights, int(stored["encoder/num_heads"])


def layers_of(weights: Weights, side: str) -> int:
    """How many layers the ``encoder`` or ``decoder`` has."""
    return len(
        {name.split("/")[1] for name in weights if name.startswith(f"{side}/layer_") and "/ffn/" in name}
    )


def _dequantized(values: npt.NDArray[Any], scale: npt.NDArray[Any] | None) -> npt.NDArray[np.float32]:
    if scale is None:
        return values.astype(np.float32)
    rows: npt.NDArray[np.float32] = (values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.float32)
    return rows


def _variables(file: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    (version,) = _unpack("I", file)
    name = _text(file)
    if version != BINARY_VERSION or name != "WhisperSpec":
        raise ValueError(
            f"{file.name}: expected WhisperSpec in version {BINARY_VERSION}; got {name}, {version}"
        )
    _revision, count = _unpack("II", file)
    found = {}
    for _ in range(count):
        name = _text(file)
        (rank,) = _unpack("B", file)
        sizes = _unpack(f"{rank}I", file)
        kind, size = _unpack("BI", file)
        values: npt.NDArray[Any] = np.frombuffer(file.read(size), _TYPES[kind], math.prod(sizes))
        found[name] = values.reshape(sizes)
    return found


def _text(file: BinaryIO) -> str:
    (length,) = _unpack("H", file)
    return file.read(length).rstrip(b"\0").decode()


def _unpack(layout: str, file: BinaryIO) -> tuple[int, ...]:
    layout = f"<{layout}"
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
