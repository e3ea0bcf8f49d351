"""Music, signal tones, key tones and air, told from voices by their spectra.

*Steadiness.* A voice glides: within an eighth of a second its harmonics have moved by more than the 16 Hz that the
spectrum of 64 ms resolves. Notes and signal tones keep their place. So each spectrum is freed of its envelope, and
what is left, its fine structure between 400 and 3400 Hz, is correlated with that of the one before; averaged over
half a second, voices stay below 0.6 nearly always, and hold music mostly above 0.62. (K. Seyerlehner et al.,
"Automatic music detection in television productions", 2007, call the idea continuous frequency activation.) The
noise of a line keeps no place, and fills the pauses of a signal: so what is louder counts for more, both among the
steps of that half second and among the lines of a spectrum.

*Keys.* Key tones (DTMF, ITU-T Q.23) are too short for that, but nearly all their power lies at two known lines.

*Periodicity.* The autocorrelation at the pitch of a voice: breath, clicks and street noise have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

STEP_SAMPLES = 2048
"""At 16 kHz: 128 ms, of which the middle half is listened to."""
_HALF = STEP_SAMPLES // 4
"""The spectra are taken at 8 kHz, as all of this lies below 4 kHz: so many samples are 64 ms."""
_TAPER = np.hanning(_HALF).astype(np.float32)
_BIN_HZ = 8_000 / _HALF
_BAND = slice(26, 218)
"""400 to 3400 Hz, in bins."""
_ENVELOPE_BINS = 6
"""To either side."""
_AVERAGED_STEPS = 4
_LOUD = np.float32(1e-3)
"""Steps 30 dB below the loudest say nothing of what sounds."""
_LEAST_WEIGHT = 1e-6
"""Far below that of a step which says something: its power is at least `_LOUD`, and the loudest weighs 1."""
_LOWEST_BIN = 20
"""310 Hz: what lies below is hum, and periodic too."""
_PITCH_LAGS = slice(20, 120)
"""67 to 400 Hz, in samples at 8 kHz."""
KEY_ROWS_HZ = (697, 770, 852, 941)
KEY_COLUMNS_HZ = (1209, 1336, 1477, 1633)
"""A key is one of each at once (ITU-T Q.23)."""
_KEY_PURITY = 0.85
"""So much of the power lies in the two lines of a key."""
_KEY_TWIST = 10.0
"""One of them may be so many times as strong as the other."""
_LINE_BINS = 2
"""To either side of its middle, a line of the tapered spectrum has all its power."""
_DB_PER_NEPER = np.float32(10 / np.log(10))
"""Of power."""
_TINY = np.float32(1e3)
"""Power far below that of one step of int16, so that logarithms and quotients of silence are finite."""

Floats: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Tonality:
    """Of consecutive steps, one value each."""

    steadiness: Floats
    """How well partials keep their place in the half second around: ``float32[n]``, 0 to 1."""
    periodicity: Floats
    """``float32[n]``, 0 to 1."""
    is_key: npt.NDArray[np.bool_]
    """Whether it sounds like a telephone's key."""


def tonality(samples: npt.NDArray[np.int16]) -> Tonality:
    """Measure ``int16[n]``, mono, 16 kHz; what does not fill a step at the end is left out."""
    power = _spectra(samples)
    loudness = power.sum(axis=1)
    steadiness = _averaged(_correlation(_fine_structure(power)), _weights(loudness))
    return Tonality(steadiness, _periodicity(power), _keys(power))


def _weights(loudness: Floats) -> Floats:
    """Of each step together with the one before: the amplitude of the quieter of the two, against the loudest."""
    quieter = loudness.copy()
    np.minimum(loudness[1:], loudness[:-1], out=quieter[1:])
    loudest = loudness.max(initial=0)
    quieter[quieter < loudest * _LOUD] = 0
    return np.asarray(np.sqrt(quieter / max(loudest, _TINY)), np.float32)


