"""``zccvoice bench audio``: what 20 ms of one track cost on one thread, by stage and as a whole.

CPU time of the thread, the least of some rounds in which all cases take turns. The sound is one side of a demo
call: it talks for 45 % of the time, and hisses quietly while it listens. It comes in packets of 20 ms, taken one
by one and ten by ten, as the recorder hands them over; of L16 also in the messages of 100 ms that are asked for,
from a side that only listens, and from one that never stops talking, which Silero hears as well. Beside ours stand
FFmpeg's decoders, given the whole stream at once, and for Opus a loop in C around libopus: what Python adds is the
difference. The floor of a track is what its libraries alone take: JSON, the decoder in C, and WebRTC's detector
at 8 kHz where somebody talks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import av
import numpy as np
import webrtcvad

from zccvoice.audio.codecs import codec_for, libopus
from zccvoice.audio.frame import SAMPLE_RATE_HZ, AudioFormat, Encoding, Packet, Samples
from zccvoice.audio.resampler import Resampler
from zccvoice.audio.timeline import Timeline
from zccvoice.bench import BenchResult, Figure, Wanted
from zccvoice.bench.c_loop import opus_loop
from zccvoice.config import VadConfig
from zccvoice.rtms.messages import AudioContent, AudioData
from zccvoice.rtms.wire import decode, encode
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.encoders import encode_g711, encode_g722, encode_l16, encode_opus
from zccvoice.simulator.scenario import load_scenario
from zccvoice.simulator.sources import render, resample
from zccvoice.speech.track import Track
from zccvoice.speech.utterance import Utterance
from zccvoice.speech.vad import FRAME_SAMPLES, WebRtcDetector

SECONDS = 20
"""Of sound."""
FRAMES = SECONDS * 50
START_MS = 1_781_000_012_340
BATCHES = (1, 10)
WANTED_STREAMS = {"l16": 5_000, "g711": 5_000, "g722": 2_000, "opus": 700, "opus_stereo": 550}
"""Whole track with ten packets at once, in real time, per core."""
WANTED_OPUS_OVERHEAD = 1.10
"""Times the loop in C."""


@dataclass(frozen=True, slots=True)
class _Stream:
    name: str
    audio_format: AudioFormat
    payloads: list[bytes]
    packet_ms: int = 20


def run(*, rounds: int = 7) -> BenchResult:
    """Measure; takes some seconds per round."""
    sound = render(load_scenario(demo_scenarios()[0])).legs[1].samples[: SECONDS * SAMPLE_RATE_HZ]
    streams = _streams(sound)
    cases: dict[str, Callable[[], object]] = {}
    for stream in streams:
        cases |= _stages(stream)
    cases |= _shared(sound) | _by_talk(sound)
    least = dict.fromkeys(cases, float("inf"))
    for _ in range(rounds):
        for name, case in cases.items():
            begin = time.thread_time()
            case()
            least[name] = min(least[name], time.thread_time() - begin)
    result = BenchResult("audio")
    for name, seconds in least.items():
        how = f"CPU, least of {rounds} x {SECONDS} s"
        result.figures[name] = Figure(round(seconds / FRAMES * 1e6, 2), "us / 20 ms", how)
    result.figures["talk_ratio"] = Figure(_talk_ratio(streams[0]), "ratio", "of the sound, what is talk")
    _judge(result, streams)
    return result


def _streams(sound: Samples) -> list[_Stream]:
    narrow, wide = resample(sound, 8_000), resample(sound, 48_000)
    opus, stereo = AudioFormat(Encoding.OPUS, 48_000), AudioFormat(Encoding.OPUS, 48_000, 2)
    return [
        _Stream("l16", AudioFormat(), encode_l16(sound, 1, 320, False)),
        _Stream("l16_100ms", AudioFormat(), encode_l16(sound, 1, 1_600, False), 100),
        _Stream("l16_8k", AudioFormat(rate_hz=8_000), encode_l16(narrow, 1, 160, False)),
        _Stream("l16_48k", AudioFormat(rate_hz=48_000), encode_l16(wide, 1, 960, False)),
        _Stream("g711", AudioFormat(Encoding.PCMA, 8_000), encode_g711(narrow, 1, 160, False)),
        _Stream("g722", AudioFormat(Encoding.G722), encode_g722(sound, 1, 320, False)),
        _Stream("opus", opus, encode_opus(wide, 1, 960, False)),
        _Stream("opus_stereo", stereo, encode_opus(np.repeat(wide, 2), 2, 960, False)),
    ]


def _stages(stream: _Stream) -> dict[str, Callable[[], object]]:
    """The cases of one stream; each works on all of it."""
    name = stream.name
    messages, packets = _messages(stream), _placed(stream)
    cases: dict[str, Callable[[], object]] = {
        f"{name}.json": lambda: [decode(message) for message in messages],
        f"{name}.timeline": lambda: _placed(stream),
    }
    codec = codec_for(stream.audio_format)
    for batch in BATCHES:
        runs = [packets[at : at + batch] for at in range(0, len(packets), batch)]
        cases[f"{name}.codec_x{batch}"] = lambda runs=runs: [codec.decode(run) for run in runs]  # type: ignore[misc]
        cases[f"{name}.decode_x{batch}"] = lambda batch=batch: _decoded(stream, batch)  # type: ignore[misc]
        cases[f"{name}.track_x{batch}"] = lambda batch=batch: _whole(stream, messages, batch)  # type: ignore[misc]
    if stream.audio_format.encoding is Encoding.OPUS:
        cases[f"{name}.ffmpeg"] = _ffmpeg("libopus", stream.payloads, stream.audio_format)
        library = libopus.load()
        loop = opus_loop(library, stream.payloads) if library else None
        if loop is not None:
            cases[f"{name}.c_loop"] = loop
    elif stream.audio_format.encoding is not Encoding.L16:
        names = {Encoding.PCMA: "pcm_alaw", Encoding.G722: "g722"}
        whole = [b"".join(stream.payloads)]
        cases[f"{name}.ffmpeg"] = _ffmpeg(names[stream.audio_format.encoding], whole, stream.audio_format)
    return cases


def _shared(sound: Samples) -> dict[str, Callable[[], object]]:
    """Stages that are the same for all streams."""
    is_voiced = webrtcvad.Vad(VadConfig().aggressiveness).is_speech
    raw = [frame[::2].tobytes() for frame in _cut(sound, FRAME_SAMPLES)]
    cases: dict[str, Callable[[], object]] = {
        "webrtcvad": lambda: [is_voiced(frame, 8_000) for frame in raw],
    }
    for batch in BATCHES:
        for rate_hz in (8_000, 32_000, 48_000):
            pieces = _cut(resample(sound, rate_hz), rate_hz // 50 * batch)
            resampler = Resampler(rate_hz)
            cases[f"resampling_{rate_hz // 1000}k_x{batch}"] = (
                lambda pieces=pieces, resampler=resampler: [resampler.push(piece) for piece in pieces]  # type: ignore[misc]
            )
        detector, frames = WebRtcDetector(VadConfig()), _cut(sound, FRAME_SAMPLES * batch)
        cases[f"vad_x{batch}"] = (
            lambda frames=frames, detector=detector: [detector.detect(frame) for frame in frames]  # type: ignore[misc]
        )
    return cases


def _by_talk(sound: Samples) -> dict[str, Callable[[], object]]:
    """A whole track of a side that only listens, and of one that never stops talking."""
    frames = sound.reshape(-1, FRAME_SAMPLES)
    is_talk = np.array(WebRtcDetector(VadConfig()).detect(sound).is_speech)
    cases: dict[str, Callable[[], object]] = {}
    for name, some in (("l16_listening", frames[~is_talk]), ("l16_talking", frames[is_talk])):
        payloads = encode_l16(np.resize(some, sound.size), 1, FRAME_SAMPLES, False)
        stream = _Stream(name, AudioFormat(), payloads)
        cases[f"{name}.track_x10"] = partial(_whole, stream, _messages(stream), 10)
    return cases


def _cut(samples: Samples, size: int) -> list[Samples]:
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def _messages(stream: _Stream) -> list[str]:
    """The stream as it comes from Zoom."""
    contents = [
        AudioContent(data=payload, timestamp=START_MS + at * stream.packet_ms, channel_id="ch")
        for at, payload in enumerate(stream.payloads)
    ]
    return [encode(AudioData(content=content)) for content in contents]


def _placed(stream: _Stream) -> list[Packet]:
    timeline, placed = Timeline(stream.audio_format), []
    for at, payload in enumerate(stream.payloads):
        placed += timeline.push(START_MS + at * stream.packet_ms, payload, (at, 0))
    placed += timeline.flush()
    return [piece for piece in placed if isinstance(piece, Packet)]


def _decoded(stream: _Stream, batch: int) -> None:
    """A track's timeline, codec and resampler, without the rest."""
    track = Track("ch", stream.audio_format, VadConfig())
    step = max(1, batch * 20 // stream.packet_ms)
    for at, payload in enumerate(stream.payloads):
        track.place(START_MS + at * stream.packet_ms, payload, (at, 0))
        if at % step == step - 1:
            track.decode()


def _whole(stream: _Stream, messages: list[str], batch: int) -> Track:
    """From JSON to utterances; what a message holds more than 20 ms of counts as several packets."""
    track = Track("ch", stream.audio_format, VadConfig())
    step = max(1, batch * 20 // stream.packet_ms)
    for at in range(0, len(messages), step):
        for number, message in enumerate(messages[at : at + step], at):
            audio = decode(message)
            assert isinstance(audio, AudioData)
            track.place(audio.content.timestamp, audio.content.data, (number, 0))
        track.hear(track.decode())
    track.flush()
    return track


def _talk_ratio(stream: _Stream) -> float:
    track = Track("ch", stream.audio_format, VadConfig())
    for at, payload in enumerate(stream.payloads):
        track.place(START_MS + at * stream.packet_ms, payload)
    found = track.hear(track.decode()) + track.flush()
    return round(sum(one.duration_ms for one in found if isinstance(one, Utterance)) / (SECONDS * 1000), 2)


def _ffmpeg(name: str, payloads: list[bytes], audio_format: AudioFormat) -> Callable[[], object]:
    context: Any = av.CodecContext.create(name, "r")
    context.sample_rate = audio_format.rate_hz
    context.layout = "stereo" if audio_format.channel_count == 2 else "mono"
    packets = [av.Packet(payload) for payload in payloads]
    return lambda: [context.decode(packet) for packet in packets]


def _judge(result: BenchResult, streams: list[_Stream]) -> None:
    """Streams per core, and the bounds that are wanted."""
    for stream in streams:
        name = stream.name
        value = 20_000 / result.figures[f"{name}.track_x10"].value
        how = "20 ms / track_x10"
        result.figures[f"{name}.streams_per_core"] = Figure(round(value), "streams", how)
        if name in WANTED_STREAMS:
            wanted = WANTED_STREAMS[name]
            result.wanted.append(Wanted(f"{name}.streams_per_core", wanted, round(value), is_least=True))
        _tell_floor(result, name)
        floor = result.figures.get(f"{name}.c_loop")
        if floor is not None:
            ratio = round(result.figures[f"{name}.codec_x10"].value / floor.value, 3)
            result.figures[f"{name}.codec_by_c_loop"] = Figure(ratio, "ratio", "codec_x10 / c_loop")
            result.wanted.append(Wanted(f"{name}.codec_by_c_loop", WANTED_OPUS_OVERHEAD, ratio))
        elif stream.audio_format.encoding is Encoding.OPUS:
            ratio = round(
                result.figures[f"{name}.codec_x10"].value / result.figures[f"{name}.ffmpeg"].value, 3
            )
            how = "codec_x10 / ffmpeg at 48 kHz, which stands in: there is no C compiler"
            result.figures[f"{name}.codec_by_ffmpeg"] = Figure(ratio, "ratio", how)


def _tell_floor(result: BenchResult, name: str) -> None:
    """The floor of a stream's track, and how far above it we are."""
    figures = result.figures
    in_c = figures.get(f"{name}.c_loop") or figures.get(f"{name}.ffmpeg")
    detector = figures["webrtcvad"].value * figures["talk_ratio"].value
    floor = figures[f"{name}.json"].value + detector + (in_c.value if in_c else 0)
    how = "json + talk_ratio x webrtcvad" + (" + decoder in C" if in_c else "")
    figures[f"{name}.floor"] = Figure(round(floor, 2), "us / 20 ms", how)
    figures[f"{name}.floor_streams_per_core"] = Figure(round(20_000 / floor), "streams", "20 ms / floor")
    ratio = figures[f"{name}.track_x10"].value / floor
    figures[f"{name}.track_by_floor"] = Figure(round(ratio, 2), "ratio", "track_x10 / floor")
