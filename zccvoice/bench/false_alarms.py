"""The false-alarm set: an hour of what is heard on telephone lines while nobody speaks into them.

Silence, noise of several colours and levels, hum, hold music, keys, signals, breath, clicks, and the residue of
the other side's voice. Everything is made by rule and the same every time. What a recognizer writes about it is
invented; the voice of a residue is somebody's, but not of whom the words would be counted for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS
from zccvoice.audio.quality import level_dbfs
from zccvoice.bench import noises, tunes
from zccvoice.bench.noises import Maker, Sound
from zccvoice.config import VadConfig
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.line import LINE_CODECS, carried, through
from zccvoice.simulator.sources import Samples, read_sound
from zccvoice.speech.track import Track
from zccvoice.speech.utterance import Utterance

HISS_DBFS = -66.0
"""The line's own noise, under everything but digital silence."""
SPEECH_DBFS = -22.0
"""Level of the voice whose residue is heard."""
MINUTE = 60 * SAMPLE_RATE_HZ
_START_MS = 1_700_000_000_000
_FORCED_S = (1.0, 2.5, 5.0, 10.0)
"""Lengths of what a detector might have let through, round and round."""
_FULL_SCALE = 32_767
_BAND_HZ = 3_800


@dataclass(frozen=True, slots=True, eq=False)
class WordlessSound:
    """A stretch in which nobody says anything."""

    kind: str
    name: str
    given: Samples
    """To the line: ``int16[n]``, mono, 16 kHz."""
    codec: str = "G.711 A"
    """Of `LINE_CODECS`."""

    @property
    def samples(self) -> Samples:
        """As it arrives: ``int16[n]``, mono, 16 kHz."""
        return through(self.given, LINE_CODECS[self.codec])


def false_alarm_set(seconds: int = 60) -> Iterator[WordlessSound]:
    """Every sound of the set, of so many seconds each."""
    length = seconds * SAMPLE_RATE_HZ
    yield WordlessSound("silence", "digital silence", np.zeros(length, np.int16), "L16")
    yield _heard("silence", "line alone", np.zeros(length), 0.0)
    for colour, exponent in (("white", 0.0), ("pink", 0.5), ("brown", 1.0), ("blue", -0.5)):
        for dbfs in (-55.0, -40.0, -25.0):
            yield _heard("noise", f"{colour} {dbfs:.0f} dBFS", _coloured(length, exponent), dbfs)
    made: dict[str, Maker] = {"street": noises.street, "fan": noises.fan}
    for name, maker in made.items():
        for dbfs in (-45.0, -25.0):
            yield _heard("noise", f"{name} {dbfs:.0f} dBFS", maker(length, _chance(name)), dbfs)
    for hz in (50, 60):
        for dbfs in (-45.0, -25.0):
            yield _heard("hum", f"{hz} Hz {dbfs:.0f} dBFS", _hum(length, hz), dbfs)
    for piece in (*tunes.TUNING_PIECES, *tunes.HELD_OUT_PIECES):
        yield _heard("hold music", piece.title, tunes.music(piece, length), -25.0)
    for signal in (*tunes.TUNING_CADENCES, *tunes.HELD_OUT_CADENCES):
        kind = "ringback" if signal.name.startswith("ringback") else "signals"
        yield _heard(kind, signal.name, tunes.cadence(signal, length), -20.0)
    for dbfs in (-30.0, -14.0):
        yield _heard("DTMF", f"{dbfs:.0f} dBFS", tunes.key_tones(length, _chance("keys"))[0], dbfs)
    for dbfs in (-45.0, -30.0):
        yield _heard("breathing", f"{dbfs:.0f} dBFS", noises.breathing(length, _chance("breath")), dbfs)
        yield _heard("clicks", f"{dbfs:.0f} dBFS", noises.clicks(length, _chance("clicks")), dbfs)
    for path in demo_scenarios():
        for below_db in (30.0, 40.0):
            name = f"{path.stem} {below_db:.0f} dB below"
            yield _heard("cross-talk", name, _talk(path.stem, length), SPEECH_DBFS - below_db)


