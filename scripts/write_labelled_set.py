"""Writes the labelled set of ``zccvoice bench vad`` to listen to: ``python scripts/write_labelled_set.py FOLDER``.

One WAV file (16 kHz, mono) per recording, and ``truth.json`` with its condition, codec and the spans of speech in
milliseconds. The same every time; the bench does not need the files, it makes the set itself.
"""

from __future__ import annotations

import argparse
import json
import wave
from pathlib import Path
from typing import Any

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench.labelled import STEP_MS, Labelled, labelled_set
from zccvoice.bench.vad import HALVES, runs


def main() -> None:
    """Read the arguments, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path, help="made when it is not there")
    parser.add_argument("--half", choices=HALVES, default="held out")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    truth = [
        write(recording, options.folder / f"{number:03}.wav")
        for number, recording in enumerate(labelled_set(options.half))
    ]
    (options.folder / "truth.json").write_text(
        json.dumps(truth, indent=1, ensure_ascii=False), encoding="utf-8"
    )


def write(recording: Labelled, path: Path) -> dict[str, Any]:
    """One recording; returns what is known of it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(recording.samples.astype("<i2").tobytes())
    spans = [(start * STEP_MS, end * STEP_MS) for start, end in runs(recording.is_speech)]
    return {"file": path.name, "condition": recording.condition, "codec": recording.codec, "speech_ms": spans}


if __name__ == "__main__":
    main()
