"""What lengths a recognizer's sound is padded to. The encoder's padding is what recognition costs.

Whisper was trained on windows of 30 s. An utterance of 3 s padded to 30 s costs its encoder some 35 times what
the sound alone does, so weights that were trained on short windows, or were tried on them, get a ladder of
lengths: a window is the lowest rung that the sound fits into. Few rungs let utterances share a batch; close rungs
pad little. An utterance's rung depends on it alone, so its text does not depend on how busy the machine is.
"""

from __future__ import annotations

from dataclasses import dataclass

from zccvoice.config.speech import window_sizes_s

LONGEST_S = 30.0
"""Whisper's own window."""
TAIL_S = 0.5
"""Quiet that short windows end with: without it the decoder may miss where the speech ends."""
PACKED_S = 28.0
"""Most sound in a window that several utterances share, with the quiet between them."""
PAUSE_S = 0.5
"""Quiet between these, beside that which each utterance brings along."""
_SHORT_S = (1.0, 1.2, 1.5, 1.8, 2.2, 2.6, 3.1, 3.7, 4.4, 5.2, 6.2, 7.4, 8.8)
ANY_S = (*_SHORT_S, 10.5, 12.5, 15.0, 18.0, 21.5, 25.5, LONGEST_S)
"""Rungs for weights that take any length: each a fifth above the one below, so a tenth is padding on average."""


@dataclass(frozen=True, slots=True)
class Windows:
    """A model's ladder."""

    sizes_s: tuple[float, ...] = (LONGEST_S,)
    """Rising; the last one is Whisper's own, into which every utterance fits."""
    takes_several: bool = False
    """Whether the weights learnt windows in which somebody says several things, with pauses between."""

    def size_s(self, sound_s: float) -> float:
        """The window for sound of this length; too long sound is cut off by the recognizer."""
        return next((size for size in self.sizes_s[:-1] if sound_s + TAIL_S <= size), self.sizes_s[-1])


def windows_for(setting: str, *, any_length: bool) -> Windows:
    """The ladder that ``speech.windows`` asks for.

    Args:
        setting: ``auto``, ``any``, or whole seconds with commas between; checked with the settings.
        any_length: whether the weights were trained on windows of any length, and on no others; for ``auto``.
    """
    if setting == "any" or (setting == "auto" and any_length):
        sizes: tuple[float, ...] = ANY_S
    else:
        sizes = tuple(sorted({*map(float, window_sizes_s(setting)), LONGEST_S}))
    return Windows(sizes, takes_several=not any_length)
