"""A small bank whose words are tones, so that no synthesizer is needed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from demo_model.bank import Utterance
from demo_model.line import RATE_HZ

TEXTS = (
    ("en", "Have a great day, goodbye."),
    ("en", "My order number is 483920."),
    ("es", "Muchas gracias por su ayuda."),
    ("es", "Mi número de cuenta es el 439071."),
    ("de", "Einen schönen Tag noch."),
    ("de", "Nein, das ist alles, vielen Dank."),
)
WORD_S = 0.3


def write_bank(folder: Path) -> Path:
    """Utterances whose words are 0.3 s each, with one phoneme each; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    with (folder / "part.pcm").open("wb") as sounds, (folder / "part.jsonl").open("w") as lines:
        for number, (language, text) in enumerate(TEXTS):
            starts = [at for at, letter in enumerate(f" {text}") if letter == " "]
            samples = round(len(starts) * WORD_S * RATE_HZ)
            tone = np.sin(2 * np.pi * (300 + 100 * number) * np.arange(samples) / RATE_HZ)
            (tone * 8_000).astype("<i2").tofile(sounds)
            times = [round(word * WORD_S, 3) for word in range(len(starts))]
            utterance = Utterance(
                language,
                text,
                first,
                samples,
                list(zip(starts, times, strict=True)),
                [(f"p{word % 3}", at_s) for word, at_s in enumerate(times)],
            )
            lines.write(json.dumps(asdict(utterance)) + "\n")
            first += samples
    return folder
