"""What a projection gives: facts, utterances, remarks; what is to be done with them; and what went through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from zccvoice.audio.frame import AudioFormat
from zccvoice.speech.utterance import Utterance, UtteranceKey
from zccvoice.store.facts import Fact


@dataclass(frozen=True, slots=True, eq=False)
class Uttered:
    """An utterance, as a projection gives it. It holds no samples: its passage tells where they are."""

    utterance: Utterance
    audio_format: AudioFormat
    language: str | None
    """What is configured for the call, a Whisper code; None: it is to be detected."""
    queue: tuple[str | None, ...] = ()
    """Id and name of the queue that the call came through, as far as they are known."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """An utterance that is to be transcribed."""

    utterance: Utterance
    audio_format: AudioFormat
    language: str
    queue: tuple[str | None, ...] = ()
    """As for `Uttered`, by the newest that is known when it is handed out."""

    @property
    def key(self) -> UtteranceKey:
        """What tells it from the stream's other utterances."""
        return self.utterance.key


@dataclass(frozen=True, slots=True, eq=False)
class Unclear:
    """An utterance of which is to be found out in which language it is."""

    utterance: Utterance
    audio_format: AudioFormat
    among: tuple[str, ...]
    """Whisper codes."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something for the log."""

    text: str
    channel_id: str | None = None
    problem: str | None = None


Projected: TypeAlias = Fact | Uttered | Remark
"""What a projection gives."""
Outcome: TypeAlias = Fact | Spoken | Unclear | Remark
"""What is made of it when languages are known, or to be found out; see `pins`."""


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
