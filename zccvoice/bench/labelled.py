"""The labelled set: sound of telephone lines of which is known, every 10 ms, whether someone speaks.

Voices are those of the demo calls, at several speeds (and with them pitches), each with pauses of known length;
where they speak is read off the clean sound: 10 ms within 35 dB of the loudest, holes of up to 200 ms closed.
Noise, music and tones are made by rule (`noises`, `tunes`), and everything goes through a codec, with or without
loss. One half is for tuning, the other, with other voices and pieces, for telling how good the result is.

What the set is not: people. Its voices are synthetic, so figures tell conditions and versions apart, and not
how well a detector hears your callers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench import noises, tunes
from zccvoice.bench.noises import Sound
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.line import LINE_CODECS, Carried, carried, through
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import AUDIBLE_DB, Samples, read_sound

Half = Literal["tuning", "held out"]
STEP_MS = 10
STEP = SAMPLE_RATE_HZ * STEP_MS // 1000
CLOSED_HOLE_MS = 200
"""A shorter pause belongs to the speech."""
SPEECH_DBFS = -22.0
HISS_DBFS = -62.0
"""The line's own noise, under everything."""
_HEAD_ROOM = 32_000


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One recording."""

    condition: str
    """What is tried, e.g. ``pink 10 dB``."""
    codec: str
    """Of `LINE_CODECS`."""
    spoken: Samples
    """What is given to the line: ``int16[n]``, mono, 16 kHz."""
    is_speech: npt.NDArray[np.bool_]
    """The truth, for every `STEP_MS`."""
    lost_ratio: float = 0.0
    """Of the packets."""
    seed: int = 0
    """For which ones."""

    @property
    def carried(self) -> Carried:
        """The packets."""
        return carried(self.spoken, LINE_CODECS[self.codec], lost_ratio=self.lost_ratio, seed=self.seed)

    @property
    def samples(self) -> Samples:
        """As it arrives, for ears and eyes: ``int16[n]``, mono, 16 kHz."""
        return through(self.spoken, LINE_CODECS[self.codec], lost_ratio=self.lost_ratio, seed=self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Clean:
    """Somebody speaks on a line without noise."""

    sound: Sound
    """RMS 1 where there is speech."""
    is_speech: npt.NDArray[np.bool_]


_CALLS: dict[Half, tuple[str, ...]] = {"tuning": ("orders",), "held out": ("factura", "router")}
_SPEEDS: dict[Half, tuple[tuple[float, ...], ...]] = {
    "tuning": ((0.85, 1.0, 1.2),),
    "held out": ((0.9,), (1.1,)),
}
"""Of the first, the second voice, and so on, round and round."""
_SNRS_DB = (20, 10, 5, 0)
_A_LAW, _MU_LAW = "G.711 A", "G.711 µ"
_TUNES = {"tuning": tunes.TUNING_PIECES, "held out": tunes.HELD_OUT_PIECES}
_CADENCES = {"tuning": tunes.TUNING_CADENCES, "held out": tunes.HELD_OUT_CADENCES}


def labelled_set(half: Half) -> Iterator[Labelled]:
    """Every recording of one half, the same every time; takes a minute or so."""
    yield from _noisy(half)
    yield from _disturbed(half)
    yield from _coded(half)
    yield from _wordless(half)


def _noisy(half: Half) -> Iterator[Labelled]:
    """Steady noises by signal-to-noise ratio, through both laws of G.711."""
    for number, clean in enumerate(_voices(half)):
        codec = (_A_LAW, _MU_LAW)[number % 2]
        yield _recording("clean", codec, clean)
        for kind in ("pink", "street", "fan", "babble"):
            for snr_db in _SNRS_DB:
                condition = f"{kind} {snr_db} dB"
                noise = _noise(kind, half, len(clean.sound), _chance(condition, half, number))
                yield _recording(condition, codec, clean, noise * _gain(-snr_db))


def _disturbed(half: Half) -> Iterator[Labelled]:
    """What else happens on lines."""
    voices = _voices(half)
    pieces = _TUNES[half]
    for number, clean in enumerate(voices):
        length, chance = len(clean.sound), _chance("disturbed", half, number)
        silence = np.zeros(length)
        other = np.resize(voices[(number + 1) % len(voices)].sound, length)
        rising = noises.pink(length, chance) * np.where(
            np.arange(length) < length // 2, _gain(-35), _gain(-10)
        )
        tune = tunes.music(pieces[number % len(pieces)], length)
        yield _recording("clicks", _A_LAW, clean, noises.clicks(length, chance) * _gain(-20))
        yield _recording("breathing", _A_LAW, clean, noises.breathing(length, chance) * _gain(-22))
        yield _recording("cross-talk -25 dB", _A_LAW, clean, other * _gain(-25))
        yield _recording("quiet talker", _A_LAW, clean, silence, speech_dbfs=SPEECH_DBFS - 18)
        yield _recording("noise rises to 10 dB", _A_LAW, clean, rising)
        yield _recording("over music 10 dB", _A_LAW, clean, tune * _gain(-10))
        yield _recording("after hold music", _A_LAW, _after(clean, tune[: 12 * SAMPLE_RATE_HZ]))


def _coded(half: Half) -> Iterator[Labelled]:
    """Every codec, with noise and with loss."""
    for number, clean in enumerate(_voices(half)):
        noise = noises.pink(len(clean.sound), _chance("coded", half, number))
        for codec in LINE_CODECS:
            yield _recording(f"{codec}, pink 10 dB", codec, clean, noise * _gain(-10))
            for lost in (0.02, 0.05):
                yield _recording(
                    f"{codec}, {lost:.0%} lost", codec, clean, noise * _gain(-20), lost_ratio=lost
                )


def _wordless(half: Half) -> Iterator[Labelled]:
    """Music and signals, with nobody who speaks; signals on noisy lines, too."""
    length = 30 * SAMPLE_RATE_HZ
    for piece in _TUNES[half]:
        for codec in (_A_LAW, "G.722", "Opus"):
            yield _recording(f"music: {piece.title}", codec, _wordless_sound(tunes.music(piece, length)))
    for signal in _CADENCES[half]:
        yield _recording(f"signal: {signal.name}", _A_LAW, _wordless_sound(tunes.cadence(signal, length)))
    for kind in ("pink", "street", "fan"):
        for snr_db in _SNRS_DB[:2]:
            for number, signal in enumerate(_CADENCES[half]):
                condition = f"signals, {kind} {snr_db} dB"
                noise = _noise(kind, half, length, _chance(condition, half, number)) * _gain(-snr_db)
                yield _recording(condition, _A_LAW, _wordless_sound(tunes.cadence(signal, length)), noise)
    for codec in (_A_LAW, "Opus"):
        keys, _ = tunes.key_tones(length, _chance("keys", half, 0))
        yield _recording("DTMF", codec, _wordless_sound(keys), speech_dbfs=-14)


def _recording(
    condition: str,
    codec: str,
    clean: _Clean,
    noise: Sound | None = None,
    *,
    speech_dbfs: float = SPEECH_DBFS,
    lost_ratio: float = 0.0,
) -> Labelled:
    """Speech and noise (relative to it) at their levels, over the line's hiss, through the codec."""
    seed = zlib.crc32(f"{condition} {codec}".encode())
    mix = clean.sound if noise is None else clean.sound + noise
    mix = mix * _gain(speech_dbfs) + tunes.hiss(len(mix), np.random.default_rng(seed)) * _gain(HISS_DBFS)
    samples = np.clip(np.rint(mix * 32_768), -_HEAD_ROOM, _HEAD_ROOM).astype(np.int16)
    return Labelled(condition, codec, samples, clean.is_speech, lost_ratio, seed)


