"""Prints the table of codecs: ours against FFmpeg's decoder of the whole stream, with and without 5 % loss.

    PYTHONPATH=. python scripts/measure_codecs.py

Speech is that of a demo call; stereo has one side of the call in each channel. "against FFmpeg" compares what
arrived with what FFmpeg decodes, the channels' mean, brought to 16 kHz by our resampler: it is about decoding and
mixing. "against the source" tells where positions lie: the lag at which the decoded sound fits the sound before
encoding best. With loss, "heard" compares the samples that arrived with those of an undisturbed decoder, from a
fifth of a second after each hole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from zccvoice.audio.codecs import codec_for, sample_count
from zccvoice.audio.decoder import Decoder
from zccvoice.audio.frame import AudioFormat, Encoding, Gap, Packet, Samples
from zccvoice.audio.resampler import Resampler
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.encoders import encode_g711, encode_g722, encode_l16, encode_opus
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import render, resample

SECONDS = 40
LOSS_RATIO = 0.05
SETTLED_SAMPLES = 3_200


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    name: str
    audio_format: AudioFormat
    payloads: list[bytes]
    reference: Samples
    """FFmpeg's, at 16 kHz mono, delay left in."""


def main() -> None:
    """Print it."""
    legs = render(load_scenario(demo_scenarios()[0])).legs
    source, other = (leg.samples[: SECONDS * 16_000] for leg in legs[:2])
    table = Table(title="codecs", title_justify="left")
    for name in (
        "codec",
        "rate",
        "against FFmpeg",
        "codec delay",
        "lag against source",
        "with 5 % loss: heard",
        "sent = decoded + gaps",
    ):
        table.add_column(name)
    for case in cases(source, other):
        table.add_row(*line(case, source))
    Console(width=160).print(table)


