"""The schema, second part: what was made of a call, computed again whenever needed from what `tables` holds."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Any, get_args, get_type_hints

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.analytics.live import LiveCall, live_definitions
from zccvoice.analytics.parts import part_definitions
from zccvoice.analytics.record import Side
from zccvoice.analytics.scorecard import Scorecard, definitions
from zccvoice.store.tables import BY_MONTH, Base, call_date, of_engagement

_SIDE_OF_MEASURE = re.compile(rf"^(.+?)_({'|'.join(Side)})(_.+)?$")


@cache
def side_measures() -> dict[str, dict[Side, str]]:
    """Measures that exist per side: by their name without the side, the scorecard's field for each side."""
    found: dict[str, dict[Side, str]] = {}
    for name in get_type_hints(Scorecard):
        if match := _SIDE_OF_MEASURE.match(name):
            before, side, after = match.groups()
            found.setdefault(f"{before}{after or ''}", {})[Side(side)] = name
    return found


def _column(name: str, hint: Any, comment: str) -> Column[Any]:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    column_type = {int: BigInteger, float: Double, str: Text, bool: Boolean}[kinds[0]]
    return Column(name, column_type, nullable=type(None) in kinds, comment=comment)


def _engagement_column() -> Column[str]:
    return Column(
        "engagement_id",
        Text,
        ForeignKey("engagement.engagement_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The engagement it belongs to.",
    )


def _moment(name: str, comment: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, comment=comment)


scorecard_table = Table(
    "scorecard",
    Base.metadata,
    _engagement_column(),
    *(_column(name, hint, definitions()[name]) for name, hint in get_type_hints(Scorecard).items()),
    _moment("computed_at", "When the measures were computed."),
    Column(
        "thresholds_version",
        BigInteger,
        nullable=True,
        comment="Version of the thresholds they were computed with, see metric_thresholds; NULL: before versions.",
    ),
    comment="The measures of an engagement: one row, computed again whenever needed from what the others hold.",
)
"""The columns are the fields of `Scorecard`: the one list of measures is there."""

side_scorecard_table = Table(
    "side_scorecard",
    Base.metadata,
    _engagement_column(),
    Column("side", Text, primary_key=True, comment="agent, customer or other."),
    *(
        _column(
            name,
            get_type_hints(Scorecard)[next(iter(fields.values()))] | None,
            f"The side's measure: {definitions()[next(iter(fields.values()))]}",
        )
        for name, fields in side_measures().items()
    ),
    comment="The measures of one side of an engagement; NULL where the side has none.",
)

live_call_table = Table(
    "live_call",
    Base.metadata,
    _engagement_column(),
    *(_column(name, hint, live_definitions()[name]) for name, hint in get_type_hints(LiveCall).items()),
    _moment("refreshed_at", "When these measures were computed."),
    comment="Running calls: provisional measures, made anew every few seconds and gone when the call is measured.",
)
"""The columns are the fields of `LiveCall`."""


class SpeechSpan(Base):
    """A stretch of speech."""

    __tablename__ = "speech_span"
    __table_args__ = (
        Index(None, "engagement_id", "start_ms"),
        {
            "comment": "Stretches of speech of a channel: utterances with hardly any time between them.",
            **BY_MONTH,
        },
    )

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True, comment="Whose audio leg.")
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    call_date: Mapped[date] = call_date()
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    side: Mapped[str | None] = mapped_column(comment="agent, customer or other; NULL while nobody told.")
    words_count: Mapped[int | None] = mapped_column(
        comment="Words in it; NULL when those of a part are not known."
    )


class Silence(Base):
    """A stretch in which nobody spoke."""

    __tablename__ = "silence"
    __table_args__ = (
        {
            "comment": "Stretches in which everybody could be heard and nobody spoke, longer than the threshold."
        },
    )

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")


class Hold(Base):
    """A stretch on hold."""

    __tablename__ = "hold"
    __table_args__ = (
        {"comment": "When the call was on hold: one row for a hold, as far as a stream was open in it."},
    )

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    length_ms: Mapped[int | None] = mapped_column(
        comment="Its length without what no stream was open for, ms; NULL: all of it, as rows from before said."
    )


class Interruption(Base):
    """A side began to speak in the middle of another's speech."""

    __tablename__ = "interruption"
    __table_args__ = ({"comment": "A side began to speak while another was in the middle of it."},)

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    at_ms: Mapped[int] = mapped_column(primary_key=True, comment="When, ms on the engagement's clock.")
    side: Mapped[str] = mapped_column(primary_key=True, comment="Who interrupted: agent, customer or other.")
    overlap_ms: Mapped[int] = mapped_column(comment="How long both then spoke at once, ms.")


_PARTS = part_definitions()


