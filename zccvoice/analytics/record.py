"""One call, as analytics sees it: everything that was stored about an engagement, as one value.

The store reads it (`store.reads.call_record`), `scorecard` turns it into measures. Times are integer
milliseconds on the engagement's clock: 0 is the first packet of its first stream, by Zoom's timestamps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from zccvoice.analytics.unspaced import UNSPACED_LETTER


class Side(StrEnum):
    """Whose words: the two parties of a call, and anyone else on it."""

    AGENT = "agent"
    CUSTOMER = "customer"
    OTHER = "other"


class Span(NamedTuple):
    """A stretch of time, ``[start_ms, end_ms)``."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class SpokenUtterance:
    """One stretch of speech of one participant: a speech span with what was understood of it."""

    side: Side | None
    """None while nobody told whose channel it is (and in a mixed track)."""
    channel_id: str
    start_ms: int
    end_ms: int
    text: str | None
    """None when it was not transcribed, or what the recognizer said was refused; empty when the recognizer
    heard no words in it."""
    confidence: float | None = None
    """exp(mean log probability) of the transcript, 0–1."""
    loudness_dbfs: float | None = None
    """RMS level of the speech; a full-scale sine is −3.01."""
    clipped_ratio: float | None = None
    """Share of its samples that sit at full scale, three or more in a row."""
    sentiment: float | None = None
    """Score of its words, −1…+1; None where the language has no scorer or no words count."""
    word_spans: tuple[Span, ...] = ()
    """When each word of `text` was said; none where the recognizer did not tell."""
    language: str | None = None
    """What it was transcribed in, a Whisper code: two sides may speak two. None: that of the call."""

    word_count: int | None = field(init=False, repr=False, compare=False)
    """Words of the transcript; None without one, and where spaces do not part them."""

    def __post_init__(self) -> None:
        """Count the words, once for all that is made of them."""
        object.__setattr__(self, "word_count", _count_words(self.text))

    @property
    def has_uncounted_words(self) -> bool:
        """Whether words were understood and how many they are cannot be told: no sum of words has them in it."""
        return self.text is not None and self.word_count is None


def _count_words(text: str | None) -> int | None:
    if text is None or (not text.isascii() and UNSPACED_LETTER.search(text)):
        return None
    return len(text.split())


@dataclass(frozen=True, slots=True)
class TrackSound:
    """What arrived of one participant's audio in one stream."""

    side: Side | None
    channel_id: str
    open_span: Span
    """From its first to its last packet."""
    lost_packets: int
    duplicate_packets: int
    reordered_packets: int
    noise_dbfs: float | None = None
    """10th percentile of the level outside speech."""


@dataclass(frozen=True, slots=True)
class AudioGap:
    """Audio of one track that should have arrived and did not."""

    side: Side | None
    channel_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that Zoom told about the call."""

    name: str
    """Zoom's name in lower case: ``consumer_answered``, ``user_answered``, ``user_hold``, ``user_unhold``,
    ``user_end`` …; ``stream_paused`` and ``stream_resumed`` for what a stream's state told."""
    at_ms: int
    channel_id: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Everything stored about one engagement, in time order where order matters."""

    engagement_id: str
    streams: tuple[Span, ...]
    """When each of its streams was open."""
    utterances: tuple[SpokenUtterance, ...]
    tracks: tuple[TrackSound, ...]
    gaps: tuple[AudioGap, ...]
    events: tuple[CallEvent, ...]
    language: str | None
    """The pinned language, a Whisper code such as ``en``."""
    language_source: str | None
    """``configured``, ``detected`` or ``zoom``."""
