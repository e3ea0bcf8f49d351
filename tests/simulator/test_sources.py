"""Sound files, synthesis, line noise and where speech can be heard."""

from __future__ import annotations

import io
import shutil
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from zccvoice.errors import ScenarioError
from zccvoice.simulator import sources
from zccvoice.simulator.sources import SAMPLES_PER_MS, Samples, audible_range, read_sound, render, resample

from .conftest import MakeScenario

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not on this machine"
)


def tone(length_ms: Any, rate_hz: int, hz: Any = 440) -> Any:
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(length_ms * rate_hz // 1_000) / rate_hz)).astype(
        np.int16
    )


def wav(samples: Samples, rate_hz: int, channels: Any = 1) -> Any:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_file(name: str, content: Any) -> Any:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


def rms_dbfs(samples: Samples) -> Any:
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64)))) / 32_768)


def test_a_file_at_16_khz_is_read_as_it_is(write: Callable[[str, bytes], Path]) -> None:
    samples = tone(500, 16_000)
    assert np.array_equal(read_sound(write("a.wav", wav(samples, 16_000))), samples)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_other_rates_become_16_khz(write: Callable[[str, bytes], Path], rate_hz: int) -> None:
    read = read_sound(write("a.wav", wav(tone(500, rate_hz), rate_hz)))
    assert abs(len(read) - 8_000) <= 16
    assert rms_dbfs(read[800:-800]) == pytest.approx(rms_dbfs(tone(500, 16_000)), abs=0.3)
    spectrum = np.abs(np.fft.rfft(read[:8_000]))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


def test_stereo_becomes_mono(write: Callable[[str, bytes], Path]) -> None:
    left = tone(500, 16_000)
    both = np.stack([left, left], axis=1).reshape(-1)
    read = read_sound(write("a.wav", wav(both, 16_000, channels=2)))
    assert len(read) == len(left)
    assert np.max(np.abs(read.astype(int) - left)) <= 2


@pytest.mark.parametrize(("suffix", "codec"), [("flac", "flac"), ("ogg", "libopus")])
def test_flac_and_ogg(tmp_path: Path, suffix: Any, codec: Any) -> None:
    path = tmp_path / f"a.{suffix}"
    frame = av.AudioFrame.from_ndarray(tone(1_000, 48_000).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 48_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        fitting = av.AudioResampler(
            format=stream.format, layout="mono", rate=48_000, frame_size=stream.frame_size
        )
        for piece in (*fitting.resample(frame), *fitting.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    assert abs(len(read_sound(path)) - 16_000) < 500


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_sound_is_refused_by_name(write: Callable[[str, bytes], Path], content: Any) -> None:
    with pytest.raises(ScenarioError, match=r"noise\.flac"):
        read_sound(write("noise.flac", content))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 32_000, 48_000])
