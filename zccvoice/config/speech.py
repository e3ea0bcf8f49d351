"""The settings that concern speech: how utterances are cut, and how they are recognized."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from zccvoice.config.language import GuardConfig
from zccvoice.config.remote import RemoteConfig
from zccvoice.config.section import Section

MOST_PROMPT_TOKENS = 49
"""Of a prompt with its hotwords: longer ones are repeated by Whisper rather than heeded."""
LONGEST_WINDOW_S = 30


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def window_sizes_s(setting: str) -> tuple[int, ...]:
    """Seconds that ``speech.windows`` names, rising; none for ``auto`` and ``any``.

    Raises:
        ValueError: it is none of these.
    """
    if setting in ("auto", "any"):
        return ()
    parts = [part.strip() for part in setting.split(",")]
    sizes = {int(part) if part.isdecimal() else 0 for part in parts}
    if min(sizes) < 1 or max(sizes) > LONGEST_WINDOW_S:
        raise ValueError(f"expected auto, any, or seconds from 1 to 30 as in 10,15,20,30; got {setting!r}")
    return tuple(sorted(sizes))


def _as_windows(setting: str) -> str:
    window_sizes_s(setting)
    return setting


class VadConfig(Section):
    """Voice activity detection and endpointing. The defaults were found with ``zccvoice bench vad``."""

    detector: Literal["both", "webrtc", "silero"] = "both"
    """``both``: WebRTC's detector finds utterances, and Silero settles those that sound like music, tones or
    noise. ``webrtc``: without Silero, for a third of the cost on noisy lines; music and tones are still taken
    out. ``silero``: Silero alone hears every frame, at some ten times the cost."""
    aggressiveness: int = Field(default=2, ge=0, le=3)
    """WebRTC VAD mode: 0 keeps most, 3 drops most."""
    energy_margin_db: float = Field(default=5, ge=0, le=30)
    """A frame counts as speech only when it is this much louder than the line's noise."""
    quietest_dbfs: float = Field(default=-55, ge=-90, le=-20)
    """A frame below this level is no speech, whatever the line's noise (a full-scale sine is −3)."""
    steadiness: float = Field(default=0.62, ge=0.3, le=1)
    """Sound whose partials keep their place so well for half a second is music or a tone: voices stay below
    0.6 nearly always, hold music mostly above 0.62. 1 takes nothing for music."""
    doubtful_s: int = Field(default=15, ge=5, le=28)
    """``both``: speech that goes on for so long without a pause is doubtful, and looked at before it has ended."""
    silero_enter: float = Field(default=0.3, ge=0.05, le=0.95)
    """Silero's probability with which speech begins. Its authors' 0.5 loses telephone speech."""
    silero_leave: float = Field(default=0.2, ge=0.05, le=0.95)
    """And below which it ends."""
    shortest_ms: int = Field(default=120, ge=0, le=1000)
    """Shorter speech is taken for a click."""
    onset_frames: int = Field(default=4, ge=1, le=6)
    """Speech frames, among the last six of 20 ms, that begin an utterance."""
    hangover_ms: int = Field(default=500, ge=100, le=3000, multiple_of=20)
    """Silence that ends an utterance."""
    padding_ms: int = Field(default=240, ge=0, le=1000, multiple_of=20)
    """Sound kept before and after the speech for the recognizer."""
    longest_s: int = Field(default=28, ge=5, le=28)
    """A longer utterance is cut at its quietest place in its last third; with padding it fits the
    recognizer's window of 30 s."""


