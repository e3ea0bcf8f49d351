"""Where the words of a recognizer stand in its text; pure.

They are not what stands between spaces: a recognizer may begin one without a space ("$10" ".50", "J" "'appelle"),
and scripts such as Chinese have no spaces at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from zccvoice.store.facts import StoredWord


def word_places(text: str, words: Sequence[StoredWord]) -> list[range] | None:
    """The letters of each word in the text; None when the words do not stand in it in this order."""
    places, at = [], 0
    for word in words:
        spoken = " ".join(word.text.split())
        begin = text.find(spoken, at)
        if begin < 0:
            return None
        at = begin + len(spoken)
        places.append(range(begin, at))
    return places
