from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.sounds import noise, voice
from zccvoice.bench import labelled
from zccvoice.bench.labelled import STEP, Labelled, audible_steps
from zccvoice.bench.vad import Score, found_steps, result_of, runs
from zccvoice.config import VadConfig


def flags(text: str) -> np.ndarray:
    return np.array([one == "x" for one in text])


def test_precision_recall_and_boundaries() -> None:
    score = Score()
    score.add(flags("..xxxx....xxxx.."), flags(".xxxx....x......"))
    assert (score.hit_steps, score.false_steps, score.missed_steps) == (3, 2, 5)
    assert score.precision == pytest.approx(3 / 5)
    assert score.recall == pytest.approx(3 / 8)
    assert score.taken_ratio == pytest.approx(2 / 8)
    assert score.boundary_errors_ms == [10, 10]
    assert score.missed_count == 1


@given(st.lists(st.booleans(), min_size=1))
def test_what_is_found_wholly_has_no_errors(truth: list[bool]) -> None:
    score = Score()
    score.add(np.array(truth), np.array(truth))
    assert score.f1 == 1
    assert score.taken_ratio == 0
    assert not any(score.boundary_errors_ms)


@given(st.lists(st.booleans()))
def test_runs_are_where_the_flags_are(given_flags: list[bool]) -> None:
    again = np.zeros(len(given_flags), bool)
    for start, end in runs(np.array(given_flags, bool)):
        assert not again[start:end].any()
        again[start:end] = True
    assert again.tolist() == given_flags


def test_a_tracks_spans_are_compared_with_the_truth() -> None:
    truth = np.zeros(400, bool)
    truth[100:300] = True
    sound = np.concatenate([noise(1000), voice(2000), noise(1000)])
    found = found_steps(Labelled("c", "L16", sound, truth), VadConfig())
    assert runs(found) == [(100, 300)]


def test_short_holes_belong_to_the_speech() -> None:
    loud = np.concatenate([np.ones(10), np.zeros(20), np.ones(10), np.zeros(21), np.ones(5), np.zeros(4)])
    truth = audible_steps(np.repeat(loud, STEP))
    assert runs(truth) == [(0, 40), (61, 66)]


def test_the_bounds() -> None:
    good, bad = Score(), Score()
    good.add(flags("..xxxx.."), flags("..xxxx.."))
    bad.add(flags("........"), flags("..xxxx.."))
    conditions = {"pink 10 dB": good, "music: a": bad, "signal: b": Score(), "DTMF": Score()}
    met = {one.name: one.is_met for one in result_of(conditions, "held out").wanted}
    assert met == {
        "f1_10db": True,
        "boundary_10db_p50": True,
        "music_taken": False,
        "signals_taken": True,
        "dtmf_taken": True,
    }


def test_the_set_is_the_same_every_time_and_says_where_speech_is() -> None:
    one, again = (next(iter(labelled.labelled_set("tuning"))) for _ in range(2))
    assert np.array_equal(one.samples, again.samples)
    assert len(one.samples) == len(one.is_speech) * STEP
    levels = np.mean(one.samples.reshape(-1, STEP).astype(float) ** 2, axis=1)
    assert levels[one.is_speech].mean() > 100 * levels[~one.is_speech].mean()


def test_signals_are_tried_on_noisy_lines_too() -> None:
    found = [one for one in labelled._wordless("held out") if one.condition.startswith("signals, ")]
    per_condition = Counter(one.condition for one in found)
    assert set(per_condition) == {
        f"signals, {noise} {snr_db} dB" for noise in ("pink", "street", "fan") for snr_db in (20, 10)
    }
    assert len(set(per_condition.values())) == 1
    assert not any(one.is_speech.any() for one in found)
    assert not found_steps(found[0], VadConfig()).any(), "ringback UK, whose pauses are noise at 20 dB"
