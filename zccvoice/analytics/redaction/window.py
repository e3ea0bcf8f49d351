"""CORE: one number over several utterances.

A customer pauses between groups of a card number, an agent asks for the security code and the answer is "1 2 3".
So an utterance that begins or ends in the middle of what may be a number is held back until its neighbours on
the same side are understood, and they are redacted as one text, over a breath or a short remark between them
("hold on"); and a bare number waits for what was said before it, by anybody. Everything else passes at once. What
is held back is nowhere but here: not in a journal, not in the database.

Not covered: numbers cut by more than `JOIN_MS`, or by a remark that is longer or begins with a number ("one
moment"), an e-mail address cut right before its ``at``, an answer to a question that was asked more than
`ASKED_MS` earlier, and what Zoom transcribed itself: its sentences are redacted one by one as they come.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from zccvoice.analytics.redaction.policy import Policy, asked_for, redact_words
from zccvoice.analytics.redaction.tokens import Text
from zccvoice.analytics.redaction.vocabulary import vocabulary
from zccvoice.config.redaction import RedactedClass

JOIN_MS = 10_000
"""Utterances of one side with no more than this between them may hold parts of one number."""
ASKED_MS = 15_000
"""For how long a question counts."""
LONGEST_MS = 30_000
"""No utterance is longer: one that began in time has ended by then."""
_KEPT_MS = 120_000
_SHORTEST_BARE_NUMBER = 3
_REMARK_WORDS = 3
"""A remark between the parts of a number has no more, fillers apart."""

Key = tuple[str, int, int]
"""Channel, start and end (ms on any clock) of an utterance."""
Columns = tuple[list[str], ...]
"""The same utterance as words, in one or more ways: of its text, and as the recognizer timed them."""


@dataclass(slots=True, eq=False)
class _Said:
    key: Key
    columns: Columns | None = None
    """None until it is understood."""
    is_released: bool = False
    begins_open: bool = False
    ends_open: bool = False
    has_number: bool = False
    is_aside: bool = False
    """Nothing, or a short remark: a number goes on over it."""
    asks_for: frozenset[RedactedClass] = field(default_factory=frozenset)
    """Also ``card``, if one was given."""


class RedactionWindow:
    """The utterances of one stream, on their way through redaction."""

    def __init__(self) -> None:
        self._said: list[_Said] = []  # by when they began
        self._by_key: dict[Key, _Said] = {}
        self._language: str | None = None
        self._now_ms = 0
        self._is_over = False
        self._is_settled = True  # nothing that is understood waits, and nothing has come since that was found

    def expect(self, key: Key) -> None:
        """An utterance was heard and will be understood; those of a channel in order.

        One that is heard in another language is announced again: what it said in the first one does not count.
        """
        self._put(_Said(key))

    def recall(
        self, key: Key, words: Sequence[str], language: str | None, *, is_believed: bool = True
    ) -> None:
        """An utterance was stored before, as these words: no part of a number, but it may ask for one."""
        one = _Said(key, (), is_released=True)
        _note(one, words, language, is_believed=is_believed)
        self._put(one)

    def take(
        self,
        key: Key,
        columns: Columns,
        language: str | None,
        policy: Policy,
        known_names: Collection[str] = (),
        *,
        is_believed: bool = True,
    ) -> list[tuple[Key, Columns]]:
        """What an expected utterance says (nothing, if it was not understood) → all that may now be stored.

        Args:
            key: as it was expected.
            columns: its words.
            language: in which it was said.
            policy: what is taken out.
            known_names: of people on the call.
            is_believed: somebody said it; else it may be what a recognizer makes of a noise.
        """
        one = self._by_key.get(key)
        if one is None or one.columns is not None:
            raise ValueError("expected an utterance that was announced and is not understood yet")
        one.columns = columns
        _note(one, columns[0] if columns else [], language, is_believed=is_believed)
        self._language = language
        return self._release(policy, known_names)

    def note_time(
        self, now_ms: int, policy: Policy, known_names: Collection[str] = ()
    ) -> list[tuple[Key, Columns]]:
        """The stream has come so far; what waited for a neighbour that did not come may be stored."""
        self._now_ms = max(self._now_ms, now_ms)
        if self._is_settled:  # nearly always
            return []
        return self._release(policy, known_names)

    def flush(self, policy: Policy, known_names: Collection[str] = ()) -> list[tuple[Key, Columns]]:
        """Nothing more will be heard: everything that is understood may be stored."""
        self._is_over = True
        return self._release(policy, known_names)

    def _put(self, said: _Said) -> None:
        if (before := self._by_key.get(said.key)) is not None:
            self._said.remove(before)
        self._by_key[said.key] = said
        self._is_settled = False
        insort(self._said, said, key=lambda one: one.key[1])

    def _release(self, policy: Policy, known_names: Collection[str]) -> list[tuple[Key, Columns]]:
        released: list[tuple[Key, Columns]] = []
        self._is_settled = False
        for one in list(self._said):
            if one.columns is None or one.is_released:
                continue
            chain = self._ready(one) if policy.classes else [one]  # nothing is taken out: nothing waits
            if chain is not None:
                released += self._redacted(chain, policy, known_names)
        self._forget()
        self._is_settled = all(one.columns is None or one.is_released for one in self._said)
        return released

    def _forget(self) -> None:
        """What was released long ago."""
        horizon_ms = max((one.key[2] for one in self._said), default=0) - _KEPT_MS
        if any(one.is_released and one.key[2] <= horizon_ms for one in self._said):
            self._said = [one for one in self._said if not one.is_released or one.key[2] > horizon_ms]
            self._by_key = {one.key: one for one in self._said}

    def _ready(self, one: _Said) -> list[_Said] | None:
        """What is one text with it, if that is known, and also what was asked before; else None."""
        chain = self._chain(one)
        is_ready = chain is not None and all(self._knows_what_was_asked(part) for part in chain)
        return chain if is_ready else None

    def _chain(self, one: _Said) -> list[_Said] | None:
        """The utterances that are one text with this one; None while that is not known."""
        side = [
            each for each in self._said if each.key[0] == one.key[0] and (each is one or not each.is_aside)
        ]
        first = last = side.index(one)
        while side[first].begins_open and first > 0 and _may_join(side[first - 1], side[first]):
            before = side[first - 1]
            if before.columns is None:
                return None
            if not before.ends_open or before.is_released:
                break
            first -= 1
        while side[last].ends_open:
            if last + 1 == len(side):
                is_final = self._is_over or self._now_ms > side[last].key[2] + JOIN_MS + LONGEST_MS
                return side[first : last + 1] if is_final else None
            after = side[last + 1]
            if not _may_join(side[last], after):
                break
            if after.columns is None:
                return None
            if not after.begins_open or after.is_released:
                break
            last += 1
        return side[first : last + 1]

    def _before(self, one: _Said) -> list[_Said]:
        """What anybody began to say shortly before."""
        start_ms = one.key[1]
        return [each for each in self._said if each.key[1] < start_ms <= each.key[2] + ASKED_MS]

    def _knows_what_was_asked(self, one: _Said) -> bool:
        return not one.has_number or all(each.columns is not None for each in self._before(one))

    def _redacted(
        self, chain: Sequence[_Said], policy: Policy, known_names: Collection[str]
    ) -> list[tuple[Key, Columns]]:
        by_column: list[list[list[str]]] = []
        before: tuple[list[str], ...] = ()
        for column in zip(*(one.columns or () for one in chain), strict=True):
            if column == before:  # a text is mostly the words that were timed
                by_column.append(by_column[-1])
                continue
            before = column
            by_column.append(self._column(chain, column, policy, known_names))
        for at, one in enumerate(chain):
            if any(policy.mask("card") in word for column in by_column for word in column[at]):
                one.asks_for |= {"card"}  # its security code may follow
            one.is_released = True
            one.columns = ()  # what was said is no longer needed
        return [(one.key, tuple(column[at] for column in by_column)) for at, one in enumerate(chain)]

    def _column(
        self,
        chain: Sequence[_Said],
        column: Sequence[list[str]],
        policy: Policy,
        known_names: Collection[str],
    ) -> list[list[str]]:
        """The words of utterances that are one text: redacted as one, and then each by itself.

        A number that is said twice ("415 555 2671", "415 555 2671, right?") is one only by itself.
        """
        expected = {kind for each in self._before(chain[0]) for kind in each.asks_for}

        def redacted(words: Sequence[str]) -> list[str]:
            return redact_words(words, self._language, policy, expected=expected, known_names=known_names)

        together = redacted([word for words in column for word in words])
        parts = _apart(together, [len(words) for words in column], policy)
        return list(map(redacted, parts)) if len(chain) > 1 else parts


def _note(one: _Said, words: Sequence[str], language: str | None, *, is_believed: bool) -> None:
    """What an utterance says, as far as others depend on it."""
    text = Text(" ".join(words), vocabulary(language))
    groups = [group for row in text.rows() for group in row]
    of_numbers = {at for group in groups for at in range(group.first, group.last + 1)}
    told = [
        at in of_numbers
        or token.word in text.words.at | text.words.dot
        or (token.is_word and len(token.raw) == 1)
        for at, token in enumerate(text.tokens)
        if at in of_numbers or (token.raw.isalnum() and token.word not in text.words.fillers)
    ]
    one.begins_open, one.ends_open = bool(told) and told[0], bool(told) and told[-1]
    one.has_number = sum(len(group.digits) for group in groups) >= _SHORTEST_BARE_NUMBER
    is_short = len(told) <= _REMARK_WORDS or not is_believed
    one.is_aside = is_short and not (groups or one.begins_open or one.ends_open)
    one.asks_for = asked_for(words, language)


def _may_join(one: _Said, other: _Said) -> bool:
    return other.key[1] - one.key[2] <= JOIN_MS


def _apart(words: Sequence[str], lengths: Sequence[int], policy: Policy) -> list[list[str]]:
    """The words of each utterance; where a find goes on in the next one, its mask stands there too."""
    parts: list[list[str]] = []
    start = 0
    for length in lengths:
        part = list(words[start : start + length])
        if part and not part[0]:
            last = next(word for word in reversed(words[:start]) if word)
            part[0] = max(map(policy.mask, policy.classes), key=last.rfind)
        parts.append(part)
        start += length
    return parts