def found_in(sound: WordlessSound, settings: VadConfig) -> list[Utterance]:
    """What detector and endpointer take for utterances, as in a call."""
    codec = LINE_CODECS[sound.codec]
    track = Track("bench", codec.audio_format, settings)
    found = []
    for timestamp_ms, payload in carried(sound.given, codec).arriving(_START_MS):
        track.place(timestamp_ms, payload)
        found += track.hear(track.decode())
    return [one for one in found + track.flush() if isinstance(one, Utterance)]


def forced_from(sound: WordlessSound) -> list[Utterance]:
    """The whole of it as utterances: what would come if no detector stood before the recognizer."""
    utterances: list[Utterance] = []
    heard, at = sound.samples, 0
    while at < len(heard):
        length = round(_FORCED_S[len(utterances) % len(_FORCED_S)] * SAMPLE_RATE_HZ)
        samples = heard[at : at + length]
        start, end = (_START_MS + one // SAMPLES_PER_MS for one in (at, at + len(samples)))
        utterances.append(Utterance("bench", start, end, samples, 0, level_dbfs(samples), 0.0))
        at += length
    return utterances


@dataclass(slots=True)
class Tally:
    """What became of some sounds."""

    minutes: float = 0.0
    utterances: int = 0
    gated: int = 0
    """Of these, the ones that the recognizer was not given."""
    words_before: int = 0
    """That the recognizer writes if it is given all of them and believed."""
    words_kept: int = 0
    """That are left behind the guard."""

    @property
    def invented_per_10_min(self) -> float:
        """Words that would be counted and that nobody said, in ten minutes of such sound."""
        return 10 * self.words_kept / self.minutes if self.minutes else 0.0

    def merge(self, others: Iterable[Tally]) -> Tally:
        """Take in others; returns itself."""
        for one in others:
            self.minutes += one.minutes
            self.utterances += one.utterances
            self.gated += one.gated
            self.words_before += one.words_before
            self.words_kept += one.words_kept
        return self


def _heard(kind: str, name: str, sound: Sound, dbfs: float) -> WordlessSound:
    """At its level, over the line's hiss, through the line's codec."""
    hiss = tunes.hiss(len(sound), _chance(name)) * 10 ** (HISS_DBFS / 20)
    mix = noises.unit(_carried(sound)) * 10 ** (dbfs / 20) + hiss
    samples = np.clip(np.rint(mix * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE).astype(np.int16)
    return WordlessSound(kind, name, samples)


def _carried(sound: Sound) -> Sound:
    """What a line of 8 kHz carries of it: levels are meant so."""
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ) > _BAND_HZ] = 0
    return np.fft.irfft(spectrum, len(sound))


def _coloured(length: int, exponent: float) -> Sound:
    """Noise whose power falls with frequency to twice that exponent."""
    return noises.shaped(length, _chance(f"colour {exponent}"), lambda hz: np.maximum(hz, 30.0) ** -exponent)


def _hum(length: int, hz: int) -> Sound:
    at = np.arange(length) / SAMPLE_RATE_HZ
    return np.asarray(sum(np.sin(2 * np.pi * hz * n * at + n) / n for n in range(1, 12)), np.float64)


def _talk(call: str, length: int) -> Sound:
    """A voice that says all that is said in a demo call, with pauses."""
    folder = demo_scenarios()[0].parent / call
    clips = [read_sound(path).astype(np.float64) for path in sorted(folder.glob("*.flac"))]
    pause = np.zeros(SAMPLE_RATE_HZ)
    return np.resize(np.concatenate([part for clip in clips for part in (noises.unit(clip), pause)]), length)


def _chance(what: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(what.encode()))
