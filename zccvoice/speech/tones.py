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

Keys and periodicity, and how loud it is, are sums of a spectrum's power with known weights, the `_PROBES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

STEP_SAMPLES = 2048
"""At 16 kHz: 128 ms, of which the middle half is listened to."""
_STEPS_AT_ONCE = 64
"""Eight seconds: what they need on the way stays in the cache; for more, the kernel is asked for fresh pages."""
_STEPS_PER_PRODUCT = 8
"""With the probes; BLAS would wake its own threads for much larger ones."""
_HALF = STEP_SAMPLES // 4
"""The spectra are taken at 8 kHz, as all of this lies below 4 kHz: so many samples are 64 ms."""
_TAPER = np.hanning(_HALF).astype(np.float32)
_BIN_HZ = 8_000 / _HALF
_BAND = slice(26, 218)
"""400 to 3400 Hz, in bins."""
_ENVELOPE_BINS = 6
"""To either side: `_box_sums` is made for it."""
_ENVELOPE_SHARE = np.float32(-1 / (2 * _ENVELOPE_BINS + 1))
"""Of each bin in the envelope, to be taken away."""
_AVERAGED_STEPS = 4
_LOUD = np.float32(1e-3)
"""Steps 30 dB below the loudest say nothing of what sounds."""
_LEAST_WEIGHT = 1e-6
"""Far below that of a step which says something: its power is at least `_LOUD`, and the loudest weighs 1."""
_LOWEST_BIN = 20
"""310 Hz: what lies below is hum, and periodic too."""
_PITCH_LAGS = range(20, 120)
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
_LEAST_ENERGY = np.float32((np.log(10) / 10) ** 6)
"""Of fine structure, squared: 1 if it were in dB."""
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
    count = samples.size // STEP_SAMPLES
    correlation = np.empty(count, np.float32)
    probed = np.empty((count, _PROBES.shape[1]), np.float32)
    for start in range(0, count, _STEPS_AT_ONCE):
        end = min(start + _STEPS_AT_ONCE, count)
        before = min(start, 1)  # the first of them is compared with the step before
        power = _spectra(samples[(start - before) * STEP_SAMPLES : end * STEP_SAMPLES])
        correlation[start:end] = _correlation(_fine_structure(power))[before:]
        _probe(power[before:], probed[start:end])
    steadiness = _averaged(correlation, _weights(probed[:, _LOUDNESS]))
    return Tonality(steadiness, _periodicity(probed), _keys(probed))


def _weights(loudness: Floats) -> Floats:
    """Of each step together with the one before: the amplitude of the quieter of the two, against the loudest."""
    quieter = loudness.copy()
    np.minimum(loudness[1:], loudness[:-1], out=quieter[1:])
    loudest = loudness.max(initial=0)
    quieter[quieter < loudest * _LOUD] = 0
    quieter /= max(loudest, _TINY)
    return np.sqrt(quieter, out=quieter)


def _spectra(samples: npt.NDArray[np.int16]) -> Floats:
    """Power spectra up to 4 kHz, of whole steps: ``float32[n, 257]``."""
    windows = samples.reshape(-1, STEP_SAMPLES)[:, _HALF : 3 * _HALF].astype(np.float32)
    halved = windows[:, ::2] + windows[:, 1::2]
    halved *= _TAPER
    spectrum = np.fft.rfft(halved, axis=1)
    power: Floats = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


def _fine_structure(power: Floats) -> Floats:
    """What sticks out of the envelope, to the power of 1.5, so that lines count for more than ripples.

    All spectra in one row, which costs less; sums across the end of one are left out with the margin of the band.
    """
    audible = power[:, _BAND.start - _ENVELOPE_BINS : _BAND.stop + _ENVELOPE_BINS] + _TINY
    level = audible.reshape(-1)
    np.log(level, out=level)  # which takes a third of the time of log10
    fine = _box_sums(level)
    fine *= _ENVELOPE_SHARE
    fine += level[_ENVELOPE_BINS:-_ENVELOPE_BINS]
    np.maximum(fine, 0, out=fine)
    np.multiply(fine, np.sqrt(fine), out=level[: fine.size])
    return audible[:, : -2 * _ENVELOPE_BINS]