def _spectra(samples: npt.NDArray[np.int16]) -> Floats:
    """Power spectra up to 4 kHz: ``float32[n, 257]``."""
    steps = samples[: samples.size // STEP_SAMPLES * STEP_SAMPLES].reshape(-1, STEP_SAMPLES)
    windows = steps[:, _HALF : 3 * _HALF]
    halved = windows[:, ::2].astype(np.float32)
    halved += windows[:, 1::2]
    halved *= _TAPER
    spectrum = np.asarray(np.fft.rfft(halved, axis=1), np.complex64)
    power: Floats = spectrum.real**2
    power += spectrum.imag**2
    return power


def _fine_structure(power: Floats) -> Floats:
    """What sticks out of the envelope: dB, to the power of 1.5, so that lines count for more than ripples."""
    audible = power[:, _BAND.start - _ENVELOPE_BINS - 1 : _BAND.stop + _ENVELOPE_BINS]
    level = np.log(audible + _TINY)  # which takes a third of the time of log10
    level *= _DB_PER_NEPER
    width = 2 * _ENVELOPE_BINS + 1
    sums = np.cumsum(level, axis=1)
    fine: Floats = (
        level[:, _ENVELOPE_BINS + 1 : -_ENVELOPE_BINS] - (sums[:, width:] - sums[:, :-width]) / width
    )
    np.maximum(fine, 0, out=fine)
    fine *= np.sqrt(fine)
    return fine


def _correlation(fine: Floats) -> Floats:
    """Of each step with the one before; the first takes the value of the second."""
    if len(fine) < 2:
        return np.zeros(len(fine), np.float32)
    energy = np.einsum("ij,ij->i", fine, fine)
    product = np.einsum("ij,ij->i", fine[1:], fine[:-1])
    found = product / np.sqrt(energy[1:] * energy[:-1] + 1)
    return np.concatenate([found[:1], found])


def _averaged(values: Floats, weights: Floats) -> Floats:
    """Over the half second around each step, weighted; 0 where nothing weighs."""
    size = min(_AVERAGED_STEPS, len(values))
    if size == 0:
        return values
    sums = np.zeros((2, len(values) + 1))
    np.cumsum(values * weights, out=sums[0, 1:])
    np.cumsum(weights, out=sums[1, 1:])
    first = np.arange(len(values)) - (size - 1) // 2
    np.maximum(first, 0, out=first)
    np.minimum(first, len(values) - size, out=first)
    total, weight = sums[:, first + size] - sums[:, first]
    return np.asarray(total / np.maximum(weight, _LEAST_WEIGHT), np.float32)


def _periodicity(power: Floats) -> Floats:
    audible = power.copy()
    audible[:, :_LOWEST_BIN] = 0
    autocorrelation = np.fft.irfft(audible, axis=1)
    highest = autocorrelation[:, _PITCH_LAGS].max(axis=1, initial=0)
    return np.asarray(highest / (autocorrelation[:, 0] + _TINY), np.float32)


def _line_sums(lines_hz: tuple[int, ...]) -> Floats:
    """Columns that sum a spectrum's power around each line: ``float32[257, lines]``."""
    bins = np.arange(_HALF // 2 + 1)[:, None]
    middles = np.round(np.array(lines_hz) / _BIN_HZ)[None, :]
    return (np.abs(bins - middles) <= _LINE_BINS).astype(np.float32)


_ROW_SUMS, _COLUMN_SUMS = _line_sums(KEY_ROWS_HZ), _line_sums(KEY_COLUMNS_HZ)


def _keys(power: Floats) -> npt.NDArray[np.bool_]:
    row = (power @ _ROW_SUMS).max(axis=1, initial=0)
    column = (power @ _COLUMN_SUMS).max(axis=1, initial=0)
    is_pure = row + column >= _KEY_PURITY * (power.sum(axis=1) + _TINY)
    return np.asarray(is_pure & (row <= _KEY_TWIST * column) & (column <= _KEY_TWIST * row), np.bool_)
