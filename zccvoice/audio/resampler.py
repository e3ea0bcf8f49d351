"""CORE: mono samples at 8, 32 or 48 kHz → 16 kHz, as a stream.

A linear-phase low-pass (windowed sinc, Kaiser) in polyphase form. Each output is a sum of products with taps that
are whole multiples of 2⁻²⁰, in double precision: every sum is exact, so that the result is the same to the last
bit however the input was cut, on whatever machine, and from wherever one starts `reach_samples` ahead. Reading a
recording again needs that; resamplers that work in large transforms do not give it, and emit late.

The delay of the filter is compensated: output *n* stands for the moment of input *n* · rate / 16000. Work is done
in blocks of about 2 ms, as one product of matrices: of the windows that the blocks see, and of the taps. From
8 kHz only the outputs between two inputs are computed: the others stand on an input, and are that input.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ, Samples

_KAISER_BETA = 9.0
"""Images and aliases lie 90 dB below."""
_TAP_SCALE = 2**20
_BLOCK_OUTPUTS = 32
_MOST_PRODUCTS = 200_000
"""Per product of matrices: BLAS would wake its own threads for much larger ones."""
_HALF_WIDTHS = {8_000: 24, 32_000: 56, 48_000: 84}
"""Inputs on either side that an output is made of: steep enough for a flat pass band up to 3.4 kHz from 8 kHz, and
up to 7 kHz from the others."""


@dataclass(frozen=True, slots=True)
class _Filter:
    block_inputs: int
    is_between: bool
    """Whether the outputs of `taps` are only those that stand between two inputs: every other one."""
    taps: npt.NDArray[np.float64]
    """``float64[window, outputs of a block]``: what each input of a window gives to each output."""


class Resampler:
    """The filter of one track."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz`: 8000, 16000 (nothing is done), 32000 or 48000."""
        self._rate_hz = rate_hz
        self._half = _HALF_WIDTHS.get(rate_hz, 0)
        self._filter = _filter_of(rate_hz) if self._half else None
        self._held = np.zeros(self._half, np.int16)
        self._owed = 0  # inputs whose outputs have not been given

    @property
    def reach_samples(self) -> int:
        """How far around an output the inputs lie that it is made of, counted at 16 kHz."""
        return -(-self._half * SAMPLE_RATE_HZ // self._rate_hz)

    def push(self, samples: Samples) -> Samples:
        """What is complete by now: ``int16[m]``, 16 kHz, for ``int16[n]`` at the given rate."""
        if self._filter is None:
            return samples
        block = self._filter.block_inputs
        window = len(self._filter.taps)
        inputs = np.concatenate([self._held, samples])
        self._owed += len(samples)
        count = max(0, (len(inputs) - window) // block + 1)
        self._held = inputs[count * block :]
        self._owed -= count * block
        return _filtered(inputs, count, self._filter)

    def flush(self) -> Samples:
        """The rest, as if silence followed; what is pushed after it is a new beginning."""
        if self._filter is None or not self._owed:
            return np.empty(0, np.int16)
        wanted = self._owed * SAMPLE_RATE_HZ // self._rate_hz
        rest = self.push(np.zeros(len(self._filter.taps), np.int16))[:wanted]
        self._held = np.zeros(self._half, np.int16)
        self._owed = 0
        return rest


def resampled(samples: Samples, rate_hz: int) -> Samples:
    """The whole of a sound with silence around it: ``int16[m]``, 16 kHz, for ``int16[n]`` at the given rate."""
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def _filtered(inputs: Samples, count: int, low_pass: _Filter) -> Samples:
    """The outputs of the first `count` blocks."""
    window, outputs = low_pass.taps.shape
    block = low_pass.block_inputs
    signal = inputs.astype(np.float64)
    filtered = np.empty((count, outputs))
    step = max(1, _MOST_PRODUCTS // low_pass.taps.size)
    for first in range(0, count, step):
        rows = min(step, count - first)
        # The windows overlap: a view, not a copy.
        windows: npt.NDArray[np.float64] = np.ndarray(
            (rows, window), np.float64, signal, first * block * 8, (block * 8, 8)
        )
        np.matmul(windows, low_pass.taps, out=filtered[first : first + rows])
    np.rint(filtered, out=filtered)
    np.maximum(filtered, -32_768, out=filtered)
    np.minimum(filtered, 32_767, out=filtered)
    made = filtered.astype(np.int16).reshape(-1)
    if not low_pass.is_between:
        return made
    both = np.empty(2 * made.size, np.int16)
    both[::2] = inputs[(window - block) // 2 :][: made.size]
    both[1::2] = made
    return both


@cache
def _filter_of(rate_hz: int) -> _Filter:
    half = _HALF_WIDTHS[rate_hz]
    block_inputs = _BLOCK_OUTPUTS * rate_hz // SAMPLE_RATE_HZ
    is_between = rate_hz * 2 == SAMPLE_RATE_HZ
    outputs = np.arange(_BLOCK_OUTPUTS)[1::2] if is_between else np.arange(_BLOCK_OUTPUTS)
    # Both in inputs: where an output stands, and where in the window the inputs are.
    at = half + outputs * rate_hz / SAMPLE_RATE_HZ
    distance = np.arange(block_inputs + 2 * half)[:, None] - at[None, :]
    inside = np.clip(1 - (distance / half) ** 2, 0, None)
    cutoff = min(1.0, SAMPLE_RATE_HZ / rate_hz)  # of half the input's rate
    taps = cutoff * np.sinc(cutoff * distance) * np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    taps[np.abs(distance) >= half] = 0
    # Every output has the same gain for a constant, 1.
    taps /= taps.sum(axis=0)
    return _Filter(block_inputs, is_between, np.rint(taps * _TAP_SCALE) / _TAP_SCALE)
