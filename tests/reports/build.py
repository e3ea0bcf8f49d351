"""Report values made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from zccvoice.analytics.record import AudioGap, CallEvent, CallRecord, Side, Span, SpokenUtterance, TrackSound
from zccvoice.analytics.scorecard import scorecard
from zccvoice.reports.calls import CallReport
from zccvoice.store.hits import RuleHit
from zccvoice.store.reads import CallRow, UtteranceRow

A, C, O = Side.AGENT, Side.CUSTOMER, Side.OTHER  # noqa: E741
STARTED = datetime(2026, 5, 4, 8, 2, 31, tzinfo=UTC)
CHANNELS: dict[Side | None, str] = {A: "ch-a", C: "ch-c", O: "ch-o", None: "ch-x"}
NAMES: dict[Side | None, str | None] = {A: "Lee Agent", C: None, O: "Sam Supervisor", None: None}


def utterance(
    side: Side | None, start_ms: int, end_ms: int, text: str | None, verdict: str = "kept"
) -> UtteranceRow:
    """An utterance as the store gives it."""
    return UtteranceRow(
        stream_id="s1",
        channel_id=CHANNELS[side],
        side=side,
        display_name=NAMES[side],
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        words=(),
        language="en",
        confidence=0.9,
        loudness_dbfs=-22.0 if side is A else -27.5,
        clipped_ratio=0.0,
        model="demo",
        verdict=verdict,
    )


def report(
    *utterances: UtteranceRow,
    end_ms: int = 60_000,
    sides: tuple[Side | None, ...] = (A, C),
    gaps: tuple[AudioGap, ...] = (),
    events: tuple[CallEvent, ...] = (),
    streams: tuple[Span, ...] | None = None,
    engagement_id: str = "engagement-1",
    queue_name: str | None = "Orders",
    agent_name: str | None = "Lee Agent",
) -> CallReport:
    """A report of a call with these utterances, its scorecard computed from them."""
    spans = (Span(0, end_ms),) if streams is None else streams
    record = CallRecord(
        engagement_id=engagement_id,
        streams=spans,
        utterances=tuple(
            SpokenUtterance(
                one.side,
                one.channel_id,
                one.start_ms,
                one.end_ms,
                one.text if one.verdict == "kept" else None,
                one.confidence,
                one.loudness_dbfs,
                one.clipped_ratio,
            )
            for one in utterances
        ),
        tracks=tuple(
            TrackSound(side, CHANNELS[side], span, 0, 0, 0, -61.0) for side in sides for span in spans
        ),
        gaps=gaps,
        events=events,
        language="en",
        language_source="configured",
    )
    call = CallRow(
        engagement_id=engagement_id,
        product="zcc_voice",
        account_id="acc",
        queue_id="q",
        queue_name=queue_name,
        agent_name=agent_name,
        started_at=STARTED,
        ended_at=STARTED,
        end_reason="customer_disconnected",
        language="en",
        language_source="configured",
        scorecard=scorecard(record),
        computed_at=STARTED,
    )
    return CallReport(call, record, utterances)


def unmeasured(one: CallReport) -> CallReport:
    """The same call before its scorecard was computed."""
    return replace(one, call=replace(one.call, scorecard=None, computed_at=None))


def with_more(
    one: CallReport,
    *,
    loudness: bool = True,
    sentiments: Sequence[float | None] = (),
    hits: tuple[RuleHit, ...] = (),
) -> CallReport:
    """The same call with levels of every second, scores of its first utterances, and rules that matched."""
    scores = [*sentiments, *[None] * (len(one.utterances) - len(sentiments))]
    heard = one.utterances
    if loudness:
        heard = tuple(
            replace(row, loudness_by_second=(-30.0,) * (1 + (row.end_ms - row.start_ms - 1) // 1000))
            for row in heard
        )
    spoken = tuple(
        replace(said, sentiment=score) for said, score in zip(one.record.utterances, scores, strict=True)
    )
    return CallReport(one.call, replace(one.record, utterances=spoken), heard, hits)


def lively() -> CallReport:
    """`full`, with everything beside it that a page shows."""
    return with_more(
        full(),
        sentiments=[0.2, -0.8, None, -0.1, 0.0, 0.35],
        hits=(
            RuleHit("order number", 2, 12_300, 16_800, A, "“order number”"),
            RuleHit("long hold", 1, 34_500, 56_000, None, "21500 ms > 20000 ms"),
        ),
    )


def full() -> CallReport:
    """Everything occurs: hold, silence, gap, interruption, back-channel, refused and unknown words."""
    return report(
        utterance(A, 800, 5_200, "Thank you for calling, my name is Lee, how can I help you today?"),
        utterance(
            C,
            6_000,
            13_500,
            "Hello, yes, I ordered a lamp two weeks ago and it has still not arrived, and I am, um, worried.",
        ),
        utterance(A, 8_900, 9_300, "Mhm."),
        utterance(A, 12_300, 16_800, "I am sorry to hear that, could you give me the order number please?"),
        utterance(C, 17_600, 22_400, "It is seven seven zero four, and the card was [card]."),
        utterance(A, 28_400, 33_000, "Thank you. Let me put you on hold for a moment while I look."),
        utterance(C, 33_200, 33_700, "Okay."),
        utterance(
            A,
            57_000,
            66_500,
            "Thanks for waiting. It left our warehouse on Monday, and it should be with you tomorrow.",
        ),
        utterance(C, 60_200, 60_600, "Right."),
        utterance(C, 67_000, 71_000, "Thanks for watching!", "refused: known hallucination"),
        utterance(C, 72_200, 75_800, None, "failed: RecognizerError"),
        utterance(A, 76_400, 79_000, "Is there anything else I can do?"),
        utterance(C, 79_900, 83_000, "No, that is all. Thank you very much."),
        utterance(A, 83_500, 85_500, "Have a nice day. Goodbye."),
        end_ms=87_000,
        gaps=(AudioGap(C, "ch-c", 47_000, 48_000), AudioGap(C, "ch-c", 64_000, 65_400)),
        events=(
            CallEvent("user_answered", 300, "ch-a"),
            CallEvent("user_hold", 34_500, "ch-a"),
            CallEvent("user_unhold", 56_000, "ch-a"),
        ),
    )
