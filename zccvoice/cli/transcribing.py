"""One recording after the other, for ``zccvoice transcribe``: from files to what came of them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from sqlalchemy import Engine

from zccvoice.analytics.thresholds import Thresholds
from zccvoice.cli.recording_bars import Bar, Bars
from zccvoice.cli.transcript_sources import TranscriptSources
from zccvoice.cli.transcripts import FORMATS, write_transcript
from zccvoice.errors import JournalError, LegalHoldError, RecordingError
from zccvoice.recordings import recorded_call
from zccvoice.recordings.keeping import Keeper
from zccvoice.recordings.outcome import Outcome
from zccvoice.recordings.recorded_call import Files, RecordedCall
from zccvoice.recordings.sound_file import examine
from zccvoice.reports.calls import CallReport, call_report
from zccvoice.rtms.events import Role
from zccvoice.store.database import transaction

CUT_OFF_S = 2.0
"""A file that is so much shorter than it says, or longer, is told of."""
MONO = {"agent": Role.USER, "customer": Role.CONSUMER, "mix": None}
"""Who may be in a single channel."""


@dataclass(slots=True)
class Done:
    """What came of the files of a call."""

    problem: str | None = None
    skipped: str | None = None
    """Why nothing was to be done."""
    engagement_id: str = ""
    outcome: Outcome | None = None
    report: CallReport | None = None
    """To be printed."""
    target: Path | None = None
    """Where the transcript is."""
    cut_off: tuple[tuple[Path, float | None, float], ...] = ()
    """Files that hold less than they say, or break off: how many seconds they say, if they do, and hold."""
    unread: tuple[tuple[Path, float], ...] = ()
    """Files that seem to hold more than they say: how many seconds."""
    apart_s: float = 0.0
    """How far apart its files say that they began; they are laid side by side all the same."""
    wall_s: float = 0.0


class Stopped(Exception):  # noqa: N818 (no error: the others were told to stop)
    """Whoever works on something is to leave it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every recording is worked on with."""

    options: argparse.Namespace
    keeper: Keeper
    thresholds: Thresholds
    engine: Engine | None
    bars: Bars
    stopping: Event = field(default_factory=Event)

    def work(self, files: Files) -> Done:
        """One call, in a thread of its own."""
        options = self.options
        done = Done(target=self._target(files))
        begin = time.monotonic()
        with self.bars.bar(files.name) as bar:
            try:
                if done.target is not None and done.target.exists() and not options.again:
                    self._require_same_source(files, done.target)
                    if not options.store:
                        done.skipped = f"{done.target} is there already"
                        return done
                self._transcribe(files, done, bar)
            except (RecordingError, JournalError, LegalHoldError, OSError) as error:
                problem = str(error)
                done.problem = problem if problem.startswith(str(files.paths[0])) else f"{files}: {problem}"
        done.wall_s = time.monotonic() - begin
        return done

    def _transcribe(self, files: Files, done: Done, bar: Bar) -> None:
        call = self._call(files)
        done.apart_s = recorded_call.apart_s(call.sounds)
        done.unread = tuple((one.path, one.unread_s) for one in call.sounds if one.unread_s > CUT_OFF_S)
        known = None if self.options.again else self.keeper.stored_as(call)
        if known is not None:
            done.engagement_id, done.skipped = known, f"stored already as {known}"
        else:
            done.outcome = outcome = self._hear(call, bar)
            done.engagement_id, done.cut_off = outcome.engagement_id, tuple(_cut_off(call, outcome))
            if outcome.failed_count:
                done.target = None  # what is there counts as done, and the rest would never be tried again
        if done.target is not None and not (done.skipped and done.target.exists()):
            write_transcript(self._report(done), done.target, self._format)
            TranscriptSources(done.target.parent).note(done.target, files.paths, call.stream_id)
        elif self._is_printing:
            done.report = self._report(done)

    def _require_same_source(self, files: Files, target: Path) -> None:
        """A transcript that is there counts as done only if it is of these files.

        Raises:
            RecordingError: it is of others.
        """
        other = TranscriptSources(target.parent).other_source(target, files.paths)
        if other is not None:
            raise RecordingError(
                f"{files}: {target} is there already, of another recording, {other}; give another --output, or "
                "--again to replace it"
            )

    def _call(self, files: Files) -> RecordedCall:
        options = self.options
        sounds = tuple(examine(path, options.raw) for path in files.paths)
        legs = recorded_call.legs_of(files, sounds, agent=options.agent, mono=MONO[options.mono])
        stream_id = recorded_call.content_id(files.paths)
        return RecordedCall(
            sounds,
            legs,
            options.engagement_id or stream_id,
            stream_id,
            options.started_at or recorded_call.begin_of(sounds),
            options.queue,
        )

    def _hear(self, call: RecordedCall, bar: Bar) -> Outcome:
        def note_read(done_s: float) -> None:
            self._require_going_on()
            bar.read(done_s, call.duration_s)

        outcome = Outcome(self.thresholds)
        with closing(self.keeper.facts(call, again=self.options.again, on_read=note_read)) as facts:
            for fact in facts:
                self._require_going_on()
                outcome.add(fact)
                bar.heard(outcome.heard_s, call.duration_s)
        return outcome

    def _require_going_on(self) -> None:
        if self.stopping.is_set():
            raise Stopped

    def _report(self, done: Done) -> CallReport:
        """Of what was just heard; of a stored call all that is stored."""
        if self.engine is None:
            assert done.outcome is not None, "who stores nothing skips nothing"
            return done.outcome.report(datetime.now(UTC))
        with transaction(self.engine) as connection:
            report = call_report(connection, done.engagement_id)
        if report is None:
            raise RecordingError(f"its call {done.engagement_id} was erased meanwhile")
        return report

    @property
    def _format(self) -> str:
        return self.options.format or FORMATS[0]

    @property
    def _is_printing(self) -> bool:
        return self.options.output is None and (not self.options.store or self.options.format is not None)

    def _target(self, files: Files) -> Path | None:
        folder: Path | None = self.options.output
        return None if folder is None else folder / f"{files.name}.{self._format}"


def _cut_off(call: RecordedCall, outcome: Outcome) -> Iterator[tuple[Path, float | None, float]]:
    for number, sound in enumerate(call.sounds):
        held_s = outcome.length_s({leg.channel_id for leg in call.legs if leg.file == number})
        if sound.duration_s is not None and held_s < sound.duration_s - CUT_OFF_S:
            yield sound.path, sound.duration_s, held_s
        elif sound.is_end_missing:
            yield sound.path, None, held_s
