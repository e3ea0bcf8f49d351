"""What is told of a stream's tracks at its end: how each arrived and sounds, and what shows only side by side.

See `audio.sides`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from zccvoice.audio.sides import leakage, one_way_stretches
from zccvoice.speech.track import Track
from zccvoice.store.facts import LeakageFound, TrackClosed

Spans = Sequence[tuple[int, int]]
"""[start, end) on Zoom's clock, epoch ms; in order, disjoint."""


def track_closed(
    ids: tuple[str, str], track: Track, jitter_ms: Mapping[str, float], tracks: Iterable[Track]
) -> TrackClosed:
    """The last fact about a track that has had a packet; `ids` are those of engagement and stream."""
    counts, quality, end_ms = track.timeline, track.quality, track.end_timestamp_ms
    assert counts.first_timestamp_ms is not None
    assert end_ms is not None
    return TrackClosed(
        *ids,
        track.channel_id,
        counts.first_timestamp_ms,
        end_ms,
        counts.packets,
        counts.lost_packets,
        counts.duplicate_packets,
        counts.reordered_packets,
        quality.noise_dbfs,
        quality.speech_dbfs,
        quality.clipped_ratio,
        jitter_ms.get(track.channel_id),
        leakage_in(track, tracks),
    )


def leakage_in(track: Track, tracks: Iterable[Track]) -> LeakageFound | None:
    """The track that is heard again in this one, most clearly if there are several."""
    begin_ms = track.timeline.first_timestamp_ms
    found = []
    for other in tracks:
        other_begin_ms = other.timeline.first_timestamp_ms
        if other is track or begin_ms is None or other_begin_ms is None:
            continue
        heard = leakage(track.levels, other.levels, own_starts_later_ms=begin_ms - other_begin_ms)
        if heard is not None:
            gain_db, correlation = round(heard.gain_db, 1), round(heard.correlation, 3)
            found.append(LeakageFound(other.channel_id, heard.delay_ms, gain_db, correlation))
    return max(found, key=lambda one: one.correlation, default=None)


def one_way_channels(
    tracks: Iterable[Track], spoken_ms: Mapping[str, Spans], joined_ms: Mapping[str, int]
) -> Iterator[tuple[str, int, int]]:
    """Where a channel says nothing for long while others speak: (channel, start, end), epoch ms.

    Args:
        tracks: what came.
        spoken_ms: by channel.
        joined_ms: from when on which channel should be heard; one without a single packet is silent since then.
    """
    bounds = {
        track.channel_id: (track.timeline.first_timestamp_ms, track.end_timestamp_ms) for track in tracks
    }
    known = {name: (begin, end) for name, (begin, end) in bounds.items() if begin and end}
    if not known:
        return
    zero_ms, end_ms = min(begin for begin, _ in known.values()), max(end for _, end in known.values())
    begin_ms = dict.fromkeys(known, zero_ms)
    if not known.keys().isdisjoint(joined_ms):
        begin_ms = {name: max(zero_ms, joined) for name, joined in joined_ms.items()} | begin_ms
    # Else everybody's sound comes under another name, such as that of the mix.
    for channel_id, begin in begin_ms.items():
        own = _from(begin, spoken_ms.get(channel_id, ()))
        others = sorted(
            span for name, spans in spoken_ms.items() if name != channel_id for span in _from(begin, spans)
        )
        for start, end in one_way_stretches(own, _joined(others), end_ms - begin):
            yield channel_id, begin + start, begin + end


def _from(zero_ms: int, spans: Spans) -> list[tuple[int, int]]:
    return [(start - zero_ms, end - zero_ms) for start, end in spans]


def _joined(spans: Spans) -> list[tuple[int, int]]:
    """Spans that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
