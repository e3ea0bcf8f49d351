"""What a picture of a call shows, with the words for whoever points at it; `picture` says what lies where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from zccvoice.analytics import timing, turns
from zccvoice.analytics.record import Side, Span
from zccvoice.analytics.spans import intersection, subtraction
from zccvoice.reports.calls import CallReport
from zccvoice.reports.figures import duration, length, signed
from zccvoice.reports.transcript import SIDES, Said


@dataclass(frozen=True, slots=True)
class Item:
    """Something in the time of the call."""

    kind: str
    """``agent``, ``customer``, ``other``, ``unknown`` for speech; ``hold``, ``pause``, ``silence``, ``closed``;
    ``gap``; ``interruption``; ``rule``."""
    span: Span
    lane: int | None
    """None: across all."""
    title: str
    """In words."""
    is_backchannel: bool = False
    is_understood: bool = True
    number: int | None = None
    """Of the utterance in the transcript."""
    sentiment: float | None = None
    label: str = ""
    """To stand beside it, where there is room."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Everything that is shown, by how it is drawn."""

    bands: tuple[Item, ...]
    """Across all lanes."""
    bars: tuple[Item, ...]
    """Speech."""
    gaps: tuple[Item, ...]
    marks: tuple[Item, ...]
    """Interruptions."""
    rules: tuple[Item, ...]

    @property
    def kinds(self) -> set[str]:
        """What occurs, for the legend: kinds of items, ``backchannel``, ``untranscribed``, ``sentiment``."""
        items = [*self.bands, *self.bars, *self.gaps, *self.marks, *self.rules]
        kinds = {item.kind for item in items}
        kinds |= {"backchannel"} if any(item.is_backchannel for item in items) else set()
        kinds |= {"untranscribed"} if not all(item.is_understood for item in items) else set()
        kinds |= {"sentiment"} if any(item.sentiment is not None for item in items) else set()
        return kinds


def layers(report: CallReport, spoken: Iterable[Said], sides: Sequence[Side | None]) -> Layers:
    """All items of a call; `sides` are those that have a lane, in its order."""
    return Layers(
        tuple(_bands(report)),
        tuple(_bars(spoken, sides)),
        tuple(_gaps(report, sides)),
        tuple(_interruptions(report, sides)),
        tuple(_rules(report)),
    )


def _bands(report: CallReport) -> Iterator[Item]:
    record = report.record
    open_ = timing.open_time(record)
    for name, kind, spans in (
        ("Hold", "hold", intersection(timing.holds(record), open_)),
        ("Streaming paused", "pause", intersection(timing.pauses(record), open_)),
        ("Silence", "silence", timing.silences(record, report.thresholds)),
        ("No stream", "closed", subtraction([Span(open_[0].start_ms, open_[-1].end_ms)], open_)),
    ):
        for span in spans:
            yield Item(kind, span, None, f"{name} {length(span.length_ms)}")


def _bars(spoken: Iterable[Said], sides: Sequence[Side | None]) -> Iterator[Item]:
    for one in spoken:
        name = SIDES[one.side]
        mood = "" if one.sentiment is None else f" (sentiment {signed(one.sentiment)})"
        yield Item(
            name.lower(),
            Span(one.start_ms, one.end_ms),
            sides.index(one.side),
            f"{name} {duration(one.start_ms)}–{duration(one.end_ms)}: {one.text or one.remark}{mood}",
            one.is_backchannel,
            not one.remark,
            one.number,
            one.sentiment,
        )


def _gaps(report: CallReport, sides: Sequence[Side | None]) -> Iterator[Item]:
    whose = {gap.channel_id: gap.side for gap in report.record.gaps}
    for channel_id, spans in timing.gaps(report.record).items():
        side = whose[channel_id]
        for span in spans:
            title = f"{SIDES[side]}: {length(span.length_ms)} of audio missing from {duration(span.start_ms)}"
            yield Item("gap", span, sides.index(side) if side in sides else None, title)


def _interruptions(report: CallReport, sides: Sequence[Side | None]) -> Iterator[Item]:
    for one in turns.interruptions(report.record, report.thresholds):
        both = f"both speak for {length(one.overlap_ms)}"
        title = f"{SIDES[one.side]} interrupts at {duration(one.at_ms)}, {both}"
        yield Item("interruption", Span(one.at_ms, one.at_ms + 1), sides.index(one.side), title)


def _rules(report: CallReport) -> Iterator[Item]:
    for hit in report.hits:
        whose = "" if hit.side is None else f", {SIDES[hit.side].lower()}"
        why = f": {hit.why}" if hit.why else ""
        title = f"Rule {hit.rule} (revision {hit.revision}) matched at {duration(hit.start_ms)}{whose}{why}"
        span = Span(hit.start_ms, max(hit.end_ms, hit.start_ms + 1))
        yield Item("rule", span, None, title, label=hit.rule)
