"""Made-up calls as analytics sees them, of the length and liveliness of real ones."""

from __future__ import annotations

import random

from zccvoice.analytics.record import AudioGap, CallEvent, CallRecord, Side, Span, SpokenUtterance, TrackSound
from zccvoice.bench.wording import words_of

LENGTH_MS = 360_000
_LISTENING = ("okay", "yes", "mm-hmm", "right, thank you")
_CHANNELS = {Side.AGENT: "c2", Side.CUSTOMER: "c1"}


def conversation(number: int, length_ms: int = LENGTH_MS) -> CallRecord:
    """A call of two, the same for the same number: turns, listening signals, interruptions, a hold, gaps."""
    chance = random.Random(f"conversation{number}")  # noqa: S311  # the same every time is what is wanted
    utterances: list[SpokenUtterance] = []
    hold = Span(at := chance.randrange(length_ms // 2), at + chance.randrange(15_000, 45_000))
    at_ms, side = 400, Side.AGENT
    while at_ms < length_ms - 12_000:
        for _ in range(chance.randint(1, 3)):
            said = _said(chance, side, at_ms)
            utterances.append(said)
            if chance.random() < 0.25:
                utterances.append(_listening(chance, side, said))
            at_ms = said.end_ms + chance.randrange(500, 1_200)
        at_ms += int(chance.gauss(300, 500)) + (5_000 if chance.random() < 0.05 else 0)
        side = Side.CUSTOMER if side is Side.AGENT else Side.AGENT
        if hold.start_ms <= at_ms < hold.end_ms:
            at_ms = hold.end_ms + 500
    return CallRecord(
        engagement_id=f"conversation-{number}",
        streams=(Span(0, length_ms),),
        utterances=tuple(sorted(utterances, key=lambda one: (one.start_ms, one.channel_id))),
        tracks=tuple(
            TrackSound(side, channel_id, Span(0, length_ms), 3, 1, 0, -62.0)
            for side, channel_id in _CHANNELS.items()
        ),
        gaps=tuple(AudioGap(Side.CUSTOMER, "c1", ms, ms + 60) for ms in range(9_000, length_ms, 90_000)),
        events=(
            CallEvent("consumer_answered", 0, "c1"),
            CallEvent("user_answered", 120, "c2"),
            CallEvent("user_hold", hold.start_ms, "c2"),
            CallEvent("user_unhold", hold.end_ms, "c2"),
            CallEvent("user_end", length_ms, "c2"),
        ),
        language="en",
        language_source="configured",
    )


def _said(chance: random.Random, side: Side, start_ms: int) -> SpokenUtterance:
    count = chance.randint(4, 22)
    words = chance.choices(words_of("en"), k=count)
    text = " ".join(words).capitalize() + chance.choice((".", ".", "?"))
    end_ms = start_ms + count * chance.randrange(280, 380)
    return SpokenUtterance(side, _CHANNELS[side], start_ms, end_ms, text, 0.9, -24.0, 0.0)


def _listening(chance: random.Random, side: Side, during: SpokenUtterance) -> SpokenUtterance:
    other = Side.CUSTOMER if side is Side.AGENT else Side.AGENT
    start_ms = (during.start_ms + during.end_ms) // 2
    length_ms = chance.randrange(300, 600)
    return SpokenUtterance(
        other, _CHANNELS[other], start_ms, start_ms + length_ms, chance.choice(_LISTENING), 0.8, -27.0, 0.0
    )
