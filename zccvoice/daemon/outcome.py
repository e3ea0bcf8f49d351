"""What a projection gives: facts, utterances that are to be transcribed, remarks; and what went through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from zccvoice.audio.frame import AudioFormat
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import Fact


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """An utterance that is to be transcribed. It holds no samples: its passage tells where they are."""

    utterance: Utterance
    audio_format: AudioFormat
    language: str

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from the stream's other utterances."""
        return self.utterance.channel_id, self.utterance.start_timestamp_ms, self.utterance.end_timestamp_ms


@dataclass(frozen=True, slots=True)
class Remark:
    """Something for the log."""

    text: str
    channel_id: str | None = None
    problem: str | None = None


Outcome: TypeAlias = Fact | Spoken | Remark


@dataclass(slots=True)
class Counts:
    """What went through a projection."""

    audio_packets: int = 0
    rejected_payloads: int = 0
    audio_ms: int = 0
    decode_s: float = 0.0
    """CPU seconds of timeline and decoder, by the clock it was given."""
    vad_s: float = 0.0
    """CPU seconds of detector and endpointer."""
