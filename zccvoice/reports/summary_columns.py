"""The measures of many calls in the order in which reports show them, with their targets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from zccvoice.reports.figures import Figure
from zccvoice.reports.table import Column, Quantity, Range
from zccvoice.store.summaries import Summary, summary_definitions
from zccvoice.store.targets import Target


@dataclass(frozen=True, slots=True)
class SummaryMeasure:
    """One measure of a `Summary`."""

    field: str
    title: str
    figure: Figure
    has_target: bool = True

    @property
    def definition(self) -> str:
        """Its published definition, without the unit of the column."""
        return summary_definitions()[self.field].replace(", ms.", ".").replace(", 0–1.", ".")

    def column(self) -> Column:
        """Its column where rows are agents or queues."""
        return Column(self.field, self.title, self.figure, self.definition, self.has_target)

    def quantity(self, summary: Summary | None, target: Range | None = None) -> Quantity:
        """Its value with the target."""
        value = None if summary is None else getattr(summary, self.field)
        return Quantity(value, self.figure, target)

    def cell(self, summary: Summary | None, target: Range | None = None) -> Quantity | int | None:
        """What stands in its `column`."""
        if self.has_target:
            return self.quantity(summary, target)
        return None if summary is None else getattr(summary, self.field)


MEASURES = (
    SummaryMeasure("calls_count", "Calls", Figure.COUNT, has_target=False),
    SummaryMeasure("mean_duration_ms", "Length", Figure.DURATION),
    SummaryMeasure("talk_share_agent", "Talk share", Figure.RATIO),
    SummaryMeasure("silence_ratio", "Silence", Figure.RATIO),
    SummaryMeasure("interruptions_agent_per_call", "Agent interrupts", Figure.PER_CALL),
    SummaryMeasure("talk_speed_agent_wpm", "Talk speed", Figure.SPEED),
    SummaryMeasure("mean_first_response_agent_ms", "First response", Figure.SHORT),
    SummaryMeasure("mean_hold_time_ms", "Hold", Figure.DURATION),
    SummaryMeasure("dead_air_calls_ratio", "Calls with dead air", Figure.RATIO),
    SummaryMeasure("mean_longest_monologue_agent_ms", "Monologue", Figure.DURATION),
    SummaryMeasure("mean_coverage_ratio", "Audio", Figure.RATIO),
    SummaryMeasure("interruptions_customer_per_call", "Customer interrupts", Figure.PER_CALL),
    SummaryMeasure("mean_response_gap_agent_ms_p50", "Response gap", Figure.SHORT),
    SummaryMeasure("mean_sentiment_customer_score", "Customer sentiment", Figure.SCORE),
    SummaryMeasure("mean_sentiment_agent_score", "Agent sentiment", Figure.SCORE),
    SummaryMeasure("overtalk_ratio", "Overtalk", Figure.RATIO),
    SummaryMeasure("hold_calls_ratio", "Calls with hold", Figure.RATIO),
    SummaryMeasure("talk_ratio_agent", "Talk ratio", Figure.RATIO),
    SummaryMeasure("mean_transcript_confidence", "Confidence", Figure.RATIO),
    SummaryMeasure("measured_calls_count", "Measured calls", Figure.COUNT, has_target=False),
    SummaryMeasure("damaged_calls_count", "Damaged calls", Figure.COUNT, has_target=False),
    SummaryMeasure("shared_calls_count", "Shared calls", Figure.COUNT, has_target=False),
)
"""Every field of a summary, the chief ones first."""


def summary_measure(field: str) -> SummaryMeasure:
    """The measure of a field."""
    return next(measure for measure in MEASURES if measure.field == field)


def target_for(
    targets: Sequence[Target],
    measure: str,
    queue_ids: Collection[str | None] = (),
    team_ids: Collection[str] = (),
) -> Range | None:
    """The target that holds for a number; None when there is none.

    One for a queue or team that the number is of comes before one for everybody, one for both comes first; of
    several of the same rank the first by queue and team.

    Args:
        targets: those that hold at the time, in the store's order.
        measure: name of the number.
        queue_ids: queues of which the number is.
        team_ids: teams of which the number is.
    """
    fitting = [
        target
        for target in targets
        if target.measure == measure
        and (target.queue_id is None or target.queue_id in queue_ids)
        and (target.team_id is None or target.team_id in team_ids)
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda target: (target.team_id is not None) + (target.queue_id is not None))
    return Range(best.low, best.high)
