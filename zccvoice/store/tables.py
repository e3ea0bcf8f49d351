"""The schema: what is kept of a call. Every table and column says in the database itself what it holds.

Times on the engagement's clock are integer milliseconds, 0 being the first packet of its first stream by
Zoom's timestamps (`engagement.clock_zero_ms` is that moment in epoch milliseconds). They are bigint because
a far end with a broken clock must not make a call unstorable. What people may query is in the schema
``reporting``: views that the migrations create.
"""

from __future__ import annotations

from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_type_hints

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from zccvoice.analytics.record import Side
from zccvoice.analytics.scorecard import Scorecard, definitions

SCHEMA = "zccvoice"
"""Schema of the tables."""
REPORTING_SCHEMA = "reporting"
"""Schema of the views."""


class Base(DeclarativeBase):
    """Base of the tables; its metadata names every constraint, so that migrations can refer to them."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        },
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy declares it so
        str: Text(),
        int: BigInteger(),
        float: Double(),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text()),
        list[int]: ARRAY(Integer()),
        list[float]: ARRAY(REAL()),
    }


def _of_engagement() -> Mapped[str]:
    reference = ForeignKey("engagement.engagement_id", ondelete="CASCADE")
    return mapped_column(reference, comment="The engagement it belongs to.")


def _of_stream() -> Mapped[str]:
    reference = ForeignKey("stream.stream_id", ondelete="CASCADE")
    return mapped_column(reference, primary_key=True, comment="The stream it came from.")


def _of_channel() -> Mapped[str]:
    return mapped_column(primary_key=True, comment="Zoom's id of the participant's audio leg.")


class Engagement(Base):
    """One contact-centre call, meeting, webinar or Video SDK session."""

    __tablename__ = "engagement"
    __table_args__ = (
        Index(None, "started_at"),
        {"comment": "One contact-centre call, meeting, webinar or Video SDK session."},
    )

    engagement_id: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's id of the engagement.")
    product: Mapped[str | None] = mapped_column(comment="Zoom product it came from.")
    account_id: Mapped[str | None] = mapped_column(comment="Zoom account.")
    queue_id: Mapped[str | None] = mapped_column(comment="Zoom's id of the queue the call came through.")
    queue_name: Mapped[str | None] = mapped_column(comment="Name of the queue the call came through.")
    clock_zero_ms: Mapped[int | None] = mapped_column(
        comment="Zero of the engagement's clock: first packet of its first stream, ms since 1970 by Zoom's clock."
    )
    started_at: Mapped[datetime | None] = mapped_column(comment="When Zoom announced its first stream.")
    ended_at: Mapped[datetime | None] = mapped_column(comment="When the last of its ended streams ended.")
    language: Mapped[str | None] = mapped_column(comment="The pinned language, a Whisper code such as en.")
    language_source: Mapped[str | None] = mapped_column(
        comment="Where the language comes from: configured, detected or zoom."
    )


class Stream(Base):
    """One RTMS stream of an engagement."""

    __tablename__ = "stream"
    __table_args__ = (Index(None, "engagement_id"), {"comment": "One RTMS stream of an engagement."})

    stream_id: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's id of the RTMS stream.")
    engagement_id: Mapped[str] = _of_engagement()
    started_at: Mapped[datetime | None] = mapped_column(comment="When Zoom announced it.")
    first_packet_ms: Mapped[int | None] = mapped_column(
        comment="Its first packet, ms on the engagement's clock; NULL while nothing came."
    )
    ended_at: Mapped[datetime | None] = mapped_column(comment="When it ended; NULL while it is open.")
    end_reason: Mapped[str | None] = mapped_column(comment="Zoom's stop reason, or ours, in lower case.")
    detail: Mapped[str | None] = mapped_column(comment="How its end was learned, in plain words.")


class Participant(Base):
    """Who is behind a channel."""

    __tablename__ = "participant"
    __table_args__ = (
        CheckConstraint(f"side IN ({', '.join(repr(side.value) for side in Side)})", name="side"),
        {"comment": "Who is behind a channel of an engagement. Holds no phone numbers."},
    )

    engagement_id: Mapped[str] = mapped_column(
        ForeignKey("engagement.engagement_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The engagement it belongs to.",
    )
    channel_id: Mapped[str] = _of_channel()
    side: Mapped[str | None] = mapped_column(comment="agent, customer or other; NULL while nobody told.")
    user_id: Mapped[str | None] = mapped_column(comment="Zoom's id of the user, of agents.")
    display_name: Mapped[str | None] = mapped_column(comment="Name as Zoom shows it.")
    queue_id: Mapped[str | None] = mapped_column(comment="Zoom's id of the queue that brought them together.")
    queue_name: Mapped[str | None] = mapped_column(comment="Name of the queue that brought them together.")


class CallEvent(Base):
    """Something that Zoom told about a call."""

    __tablename__ = "call_event"
    __table_args__ = (
        Index(None, "engagement_id", "occurred_at"),
        {"comment": "Something that Zoom told about a call: answered, hold, unhold, transfer and so on."},
    )

    engagement_id: Mapped[str] = _of_engagement()
    stream_id: Mapped[str] = _of_stream()
    name: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's name of the event, in lower case.")
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True, comment="When, by Zoom's clock.")
    channel_id: Mapped[str] = mapped_column(
        primary_key=True, comment="The channel it is about; empty when it is about the whole call."
    )


class Utterance(Base):
    """One stretch of speech of one participant, with its transcript."""

    __tablename__ = "utterance"
    __table_args__ = (
        Index(None, "engagement_id", "start_ms"),
        {
            "comment": "One stretch of speech of one participant, with its transcript. Its side is in participant."
        },
    )

    engagement_id: Mapped[str] = _of_engagement()
    stream_id: Mapped[str] = _of_stream()
    channel_id: Mapped[str] = _of_channel()
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    text: Mapped[str | None] = mapped_column(comment="Transcript, redacted; NULL without one. See verdict.")
    word_texts: Mapped[list[str]] = mapped_column(
        comment="Recognized words; the other word columns run parallel."
    )
    word_start_ms: Mapped[list[int]] = mapped_column(
        comment="Start of each word, ms from the utterance's start."
    )
    word_end_ms: Mapped[list[int]] = mapped_column(comment="End of each word, ms from the utterance's start.")
    word_probability: Mapped[list[float]] = mapped_column(
        comment="The recognizer's certainty of each word, 0-1."
    )
    language: Mapped[str | None] = mapped_column(comment="Language it was transcribed in, a Whisper code.")
    confidence: Mapped[float | None] = mapped_column(
        comment="exp(mean log probability) of the transcript, 0-1."
    )
    loudness_dbfs: Mapped[float | None] = mapped_column(
        comment="RMS level of the speech, dBFS (a full-scale sine is -3.01); NULL for digital silence."
    )
    clipped_ratio: Mapped[float | None] = mapped_column(
        comment="Share of its samples at full scale for 3 or more in a row, 0-1."
    )
    model: Mapped[str | None] = mapped_column(comment="Weights that transcribed it.")
    verdict: Mapped[str] = mapped_column(
        comment="kept; empty: no words in it; refused or failed, with why: its text must not be counted."
    )
    stored_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it was first stored."
    )


class Gap(Base):
    """Audio of a track that should have arrived and did not."""

    __tablename__ = "gap"
    __table_args__ = (
        Index(None, "engagement_id", "start_ms"),
        {"comment": "Audio of one participant that should have arrived and did not."},
    )

    engagement_id: Mapped[str] = _of_engagement()
    stream_id: Mapped[str] = _of_stream()
    channel_id: Mapped[str] = _of_channel()
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    cause: Mapped[str] = mapped_column(comment="lost_packets, the only cause told apart so far.")


class Track(Base):
    """What arrived of one participant's audio in one stream."""

    __tablename__ = "track"
    __table_args__ = (
        Index(None, "engagement_id"),
        {"comment": "What arrived of one participant's audio in one stream, counted at its end."},
    )

    engagement_id: Mapped[str] = _of_engagement()
    stream_id: Mapped[str] = _of_stream()
    channel_id: Mapped[str] = _of_channel()
    start_ms: Mapped[int] = mapped_column(comment="Start of its first packet, ms on the engagement's clock.")
    end_ms: Mapped[int] = mapped_column(comment="End of its last packet, ms on the engagement's clock.")
    packets_count: Mapped[int] = mapped_column(comment="Audio packets that arrived.")
    lost_packets_count: Mapped[int] = mapped_column(comment="Audio packets that never came.")
    duplicate_packets_count: Mapped[int] = mapped_column(comment="Audio packets that came more than once.")
    reordered_packets_count: Mapped[int] = mapped_column(comment="Audio packets that came after a later one.")
    noise_dbfs: Mapped[float | None] = mapped_column(
        comment="10th percentile of the level outside speech, dBFS."
    )


def _measure(name: str, hint: Any) -> Column[Any]:
    """One column of the scorecard; its definition is the one that analytics publishes."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    column_type = {int: BigInteger, float: Double, str: Text, bool: Boolean}[kinds[0]]
    return Column(name, column_type, nullable=type(None) in kinds, comment=definitions()[name])


scorecard_table = Table(
    "scorecard",
    Base.metadata,
    Column(
        "engagement_id",
        Text,
        ForeignKey("engagement.engagement_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The engagement it belongs to.",
    ),
    *(_measure(name, hint) for name, hint in get_type_hints(Scorecard).items()),
    Column(
        "computed_at", DateTime(timezone=True), nullable=False, comment="When the measures were computed."
    ),
    comment="The measures of an engagement: one row, computed again whenever needed from what the others hold.",
)
"""The columns are the fields of `Scorecard`: the one list of measures is there."""
