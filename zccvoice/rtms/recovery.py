"""CORE: when a connection that was lost, or could not be made, is tried again, and when it is given up. No I/O.

Zoom keeps a stream for a minute after it lost its client, and buffers the audio meanwhile. Its library tries again
after 3 s and doubles that up to 30 s; before that, one attempt is made at once, because most losses are short.

Status codes have had two incompatible tables, so a refusal's text decides first what may be hoped for:

    what Zoom says                           outlook      what we do
    "duplicate …", "… exist"                 HELD         it has not noticed our loss yet: again soon
    "signature", "invalid", "not support" …  FINAL        nothing will change: give up
    no text, 8; 17 on signaling              HELD
    no text, 15 or 16; 30 or 31 on media     DOUBTFUL     held, or a wrong request: three attempts
    no text, 1 or 45                         PASSING
    no text, a number that we do not know    DOUBTFUL
    no text, any other                       FINAL
    no answer, no route, closed, silence     PASSING      the ladder, until the window closes

Source: Zoom RTMS documentation, "Reconnect", "Status codes"; its sample library's delays.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum, auto

from zccvoice.errors import ConnectionFailedError, HandshakeRefusedError, ZccvoiceError
from zccvoice.rtms.enums import StatusCode

SIGNALING_WINDOW_S = 60.0
"""So long after signaling was lost Zoom keeps the stream."""
MEDIA_WINDOW_S = 65.0
"""So long after a media connection was lost Zoom keeps the stream."""
FIRST_DELAY_S = 0.5
"""Before the first attempt: a stream that is over says so meanwhile."""
LADDER_S = (3.0, 6.0, 12.0, 24.0, 30.0)
"""Before the second, third … attempt; the last one is repeated."""
LAST_CHANCE_S = (7.0, 3.0)
"""Between so long before the window closes and so long, where the ladder's next step lies beyond it."""
HELD_LADDER_S = (1.5, 3.0, 6.0)
"""The same while Zoom holds our old connection; it takes 30 s to notice that one is dead."""
DOUBTFUL_ATTEMPTS = 3
STABLE_S = 5.0
"""A connection that lasted for less has not proved anything: the ladder goes on."""
JITTER = 0.2
"""Delays vary by so much either way, so that all calls do not come back at the same instant."""


class Outlook(Enum):
    """What another attempt can hope for."""

    PASSING = auto()
    HELD = auto()
    DOUBTFUL = auto()
    FINAL = auto()


_KNOWN = frozenset(map(int, StatusCode))
_CODES: dict[int, Outlook] = {
    StatusCode.INVALID_MESSAGE_TYPE: Outlook.PASSING,  # "connection timeout" in the old table
    StatusCode.INTERNAL_EXCEPTION: Outlook.PASSING,
    StatusCode.DUPLICATE_SIGNAL_REQUEST: Outlook.HELD,
    StatusCode.MEDIA_DATA_ALL_CONNECTION_EXIST: Outlook.DOUBTFUL,
    StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION: Outlook.DOUBTFUL,
}
_OLDER_CODES = {
    ("signaling", 17): Outlook.HELD,
    ("media", 30): Outlook.DOUBTFUL,
    ("media", 31): Outlook.DOUBTFUL,
}
"""Of the old table, where the new one has media parameters that signaling, or what we ask for, does not have."""
_WORDS = {
    "duplicate": Outlook.HELD,
    "exist": Outlook.HELD,
    "timeout": Outlook.PASSING,
    "internal": Outlook.PASSING,
    "signature": Outlook.FINAL,
    "invalid": Outlook.FINAL,
    "not found": Outlook.FINAL,
    "unknown": Outlook.FINAL,
    "not support": Outlook.FINAL,
    "missing": Outlook.FINAL,
}


def outlook(problem: ZccvoiceError) -> Outlook:
    """What another attempt can hope for after this."""
    match problem:
        case HandshakeRefusedError():
            reason = problem.reason.lower()
            for word, means in _WORDS.items():
                if word in reason and not (word == "exist" and "not exist" in reason):
                    return means
            return _outlook_of_code(problem.which, problem.status_code)
        case ConnectionFailedError():
            return Outlook.PASSING
        case _:
            return Outlook.FINAL


def _outlook_of_code(which: str, code: int) -> Outlook:
    if (older := _OLDER_CODES.get((which, code))) is not None:
        return older
    return _CODES.get(code, Outlook.FINAL if code in _KNOWN else Outlook.DOUBTFUL)


class Recovery:
    """The attempts to make one connection, or to have it again."""

    def __init__(
        self,
        window_s: float,
        now: float,
        *,
        remaining_s: float | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Begin without a connection.

        Args:
            window_s: how long Zoom waits for it after a loss.
            now: monotonic seconds.
            remaining_s: how long it waits this time, when some of the window is past.
            chance: 0 to 1, for the jitter.
        """
        self._window_s = window_s
        self._chance = chance
        self._give_up_at = now + (window_s if remaining_s is None else remaining_s)
        self._opened_at: float | None = None
        self._attempts = 0
        self._doubtful = 0

    def opened(self, now: float) -> None:
        """The connection is there: what went wrong before counts no more."""
        self._opened_at = now
        self._doubtful = 0

    def restart(self, now: float) -> float:
        """Zoom asks for another connection, here or elsewhere: a new window.

        Returns:
            When to try: within the first delay; Zoom asks for all calls of a server that fails at once.
        """
        self._opened_at = None
        self._attempts = self._doubtful = 0
        self._give_up_at = now + self._window_s
        return now + FIRST_DELAY_S * self._chance()

    def next_attempt(self, problem: ZccvoiceError, now: float) -> float | None:
        """When to try again after a loss or a failed attempt (monotonic seconds); None for never.

        Args:
            problem: why there is no connection.
            now: monotonic seconds.
        """
        if self._opened_at is not None:
            self._give_up_at = now + self._window_s
            if now - self._opened_at >= STABLE_S:
                self._attempts = 0
            self._opened_at = None
        means = outlook(problem)
        self._doubtful = self._doubtful + 1 if means is Outlook.DOUBTFUL else 0
        if means is Outlook.FINAL or self._doubtful >= DOUBTFUL_ATTEMPTS:
            return None
        at = now + self._delay(means) * (1 - JITTER + 2 * JITTER * self._chance())
        return at if at < self._give_up_at else self._last_chance(now)

    def _last_chance(self, now: float) -> float | None:
        """Before the window closes, while there is time."""
        earliest_s, latest_s = LAST_CHANCE_S
        at = self._give_up_at - earliest_s + (earliest_s - latest_s) * self._chance()
        return at if at > now else None

    def _delay(self, means: Outlook) -> float:
        ladder = (FIRST_DELAY_S, *LADDER_S) if means is Outlook.PASSING else HELD_LADDER_S
        delay = ladder[min(self._attempts, len(ladder) - 1)]
        self._attempts += 1
        return delay
