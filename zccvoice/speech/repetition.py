"""How text repeats itself: what a decoder does that found no end. Pure functions of words."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

LONGEST_PHRASE = 6
"""Words; decoders loop over shorter ones."""


def spoken_words(text: str) -> list[str]:
    """Words for comparing: in lower case, without punctuation."""
    stripped = ("".join(filter(str.isalnum, word)) for word in text.casefold().split())
    return [word for word in stripped if word]


def repeated_words(words: Sequence[str], times: int) -> int:
    """How many words the longest stretch has in which one phrase is said `times` times and more in a row.

    A phrase is one word to `LONGEST_PHRASE`; 0 when none is said so often.
    """
    longest = 0
    for length in range(1, LONGEST_PHRASE + 1):
        same = 0  # words, up to here, that are those of a phrase before
        for at in range(length, len(words)):
            same = same + 1 if words[at] == words[at - length] else 0
            if same >= length * (times - 1):
                longest = max(longest, (same // length + 1) * length)
    return longest


def compression_ratio(text: str) -> float:
    """Bytes of the text by bytes of it compressed, as Whisper's authors measure it; 0 for none."""
    data = text.encode("utf-8", "replace")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def echoed_words(words: Sequence[str], prompt: Sequence[str]) -> int:
    """How many of the words, when all of them stand in the prompt in this order without others between; else 0."""
    count = len(words)
    ends = range(len(prompt) - count + 1)
    return count if count and any(list(prompt[at : at + count]) == list(words) for at in ends) else 0
