"""The measures in the order and groups in which a report shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zccvoice.analytics.scorecard import Scorecard, definitions
from zccvoice.reports.figures import UNKNOWN, Figure, written
from zccvoice.rtms.enums import is_end_by_zoom
from zccvoice.store.reads import CallRow


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of a report: a measure of both sides, or of the call as a whole."""

    label: str
    field: str
    """Field of the scorecard; ``{side}`` in it stands for ``agent`` and ``customer``."""
    figure: Figure
    total: str | None = None
    """Field for the whole call, of a measure that both sides have."""

    @property
    def definition(self) -> str:
        """Its published definition; without a side where it is of both, and without the unit of the column."""
        text = definitions()[self.field.format(side="agent")]
        if "{side}" in self.field:
            text = text.replace("agent side", "side")
        return text.replace(", ms", "").replace(", 0–1", "")

    def values(self, scorecard: Scorecard) -> tuple[str, str, str]:
        """What to write for agent, customer and call; empty where the measure is not of that kind."""

        def value(field: str) -> str:
            return written(getattr(scorecard, field), self.figure)

        if "{side}" not in self.field:
            return (value(self.field), "", "") if "agent" in self.field else ("", "", value(self.field))
        agent, customer = value(self.field.format(side="agent")), value(self.field.format(side="customer"))
        return agent, customer, value(self.total) if self.total else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Measures that belong together."""

    title: str
    measures: Sequence[Measure]
    is_optional: bool = False
    """Left out where nothing of it is known, as of a language without a lexicon."""

    def is_shown(self, scorecard: Scorecard) -> bool:
        """Whether it has a place in the report of this call."""
        known = (set(measure.values(scorecard)) - {"", UNKNOWN} for measure in self.measures)
        return not self.is_optional or any(known)


GROUPS = (
    Group(
        "Time",
        (
            Measure("Duration", "duration_ms", Figure.DURATION),
            Measure("Conversation", "conversation_ms", Figure.DURATION),
            Measure("Talk time", "talk_time_{side}_ms", Figure.DURATION, total="talk_time_total_ms"),
            Measure("Talk time of others", "talk_time_other_ms", Figure.DURATION),
            Measure("Speech time", "speech_time_ms", Figure.DURATION),
            Measure("Talk ratio", "talk_ratio_agent", Figure.RATIO),
            Measure("Talk share", "talk_share_agent", Figure.RATIO),
            Measure("Hold", "hold_time_ms", Figure.DURATION),
            Measure("Holds", "hold_count", Figure.COUNT),
            Measure("Longest hold", "longest_hold_ms", Figure.DURATION),
            Measure("Silence", "silence_time_ms", Figure.DURATION),
            Measure("Silences", "silence_count", Figure.COUNT),
            Measure("Longest silence", "longest_silence_ms", Figure.DURATION),
            Measure("Dead air", "dead_air_count", Figure.COUNT),
            Measure("Non-talk time", "non_talk_time_total_ms", Figure.DURATION),
        ),
    ),
    Group(
        "Turn-taking",
        (
            Measure("Interruptions", "interruptions_{side}_count", Figure.COUNT),
            Measure("Interrupting", "interruptions_{side}_time_ms", Figure.SHORT),
            Measure("Overtalk", "overtalk_time_ms", Figure.SHORT),
            Measure("Overtalks", "overtalk_count", Figure.COUNT),
            Measure("Back-channels", "backchannels_{side}_count", Figure.COUNT),
            Measure("Turns", "turns_{side}_count", Figure.COUNT),
            Measure("Speaker switches", "speaker_switches_per_min", Figure.PER_MINUTE),
            Measure("Response gap, median", "response_gap_{side}_ms_p50", Figure.SHORT),
            Measure("Response gap, 90 %", "response_gap_{side}_ms_p90", Figure.SHORT),
            Measure("Longest monologue", "longest_monologue_{side}_ms", Figure.DURATION),
            Measure("First response", "first_response_agent_ms", Figure.SHORT),
        ),
    ),
    Group(
        "Words",
        (
            Measure("Words", "words_{side}_count", Figure.COUNT),
            Measure("Talk speed", "talk_speed_{side}_wpm", Figure.SPEED),
            Measure("Change of talk speed", "talk_speed_change_{side}_ratio", Figure.FACTOR),
            Measure("Questions", "questions_{side}_count", Figure.COUNT),
            Measure("Fillers", "fillers_{side}_count", Figure.COUNT),
            Measure("Language", "language", Figure.WORD),
            Measure("Language is", "language_source", Figure.WORD),
            Measure("Confidence", "transcript_confidence", Figure.RATIO),
        ),
    ),
    Group(
        "Sentiment",
        (
            Measure("Sentiment", "sentiment_{side}_score", Figure.SCORE),
            Measure("Sentiment, first quarter", "sentiment_{side}_q1", Figure.SCORE),
            Measure("Sentiment, second quarter", "sentiment_{side}_q2", Figure.SCORE),
            Measure("Sentiment, third quarter", "sentiment_{side}_q3", Figure.SCORE),
            Measure("Sentiment, last quarter", "sentiment_{side}_q4", Figure.SCORE),
            Measure("Change of sentiment", "sentiment_{side}_shift", Figure.SCORE),
        ),
        is_optional=True,
    ),
    Group(
        "Sound",
        (
            Measure("Coverage", "coverage_ratio", Figure.RATIO),
            Measure("Gaps", "gap_count", Figure.COUNT),
            Measure("Missing audio", "gap_time_ms", Figure.SHORT),
            Measure("Loudness", "loudness_{side}_dbfs", Figure.LEVEL),
            Measure("Speech above noise", "snr_{side}_db", Figure.DISTANCE),
            Measure("Clipping", "clipping_{side}_ratio", Figure.RATIO),
            Measure("Lost packets", "lost_packets_count", Figure.COUNT),
            Measure("Duplicate packets", "duplicate_packets_count", Figure.COUNT),
            Measure("Reordered packets", "reordered_packets_count", Figure.COUNT),
        ),
    ),
)
"""Every measure of the scorecard but ``verdict`` and ``damaged``, which a report shows beside the call's name."""


def ends_by_us(end_reason: str) -> list[str]:
    """The ends of a call that were not told by Zoom, nor that of a file: we did not receive the whole call."""
    ends = set(filter(None, end_reason.split(", ")))
    return sorted(one for one in ends if not (is_end_by_zoom(one) or one == "recording_ended"))


def flags(call: CallRow) -> tuple[str, ...]:
    """What is to be known before any number is read: was all of it received, the verdict, ``damaged``."""
    ours = ends_by_us(call.end_reason or "")
    scorecard = call.scorecard
    if scorecard is None:
        return tuple(f"not received: {_plain(one)}" for one in ours) or ("not measured yet",)
    cut_off = tuple(f"cut off: {_plain(one)}" for one in ours)
    verdict = written(scorecard.verdict, Figure.WORD)
    damaged = ("damaged",) if scorecard.damaged else ()
    return (*cut_off, *(() if verdict in ("conversation", UNKNOWN) else (verdict,)), *damaged)


def _plain(reason: str) -> str:
    return reason.replace("_", " ")
