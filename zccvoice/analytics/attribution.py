"""Who spoke in a mixed track, where Zoom's active-speaker events leave no doubt.

A mixed track has everybody's voice. Beside it Zoom names the active speaker whenever that is another one, some
time after he began, and documents nowhere how long after. So a moment is certain when nobody else is named soon
after it, and an utterance is somebody's when most of it is certainly his, whichever the delay was. Of all others
it is not known who spoke: nothing is made up.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from zccvoice.analytics.record import Span

SPEAKER_NAMED = "active_speaker_change"
"""Name of the call event with which Zoom names the active speaker."""
SPEAKER_UNKNOWN = "active_speaker_unknown"
"""Name of the event from which on another one may have been named, for we begin to hear of it only now."""
LATENCY_MS = 1_000
"""Zoom is taken to name a speaker no later than this after he began."""
_MOST = 2, 3
"""Of an utterance: two thirds."""


class Naming(NamedTuple):
    """Somebody was named as the active speaker."""

    at_ms: int
    channel_id: str | None
    """None: from then on it is not known who speaks."""


class ActiveSpeakers:
    """When it is certain who spoke."""

    def __init__(self, namings: Iterable[Naming]) -> None:
        """Begin.

        Args:
            namings: in any order, each as often as it was told. When two are named at one time, nobody knows
                which of them speaks.
        """
        named_at: dict[int, set[str | None]] = defaultdict(set)
        for one in namings:
            named_at[one.at_ms].add(one.channel_id)
        changes: list[Naming] = []
        for at_ms, named in sorted(named_at.items()):
            channel_id = named.pop() if len(named) == 1 else None
            if not changes or channel_id != changes[-1].channel_id:
                changes.append(Naming(at_ms, channel_id))
        doubtful_ms = [*(one.at_ms - LATENCY_MS for one in changes[1:]), sys.maxsize]
        self._certain = [
            (Span(one.at_ms, until_ms), one.channel_id)
            for one, until_ms in zip(changes, doubtful_ms, strict=False)
            if one.channel_id is not None and until_ms > one.at_ms
        ]

    def speaker_of(self, span: Span) -> str | None:
        """Whose utterance it is, as a channel id; None when that is not certain."""
        spoken_ms: Counter[str] = Counter()
        first = bisect_right(self._certain, span.start_ms, key=lambda one: one[0].end_ms)
        for certain, channel_id in islice(self._certain, first, None):
            if certain.start_ms >= span.end_ms:
                break
            shared = Span(max(certain.start_ms, span.start_ms), min(certain.end_ms, span.end_ms))
            spoken_ms[channel_id] += shared.length_ms
        part, whole = _MOST
        for channel_id, length_ms in spoken_ms.most_common(1):
            if length_ms * whole >= span.length_ms * part:
                return channel_id
        return None