def test_resampling_keeps_length_and_loudness(rate_hz: int) -> None:
    out = resample(tone(1_000, 16_000), rate_hz)
    assert len(out) == rate_hz
    assert rms_dbfs(out[rate_hz // 10 : -rate_hz // 10]) == pytest.approx(
        rms_dbfs(tone(1_000, 16_000)), abs=0.3
    )


def test_audible_range_leaves_out_the_quiet_at_both_ends() -> None:
    quiet = np.zeros(3_200, np.int16)
    first, last = audible_range(np.concatenate([quiet, tone(300, 16_000), quiet]))
    assert (first, last) == (3_200, 3_200 + 4_800)
    assert audible_range(quiet) == (0, 3_200)
    assert audible_range(np.zeros(0, np.int16)) == (0, 0)


# Rendering


def spoken(path: Any, who: Any = "agent", at_ms: Any = 2_000, gain_db: Any = 0.0) -> Any:
    return f'[[speech]]\nwho = "{who}"\nat_ms = {at_ms}\ntext = "a tone"\nsound = "{path}"\ngain_db = {gain_db}\n'


def test_a_leg_is_line_noise_with_the_speech_in_its_place(
    small: MakeScenario, write: Callable[[str, bytes], Path]
) -> None:
    path = write("a.wav", wav(tone(500, 16_000), 16_000))
    recording = render(small(spoken(path)))
    assert recording.duration_ms == 10_000
    consumer, agent = recording.legs
    for leg in recording.legs:
        assert leg.samples.dtype == np.int16
        assert len(leg.samples) == 11_000 * SAMPLES_PER_MS  # a second more, for a whole last packet
    assert rms_dbfs(consumer.samples) == pytest.approx(-60, abs=0.5)
    inside = slice(2_000 * SAMPLES_PER_MS, 2_500 * SAMPLES_PER_MS)
    assert rms_dbfs(agent.samples[inside]) == pytest.approx(rms_dbfs(tone(500, 16_000)), abs=0.1)
    assert rms_dbfs(agent.samples[: inside.start]) == pytest.approx(-60, abs=0.5)
    assert not np.array_equal(consumer.samples[:16_000], agent.samples[:16_000])
    (utterance,) = recording.utterances
    assert (utterance.start_ms, utterance.end_ms, utterance.channel_id) == (2_000, 2_500, "ch-90c2")


def test_no_stretch_of_the_line_is_digital_silence(small: MakeScenario) -> None:
    for leg in render(small()).legs:
        pieces = leg.samples.reshape(-1, 20 * SAMPLES_PER_MS)
        assert np.all(np.any(pieces != 0, axis=1))


def test_line_noise_lies_below_4_khz(small: MakeScenario) -> None:
    spectrum = np.square(np.abs(np.fft.rfft(render(small()).legs[0].samples.astype(np.float64))))
    half = len(spectrum) // 2
    assert spectrum[half:].sum() < 0.2 * spectrum.sum()


def test_rendering_follows_the_seed(small: MakeScenario) -> None:
    first, again, other = (render(small(seed=seed)).legs[0].samples for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_speeches_on_one_leg_add_up_and_loud_ones_clip(
    small: MakeScenario, write: Callable[[str, bytes], Path]
) -> None:
    path = write("a.wav", wav(tone(500, 16_000), 16_000))
    recording = render(small(spoken(path, gain_db=20.0)))
    assert recording.legs[1].samples.max() == 32_767
    assert recording.legs[1].samples.min() == -32_768


def test_the_call_lasts_until_after_the_last_word(
    small: MakeScenario, write: Callable[[str, bytes], Path]
) -> None:
    path = write("a.wav", wav(tone(500, 16_000), 16_000))
    scenario = small(spoken(path))
    fields = {field: getattr(scenario, field) for field in scenario.__slots__} | {"duration_ms": None}
    assert render(type(scenario)(**fields)).duration_ms == 3_500


def test_speech_beyond_the_end_is_refused(small: MakeScenario, write: Callable[[str, bytes], Path]) -> None:
    path = write("a.wav", wav(tone(500, 16_000), 16_000))
    with pytest.raises(ScenarioError, match="until 10300 ms, the call only to 10000"):
        render(small(spoken(path, at_ms=9_800)))


# Synthesis


@needs_espeak
def test_speech_without_a_file_is_synthesised(small: MakeScenario) -> None:
    recording = render(small('[[speech]]\nwho = "consumer"\nat_ms = 1_000\ntext = "hello there"\n'))
    (utterance,) = recording.utterances
    assert 300 < utterance.end_ms - utterance.start_ms < 2_000
    heard = recording.legs[0].samples[utterance.start_ms * SAMPLES_PER_MS : utterance.end_ms * SAMPLES_PER_MS]
    assert rms_dbfs(heard) > -35


@needs_espeak
def test_text_is_never_an_option_of_the_program() -> None:
    assert len(sources.synthesise("--version", voice="en-us")) > 1_000


def test_a_program_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/false")
    with pytest.raises(ScenarioError, match=r"espeak-ng failed with voice 'en-us'"):
        sources.synthesise("hello", voice="en-us")


def test_without_the_program_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ScenarioError, match="needs espeak-ng"):
        sources.synthesise("hello", voice="en-us")
