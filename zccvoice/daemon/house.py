"""What all calls of a daemon share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.analytics.sentiment import Scorers, load_scorers
from zccvoice.config import Config
from zccvoice.daemon.detector import UnclearItem
from zccvoice.daemon.group_commit import GroupCommit
from zccvoice.daemon.live_speech import LiveSpeech
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.outbox import Outbox
from zccvoice.daemon.transcriber import SpokenItem
from zccvoice.journal.shelf import Shelf
from zccvoice.speech.language import LanguagePolicy


@dataclass(frozen=True, slots=True)
class House:
    """What all calls share."""

    config: Config
    languages: LanguagePolicy
    phones: PhonePseudonym
    shelf: Shelf
    outbox: Outbox
    metrics: Metrics
    spoken_send: trio.MemorySendChannel[SpokenItem]
    unclear_send: trio.MemorySendChannel[UnclearItem]
    disk: trio.CapacityLimiter
    """Threads that open and read journals."""
    wall_clock: Callable[[], float] = time.time
    scorers: Scorers = field(default_factory=load_scorers)
    commits: GroupCommit = field(default_factory=GroupCommit)
    """Writes the journals of running calls, as long as somebody runs it."""
    live: LiveSpeech = field(default_factory=LiveSpeech)
    catching_up: trio.Lock = field(default_factory=trio.Lock)
    """For calls that look at what was received before: one at a time, a record at a time, so that they leave
    Trio's loop to those that receive."""
    toil: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(os.cpu_count() or 1))
    """Threads for what would hold Trio's loop: a call that has some goes on when it is done."""