def cases(source: Samples, other: Samples) -> list[Case]:
    """All formats."""
    found = []
    for rate_hz in (8_000, 16_000, 32_000, 48_000):
        for channel_count, layout in ((1, "mono"), (2, "stereo")):
            channels = [resample(sound, rate_hz) for sound in (source, other)[:channel_count]]
            samples = np.stack(channels, axis=1).reshape(-1)
            payloads = encode_l16(samples, channel_count, rate_hz // 50, False)
            decoded_there = ffmpeg("pcm_s16le", [b"".join(payloads)], rate_hz, layout)
            audio_format = AudioFormat(Encoding.L16, rate_hz, channel_count)
            name = "L16 stereo" if channel_count == 2 else "L16"
            found.append(Case(name, audio_format, payloads, at_16_khz(decoded_there, rate_hz)))
    for law, name in ((Encoding.PCMA, "pcm_alaw"), (Encoding.PCMU, "pcm_mulaw")):
        payloads = encode_g711(resample(source, 8_000), 1, 160, False, law=law)
        reference = at_16_khz(ffmpeg(name, [b"".join(payloads)], 8_000, "mono"), 8_000)
        found.append(Case(f"G.711 {law.value}", AudioFormat(law, 8_000), payloads, reference))
    payloads = encode_g722(source, 1, 320, False)
    reference = ffmpeg("g722", [b"".join(payloads)], 16_000, "mono")
    found.append(Case("G.722", AudioFormat(Encoding.G722), payloads, reference))
    wide, other_wide = resample(source, 48_000), resample(other, 48_000)
    for channel_count, fec in ((1, False), (1, True), (2, False)):
        samples = np.stack((wide, other_wide)[:channel_count], axis=1).reshape(-1)
        payloads = encode_opus(samples, channel_count, 960, fec)
        layout = "stereo" if channel_count == 2 else "mono"
        reference = at_16_khz(ffmpeg("libopus", payloads, 48_000, layout), 48_000)
        name = ("Opus stereo" if channel_count == 2 else "Opus") + (" with FEC" if fec else "")
        found.append(Case(name, AudioFormat(Encoding.OPUS, 48_000, channel_count), payloads, reference))
    return found


def ffmpeg(name: str, payloads: list[bytes], rate_hz: int, layout: str) -> Samples:
    """FFmpeg's decoder of that name, mixed down."""
    context: Any = av.CodecContext.create(name, "r")
    context.sample_rate, context.layout = rate_hz, layout
    frames = [frame for payload in payloads for frame in context.decode(av.Packet(payload))]
    sound = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    if sound.dtype == np.float32:
        sound = sound * 32_768
    if layout == "stereo":
        sound = sound.reshape(-1, 2).mean(axis=1)
    rounded: Samples = np.rint(sound).astype(np.int16)
    return rounded


def at_16_khz(samples: Samples, rate_hz: int) -> Samples:
    """By our resampler."""
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def line(case: Case, source: Samples) -> tuple[str, ...]:
    """What is to be told of a case."""
    delay = codec_for(case.audio_format).delay_samples
    sound, _ = decoded(case, lost=set())
    reference = case.reference[delay:][: len(sound)]
    if case.audio_format.encoding is Encoding.OPUS:
        fit = f"{spectral_db(sound[: len(reference)], reference):.2f} dB in the spectrum"
    elif np.array_equal(sound[: len(reference)], reference):
        fit = "bit-exact"
    else:
        fit = f"{snr_db(reference, sound[: len(reference)]):.1f} dB"
    random = np.random.default_rng(5)
    lost = set(np.flatnonzero(random.random(len(case.payloads)) < LOSS_RATIO)[1:].tolist()) - {0}
    lost.discard(len(case.payloads) - 1)
    broken, gaps = decoded(case, lost=lost)
    sent = sum(sample_count(case.audio_format, payload) for payload in case.payloads)
    heard = np.ones(len(sound), bool)
    position = 0
    settled = (
        0 if case.audio_format.encoding in (Encoding.L16, Encoding.PCMA, Encoding.PCMU) else SETTLED_SAMPLES
    )
    reach = 64
    for number, payload in enumerate(case.payloads):
        count = sample_count(case.audio_format, payload)
        if number in lost:
            heard[max(0, position - reach - delay) : position + count + max(reach, settled)] = False
        position += count
    same = np.array_equal(sound[heard], broken[heard])
    with_loss = "bit-exact" if same else f"{snr_db(sound[heard], broken[heard]):.1f} dB"
    books = f"{sent} = {sent - gaps} + {gaps}" if len(broken) == sent else f"{sent} ≠ {len(broken)}"
    return (
        case.name,
        f"{case.audio_format.rate_hz // 1000} kHz",
        fit,
        f"{delay} samples",
        f"{lag(source, sound)} samples",
        with_loss,
        books,
    )


def decoded(case: Case, *, lost: set[int]) -> tuple[Samples, int]:
    """The sound, given in runs of ten packets, and the samples in gaps."""
    pieces: list[Packet | Gap] = []
    position = 0
    for number, payload in enumerate(case.payloads):
        count = sample_count(case.audio_format, payload)
        if number in lost:
            pieces.append(Gap(position, count, "lost_packets"))
        else:
            pieces.append(Packet(position, count, payload))
        position += count
    decoder = Decoder(case.audio_format)
    out: list[Samples | Gap] = []
    at = 0
    while at < len(pieces):
        end = min(len(pieces), at + 10)
        while end < len(pieces) and isinstance(pieces[end - 1], Gap):
            end += 1  # a timeline gives a gap together with what follows it
        out += decoder.decode(pieces[at:end])
        at = end
    out += decoder.flush()
    sound = np.concatenate([piece for piece in out if not isinstance(piece, Gap)])
    return sound, sum(piece.sample_count for piece in out if isinstance(piece, Gap))


def snr_db(wanted: npt.NDArray[Any], got: npt.NDArray[Any]) -> float:
    """How far the difference lies below the sound."""
    wanted, got = wanted.astype(np.float64), got.astype(np.float64)
    error = float(np.sum((wanted - got) ** 2))
    return 10 * math.log10(float(np.sum(wanted**2)) / error) if error else math.inf


def spectral_db(one: Samples, other: Samples) -> float:
    """Mean difference of the levels of frames of 20 ms in bands of 500 Hz up to 7 kHz, of what is audible."""
    levels = []
    for sound in (one, other):
        frames = sound[: len(sound) // 320 * 320].reshape(-1, 320) * np.hanning(320)
        power = np.abs(np.fft.rfft(frames, axis=1)[:, 1:141]) ** 2
        levels.append(10 * np.log10(power.reshape(len(frames), 14, 10).mean(axis=2) + 1e3))
    loud = levels[0] > levels[0].max() - 50
    return float(np.abs(levels[0] - levels[1])[loud].mean())


def lag(source: Samples, sound: Samples) -> int:
    """By how many samples the sound is late."""
    length = min(len(source), len(sound)) - 400
    wanted = source[200 : 200 + length].astype(np.float64)
    fits = [
        float(np.dot(wanted, sound[200 + shift : 200 + shift + length].astype(np.float64)))
        for shift in range(-150, 151)
    ]
    return int(np.argmax(fits)) - 150


if __name__ == "__main__":
    main()
