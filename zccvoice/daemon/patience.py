"""CORE: how often an utterance is tried again on which the recognizer failed, and when it is not its own fault.

A graphics card that has no memory for a moment, or a disk that cannot be read, fails on what happens to come by;
an utterance that the recognizer cannot take fails every time. So each is tried a few times more, later and by
itself, before it is given up. When one after the other fails and none succeeds, it is the fault of none of them:
then nothing is given up, and everything waits.
"""

from __future__ import annotations

from collections.abc import Hashable

PAUSES_S = (2.0, 10.0, 60.0, 300.0)
"""How long an utterance is left alone, after each failure; after one more it is given up."""
OUTAGE = 3
"""So many utterances that fail, and none succeeds between, are an outage."""
OUTAGE_PAUSE_S = 10.0
"""How long a worker waits in an outage before it tries the next ones."""


class Patience:
    """With one recognizer, for all calls."""

    def __init__(self) -> None:
        self._failing: set[Hashable] = set()

    @property
    def is_out(self) -> bool:
        """Whether there is an outage."""
        return len(self._failing) >= OUTAGE

    def note_success(self) -> None:
        """Something was transcribed: whatever failed before did so by itself."""
        self._failing.clear()

    def note_failure(self, utterance: Hashable) -> None:
        """One failed; to fail again makes no second one of it."""
        self._failing.add(utterance)

    def pause_s(self, failures: int) -> float | None:
        """How long an utterance is left alone that failed so often, outages not counted; None: it is given up."""
        if failures > len(PAUSES_S):
            return PAUSES_S[-1] if self.is_out else None
        return PAUSES_S[max(0, failures - 1)]
