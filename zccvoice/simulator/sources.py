"""The sound of a scenario: files and synthesised speech, mixed onto each leg's time axis with line noise.

Everything here is ``int16``, mono, 16 kHz, and the same for the same scenario and seed.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from zccvoice.errors import ScenarioError
from zccvoice.simulator.scenario import TAIL_MS, Participant, Scenario, Speech
from zccvoice.simulator.truth import UtteranceTruth

RATE_HZ = 16_000
SAMPLES_PER_MS = RATE_HZ // 1_000

LONGEST_PACKET_MS = 1_000
"""Legs are rendered this much longer than the call, so that its last packet is whole at any send rate."""

AUDIBLE_DB = -35.0
"""Quieter than this against a sound's loudest 10 ms counts as not yet, or no longer, speaking."""

SYNTHESIS_TIMEOUT_S = 60

Samples = npt.NDArray[np.int16]
"""``int16[n]``, mono, 16 kHz."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The sound of one participant from the call's first packet on."""

    participant: Participant
    samples: Samples
    """``int16[n]``, mono, 16 kHz; ends `LONGEST_PACKET_MS` after the call."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A scenario made audible."""

    duration_ms: int
    legs: tuple[Leg, ...]
    utterances: tuple[UtteranceTruth, ...]
    """Where each utterance can be heard, from the call's first packet on."""


def render(scenario: Scenario) -> Recording:
    """Make the sound of every leg. Takes a second or so for a minute of call: call it in a thread.

    Raises:
        ScenarioError: a sound file cannot be read, or speech is to be synthesised and espeak-ng is missing.
    """
    spoken = [(speech, _sound_of(speech, scenario)) for speech in scenario.speech]
    last_ms = max((speech.at_ms + len(sound) // SAMPLES_PER_MS for speech, sound in spoken), default=0)
    duration_ms = scenario.duration_ms or last_ms + TAIL_MS
    if last_ms > duration_ms:
        raise ScenarioError(
            f"{scenario.title}: speech goes on until {last_ms} ms, the call only to {duration_ms}"
        )
    legs = []
    for person in scenario.participants:
        mix = _line_noise(person, duration_ms + LONGEST_PACKET_MS, scenario.seed)
        for speech, sound in spoken:
            if speech.channel_id == person.channel_id:
                start = speech.at_ms * SAMPLES_PER_MS
                mix[start : start + len(sound)] += sound * np.float32(10 ** (speech.gain_db / 20))
        legs.append(Leg(person, np.clip(np.rint(mix), -32_768, 32_767).astype(np.int16)))
    utterances = (_utterance(speech, sound, scenario) for speech, sound in spoken)
    return Recording(duration_ms, tuple(legs), tuple(sorted(utterances, key=lambda one: one.start_ms)))


def _utterance(speech: Speech, sound: Samples, scenario: Scenario) -> UtteranceTruth:
    first, last = audible_range(sound)
    return UtteranceTruth(
        side=scenario.participant(speech.channel_id).side,
        channel_id=speech.channel_id,
        start_ms=speech.at_ms + first // SAMPLES_PER_MS,
        end_ms=speech.at_ms + last // SAMPLES_PER_MS,
        text=speech.text,
        language=scenario.language,
    )


def _sound_of(speech: Speech, scenario: Scenario) -> Samples:
    if speech.sound is not None:
        return read_sound(speech.sound)
    voice = speech.voice or scenario.participant(speech.channel_id).voice
    return synthesise(speech.text, voice=voice, rate_wpm=speech.rate_wpm)


def read_sound(file: Path | io.BytesIO) -> Samples:
    """A sound file (FLAC, WAV, Ogg and whatever else FFmpeg reads) as ``int16[n]``, mono, 16 kHz.

    Raises:
        ScenarioError: there is no sound in it.
    """
    name = file.name if isinstance(file, Path) else "synthesised speech"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    pieces: list[npt.NDArray[Any]] = []
    try:
        with av.open(str(file) if isinstance(file, Path) else file, mode="r") as container:
            for frame in container.decode(audio=0):
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise ScenarioError(f"{name}: not a sound file: {error}") from None
    if not pieces:  # FFmpeg believes a file's name, and finds nothing in it
        raise ScenarioError(f"{name}: not a sound file, or an empty one")
    return np.concatenate(pieces).astype(np.int16)


def resample(samples: Samples, rate_hz: int) -> Samples:
    """16 kHz mono samples at another rate: ``int16[n * rate_hz / 16000]``, mono."""
    if rate_hz == RATE_HZ:
        return samples
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    pieces = [piece.to_ndarray()[0] for given in (frame, None) for piece in resampler.resample(given)]
    wanted = len(samples) * rate_hz // RATE_HZ
    whole = np.concatenate(pieces)[:wanted].astype(np.int16)
    return np.pad(whole, (0, wanted - len(whole)))


def synthesise(text: str, *, voice: str, rate_wpm: int = 160, pitch: int = 50) -> Samples:
    """`text` spoken by the espeak-ng program, as ``int16[n]``, mono, 16 kHz.

    Args:
        text: what to say.
        voice: an espeak-ng voice, such as ``es`` or ``en-us+f2``; for one that it does not know the program
            takes its default.
        rate_wpm: speaking rate.
        pitch: 0–99.

    Raises:
        ScenarioError: the program is not on this machine, or fails.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise ScenarioError(f"speech without a sound file needs espeak-ng on this machine: {text!r}")
    command = [program, "--stdout", "-v", voice, "-s", str(rate_wpm), "-p", str(pitch), "--", text]
    done = subprocess.run(command, capture_output=True, check=False, timeout=SYNTHESIS_TIMEOUT_S)  # noqa: S603
    if done.returncode != 0 or not done.stdout:
        complaint = done.stderr.decode(errors="replace").strip()
        raise ScenarioError(f"espeak-ng failed with voice {voice!r}: {complaint}")
    return read_sound(io.BytesIO(done.stdout))


def audible_range(samples: Samples) -> tuple[int, int]:
    """First and past-the-last sample of what can be heard in `samples`, in steps of 10 ms."""
    step = 10 * SAMPLES_PER_MS
    whole = samples[: len(samples) // step * step].reshape(-1, step).astype(np.float64)
    power = np.square(whole).mean(axis=1) if len(whole) else np.zeros(0)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (AUDIBLE_DB / 10))
    return (int(loud[0]) * step, (int(loud[-1]) + 1) * step) if len(loud) else (0, len(samples))


def _line_noise(person: Participant, duration_ms: int, seed: int) -> npt.NDArray[np.float32]:
    """Gaussian noise of a telephone line: made at 8 kHz, so that little of it lies above the line's 4 kHz."""
    generator = np.random.default_rng([seed, zlib.crc32(person.channel_id.encode())])
    narrow = generator.standard_normal(duration_ms * SAMPLES_PER_MS // 2 + 1, dtype=np.float32)
    wide = np.empty(2 * len(narrow) - 1, np.float32)
    wide[::2], wide[1::2] = narrow, (narrow[:-1] + narrow[1:]) / 2
    rms = np.sqrt(np.mean(np.square(wide)))
    return wide[:-1] * np.float32(32_768 * 10 ** (person.noise_dbfs / 20) / rms)
