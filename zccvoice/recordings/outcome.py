"""CORE: the facts of one stream → the report of its call: the same as the database would give, without one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from zccvoice.analytics.record import AudioGap, CallEvent, CallRecord, Side, Span, SpokenUtterance, TrackSound
from zccvoice.analytics.scorecard import scorecard
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds
from zccvoice.reports.calls import CallReport
from zccvoice.store.facts import (
    CallEventSeen,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StreamClosed,
    StreamOpened,
    TrackClosed,
    UtteranceHeard,
)
from zccvoice.store.reads import CallRow, UtteranceRow, counted_text, word_spans_of


class Outcome:
    """What the facts of one stream amount to."""

    def __init__(self, thresholds: Thresholds = DEFAULTS) -> None:
        """`thresholds`: of the measures in its report."""
        self._thresholds = thresholds
        self._opened: StreamOpened | None = None
        self._closed: StreamClosed | None = None
        self._language: LanguagePinned | None = None
        self._queue_name: str | None = None
        self._zero_ms: int | None = None
        self._sides: dict[str, Side] = {}
        self._heard: dict[tuple[str, int], UtteranceHeard] = {}
        self._heard_ms: int | None = None
        self._tracks: list[TrackClosed] = []
        self._gaps: list[GapFound] = []
        self._events: list[CallEventSeen] = []

    @property
    def utterances_count(self) -> int:
        """Utterances so far."""
        return len(self._heard)

    @property
    def transcribed_count(self) -> int:
        """Of these, the ones that the recognizer did not fail on."""
        return sum(not one.verdict.startswith("failed") for one in self._heard.values())

    @property
    def engagement_id(self) -> str:
        """Whose facts these are."""
        assert self._opened is not None, "the first fact opens the stream"
        return self._opened.engagement_id

    @property
    def failed_count(self) -> int:
        """Utterances that the recognizer failed on."""
        return self.utterances_count - self.transcribed_count

    def length_s(self, channel_ids: Collection[str]) -> float:
        """Length of the longest of these tracks."""
        return (
            max((_length_ms(one) for one in self._tracks if one.channel_id in channel_ids), default=0) / 1000
        )

    @property
    def heard_s(self) -> float:
        """How far into the call the utterances reach that were told so far."""
        return 0 if self._heard_ms is None else self._at(self._heard_ms) / 1000

    @property
    def audio_s(self) -> float:
        """Length of the longest track."""
        return max(map(_length_ms, self._tracks), default=0) / 1000

    @property
    def damaged_s(self) -> float:
        """Sound that is missing, of all tracks together."""
        return sum(one.end_timestamp_ms - one.start_timestamp_ms for one in self._gaps) / 1000

    def add(self, fact: Fact) -> None:
        """Take in the next fact."""
        match fact:
            case StreamOpened():
                self._opened = fact
            case ClockStarted():
                self._zero_ms = fact.timestamp_ms if self._zero_ms is None else self._zero_ms
            case LanguagePinned() if fact.is_of_call:
                self._language = fact
            case ParticipantSeen():
                self._queue_name = fact.queue_name or self._queue_name
                if fact.side is not None:
                    self._sides[fact.channel_id] = fact.side
            case UtteranceHeard():
                self._heard[fact.channel_id, fact.start_timestamp_ms] = fact
                self._heard_ms = max(self._heard_ms or 0, fact.end_timestamp_ms)
            case TrackClosed():
                self._tracks.append(fact)
            case GapFound():
                self._gaps.append(fact)
            case CallEventSeen():
                self._events.append(fact)
            case StreamClosed():
                self._closed = fact
            case _:
                pass  # of Zoom's, and restatements

    def report(self, computed_at: datetime) -> CallReport:
        """The report, once all facts were told."""
        opened, closed, pinned = self._opened, self._closed, self._language
        assert opened is not None, "a replay opens its stream"
        assert closed is not None, "and closes it"
        language = None if pinned is None else pinned.language
        source = None if pinned is None else pinned.source
        rows = tuple(map(self._row, sorted(self._heard.values(), key=_place)))
        record = self._record(closed, rows, language, source)
        is_measured = bool(record.tracks or record.utterances)
        call = CallRow(
            engagement_id=opened.engagement_id,
            product=opened.product,
            account_id=opened.account_id,
            queue_id=None,
            queue_name=self._queue_name,
            agent_name=None,
            started_at=opened.started_at,
            ended_at=closed.ended_at,
            end_reason=closed.end_reason,
            language=language,
            language_source=source,
            scorecard=scorecard(record, self._thresholds) if is_measured else None,
            computed_at=computed_at if is_measured else None,
        )
        return CallReport(call, record, rows, thresholds=self._thresholds)

    def _record(
        self, closed: StreamClosed, rows: Iterable[UtteranceRow], language: str | None, source: str | None
    ) -> CallRecord:
        tracks = tuple(map(self._track, sorted(self._tracks, key=lambda one: one.channel_id)))
        gaps = tuple(map(self._gap, sorted(self._gaps, key=_place)))
        ends_ms = [self._at(round(closed.ended_at.timestamp() * 1000))]
        ends_ms += [one.open_span.end_ms for one in tracks] + [one.end_ms for one in gaps]
        return CallRecord(
            engagement_id=closed.engagement_id,
            streams=() if self._zero_ms is None else (Span(0, max(ends_ms)),),
            utterances=tuple(
                SpokenUtterance(
                    one.side,
                    one.channel_id,
                    one.start_ms,
                    one.end_ms,
                    counted_text(one.text, one.verdict),
                    one.confidence,
                    one.loudness_dbfs,
                    one.clipped_ratio,
                    one.sentiment,
                    word_spans_of(one),
                    one.language,
                )
                for one in rows
            ),
            tracks=tracks,
            gaps=gaps,
            events=tuple(
                CallEvent(one.name, self._at(one.timestamp_ms), one.channel_id) for one in self._events
            ),
            language=language,
            language_source=source,
        )

    def _row(self, heard: UtteranceHeard) -> UtteranceRow:
        return UtteranceRow(
            stream_id=heard.stream_id,
            channel_id=heard.channel_id,
            side=self._sides.get(heard.channel_id),
            display_name=None,
            start_ms=self._at(heard.start_timestamp_ms),
            end_ms=self._at(heard.end_timestamp_ms),
            text=heard.text,
            words=heard.words,
            language=heard.language,
            confidence=heard.confidence,
            loudness_dbfs=heard.loudness_dbfs,
            clipped_ratio=heard.clipped_ratio,
            model=heard.model,
            verdict=heard.verdict,
            loudness_by_second=heard.loudness_by_second,
            sentiment=heard.sentiment,
        )

    def _track(self, closed: TrackClosed) -> TrackSound:
        return TrackSound(
            self._sides.get(closed.channel_id),
            closed.channel_id,
            Span(self._at(closed.first_timestamp_ms), self._at(closed.last_timestamp_ms)),
            closed.lost_packets,
            closed.duplicate_packets,
            closed.reordered_packets,
            closed.noise_dbfs,
        )

    def _gap(self, gap: GapFound) -> AudioGap:
        side = self._sides.get(gap.channel_id)
        return AudioGap(
            side, gap.channel_id, self._at(gap.start_timestamp_ms), self._at(gap.end_timestamp_ms)
        )

    def _at(self, timestamp_ms: int) -> int:
        """On the clock of the call."""
        return timestamp_ms - (self._zero_ms or 0)


def _length_ms(track: TrackClosed) -> int:
    return track.last_timestamp_ms - track.first_timestamp_ms


def _place(one: UtteranceHeard | GapFound) -> tuple[int, str]:
    return one.start_timestamp_ms, one.channel_id
