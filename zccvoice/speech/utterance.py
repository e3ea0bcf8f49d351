"""What a participant said: sound first, then text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from zccvoice.audio.frame import Passage

UtteranceKey: TypeAlias = tuple[str, int, int]
"""Channel, start and end (Zoom's epoch ms): what tells an utterance from the others of its stream."""


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One stretch of speech of one participant."""

    channel_id: str
    start_timestamp_ms: int
    """Where the speech begins, on Zoom's clock (epoch ms)."""
    end_timestamp_ms: int
    """Where it ends."""
    samples: npt.NDArray[np.int16]
    """``int16[n]``, mono, 16 kHz: the speech with some sound before and after it, 30 s at most."""
    lead_ms: int
    """How much of `samples` lies before the speech."""
    loudness_dbfs: float
    """RMS level of the speech."""
    clipped_ratio: float
    """Share of the speech's samples that are clipped."""
    loudness_by_second: tuple[float, ...] = ()
    """RMS level of each second of the speech, dBFS; the last one may be shorter."""
    passage: Passage | None = None
    """Where `samples` can be read again; None when nobody keeps them."""

    @property
    def duration_ms(self) -> int:
        """Length of the speech."""
        return self.end_timestamp_ms - self.start_timestamp_ms

    @property
    def key(self) -> UtteranceKey:
        """What tells it from the stream's other utterances."""
        return self.channel_id, self.start_timestamp_ms, self.end_timestamp_ms


@dataclass(frozen=True, slots=True)
class Word:
    """One recognized word."""

    text: str = field(repr=False)
    start_ms: int
    """From the beginning of the utterance's speech, within it."""
    end_ms: int
    probability: float | None
    """None when the recognizer tells none."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the recognizer came to a transcript: what is needed to doubt it."""

    average_log_probability: float
    """Of the tokens and the end mark; 0 is certainty."""
    no_speech_probability: float
    """Of nobody speaking, 0–1, before the first token."""
    token_count: int
    """Tokens of the text and its timestamps."""
    compression_ratio: float
    """Bytes of the text by bytes of it compressed; a loop compresses well."""
    temperature: float
    """0: the likeliest text; above, tokens were drawn."""
    window_s: float
    """Length that the sound was padded to, seconds."""
    is_cut: bool = False
    """The text ends where the decoder had to stop, not where the speech does."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the recognizer heard in an utterance."""

    text: str = field(repr=False)
    """Empty when it heard no words."""
    words: tuple[Word, ...]
    language: str
    confidence: float | None
    """exp(mean log probability of the tokens), 0–1; None when the recognizer tells none, or did not listen."""
    model: str
    """Name of the weights."""
    evidence: Evidence | None = None
    """None when the recognizer tells none, or did not listen."""
    refusal: str | None = None
    """Why it is not to be believed; None: it is."""
