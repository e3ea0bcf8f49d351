"""``zccvoice bench batches``: sound recognized in a second by one worker, by how many utterances go together.

It tells which ``speech.batch`` a machine wants: on a CPU batches soon give no more, on a GPU they are what makes
it worth its price. The utterances are those of `asr_queue`, and batches form as in the daemon. Seconds are those
of the clock, because a GPU's work is nobody's CPU time: measure on a quiet machine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench import BenchResult, Figure
from zccvoice.bench.asr import ours
from zccvoice.bench.asr_queue import clips, draw
from zccvoice.bench.random_weights import SHAPES, weights_for
from zccvoice.config import SpeechConfig
from zccvoice.speech.batch import BatchLimits
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.whisper import WhisperRecognizer
from zccvoice.speech.window import LONGEST_S
from zccvoice.speech.word_errors import word_errors

BATCHES = (1, 4, 8, 16, 32, 64)
UTTERANCES = 128
"""The largest batch twice."""
WINDOWS = ("any", "30")


def run(
    *,
    model: str = "demo",
    device: str = "auto",
    compute_type: str = "default",
    utterances: int = UTTERANCES,
    sizes: Sequence[int] = BATCHES,
    windows: Sequence[str] = WINDOWS,
) -> BenchResult:
    """Measure; seconds on a GPU, with the demo weights a minute or two on a CPU.

    Args:
        model: ``speech.model``, or one of the `SHAPES` of random weights.
        device: ``speech.device``.
        compute_type: ``speech.compute_type``.
        utterances: how many are decoded at each size of batches.
        sizes: of batches, the first one 1, with which the others' words are compared.
        windows: each as ``speech.windows``.

    Raises:
        RecognizerError: the weights cannot be loaded there, or fail.
    """
    result = BenchResult("batches")
    queue = draw(clips(), utterances)
    audio_s = sum(len(item.utterance.samples) for item in queue) / SAMPLE_RATE_HZ
    with weights_for(model) as weights:
        for name in windows:
            settings = {"model": weights, "windows": name, "device": device, "compute_type": compute_type}
            recognizer = WhisperRecognizer(SpeechConfig.model_validate(settings | {"workers": 1}))
            found = _measured(recognizer, sizes, queue)
            for items, seen in found.items():
                case = result.cases.setdefault(f"batches of {items}", {})
                case[f"windows {name}: audio s / s"] = round(audio_s / seen.took_s, 1)
                if model not in SHAPES:
                    case[f"windows {name}: words unlike alone"] = _differing(
                        found[sizes[0]].texts, seen.texts
                    )
    how = f"{utterances} utterances; one worker on {recognizer.hardware}"
    result.figures["sound"] = Figure(round(audio_s, 1), "s", how)
    return result


@dataclass(frozen=True, slots=True)
class _Seen:
    texts: list[str]
    took_s: float


def _measured(
    recognizer: WhisperRecognizer, sizes: Sequence[int], queue: Sequence[RecognizerItem]
) -> dict[int, _Seen]:
    """By size of batches."""
    found: dict[int, _Seen] = {}
    for items in sizes:
        decode = ours(recognizer, BatchLimits(items, items * LONGEST_S, late_after_s=60))
        decode(queue[: 2 * items])  # the first of each size pays for memory, and on a GPU for kernels
        began = time.perf_counter()
        texts = decode(queue)
        found[items] = _Seen(texts, time.perf_counter() - began)
    return found


def _differing(some: Sequence[str], others: Sequence[str]) -> int:
    return sum(word_errors(*pair).errors for pair in zip(some, others, strict=True))