class PromptConfig(Section):
    """What the recognizer is given to expect before it hears anything: product names, how amounts are written.

    In the language of the calls. Both together are short, or the recognizer writes them where nobody speaks.
    """

    text: str = ""
    """Taken for what was said before, in whole sentences: the recognizer goes on in this spelling and style."""
    hotwords: tuple[str, ...] = ()
    """Words and names to be expected. Not with the demo weights, which were never taught any."""

    @property
    def all_hotwords(self) -> str:
        """In one text."""
        return " ".join(self.hotwords)

    @model_validator(mode="after")
    def _is_short(self) -> Self:
        words = len(f"{self.text} {self.all_hotwords}".split())
        if words > MOST_PROMPT_TOKENS:
            raise ValueError(
                f"text, hotwords: expected at most {MOST_PROMPT_TOKENS} words together, got {words}"
            )
        return self


class SpeechConfig(Section):
    """The recognizer."""

    model: str = "demo"
    """``demo`` (the weights shipped with the program, for synthetic voices), a faster-whisper model name such
    as ``small``, or a folder with a CTranslate2 Whisper model."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it runs."""
    compute_type: str = "default"
    """CTranslate2 compute type: ``default`` (``int8`` on CPUs, ``float16`` on GPUs), ``int8_float16``, …"""
    workers: int = Field(default=0, ge=0, le=64)
    """Batches recognized at the same time, on each device; 0 is one per CPU core."""
    windows: Annotated[str, AfterValidator(_as_windows)] = "auto"
    """Lengths that sound is padded to, which is most of what recognition costs on CPUs: ``auto`` (``any`` for the
    demo weights, ``30`` for others), seconds such as ``10,15,20,30``, or ``any`` for weights trained for it. Try
    short windows on labelled calls first: Whisper's own weights saw none in training."""
    batch: int = Field(default=8, ge=1, le=64)
    """Utterances decoded together at most; 8 on CPUs, 16 to 32 on a GPU. Servers that are asked make their own."""
    batch_s: int = Field(default=120, ge=30, le=1920)
    """Seconds of windows decoded together at most, which bounds the memory of a worker."""
    late_after_s: int = Field(default=60, ge=5, le=3600)
    """A call with an utterance that has waited so long is finished behind the others, so that these stay live."""
    widen_after_s: int = Field(default=20, ge=0, le=3600)
    """When what is due has waited so long, neighbours of one track share windows of 30 s until the lag is gone,
    and what was written is cut apart by the times of its words. Cheaper, but a word may end up with the wrong
    neighbour. Never with the demo weights, which did not learn it. 0 is never."""
    device_index: list[int] = Field(default_factory=lambda: [0], min_length=1)
    """Which GPUs; each has its own copy of the weights."""
    beam_size: int = Field(default=5, ge=1, le=10)
    """Beams of the decoder; 1 is greedy and about twice as fast."""
    backlog: int = Field(default=10_000, ge=1, le=1_000_000)
    """Utterances that may wait for the recognizer, about 1 kB each: their sound is in the journal. When full,
    what is received goes on being written to the journals and is looked at later; nothing is dropped."""
    recognizer: Annotated[Literal["local", "remote"], BeforeValidator(_lower)] = "local"
    """``local``: the weights in ``model``, in this process. ``remote``: the servers of ``speech.remote``."""
    remote: RemoteConfig = RemoteConfig()
    """Recognition servers."""
    prompt: PromptConfig = PromptConfig()
    """What the recognizer expects to hear, in calls of queues that have no prompt of their own."""
    prompts: dict[str, PromptConfig] = Field(default_factory=dict)
    """By queue id or queue name; compared without regard to case."""
    vad: VadConfig = VadConfig()
    """How utterances are cut."""
    guard: GuardConfig = GuardConfig()
    """What the recognizer is not believed."""

    @property
    def most_together(self) -> int:
        """Utterances that go to the recognizer at once.

        One, where servers are asked: they make batches of their own, and a request that hangs holds up no other.
        """
        return 1 if self.recognizer == "remote" else self.batch

    @model_validator(mode="after")
    def _remote_has_servers(self) -> Self:
        if self.recognizer == "remote" and not self.remote.servers:
            raise ValueError("remote.servers: required when recognizer is remote")
        return self