def _box_sums(values: Floats) -> Floats:
    """Of every 13 neighbours, in a third of the time that the differences of running sums take."""
    two = values[:-1] + values[1:]
    four = two[:-2] + two[2:]
    sums = four[:-4] + four[4:]
    sums = sums[:-5] + four[8:-1]
    sums += values[12:]
    return sums


def _correlation(fine: Floats) -> Floats:
    """Of each step with the one before; the first takes the value of the second."""
    if len(fine) < 2:
        return np.zeros(len(fine), np.float32)
    energy = np.vecdot(fine, fine)
    product = np.vecdot(fine[1:], fine[:-1])
    found = product / np.sqrt(energy[1:] * energy[:-1] + _LEAST_ENERGY)
    return np.concatenate([found[:1], found])


def _averaged(values: Floats, weights: Floats) -> Floats:
    """Over the half second around each step, weighted; 0 where nothing weighs."""
    size = min(_AVERAGED_STEPS, len(values))
    if size == 0:
        return values
    each = np.ones(size, np.float32)
    averages = np.correlate(values * weights, each)
    averages /= np.maximum(np.correlate(weights, each), _LEAST_WEIGHT)
    before = (size - 1) // 2
    return averages.take(np.arange(-before, len(values) - before), mode="clip")


def _line_sums(lines_hz: tuple[int, ...]) -> Floats:
    """The power around each line: ``float32[257, lines]``."""
    bins = np.arange(_HALF // 2 + 1)[:, None]
    middles = np.round(np.array(lines_hz) / _BIN_HZ)[None, :]
    return (np.abs(bins - middles) <= _LINE_BINS).astype(np.float32)


def _autocorrelation(lags: list[int]) -> Floats:
    """Of what is audible: ``float32[257, lags]``."""
    bins = np.arange(_HALF // 2 + 1)[:, None]
    inverse = np.cos(2 * np.pi / _HALF * bins * np.array(lags)) * (2 / _HALF)
    inverse[-1] /= 2  # all others but the first stand for two bins of the whole spectrum
    inverse[:_LOWEST_BIN] = 0
    return np.asarray(inverse, np.float32)


_PROBES = np.hstack(
    [
        np.ones((_HALF // 2 + 1, 1), np.float32),
        _autocorrelation([0, *_PITCH_LAGS]),
        _line_sums(KEY_ROWS_HZ),
        _line_sums(KEY_COLUMNS_HZ),
    ]
)
"""What is asked of a spectrum's power, a column each: ``float32[257, 110]``."""
_LOUDNESS, _UNSHIFTED = 0, 1
_SHIFTED, _ROWS, _COLUMNS = slice(2, 102), slice(102, 106), slice(106, 110)


def _probe(power: Floats, probed: Floats) -> None:
    """Put each step's answers into the rows of ``float32[n, 110]``."""
    for first in range(0, len(power), _STEPS_PER_PRODUCT):
        some = slice(first, first + _STEPS_PER_PRODUCT)
        np.matmul(power[some], _PROBES, out=probed[some])


def _periodicity(probed: Floats) -> Floats:
    highest: Floats = probed[:, _SHIFTED].max(axis=1, initial=0)
    highest /= probed[:, _UNSHIFTED] + _TINY
    return highest


def _keys(probed: Floats) -> npt.NDArray[np.bool_]:
    row = probed[:, _ROWS].max(axis=1, initial=0)
    column = probed[:, _COLUMNS].max(axis=1, initial=0)
    both = row + column
    is_pure = both >= _KEY_PURITY * (probed[:, _LOUDNESS] + _TINY)
    return np.asarray(is_pure & (np.minimum(row, column) * (1 + _KEY_TWIST) >= both), np.bool_)