class AgentPart(Base):
    """What one agent did in his part of a call."""

    __tablename__ = "agent_part"
    __table_args__ = (
        {"comment": "Parts of calls by agent: one row, or after a transfer, conference or takeover several."},
    )

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True, comment=_PARTS["channel_id"])
    start_ms: Mapped[int] = mapped_column(primary_key=True, comment=_PARTS["start_ms"])
    end_ms: Mapped[int] = mapped_column(comment=_PARTS["end_ms"])
    talk_time_ms: Mapped[int] = mapped_column(comment=_PARTS["talk_time_ms"])
    words_count: Mapped[int | None] = mapped_column(comment=_PARTS["words_count"])
    talk_speed_wpm: Mapped[float | None] = mapped_column(comment=_PARTS["talk_speed_wpm"])
    hold_time_ms: Mapped[int] = mapped_column(comment=_PARTS["hold_time_ms"])
    hold_count: Mapped[int] = mapped_column(comment=_PARTS["hold_count"])
    silence_time_ms: Mapped[int] = mapped_column(comment=_PARTS["silence_time_ms"])
    interruptions_count: Mapped[int] = mapped_column(comment=_PARTS["interruptions_count"])
    first_response_ms: Mapped[int | None] = mapped_column(comment=_PARTS["first_response_ms"])
    # NULL in parts that were stored before there were these.
    talk_time_total_ms: Mapped[int | None] = mapped_column(comment=_PARTS["talk_time_total_ms"])
    response_gap_ms_p50: Mapped[int | None] = mapped_column(comment=_PARTS["response_gap_ms_p50"])
    longest_monologue_ms: Mapped[int | None] = mapped_column(comment=_PARTS["longest_monologue_ms"])
    sentiment_score: Mapped[float | None] = mapped_column(comment=_PARTS["sentiment_score"])
    length_ms: Mapped[int | None] = mapped_column(comment=_PARTS["length_ms"])
    sentiment_words_count: Mapped[int | None] = mapped_column(comment=_PARTS["sentiment_words_count"])


class CallRecognition(Base):
    """What became of a call's utterances."""

    __tablename__ = "call_recognition"
    __table_args__ = ({"comment": "What became of a call's utterances, counted when it was measured."},)

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    utterances_count: Mapped[int] = mapped_column(comment="Utterances heard.")
    kept_count: Mapped[int] = mapped_column(comment="With a transcript that counts.")
    empty_count: Mapped[int] = mapped_column(comment="Without words.")
    refused_count: Mapped[int] = mapped_column(comment="With a transcript that a guard refused.")
    failed_count: Mapped[int] = mapped_column(comment="That could not be transcribed.")
    waiting_count: Mapped[int] = mapped_column(comment="Not transcribed yet.")
    unassigned_count: Mapped[int] = mapped_column(comment="Of a channel whose side nobody told.")
    lags_ms: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger),
        comment="From the end of each utterance to its being stored, ms, rising; without those below zero.",
    )
    rejections: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, comment="Why text was refused or failed: outcome, reason, count and length_ms of each."
    )


class CategoryHit(Base):
    """A rule that matched."""

    __tablename__ = "category_hit"
    __table_args__ = (
        Index(None, "rule", "engagement_id"),
        {"comment": "Where a rule matched: which revision of it, and what in the call."},
    )

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True, comment="Name of the rule.")
    revision: Mapped[int] = mapped_column(primary_key=True, comment="Revision of the rule that matched.")
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Where it matched, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    side: Mapped[str | None] = mapped_column(comment="Whose speech matched; NULL when it is about the call.")
    matched_at: Mapped[datetime] = mapped_column(comment="When the rule was applied.")
    why: Mapped[str] = mapped_column(
        server_default="", comment="What was found: the phrase, or the number against its limit."
    )
    provisional: Mapped[bool] = mapped_column(
        server_default="false", comment="Whether the call was running when it was found: its end settles it."
    )


class MetricDefinition(Base):
    """What a measure means, by version."""

    __tablename__ = "metric_definition"
    __table_args__ = ({"comment": "What every measure means. A changed definition is a further version."},)

    name: Mapped[str] = mapped_column(primary_key=True, comment="Column of the scorecard.")
    version: Mapped[int] = mapped_column(primary_key=True, comment="1 is the first definition.")
    definition: Mapped[str] = mapped_column(comment="What it means.")
    unit: Mapped[str | None] = mapped_column(
        comment="Its unit, by the end of its name; NULL when it has none."
    )
    valid_from: Mapped[datetime] = mapped_column(comment="When this definition came into force here.")


class MetricThresholds(Base):
    """The numbers in the definitions, by version."""

    __tablename__ = "metric_thresholds"
    __table_args__ = (
        {"comment": "The thresholds of the measures. A changed one is a new version of the set."},
    )

    version: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Named by scorecard.thresholds_version."
    )
    thresholds: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Every threshold by name.")
    valid_from: Mapped[datetime] = mapped_column(comment="When they came into force here.")
