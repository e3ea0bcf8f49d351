"""What is heard on telephone lines and nobody says: hold music, ringback, busy signals, key tones.

The music is composed and played by rule: a chord progression, a melody, a bass and perhaps drums, on instruments
that differ in harmonics, attack, decay and vibrato. ``float64[n]`` at 16 kHz, RMS 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench.noises import Sound, shaped, unit
from zccvoice.speech.tones import KEY_COLUMNS_HZ, KEY_ROWS_HZ


@dataclass(frozen=True, slots=True)
class Instrument:
    """A timbre: how loud which harmonic is, and how a note comes and goes."""

    harmonics: tuple[float, ...]
    attack_s: float
    decay_s: float
    """Time in which a note falls to 1/e; infinite for one that is blown or bowed."""
    vibrato_cents: float = 0.0
    detune: float = 0.0
    """Relative frequency of a second voice beside the first: chorus; 0 is none."""


_STEADY = float("inf")
ORGAN = Instrument((1, 0.8, 0.5, 0.6, 0.2, 0.4, 0.1, 0.3), 0.01, _STEADY)
PIANO = Instrument((1, 0.6, 0.35, 0.2, 0.12, 0.08, 0.05), 0.005, 0.6)
STRINGS = Instrument(tuple(1 / n for n in range(1, 16)), 0.15, _STEADY, 15, 0.004)
FLUTE = Instrument((1, 0.3, 0.15, 0.03), 0.06, _STEADY, 25)
GUITAR = Instrument(tuple(n**-0.8 for n in range(1, 12)), 0.004, 0.35)
BRASS = Instrument((0.6, 0.9, 1, 0.8, 0.6, 0.45, 0.3, 0.2, 0.12), 0.05, _STEADY, 10)
BELLS = Instrument((1, 0, 0.6, 0, 0, 0.4, 0, 0, 0.25), 0.002, 0.9)
PAD = Instrument(tuple(n**-1.5 for n in range(1, 10)), 0.4, _STEADY, 0, 0.007)
CLARINET = Instrument((1, 0.05, 0.7, 0.05, 0.45, 0.05, 0.25, 0.03, 0.12), 0.04, _STEADY, 8)
BASS = Instrument((1, 0.7, 0.4, 0.2, 0.1), 0.01, 0.5)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of hold music."""

    title: str
    seed: int
    beats_per_min: int
    tonic: int
    """MIDI note."""
    is_minor: bool
    chords: Instrument
    melody: Instrument
    has_bass: bool = True
    has_drums: bool = False


TUNING_PIECES = (
    Piece("organ waltz", 1, 96, 57, False, ORGAN, FLUTE),
    Piece("piano ballad", 2, 72, 60, True, PIANO, PIANO),
    Piece("string adagio", 3, 60, 55, True, STRINGS, STRINGS, has_bass=False),
    Piece("guitar pop", 4, 118, 52, False, GUITAR, BRASS, has_drums=True),
)
HELD_OUT_PIECES = (
    Piece("bells", 11, 88, 62, False, BELLS, BELLS, has_bass=False),
    Piece("pads and clarinet", 12, 66, 58, False, PAD, CLARINET),
    Piece("brass march", 13, 112, 53, False, BRASS, BRASS, has_drums=True),
    Piece("piano and strings", 14, 80, 56, True, PIANO, STRINGS, has_drums=True),
    Piece("guitar alone", 15, 100, 50, True, GUITAR, GUITAR, has_bass=False),
    Piece("organ drone", 16, 50, 48, True, ORGAN, CLARINET),
)


@dataclass(frozen=True, slots=True)
class Cadence:
    """A signal of the network: tones, switched on and off."""

    name: str
    tones_hz: tuple[float, ...]
    on_off_s: tuple[float, ...]
    """Alternating, from on; repeated."""
    tremolo_hz: float = 0.0


TUNING_CADENCES = (
    Cadence("ringback US", (440, 480), (2, 4)),
    Cadence("ringback DE", (425,), (1, 4)),
    Cadence("ringback JP", (400,), (1, 2), 16),
    Cadence("busy US", (480, 620), (0.5, 0.5)),
    Cadence("congestion ES", (425,), (0.2, 0.2, 0.2, 0.2, 0.2, 0.6)),
    Cadence("dial tone DE", (425,), (20, 0.1)),
)
HELD_OUT_CADENCES = (
    Cadence("ringback UK", (400, 450), (0.4, 0.2, 0.4, 2)),
    Cadence("ringback FR", (440,), (1.5, 3.5)),
    Cadence("ringback ES", (425,), (1.5, 3)),
    Cadence("ringback AU", (400, 425, 450), (0.4, 0.2, 0.4, 2)),
    Cadence("busy DE", (425,), (0.48, 0.48)),
    Cadence("busy UK", (400,), (0.375, 0.375)),
    Cadence("reorder US", (480, 620), (0.25, 0.25)),
    Cadence("dial tone US", (350, 440), (20, 0.1)),
)
_STEPS = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 0), (5, 3, 0, 4))


