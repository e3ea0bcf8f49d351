"""What is taken out and what stands in its place; redacting words and texts by it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain

from zccvoice.analytics.redaction import accounts, cards, contacts
from zccvoice.analytics.redaction.finding import Find
from zccvoice.analytics.redaction.tokens import Text, has_phrase
from zccvoice.analytics.redaction.vocabulary import vocabulary
from zccvoice.config.redaction import CLASSES, RedactedClass, RedactionConfig, RedactionRules


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken out of what people say and write."""

    classes: frozenset[RedactedClass] = frozenset(CLASSES) - {"name"}
    masks: dict[RedactedClass, str] = field(default_factory=dict)
    """What stands in the place of a find; ``[card]`` and so on where nothing is said."""

    def mask(self, kind: RedactedClass) -> str:
        """What stands in the place of such a find."""
        return self.masks.get(kind, f"[{kind}]")


_FEWEST_DIGITS = 6
"""No account, card or id has fewer."""

DEFAULT = Policy()
"""Everything but names."""


class Policies:
    """The configured policies: which call is under which."""

    def __init__(self, settings: RedactionConfig) -> None:
        self._default = _policy(settings)
        self._exceptions = [
            ({name.casefold() for name in one.queues}, set(one.products), _policy(one))
            for one in settings.exceptions
        ]

    def of(self, product: str, *queue_names: str | None) -> Policy:
        """That of a call of this product which came through a queue known by these ids and names."""
        names = {name.casefold() for name in queue_names if name is not None}
        for queues, products, policy in self._exceptions:
            if (not queues or names & queues) and (not products or product in products):
                return policy
        return self._default


def _policy(rules: RedactionRules) -> Policy:
    return Policy(frozenset(rules.classes), dict(rules.masks))


def redact(text: str, language: str | None = None, policy: Policy = DEFAULT) -> str:
    """The text with every find replaced by its mask; unchanged without any.

    Args:
        text: what was said or written.
        language: Whisper code or BCP-47 tag; None when it is not known.
        policy: what is taken out.
    """
    words = text.split()
    redacted = redact_words(words, language, policy)
    return text if redacted == words else " ".join(word for word in redacted if word)


def redact_words(
    words: Sequence[str],
    language: str | None = None,
    policy: Policy = DEFAULT,
    *,
    expected: Collection[RedactedClass] = (),
    known_names: Collection[str] = (),
) -> list[str]:
    """The words with every find replaced, as many as were given.

    The first word of a find becomes its mask (with what was glued to it: quotation marks, the full stop
    after its last word); the other words of it become empty strings, to be dropped by whoever stores words.

    Args:
        words: what was said or written.
        language: Whisper code or BCP-47 tag; None when it is not known.
        policy: what is taken out.
        expected: what somebody has just asked for, see `asked_for`; a card, if one was just given.
        known_names: of people on the call.
    """
    redacted = list(words)
    while (again := _redact_once(redacted, language, policy, expected, known_names)) != redacted:
        redacted = again  # what a find leaves over may be one by itself
    return redacted


def asked_for(words: Sequence[str], language: str | None) -> frozenset[RedactedClass]:
    """Of what the next words of another side may be the answer: a bare number is one only then."""
    known = vocabulary(language)
    said = [token.word for token in Text(" ".join(words), known).tokens if token.is_word]
    cues: dict[RedactedClass, bool] = {
        "security_code": has_phrase(said, known.security_code_cues),
        "national_id": has_phrase(said, known.national_id_cues),
        "phone": has_phrase(said, known.phone_cues),
    }
    return frozenset(kind for kind, is_asked in cues.items() if is_asked)


def _redact_once(
    words: Sequence[str],
    language: str | None,
    policy: Policy,
    expected: Collection[RedactedClass],
    known_names: Collection[str],
) -> list[str]:
    redacted = list(words)
    starts = list(accumulate((len(word) + 1 for word in words), initial=0))[:-1]
    text = Text(" ".join(words), vocabulary(language))
    eager = None
    if any(token.word in text.words.thousand for token in text.tokens):
        eager = Text(" ".join(words), vocabulary(language), is_eager=True)
    finds = _finds(text, eager, policy, expected, known_names)
    for find in sorted(finds, key=lambda one: one.first, reverse=True):
        start, end = text.tokens[find.first].start, text.tokens[find.last].end
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end) - 1
        after = redacted[last][end - starts[last] :]
        redacted[first] = redacted[first][: start - starts[first]] + policy.mask(find.kind) + after
        redacted[first + 1 : last + 1] = [""] * (last - first)
    return redacted


def _finds(
    text: Text,
    eager: Text | None,
    policy: Policy,
    expected: Collection[RedactedClass],
    known_names: Collection[str],
) -> Iterator[Find]:
    """What is to be taken out; finds do not overlap."""
    if not text.groups and "name" not in policy.classes and not contacts.has_at(text):
        return
    taken: set[int] = set()
    found: dict[RedactedClass, Iterable[Find]] = {"email": contacts.emails(text)}
    if sum(len(group.digits) for group in text.groups.values()) >= _FEWEST_DIGITS:
        found["iban"] = accounts.ibans(text)
        found["card"] = chain(*(cards.cards(one) for one in (text, eager) if one is not None))
        found["national_id"] = accounts.national_ids(text, is_expected="national_id" in expected)
    found["security_code"] = cards.security_codes(
        text, is_expected="security_code" in expected, has_card="card" in expected
    )
    found["phone"] = contacts.phones(text, is_expected="phone" in expected)
    found["name"] = contacts.names(text, known_names)
    for kind, finds in found.items():
        if kind in policy.classes:
            for find in finds:
                if taken.isdisjoint(range(find.first, find.last + 1)):
                    taken.update(range(find.first, find.last + 1))
                    yield find
