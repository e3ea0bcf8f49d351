"""Draws one recording of the labelled set: ``python scripts/draw_vad.py --condition "street 10 dB" vad.png``.

Time runs in rows of ten seconds. In each row from above: the waveform (grey); the truth (green); the frames that
the fast detector takes for speech (orange); the utterances found, without padding (blue), with what the endpointer
had found and the second look refused in pale red behind them.
"""

from __future__ import annotations

import argparse
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench.labelled import STEP, Labelled, labelled_set
from zccvoice.bench.vad import HALVES, found_steps
from zccvoice.config import VadConfig
from zccvoice.speech.endpointer import endpointer_for
from zccvoice.speech.vad import FRAME_SAMPLES, WebRtcDetector

ROW_S = 10
PIXEL = SAMPLE_RATE_HZ // 160
"""Samples per column: 6.25 ms."""
WIDTH = ROW_S * SAMPLE_RATE_HZ // PIXEL
WAVE, LANE, BETWEEN = 70, 12, 3
ROW = WAVE + 3 * (LANE + BETWEEN) + 12
GREY, GREEN, ORANGE, BLUE, PALE = (
    (110, 110, 110),
    (40, 150, 70),
    (230, 140, 30),
    (40, 90, 200),
    (240, 190, 190),
)
LINE = (225, 225, 225)

Flags = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]


def main() -> None:
    """Read the arguments, and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("output", type=Path, help="a PNG file")
    parser.add_argument("--condition", default="street 10 dB")
    parser.add_argument("--half", choices=HALVES, default="held out")
    options = parser.parse_args()
    for recording in labelled_set(options.half):
        if recording.condition == options.condition:
            options.output.write_bytes(png(draw(recording)))
            return
    sys.exit(f"no recording of {options.condition!r} in the {options.half} half")


def draw(recording: Labelled) -> Picture:
    """``uint8[height, width, 3]``."""
    samples = recording.samples
    row_count = -(-len(samples) // (ROW_S * SAMPLE_RATE_HZ))
    picture = np.full((row_count * ROW, WIDTH, 3), 255, np.uint8)
    settings = VadConfig()
    decided, endpointed = _fast(samples, settings)
    lanes: tuple[tuple[Flags, int, tuple[int, int, int], int], ...] = (
        (recording.is_speech, STEP, GREEN, 0),
        (decided, FRAME_SAMPLES, ORANGE, 1),
        (endpointed, FRAME_SAMPLES, PALE, 2),
        (found_steps(recording, settings), STEP, BLUE, 2),
    )
    for row in range(row_count):
        top = row * ROW
        _draw_wave(picture[top : top + WAVE], samples[row * ROW_S * SAMPLE_RATE_HZ :])
        for flags, step, color, lane in lanes:
            at = (row * WIDTH + np.arange(WIDTH)) * PIXEL // step
            is_on = (at < len(flags)) & flags[np.minimum(at, len(flags) - 1)]
            y = top + WAVE + lane * (LANE + BETWEEN)
            picture[y : y + LANE][:, is_on] = color
        picture[top : top + ROW - 12, :: WIDTH // ROW_S] = LINE
    return picture


def _fast(samples: npt.NDArray[np.int16], settings: VadConfig) -> tuple[Flags, Flags]:
    """Per frame: the fast detector's decision, and whether the endpointer's utterances hold it."""
    detector, endpointer = WebRtcDetector(settings), endpointer_for(settings)
    decisions = detector.detect(samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES])
    inside = np.zeros(len(decisions.is_speech), bool)
    for span in [*endpointer.push(decisions), endpointer.flush()]:
        if span is not None:
            inside[span.start : span.end] = True
    return np.array(decisions.is_speech), inside


def _draw_wave(picture: Picture, samples: npt.NDArray[np.int16]) -> None:
    columns = samples[: len(samples) // PIXEL * PIXEL].reshape(-1, PIXEL)[:WIDTH].astype(np.int32)
    half = WAVE // 2
    scale = half * 2 / 32_768  # −6 dBFS fills the row
    for x, (low, high) in enumerate(
        zip(columns.min(axis=1) * scale, columns.max(axis=1) * scale, strict=True)
    ):
        picture[max(0, round(half - high)) : min(WAVE, round(half - low) + 1), x] = GREY


def png(picture: Picture) -> bytes:
    """The picture as a file (ISO/IEC 15948), 8-bit RGB."""
    height, width, _ = picture.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = np.pad(picture.reshape(height, -1), ((0, 0), (1, 0)))  # each begins with its filter: none
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines.tobytes())), chunk(b"IEND", b""))
    )


if __name__ == "__main__":
    main()
