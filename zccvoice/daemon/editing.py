"""CORE: what was heard on one stream, on its way into the journal: redacted, and rated.

Before this text is in memory alone, behind it nothing sees what redaction hides. What is held back when the daemon
goes is not in the journal, so that it is heard again at the next start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zccvoice.analytics.redaction import Policies, RedactionWindow
from zccvoice.analytics.redaction.window import Columns, Key
from zccvoice.analytics.sentiment import Scorers, sentiment_of
from zccvoice.config.redaction import RedactionConfig
from zccvoice.daemon.outcome import Spoken
from zccvoice.store.facts import ParticipantSeen, StoredWord, UtteranceHeard


class Editor:
    """The transcripts of one stream."""

    def __init__(self, settings: RedactionConfig, scorers: Scorers, product: str) -> None:
        """Begin.

        Args:
            settings: what is taken out.
            scorers: rate what is left.
            product: `rtms.enums.Product` value of the stream.
        """
        self._policies = Policies(settings)
        self._scorers = scorers
        self._product = product
        self._policy = self._policies.of(product)
        self._names: set[str] = set()
        self._window = RedactionWindow()
        self._heard: dict[Key, UtteranceHeard] = {}

    @property
    def is_holding_back(self) -> bool:
        """Whether something that was heard waits for what is said next."""
        return bool(self._heard)

    def note(self, who: ParticipantSeen) -> None:
        """Somebody is on the call, perhaps through a queue that has rules of its own."""
        if who.queue_id or who.queue_name:
            self._policy = self._policies.of(self._product, who.queue_id, who.queue_name)
        if who.display_name:
            self._names.add(who.display_name)

    def expect(self, spoken: Spoken) -> None:
        """An utterance goes to the recognizer; `take` will bring what it says."""
        self._window.expect(spoken.key)

    def recall(self, heard: UtteranceHeard) -> None:
        """The journal has this from before, edited: what it asked for still counts."""
        key = heard.channel_id, heard.start_timestamp_ms, heard.end_timestamp_ms
        is_believed = heard.text is not None
        self._window.recall(key, _said(heard).split(), heard.language, is_believed=is_believed)

    def take(self, heard: UtteranceHeard) -> list[UtteranceHeard]:
        """What the recognizer heard → all that may now be stored, together."""
        key = heard.channel_id, heard.start_timestamp_ms, heard.end_timestamp_ms
        self._heard[key] = heard
        columns = _said(heard).split(), [word.text for word in heard.words]
        is_believed = heard.text is not None
        return self._edited(
            self._window.take(
                key, columns, heard.language, self._policy, self._names, is_believed=is_believed
            )
        )

    def note_time(self, timestamp_ms: int) -> list[UtteranceHeard]:
        """The stream has come so far, by Zoom's clock; gives what need not wait any longer."""
        return self._edited(self._window.note_time(timestamp_ms, self._policy, self._names))

    def flush(self) -> list[UtteranceHeard]:
        """The stream is over: gives all that was held back."""
        return self._edited(self._window.flush(self._policy, self._names))

    def _edited(self, released: Iterable[tuple[Key, Columns]]) -> list[UtteranceHeard]:
        return [self._rated(_rewritten(self._heard.pop(key), *columns)) for key, columns in released]

    def _rated(self, heard: UtteranceHeard) -> UtteranceHeard:
        return replace(heard, sentiment=sentiment_of(heard.text, heard.language, self._scorers))


def _said(heard: UtteranceHeard) -> str:
    """What the recognizer made of it, believed or not."""
    return heard.text or heard.refused_text or ""


def _rewritten(heard: UtteranceHeard, text: list[str], words: list[str]) -> UtteranceHeard:
    before = _said(heard)
    after = before if before.split() == text else " ".join(word for word in text if word)
    if heard.text is None:
        return replace(heard, refused_text=after or None)
    return replace(heard, text=after, words=tuple(_timed(heard.words, words)))


def _timed(before: tuple[StoredWord, ...], texts: list[str]) -> Iterable[StoredWord]:
    """The words that are left; a mask takes the time of all that it stands for."""
    kept: list[StoredWord] = []
    for word, text in zip(before, texts, strict=True):
        if text:
            kept.append(replace(word, text=text))
        elif kept:
            kept[-1] = replace(kept[-1], end_ms=word.end_ms)
    return kept
