"""CORE: which language is configured for a call, and what a decision on it says.

`pinning` holds a call to its language, or finds it out where it is to be detected: a recognizer that guesses anew
for every utterance flips languages in mid-call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zccvoice.config import LanguageConfig
from zccvoice.config.language import DETECT


@dataclass(frozen=True, slots=True)
class LanguagePin:
    """A decision, and where it comes from."""

    language: str
    """Whisper code."""
    source: str = "configured"
    """``configured``, ``detected``, ``zoom``, or ``fallback`` when nothing spoke for any language."""
    confidence: float | None = None
    """Of what was detected, 0-1."""
    channel_id: str | None = None
    """The participant whose language it is; None for the whole call."""
    number: int = 0
    """0 for the first pin of a call or side; a pin that replaced it has the next one."""
    since_channel_id: str | None = None
    """A pin that replaced another one holds from an utterance on: its channel ..."""
    since_timestamp_ms: int | None = None
    """... and where it begins, on Zoom's clock (epoch ms)."""
    is_of_call: bool = True
    """Where sides are pinned apart, the call's language is the one that was pinned first."""


class LanguagePolicy:
    """The configured rules."""

    def __init__(self, settings: LanguageConfig) -> None:
        self.settings = settings
        """What they were made from."""
        self._by_queue = _folded(settings.queues)
        self._by_agent = _folded(settings.agents)
        self._by_account: Mapping[str, str] = settings.accounts
        self._by_product: Mapping[str, str] = {
            str(name): choice for name, choice in settings.products.items()
        }

    @property
    def languages(self) -> frozenset[str]:
        """Every language that a call may be pinned to."""
        return self.settings.languages

    @property
    def depends_on_queue(self) -> bool:
        """Whether the queue makes a difference: also one that has the default, where rules after it do not."""
        rules = self._by_queue, self._by_agent, self._by_account, self._by_product
        choices = {choice for one in rules for choice in one.values()}
        return bool(self._by_queue) and choices != {self.settings.default}

    @property
    def depends_on_agent(self) -> bool:
        """Whether the agent does."""
        return bool(self._by_agent)

    def choose(
        self,
        queue: Iterable[str | None] = (),
        agent: Iterable[str | None] = (),
        account_id: str | None = None,
        product: str | None = None,
    ) -> str | None:
        """The Whisper code of the first rule that matches, in this order; None: it is to be detected.

        Args:
            queue: ids and names of the queue that the call came through.
            agent: ids and names of its first agent.
            account_id: Zoom's, of the account.
            product: value of `rtms.enums.Product`.
        """
        matches = (
            *(self._by_queue.get(name.casefold()) for name in queue if name is not None),
            *(self._by_agent.get(name.casefold()) for name in agent if name is not None),
            self._by_account.get(account_id or ""),
            self._by_product.get(product or ""),
        )
        choice = next((one for one in matches if one is not None), self.settings.default)
        return None if choice == DETECT else choice


def _folded(rules: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): choice for name, choice in rules.items()}
