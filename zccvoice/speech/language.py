"""CORE: which language a call is pinned to.

The pin is decided once, at the call's first utterance, from what is known of the call by then, and held: a
recognizer that guesses anew for every utterance flips languages in mid-call.
"""

from __future__ import annotations

from dataclasses import dataclass

from zccvoice.config import LanguageConfig


@dataclass(frozen=True, slots=True)
class LanguagePin:
    """The decision, and where it comes from."""

    language: str
    """Whisper code."""
    source: str = "configured"


class LanguagePolicy:
    """The configured rules."""

    def __init__(self, settings: LanguageConfig) -> None:
        self._default = settings.default
        self._by_queue = {name.casefold(): language for name, language in settings.queues.items()}

    @property
    def languages(self) -> frozenset[str]:
        """Every language that a call may be pinned to."""
        return frozenset({self._default, *self._by_queue.values()})

    @property
    def depends_on_queue(self) -> bool:
        """Whether the queue makes a difference."""
        return any(language != self._default for language in self._by_queue.values())

    def pin(self, *queue_names: str | None) -> LanguagePin:
        """Decide for a call that came through a queue known by these ids and names; the first rule wins."""
        for name in queue_names:
            if name is not None and (language := self._by_queue.get(name.casefold())):
                return LanguagePin(language)
        return LanguagePin(self._default)
