"""The false-alarm set: what it says it is, the same every time, and a few seconds of it through the whole way."""

from __future__ import annotations

import numpy as np
import pytest

from zccvoice.audio.quality import level_dbfs
from zccvoice.bench.false_alarms import Tally, false_alarm_set, forced_from, found_in
from zccvoice.config import SpeechConfig, VadConfig
from zccvoice.speech.guarded import guarded_whisper
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript

SECONDS = 4


def test_every_kind_is_there_and_as_loud_as_it_says() -> None:
    sounds = list(false_alarm_set(SECONDS))
    assert {one.kind for one in sounds} == {
        "silence", "noise", "hum", "hold music", "ringback", "signals", "DTMF", "breathing", "clicks", "cross-talk"
    }  # fmt: skip
    assert len({(one.kind, one.name) for one in sounds}) == len(sounds)
    assert {len(one.samples) for one in sounds} == {SECONDS * 16_000}
    for one in sounds:
        if one.name.endswith("dBFS"):
            wanted = float(one.name.split()[-2])
            assert level_dbfs(one.samples) == pytest.approx(wanted, abs=1), one.name


def test_it_is_the_same_every_time() -> None:
    for one, again in zip(false_alarm_set(1), false_alarm_set(1), strict=True):
        assert np.array_equal(one.samples, again.samples), one.name


def test_forced_utterances_are_all_of_the_sound() -> None:
    sound = next(one for one in false_alarm_set(37) if one.kind == "breathing")
    forced = forced_from(sound)
    assert np.array_equal(np.concatenate([one.samples for one in forced]), sound.samples)
    assert {one.duration_ms for one in forced} == {1000, 2500, 5000, 10_000}


def test_what_the_detector_lets_through_is_not_believed() -> None:
    recognizer = guarded_whisper(SpeechConfig(workers=1, beam_size=1))
    kept = []
    for sound in false_alarm_set(SECONDS):
        items = [RecognizerItem(one, "en") for one in found_in(sound, VadConfig())]
        found = [one for one in recognizer.transcribe(items) if isinstance(one, Transcript)]
        kept += [(sound.name, one.text) for one in found if one.refusal is None and one.text]
    assert kept == []


def test_tallies_add_up() -> None:
    both = Tally().merge([Tally(2.0, 3, 1, 10, 1), Tally(3.0, 1, 0, 5, 0)])
    assert both == Tally(5.0, 4, 1, 15, 1)
    assert both.invented_per_10_min == 2.0
    assert Tally().invented_per_10_min == 0.0
