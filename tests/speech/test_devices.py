"""What the weights are loaded with, by what the machine has. No GPU is there: it is asked for, no more."""

from __future__ import annotations

from typing import Any

import ctranslate2
import faster_whisper
import pytest

from zccvoice.config import SpeechConfig
from zccvoice.speech.whisper import WhisperRecognizer


class OnGpu:
    """Weights that say they are on a GPU, and are not."""

    device = "cuda"

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What faster-whisper was asked for; it loads on the CPU all the same."""
    asked: dict[str, Any] = {}
    load = faster_whisper.WhisperModel

    def loading(location: str, **wanted: Any) -> Any:
        asked.update(wanted)
        loaded: Any = load(location, device="cpu", compute_type="int8", cpu_threads=1)
        if wanted["device"] != "cpu" and ctranslate2.get_cuda_device_count():
            loaded.model = OnGpu(loaded.model)
        return loaded

    monkeypatch.setattr(faster_whisper, "WhisperModel", loading)
    return asked


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: count)


def test_several_gpus_have_a_copy_and_workers_each(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, 2)
    recognizer = WhisperRecognizer(SpeechConfig(device_index=[0, 1], workers=3))
    assert asked == {
        "device": "auto",
        "device_index": [0, 1],
        "compute_type": "float16",
        "cpu_threads": 1,
        "num_workers": 3,
    }
    assert recognizer.concurrency == 6


@pytest.mark.parametrize(("device", "gpus"), [("auto", 0), ("cpu", 2)])
def test_a_cpu_has_workers_of_one_thread(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, device: str, gpus: int
) -> None:
    with_gpus(monkeypatch, gpus)
    recognizer = WhisperRecognizer(SpeechConfig.model_validate({"device": device, "workers": 3}))
    assert (asked["device_index"], asked["compute_type"], asked["cpu_threads"]) == (0, "int8", 1)
    assert recognizer.concurrency == 3


def test_the_numbers_can_be_named(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 1)
    WhisperRecognizer(SpeechConfig.model_validate({"compute_type": "int8_float16"}))
    assert asked["compute_type"] == "int8_float16"
