"""CORE: what the recognizer is given to expect, by the queue of the call."""

from __future__ import annotations

from collections.abc import Iterable

from zccvoice.config import PromptConfig, SpeechConfig


class PromptPolicy:
    """The configured prompts."""

    def __init__(self, settings: SpeechConfig) -> None:
        self._default = settings.prompt
        self._by_queue = {name.casefold(): prompt for name, prompt in settings.prompts.items()}

    def choose(self, queue: Iterable[str | None] = ()) -> PromptConfig:
        """The prompt for calls that came through a queue, by its ids and names; else that for all others."""
        told = (self._by_queue.get(name.casefold()) for name in queue if name is not None)
        return next((prompt for prompt in told if prompt is not None), self._default)