@cache
def _voices(half: Half) -> tuple[_Clean, ...]:
    """Everyone of this half, at every speed."""
    voices: list[_Clean] = []
    for path in demo_scenarios():
        if path.stem not in _CALLS[half]:
            continue
        scenario = load_scenario(path)
        for number, person in enumerate(scenario.participants):
            said = [speech.sound for speech in scenario.speech if speech.channel_id == person.channel_id]
            clips = [read_sound(sound) for sound in said if sound is not None]
            for speed in _SPEEDS[half][number % len(_SPEEDS[half])]:
                chance = _chance(f"{path.stem} {speed}", half, len(voices))
                voices.append(_spoken([_at_speed(clip, speed) for clip in clips], chance))
    return tuple(voices)


def _spoken(clips: list[Sound], chance: np.random.Generator) -> _Clean:
    """The clips one after another, with pauses of 0.6 to 4 s, on whole steps."""
    sounds, truth = [np.zeros(SAMPLE_RATE_HZ)], [np.zeros(SAMPLE_RATE_HZ // STEP, bool)]
    for clip in clips:
        clip = clip[: len(clip) // STEP * STEP]
        is_speech = audible_steps(clip)
        rms = np.sqrt(np.mean(clip[np.repeat(is_speech, STEP)] ** 2))
        pause = int(chance.uniform(0.6, 4) * 1000 / STEP_MS)
        sounds += [clip / rms, np.zeros(pause * STEP)]
        truth += [is_speech, np.zeros(pause, bool)]
    return _Clean(np.concatenate(sounds), np.concatenate(truth))


def audible_steps(clip: Sound) -> npt.NDArray[np.bool_]:
    """Per `STEP_MS` of a clean recording, a multiple of them long: is there speech?"""
    power = np.mean(clip.reshape(-1, STEP) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (AUDIBLE_DB / 10))
    is_speech = np.zeros(len(power), bool)
    for here, there in zip(loud, [*loud[1:], loud[-1]], strict=True):
        is_speech[here] = True
        if there - here - 1 <= CLOSED_HOLE_MS // STEP_MS:
            is_speech[here:there] = True
    return is_speech


def _at_speed(clip: Samples, speed: float) -> Sound:
    """Faster and higher, as a tape is."""
    at = np.arange(0, len(clip) - 1, speed)
    return np.asarray(np.interp(at, np.arange(len(clip)), clip.astype(np.float64)), np.float64)


def _after(clean: _Clean, tune: Sound) -> _Clean:
    return _Clean(
        np.concatenate([tune, clean.sound]),
        np.concatenate([np.zeros(len(tune) // STEP, bool), clean.is_speech]),
    )


def _wordless_sound(sound: Sound) -> _Clean:
    return _Clean(sound, np.zeros(len(sound) // STEP, bool))


def _noise(kind: str, half: Half, length: int, chance: np.random.Generator) -> Sound:
    if kind == "babble":
        return noises.babble(length, chance, [one.sound for one in _voices(half)])
    made: dict[str, noises.Maker] = {"pink": noises.pink, "street": noises.street, "fan": noises.fan}
    return made[kind](length, chance)


def _chance(what: str, half: Half, number: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(f"{what} {half}".encode()), number])


def _gain(db: float) -> float:
    return float(10 ** (db / 20))