def music(piece: Piece, length: int) -> Sound:
    """Play a piece for so many samples."""
    chance = np.random.default_rng(piece.seed)
    beat = round(60 / piece.beats_per_min * SAMPLE_RATE_HZ)
    bar = 4 * beat
    mix = np.zeros(length + 2 * bar)
    progression = _PROGRESSIONS[piece.seed % len(_PROGRESSIONS)]
    for number, at in enumerate(range(0, length, bar)):
        degree = progression[number % len(progression)]
        for third in (0, 2, 4):
            _add(mix, at, _note(piece.chords, _hz(piece, degree + third), bar, chance), 0.35)
        if piece.has_bass:
            for half in (0, 2 * beat):
                _add(mix, at + half, _note(BASS, _hz(piece, degree - 7), 2 * beat, chance), 0.5)
        step = at
        while step < at + bar:
            size = int(beat * chance.choice([0.5, 1, 1, 2]))
            _add(
                mix,
                step,
                _note(piece.melody, _hz(piece, degree + 7 + int(chance.integers(-2, 5))), size, chance),
                0.6,
            )
            step += size
        if piece.has_drums:
            _drum(mix, at, beat, chance)
    return unit(mix[:length])


def _hz(piece: Piece, degree: int) -> float:
    octave, step = divmod(degree, 7)
    return float(440 * 2 ** ((piece.tonic + 12 * octave + _STEPS[piece.is_minor][step] - 69) / 12))


def _note(instrument: Instrument, hz: float, size: int, chance: np.random.Generator) -> Sound:
    at = np.arange(size) / SAMPLE_RATE_HZ
    bend = 1 + (2 ** (instrument.vibrato_cents / 1200) - 1) * np.sin(2 * np.pi * 5.5 * at)
    sound = np.zeros(size)
    for voice in (0.0, instrument.detune) if instrument.detune else (0.0,):
        phase = 2 * np.pi * np.cumsum(hz * (1 + voice) * bend) / SAMPLE_RATE_HZ
        for number, gain in enumerate(instrument.harmonics, 1):
            if number * hz < SAMPLE_RATE_HZ / 2:
                sound += gain * np.sin(number * phase + chance.uniform(0, 6))
    envelope = np.minimum(1, at / instrument.attack_s) * np.exp(-at / instrument.decay_s)
    envelope *= np.minimum(1, (at[-1] - at) / 0.03 + 1e-3)
    return np.asarray(sound * envelope, np.float64)


def _drum(mix: Sound, at: int, beat: int, chance: np.random.Generator) -> None:
    time = np.arange(beat) / SAMPLE_RATE_HZ
    kick = np.sin(2 * np.pi * (50 + 60 * np.exp(-time * 30)) * time) * np.exp(-time * 12)
    for number in range(4):
        hat = chance.standard_normal(beat) * np.exp(-time * 60)
        snare = chance.standard_normal(beat) * np.exp(-time * 18)
        _add(mix, at + number * beat, kick if number % 2 == 0 else snare, 0.7)
        _add(mix, at + number * beat + beat // 2, hat[: beat // 2], 0.25)


def _add(mix: Sound, at: int, sound: Sound, gain: float) -> None:
    end = min(len(mix), at + len(sound))
    mix[at:end] += gain * sound[: end - at]


def cadence(signal: Cadence, length: int) -> Sound:
    """A signal of the network for so many samples."""
    at = np.arange(length) / SAMPLE_RATE_HZ
    sound = sum((np.sin(2 * np.pi * hz * at) for hz in signal.tones_hz), np.zeros(length))
    if signal.tremolo_hz:
        sound = sound * (0.5 + 0.5 * np.sin(2 * np.pi * signal.tremolo_hz * at))
    edges = np.cumsum(signal.on_off_s)
    is_on = np.searchsorted(edges, at % edges[-1], side="right") % 2 == 0
    return unit(sound * is_on)


def key_tones(length: int, chance: np.random.Generator) -> tuple[Sound, list[tuple[int, int]]]:
    """Someone who presses keys: DTMF of 60 to 250 ms, and where it sounds."""
    sound, spans = np.zeros(length), []
    at = SAMPLE_RATE_HZ // 2
    while at < length - SAMPLE_RATE_HZ // 2:
        size = int(chance.uniform(0.06, 0.25) * SAMPLE_RATE_HZ)
        time = np.arange(size) / SAMPLE_RATE_HZ
        pair = chance.choice(KEY_ROWS_HZ), chance.choice(KEY_COLUMNS_HZ)
        sound[at : at + size] = sum(np.sin(2 * np.pi * hz * time) for hz in pair)
        spans.append((at, at + size))
        at += size + int(chance.choice([0.06, 0.1, 0.3, 1.2]) * SAMPLE_RATE_HZ)
    return unit(sound), spans


def hiss(length: int, chance: np.random.Generator) -> Sound:
    """The line itself."""
    return shaped(length, chance, lambda hz: np.where(hz < 4_000, 1.0, 0.1))
