"""How the call sounded: loudness, clipping, noise, packets. Each is None where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from zccvoice.analytics.record import SpokenUtterance, TrackSound


def energy_mean_db(levels: Iterable[tuple[float | None, int]]) -> float | None:
    """The level of what is given with its lengths, averaged as energy, in the levels' own dB.

    Levels that were not measured are left out. None when none was, or all are digital silence (−∞).
    """
    energy, length = 0.0, 0
    for level_db, length_ms in levels:
        if level_db is not None and length_ms > 0:
            energy += 10 ** (level_db / 10) * length_ms
            length += length_ms
    return 10 * math.log10(energy / length) if energy else None


def loudness_dbfs(utterances: Sequence[SpokenUtterance]) -> float | None:
    """Energy mean of the speech level of one side, dBFS; a full-scale sine is −3.01."""
    return energy_mean_db((one.loudness_dbfs, one.end_ms - one.start_ms) for one in utterances)


def clipping_ratio(utterances: Sequence[SpokenUtterance]) -> float | None:
    """Share of the speech samples of one side that are at full scale for 3 or more in a row, 0–1."""
    measured = [
        (one.clipped_ratio, one.end_ms - one.start_ms)
        for one in utterances
        if one.clipped_ratio is not None and one.end_ms > one.start_ms
    ]
    if not measured:
        return None
    return sum(ratio * length_ms for ratio, length_ms in measured) / sum(length for _, length in measured)


def snr_db(utterances: Sequence[SpokenUtterance], tracks: Sequence[TrackSound]) -> float | None:
    """Speech level of one side minus the noise of its tracks, dB. None where a track's silence is digital."""
    speech = loudness_dbfs(utterances)
    noise = energy_mean_db((track.noise_dbfs, track.open_span.length_ms) for track in tracks)
    return None if speech is None or noise is None else speech - noise


def packet_counts(tracks: Sequence[TrackSound]) -> tuple[int, int, int] | None:
    """Packets lost, duplicated and reordered, over all tracks. None without a track."""
    if not tracks:
        return None
    return (
        sum(track.lost_packets for track in tracks),
        sum(track.duplicate_packets for track in tracks),
        sum(track.reordered_packets for track in tracks),
    )
