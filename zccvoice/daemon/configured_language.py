"""CORE: which configured language a stream falls under, chosen once, as soon as enough is known of it."""

from __future__ import annotations

from zccvoice.rtms.events import ParticipantConnected, Role
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

RULE_WAIT_MS = 5_000
"""How long after the media connection opened the language waits for the events that name queue and agent, where
they decide it: audio that Zoom had buffered comes in a burst and may overtake them."""


class ConfiguredLanguage:
    """The choice for one stream. Times are our clock's, epoch ms, as the journal has them."""

    def __init__(self, started: StreamStarted, policy: LanguagePolicy) -> None:
        self._started = started
        self._policy = policy
        self._queue: tuple[str | None, ...] = ()
        self._agent: tuple[str | None, ...] = ()
        self._media_opened_ms = 0
        self._is_chosen = False
        self._language: str | None = None

    @property
    def queue(self) -> tuple[str | None, ...]:
        """Id and name of the queue that the call came through; nothing while nobody told."""
        return self._queue

    def note_media(self, opened_ms: int) -> None:
        """The media connection is open."""
        self._media_opened_ms = opened_ms

    def note(self, who: ParticipantConnected) -> bool:
        """Somebody is on the call; tells whether the choice would be another one if it had been known before."""
        before = self._queue, self._agent
        if who.queue_id or who.queue_name:
            self._queue = (who.queue_id, who.queue_name)
        if who.role is Role.USER and not any(self._agent):
            self._agent = (who.user_id, who.display_name)
        is_news = (self._queue, self._agent) != before
        return is_news and self._is_chosen and self.by_now() != self._language

    def may_choose(self, now_ms: int | None = None) -> bool:
        """Whether it is chosen, or is to be by what is known now; without the time, by that alone."""
        is_known = (any(self._queue) or not self._policy.depends_on_queue) and (
            any(self._agent) or not self._policy.depends_on_agent
        )
        is_late = now_ms is not None and now_ms - self._media_opened_ms >= RULE_WAIT_MS
        return self._is_chosen or is_known or is_late

    def choose(self) -> str | None:
        """The Whisper code, the same ever after; None: it is to be detected."""
        if not self._is_chosen:
            self._is_chosen, self._language = True, self.by_now()
        return self._language

    def by_now(self) -> str | None:
        """What it would be by what is known now; nothing is chosen."""
        started = self._started
        return self._policy.choose(self._queue, self._agent, started.account_id, started.product.value)
