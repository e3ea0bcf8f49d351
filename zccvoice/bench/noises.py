"""Noises that lie under telephone calls, made from random numbers: ``float64[n]`` at 16 kHz, RMS 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ

Sound: TypeAlias = npt.NDArray[np.float64]
"""``float64[n]``, mono, 16 kHz, without a level of its own."""
Maker: TypeAlias = Callable[[int, np.random.Generator], Sound]
"""Makes so many samples of a noise."""


def pink(length: int, chance: np.random.Generator) -> Sound:
    """Noise that falls by 3 dB per octave: a line, a room."""
    return shaped(length, chance, lambda hz: 1 / np.sqrt(np.maximum(hz, 30)))


def street(length: int, chance: np.random.Generator) -> Sound:
    """A road heard through a window: rumble, and vehicles that come and go within some seconds."""
    rumble = shaped(length, chance, lambda hz: 1 / np.maximum(hz, 60))
    wheels = shaped(length, chance, lambda hz: np.exp(-(((hz - 700) / 500) ** 2)) + 0.05)
    at = np.arange(length) / SAMPLE_RATE_HZ
    loudness = np.full(length, 0.15)
    for _ in range(1 + length // (6 * SAMPLE_RATE_HZ)):
        loudness += chance.uniform(0.3, 1) * np.exp(-(((at - chance.uniform(0, at[-1])) / 1.2) ** 2))
    return unit(0.7 * rumble + wheels * loudness)


def fan(length: int, chance: np.random.Generator) -> Sound:
    """Ventilation: mains hum with its harmonics, and air."""
    at = np.arange(length) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 50 * n * at + chance.uniform(0, 6)) / n for n in (2, 4, 5, 7, 9))
    return unit(unit(np.asarray(hum)) * 0.5 + shaped(length, chance, lambda hz: 1 / (1 + (hz / 400) ** 2)))


def babble(length: int, chance: np.random.Generator, voices: Sequence[Sound]) -> Sound:
    """Eight people who talk at once, none of them nearer than another."""
    mix = np.zeros(length)
    for number in chance.integers(0, len(voices), 8):
        voice = unit(voices[number])
        mix += np.roll(np.resize(voice, length), chance.integers(length))
    return unit(mix)


def clicks(length: int, chance: np.random.Generator) -> Sound:
    """A keyboard, or a bad contact: bursts of a few milliseconds, five or so in two seconds."""
    mix = np.zeros(length)
    for at in chance.integers(0, length - 400, length * 5 // (2 * SAMPLE_RATE_HZ)):
        size = chance.integers(20, 200)
        mix[at : at + size] += chance.standard_normal(size) * np.exp(-np.arange(size) / (size / 4))
    return unit(mix)


def breathing(length: int, chance: np.random.Generator) -> Sound:
    """A headset's microphone too near to the mouth: a breath every three seconds or so."""
    air = shaped(length, chance, lambda hz: np.exp(-(((hz - 1_100) / 800) ** 2)) + 0.03)
    at = np.arange(length) / SAMPLE_RATE_HZ
    loudness = np.zeros(length)
    for second in np.arange(0.5, at[-1], 3.1):
        loudness += np.exp(-(((at - second - chance.uniform(0, 0.8)) / chance.uniform(0.2, 0.4)) ** 2))
    return unit(air * loudness)


def shaped(length: int, chance: np.random.Generator, gain_at: Callable[[Sound], Sound]) -> Sound:
    """White noise whose spectrum is multiplied by ``gain_at(hz)``."""
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(chance.standard_normal(size))
    hz = np.asarray(np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ), np.float64)
    return unit(np.fft.irfft(spectrum * gain_at(hz), size)[:length])


def unit(sound: Sound) -> Sound:
    """At RMS 1; silence stays silent."""
    rms = float(np.sqrt(np.mean(sound**2)))
    return sound / rms if rms > 0 else sound
