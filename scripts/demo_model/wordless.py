"""What a line sounds like while nobody speaks into it: untaught, the decoder writes a likely sentence about it.

Noise, hum, tones in any rhythm, keys, tunes, clicks, nothing at all, and the faint voice of the other side.
"""

from __future__ import annotations

import numpy as np

from demo_model.line import RATE_HZ, Sound, hum, noise, through_codec
from zccvoice.speech.tones import KEY_COLUMNS_HZ, KEY_ROWS_HZ

SHARES = {
    "nothing": 0.04,
    "noise": 0.12,
    "hum": 0.08,
    "tones": 0.14,
    "keys": 0.3,
    "tunes": 0.14,
    "clicks": 0.06,
    "residue": 0.12,
}
"""Of the kinds of sound: keys are what the decoder is slowest to unlearn."""
RESIDUE_DBFS = (-62.0, -38.0)
"""Peak of a voice that is the other side's; what is said into a line peaks at -22 dBFS or more."""


def wordless_sound(length: int, chance: np.random.Generator, voice: Sound) -> Sound:
    """Some such sound: ``float32[length]``, mono, 8 kHz; `voice` is what the other side may be heard to say."""
    kind = chance.choice(list(SHARES), p=list(SHARES.values()))
    hiss = noise(length, chance) * np.float32(10 ** (chance.uniform(-80, -50) / 20))
    match kind:
        case "nothing":
            return np.zeros(length, np.float32)
        case "noise":
            sound, peak_dbfs = noise(length, chance) * _swelling(length, chance), (-50.0, -8.0)
        case "hum":
            sound, peak_dbfs = hum(length, chance), (-50.0, -8.0)
        case "tones":
            sound, peak_dbfs = tones(length, chance), (-40.0, -3.0)
        case "keys":
            sound, peak_dbfs = keys(length, chance), (-40.0, -3.0)
        case "tunes":
            sound, peak_dbfs = tune(length, chance), (-40.0, -6.0)
        case "clicks":
            sound, peak_dbfs = clicks(length, chance), (-40.0, -6.0)
        case _:
            sound, peak_dbfs = np.resize(voice, length), RESIDUE_DBFS
    sound = sound * np.float32(10 ** (chance.uniform(*peak_dbfs) / 20) / (np.abs(sound).max() + 1e-6))
    return through_codec(sound + hiss, chance)


def tones(length: int, chance: np.random.Generator) -> Sound:
    """One tone or two at once, steady, trembling or on and off, the same or another each time: ringing, faxes."""
    seconds = np.arange(length) / RATE_HZ
    on_s, off_s = chance.uniform(0.05, 2.5), chance.choice([0.0, chance.uniform(0.03, 4)])
    turn = (seconds / (on_s + off_s)).astype(int)
    is_on = seconds - turn * (on_s + off_s) < on_s
    pitches = np.exp(chance.uniform(np.log(200), np.log(3_000), (turn[-1] + 1, 2)))
    if chance.random() < 0.6:
        pitches[:] = pitches[0]
    second = chance.choice([0.0, 1.0])
    sound = np.sin(2 * np.pi * pitches[turn, 0] * seconds) + second * np.sin(
        2 * np.pi * pitches[turn, 1] * seconds
    )
    if chance.random() < 0.3:
        sound *= 1 + chance.uniform(0.4, 1) * np.sin(2 * np.pi * chance.uniform(4, 40) * seconds)
    return np.asarray(sound * is_on, np.float32)


def keys(length: int, chance: np.random.Generator) -> Sound:
    """Keys that somebody presses, evenly or not (DTMF, ITU-T Q.23)."""
    sound, at = np.zeros(length, np.float32), 0
    on_s, off_s, unevenness = chance.uniform(0.04, 0.4), chance.uniform(0.04, 0.8), chance.uniform(0, 0.9)
    twist = chance.uniform(0.5, 1.5)
    while at < length:
        seconds = np.arange(int(on_s * RATE_HZ)) / RATE_HZ
        row, column = chance.choice(KEY_ROWS_HZ), chance.choice(KEY_COLUMNS_HZ)
        key = np.sin(2 * np.pi * row * seconds) + twist * np.sin(2 * np.pi * column * seconds)
        sound[at : at + len(key)] = key[: length - at]
        at += len(key) + int(off_s * (1 + unevenness * chance.uniform(-1, 3)) * RATE_HZ) + 1
    return sound


def tune(length: int, chance: np.random.Generator) -> Sound:
    """Notes of some instrument, one or several at once, each dying away or not."""
    sound = np.zeros(length, np.float32)
    decay_s, overtones = (
        chance.choice([0.15, 0.5, 5.0]),
        1 / np.arange(1, chance.integers(2, 8)) ** chance.uniform(0.5, 2),
    )
    beat_s, voices = chance.uniform(0.12, 0.9), chance.integers(1, 5)
    for at in range(0, length, int(beat_s * RATE_HZ)):
        for _ in range(voices):
            seconds = np.arange(min(length - at, int(beat_s * chance.integers(1, 5) * RATE_HZ))) / RATE_HZ
            pitch_hz = 55 * 2 ** (chance.integers(8, 52) / 12)
            note = sum(
                loud * np.sin(2 * np.pi * pitch_hz * number * seconds)
                for number, loud in enumerate(overtones, 1)
                if pitch_hz * number < RATE_HZ / 2
            )
            sound[at : at + len(seconds)] += (note * np.exp(-seconds / decay_s)).astype(np.float32)
    return sound


def clicks(length: int, chance: np.random.Generator) -> Sound:
    """Short bursts at any time."""
    sound = np.zeros(length, np.float32)
    shape = np.exp(-np.arange(int(chance.uniform(4, 300))) / chance.uniform(2, 60)).astype(np.float32)
    for at in chance.integers(0, max(1, length - len(shape)), chance.integers(1, 2 + length // 2_000)):
        burst = shape * chance.standard_normal(len(shape), dtype=np.float32)
        sound[at : at + len(shape)] += burst[: length - at] * np.float32(chance.uniform(0.2, 1))
    return sound


def _swelling(length: int, chance: np.random.Generator) -> Sound:
    """A gain that is steady, or goes up and down as breath and traffic do."""
    if chance.random() < 0.5:
        return np.ones(length, np.float32)
    hz, depth = chance.uniform(0.1, 4), chance.uniform(0.3, 1)
    wave = np.sin(2 * np.pi * hz * np.arange(length) / RATE_HZ + chance.uniform(0, 6))
    return (1 - depth / 2 + depth / 2 * wave).astype(np.float32)
