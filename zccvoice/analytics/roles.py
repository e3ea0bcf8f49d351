"""Whose side a leg is on, where that changes during the call.

A supervisor who monitors, whispers or barges in is neither agent nor customer. One who takes the call over is the
agent from that moment on. All other legs stay on the side that the store knows.
"""

from __future__ import annotations

from dataclasses import replace

from zccvoice.analytics.record import CallRecord, Side, Span, TrackSound

TAKES_OVER = "takeover_started"
"""Name of the event with which a supervisor becomes the agent."""


def monitoring_channels(record: CallRecord) -> set[str]:
    """The legs of supervisors who monitored, whispered or barged in."""
    told = {one.channel_id for one in record.events if one.name.startswith("monitor_")}
    return {channel_id for channel_id in told if channel_id is not None}


def with_roles(record: CallRecord) -> CallRecord:
    """The same call, with monitoring supervisors on their own side until they take over."""
    monitoring = monitoring_channels(record)
    if not monitoring:
        return record
    taken_over_ms = {
        one.channel_id: one.at_ms
        for one in sorted(record.events, key=lambda one: -one.at_ms)  # the first one counts
        if one.name == TAKES_OVER
    }

    def side_of(channel_id: str, side: Side | None, at_ms: int) -> Side | None:
        if channel_id not in monitoring:
            return side
        since_ms = taken_over_ms.get(channel_id)
        return Side.AGENT if since_ms is not None and at_ms >= since_ms else Side.OTHER

    def parts_of(track: TrackSound) -> list[TrackSound]:
        """One for each side; packets are counted with the first."""
        span, cut_ms = track.open_span, taken_over_ms.get(track.channel_id)
        first = replace(track, side=side_of(track.channel_id, track.side, span.start_ms))
        if track.channel_id not in monitoring or cut_ms is None or not span.start_ms < cut_ms < span.end_ms:
            return [first]
        return [
            replace(first, open_span=Span(span.start_ms, cut_ms)),
            replace(
                track,
                side=Side.AGENT,
                open_span=Span(cut_ms, span.end_ms),
                lost_packets=0,
                duplicate_packets=0,
                reordered_packets=0,
            ),
        ]

    return replace(
        record,
        utterances=tuple(
            replace(one, side=side_of(one.channel_id, one.side, one.start_ms)) for one in record.utterances
        ),
        tracks=tuple(part for track in record.tracks for part in parts_of(track)),
        gaps=tuple(replace(one, side=side_of(one.channel_id, one.side, one.start_ms)) for one in record.gaps),
    )
