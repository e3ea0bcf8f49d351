"""The shipped weights are read and written by name, to the byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from demo_model.weights import layers_of, read_weights, write_weights

DEMO = Path(__file__).parents[2] / "models" / "demo"


def test_what_is_read_back_and_written_again_is_the_same_file(tmp_path: Path) -> None:
    weights, heads = read_weights(DEMO)
    write_weights(weights, heads, (DEMO / "tokenizer.json").read_text(encoding="utf-8"), tmp_path)
    for path in DEMO.iterdir():
        if path.name != "README.md":
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
    again, _ = read_weights(DEMO)
    assert all((again[name] == values).all() for name, values in weights.items())


def test_weights_come_in_single_precision_by_name() -> None:
    weights, heads = read_weights(DEMO)
    assert (layers_of(weights, "encoder"), layers_of(weights, "decoder"), heads) == (4, 2, 3)
    assert weights["encoder/conv1/weight"].shape == (192, 80, 3)
    assert {values.dtype for values in weights.values()} == {np.dtype(np.float32)}
    assert 0.01 < np.abs(weights["decoder/layer_0/ffn/linear_0/weight"]).mean() < 1


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    weights, heads = read_weights(DEMO)
    del weights["encoder/layer_2/ffn/linear_0/weight"]
    with pytest.raises(ValueError, match=r"encoder/layer_2/ffn/linear_0/weight"):
        write_weights(weights, heads, (DEMO / "tokenizer.json").read_text(encoding="utf-8"), tmp_path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(struct.pack("<IH5s", 6, 5, b"Bert\0") + bytes(20))
    with pytest.raises(ValueError, match="expected WhisperSpec in version 6; got Bert, 6"):
        read_weights(tmp_path)
