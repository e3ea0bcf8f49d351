"""What is said on one stream: asked of the recognizer, and what it answers written down.

    projection ──► Pins ──► utterances ──► transcriber, detector ──┐
                    ▲  │ facts                                     │ answers, in their tasks
                    └──┼───────────────────────────────────────────┤
                       └──────► Editor ──► Recorder ◄──────────────┘

An answer is acted on where it arrives, at once and in order; only what is to be asked next waits, in a task of
this call: whoever brings answers works for all calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial

import trio

from zccvoice.daemon.detector import Probabilities, UnclearItem
from zccvoice.daemon.editing import Editor
from zccvoice.daemon.house import House
from zccvoice.daemon.log import get_logger
from zccvoice.daemon.outcome import Outcome, Projected, Remark, Spoken, Unclear
from zccvoice.daemon.past import Past
from zccvoice.daemon.pins import Pins
from zccvoice.daemon.recorder import Recorder
from zccvoice.daemon.restating import Stated
from zccvoice.daemon.transcriber import SpokenItem
from zccvoice.journal.journal import JournalReader
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.store.facts import (
    Fact,
    LanguagePinned,
    ParticipantSeen,
    StreamRestated,
    UtteranceHeard,
)

log = get_logger()


class Hearing:
    """One stream's part."""

    def __init__(
        self,
        started: StreamStarted,
        house: House,
        past: Past,
        recorder: Recorder,
        open_reader: Callable[[], JournalReader],
        *,
        is_live: Callable[[], bool],
        on_defect: Callable[[], None],
    ) -> None:
        """Prepare; `listening` begins it.

        Args:
            started: the stream.
            house: what all calls share.
            past: what its journal held when the call took it up.
            recorder: writes everything down.
            open_reader: opens the journal; blocking.
            is_live: whether what is heard now is of a call that goes on; what an earlier daemon left waits behind.
            on_defect: called while an exception is handled that is this call's alone.
        """
        self._ids = started.engagement_id, started.stream_id
        self._house = house
        self._past = past
        self._recorder = recorder
        self._open_reader = open_reader
        self._is_live = is_live
        self._on_defect = on_defect
        self._pins = Pins(self._ids, house.config.language, past.pins)
        self._editor = Editor(house.config.redaction, house.scorers, started.product.value)
        self._stated = Stated(self._ids)
        self._context = copy_context()  # the log's ids are this call's, whoever brings an answer
        self._tasks: trio.Nursery | None = None
        self._pending = 0
        self._is_left = False
        self._none_pending = trio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Answers are acted on as long as the block lasts; nobody wants those that come later."""
        async with trio.open_nursery() as self._tasks:
            try:
                yield
            finally:
                self._tasks = None  # before the nursery closes: nobody who brings an answer may run into that

    async def take(self, projected: Sequence[Projected], *, is_past: bool) -> None:
        """What the projection gave next, of the past or not; waits while the recognizer has too much to do."""
        if not is_past:
            self._end_past()
        if projected:
            await self._ask(self._noted(self._pins.take(projected)))

    def note_time(self, timestamp_ms: int) -> None:
        """The stream has come so far, by Zoom's clock."""
        self._derive(self._editor.note_time(timestamp_ms))

    async def finish(self, *, may_go_on: bool) -> bool:
        """Nothing more is said: return when every answer is there and the recorder has it.

        Args:
            may_go_on: another daemon may hear more. What cannot be redacted, or has no language yet, without that
                is left to it: a decision by what little there is would bind it for the rest of the call.

        Returns:
            False when something was left, also what a daemon that stops could not have transcribed; then the
            journal must not be given an end.
        """
        if not may_go_on:
            await self._ask(self._followed(self._pins.end))
        while self._pending:
            await self._none_pending.wait()
        is_open = self._pins.are_awaited or self._editor.is_holding_back
        if self._is_left or (may_go_on and is_open):
            return False
        self._end_past()
        self._derive(self._editor.flush())
        return True

    def restated(self) -> StreamRestated:
        """The keys of what there is: anything else that was derived before is stale."""
        return self._stated.restated()

    def _followed(self, follow: Callable[[], Sequence[Outcome]]) -> list[Spoken | Unclear]:
        """What follows is written down; returns what is to be asked."""
        try:
            return self._noted(follow())
        except Exception:  # the edge of this call: whoever brought an answer goes on with others
            self._on_defect()
            return []

    def _noted(self, outcomes: Sequence[Outcome]) -> list[Spoken | Unclear]:
        """Have everything written down; returns what is to be asked."""
        facts: list[Fact] = []
        asked: list[Spoken | Unclear] = []
        todo = deque(outcomes)
        while todo:
            match one := todo.popleft():
                case Remark():
                    _log(one)
                case Spoken():
                    self._stated.note_spoken(*one.key[:2])
                    known = self._past.transcript(one.key, one.language)
                    if known is None:
                        self._editor.expect(one)
                        asked.append(one)
                    else:
                        self._editor.recall(known)
                        todo.extendleft(reversed(self._pins.take_heard(known)))
                case Unclear():
                    asked.append(one)
                case UtteranceHeard() if not self._past.holds(one):
                    facts += self._editor.take(one)
                case _:
                    self._note_fact(one)
                    facts.append(one)
        self._derive(facts)
        self._pending += len(asked)
        return asked

    def _note_fact(self, fact: Fact) -> None:
        self._stated.note(fact)
        match fact:
            case LanguagePinned():
                log.info("language pinned", language=fact.language, source=fact.source, number=fact.number)
            case ParticipantSeen():
                self._editor.note(fact)

    def _derive(self, facts: Sequence[Fact]) -> None:
        """Into the journal, unless it has them from before."""
        self._write(self._past.told.news(facts))

    def _end_past(self) -> None:
        self._write(self._past.told.end_past())

    def _write(self, facts: Sequence[Fact]) -> None:
        if facts:
            self._recorder.derive(facts)

    async def _ask(self, asked: Sequence[Spoken | Unclear]) -> None:
        for one in asked:
            if isinstance(one, Spoken):
                spoken = SpokenItem(
                    *self._ids,
                    one,
                    trio.current_time(),
                    self._open_reader,
                    self._take_transcript,
                    self._note_left,
                    is_live=self._is_live(),
                )
                await self._house.spoken_send.send(spoken)
            else:
                unclear = UnclearItem(one, self._open_reader, partial(self._take_clue, one))
                await self._house.unclear_send.send(unclear)

    def _take_transcript(self, heard: UtteranceHeard) -> None:
        self._context.run(self._take_answer, partial(self._pins.take_heard, heard))

    def _note_left(self) -> None:
        self._is_left = True
        self._context.run(self._take_answer, lambda: [])

    def _take_clue(self, unclear: Unclear, probabilities: Probabilities) -> None:
        self._context.run(self._take_answer, partial(self._pins.take_clue, unclear, probabilities))

    def _take_answer(self, follow: Callable[[], Sequence[Outcome]]) -> None:
        if self._tasks is None:
            return
        self._tasks.start_soon(self._ask_next, self._followed(follow))

    async def _ask_next(self, asked: Sequence[Spoken | Unclear]) -> None:
        await self._ask(asked)
        self._pending -= 1
        if not self._pending:
            self._none_pending.set()
            self._none_pending = trio.Event()


def _log(remark: Remark) -> None:
    if remark.problem is None:
        log.info(remark.text, channel_id=remark.channel_id)
    else:
        log.warning(remark.text, channel_id=remark.channel_id, problem=remark.problem)
