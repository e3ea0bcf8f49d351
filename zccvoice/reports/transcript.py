"""What was said on a call, line by line, with what happened in between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from zccvoice.analytics import timing, turns
from zccvoice.analytics.record import Side, Span
from zccvoice.analytics.spans import intersection, total_ms
from zccvoice.reports.calls import CallReport
from zccvoice.reports.figures import length
from zccvoice.store.reads import UtteranceRow

SIDES: dict[Side | None, str] = {
    Side.AGENT: "Agent",
    Side.CUSTOMER: "Customer",
    Side.OTHER: "Other",
    None: "Unknown",
}
"""What the sides are called, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance."""

    number: int
    """Its place among the utterances of the report."""
    start_ms: int
    end_ms: int
    side: Side | None
    name: str
    """Of the speaker; empty when it is not known."""
    text: str
    """Empty when there are no words that count: what was refused is not shown as if it had been said."""
    remark: str
    """Why there are none, if so: ``refused: …``, ``not transcribed``, ``no words``."""
    is_backchannel: bool
    is_interruption: bool = False
    sentiment: float | None = None
    """Of its words, −1…+1."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something beside the utterances: ``hold``, ``pause``, ``silence``, ``closed``, ``gap``, ``rule``."""

    kind: str
    start_ms: int
    text: str


def remark(utterance: UtteranceRow) -> str:
    """Why the words of an utterance do not count; empty when they do."""
    if utterance.verdict == "kept":
        return "" if utterance.text is not None else "not transcribed"
    return "no words" if utterance.verdict == "empty" else utterance.verdict


def speaker(utterance: UtteranceRow) -> str:
    """What whoever spoke is called: the side, or the name where no side is known; empty where neither is."""
    return (utterance.display_name or "") if utterance.side is None else SIDES[utterance.side]


def said(report: CallReport) -> list[Said]:
    """The utterances in time order."""
    signals = {
        (spoken.channel_id, spoken.start_ms)
        for speech in turns.turn_taking(report.record, report.thresholds).backchannels
        for spoken in speech.utterances
    }
    interrupting = {(one.side, one.at_ms) for one in turns.interruptions(report.record, report.thresholds)}
    sentiments = sentiment_of(report)
    return [
        Said(
            number,
            utterance.start_ms,
            utterance.end_ms,
            utterance.side,
            utterance.display_name or "",
            "" if why else utterance.text or "",
            why,
            (utterance.channel_id, utterance.start_ms) in signals,
            (utterance.side, utterance.start_ms) in interrupting,
            sentiments[number],
        )
        for number, utterance in enumerate(report.utterances)
        for why in [remark(utterance)]
    ]


def sentiment_of(report: CallReport) -> list[float | None]:
    """What the words of each utterance of the report scored."""
    scored = {(one.channel_id, one.start_ms): one.sentiment for one in report.record.utterances}
    return [scored.get((one.channel_id, one.start_ms)) for one in report.utterances]


def happened(report: CallReport) -> list[Happened]:
    """Holds, pauses, silences, gaps of a second or more, times without a stream, and rules, in time order."""
    record = report.record
    open_ = timing.open_time(record)
    between = [Span(one.end_ms, other.start_ms) for one, other in pairwise(open_)]
    sides = {gap.channel_id: SIDES[gap.side] for gap in record.gaps}
    found = [
        *(("hold", "On hold for", total_ms(intersection([one], open_)), one) for one in timing.holds(record)),
        *(("pause", "Streaming paused for", one.length_ms, one) for one in timing.pauses(record)),
        *(
            ("silence", "Silence of", one.length_ms, one)
            for one in timing.silences(record, report.thresholds)
        ),
        *(("closed", "No stream for", one.length_ms, one) for one in between),
        *(
            ("gap", f"{sides[channel_id]} not heard for", one.length_ms, one)
            for channel_id, spans in timing.gaps(record).items()
            for one in spans
            if one.length_ms >= 1_000
        ),
    ]
    told = [
        Happened(kind, span.start_ms, f"{text} {length(length_ms)}") for kind, text, length_ms, span in found
    ]
    told += [
        Happened("rule", hit.start_ms, " – ".join(filter(None, [f"Rule matched: {hit.rule}", hit.why])))
        for hit in report.hits
    ]
    return sorted(told, key=lambda one: one.start_ms)


def lines(report: CallReport) -> list[Said | Happened]:
    """Everything in time order."""
    both: list[Said | Happened] = [*happened(report), *said(report)]
    return sorted(both, key=lambda one: one.start_ms)
