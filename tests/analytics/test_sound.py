"""Loudness, clipping, noise, packets."""

from __future__ import annotations

import math

import pytest

from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.sound import clipping_ratio, energy_mean_db, loudness_dbfs, snr_db

from .build import A, C, call, said, track


def test_levels_are_averaged_as_energy() -> None:
    # Half the time 20 dB more: 10·log10((1 + 0.01) / 2) dB.
    assert energy_mean_db([(-20, 500), (-40, 500)]) == pytest.approx(-22.967, abs=0.001)
    assert energy_mean_db([(-20, 500), (None, 9_000), (-7, 0)]) == pytest.approx(-20)


@pytest.mark.parametrize("levels", [[], [(None, 100)], [(-math.inf, 100)], [(-20, 0)]])
def test_a_level_that_nothing_tells_is_none(levels: list[tuple[float | None, int]]) -> None:
    assert energy_mean_db(levels) is None


def test_loudness_and_clipping_are_of_one_side_and_weighted_by_time() -> None:
    measured = scorecard(
        call(
            said(A, 0, 3_000, loudness_dbfs=-20, clipped_ratio=0.1),
            said(A, 4_000, 5_000, loudness_dbfs=-20, clipped_ratio=0.5),
            said(C, 6_000, 7_000, loudness_dbfs=-30, clipped_ratio=0.0),
        )
    )
    assert measured.loudness_agent_dbfs == pytest.approx(-20)
    assert measured.loudness_customer_dbfs == pytest.approx(-30)
    assert measured.clipping_agent_ratio == pytest.approx(0.2)
    assert measured.clipping_customer_ratio == 0
    assert clipping_ratio([said(A, 0, 1_000)]) is None
    assert loudness_dbfs([]) is None


def test_snr_is_speech_minus_noise() -> None:
    spoken = [said(A, 0, 1_000, loudness_dbfs=-20)]
    assert snr_db(spoken, [track(A, 0, 9_000, noise_dbfs=-55)]) == pytest.approx(35)
    assert snr_db(spoken, [track(A, 0, 9_000)]) is None
    assert snr_db([], [track(A, 0, 9_000, noise_dbfs=-55)]) is None


def test_packets_are_summed_over_tracks() -> None:
    tracks = (track(A, 0, 1_000, packets=(1, 2, 3)), track(C, 0, 1_000, packets=(10, 20, 30)))
    measured = scorecard(call(tracks=tracks))
    assert measured.lost_packets_count == 11
    assert measured.duplicate_packets_count == 22
    assert measured.reordered_packets_count == 33
