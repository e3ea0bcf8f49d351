"""The schema, first part: what was heard of a call. Every table and column says in the database what it holds.

Times on the engagement's clock are integer milliseconds, 0 being the first packet of its first stream by
Zoom's timestamps (`engagement.clock_zero_ms` is that moment in epoch milliseconds). They are bigint because
a far end with a broken clock must not make a call unstorable. What was made of it is in `measure_tables`, who
people are in `people_tables`, what was deleted and what must not be in `keeping_tables`. What people may query is
in the schema ``reporting``: views that the migrations create.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from zccvoice.analytics.record import Side

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
        date: Date(),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text()),
        list[int]: ARRAY(Integer()),
        list[float]: ARRAY(REAL()),
    }


BY_MONTH = {"postgresql_partition_by": "RANGE (call_date)"}
"""Table arguments of what is kept in monthly partitions, for volume; see `partitions`."""


def of_engagement(*, is_key: bool = False) -> Mapped[str]:
    """The column that says which engagement a row is about."""
    reference = ForeignKey("engagement.engagement_id", ondelete="CASCADE")
    return mapped_column(reference, primary_key=is_key, comment="The engagement it belongs to.")


def call_date() -> Mapped[date]:
    """The column that tables are partitioned by. It never changes, because the clock's zero does not."""
    return mapped_column(primary_key=True, comment="UTC day of the call's first packet.")


def of_stream() -> Mapped[str]:
    """The column that says which stream a row came from."""
    reference = ForeignKey("stream.stream_id", ondelete="CASCADE")
    return mapped_column(reference, primary_key=True, comment="The stream it came from.")


def of_channel() -> Mapped[str]:
    """The column that says whose audio leg a row is about."""
    return mapped_column(primary_key=True, comment="Zoom's id of the participant's audio leg.")


class Engagement(Base):
    """One contact-centre call, meeting, webinar or Video SDK session."""

    __tablename__ = "engagement"
    __table_args__ = (
        Index(None, "started_at"),
        Index(None, "started_day"),
        Index(None, "started_hour", "queue_id"),
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
        comment="Where the language comes from: configured, detected, zoom or fallback. See language_pin."
    )
    team_ids: Mapped[list[str]] = mapped_column(
        server_default="{}",
        comment="Teams that its agents were in when it began. Kept by the database: do not write it.",
    )
    started_day: Mapped[date | None] = mapped_column(
        Computed("((started_at AT TIME ZONE 'UTC'::text))::date", persisted=True),
        comment="UTC day on which it began.",
    )
    started_hour: Mapped[datetime | None] = mapped_column(
        Computed(
            "(date_trunc('hour'::text, (started_at AT TIME ZONE 'UTC'::text)) AT TIME ZONE 'UTC'::text)",
            persisted=True,
        ),
        comment="Start of the UTC hour in which it began.",
    )


class Stream(Base):
    """One RTMS stream of an engagement."""

    __tablename__ = "stream"
    __table_args__ = (Index(None, "engagement_id"), {"comment": "One RTMS stream of an engagement."})

    stream_id: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's id of the RTMS stream.")
    engagement_id: Mapped[str] = of_engagement()
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
        Index(None, "phone_hash"),
        Index(None, "user_id", "engagement_id", "side"),
        {"comment": "Who is behind a channel of an engagement. Holds no phone numbers, only their hashes."},
    )

    engagement_id: Mapped[str] = of_engagement(is_key=True)
    channel_id: Mapped[str] = of_channel()
    side: Mapped[str | None] = mapped_column(comment="agent, customer or other; NULL while nobody told.")
    user_id: Mapped[str | None] = mapped_column(comment="Zoom's id of the user, of agents.")
    display_name: Mapped[str | None] = mapped_column(comment="Name as Zoom shows it.")
    queue_id: Mapped[str | None] = mapped_column(comment="Zoom's id of the queue that brought them together.")
    queue_name: Mapped[str | None] = mapped_column(comment="Name of the queue that brought them together.")
    phone_hash: Mapped[str | None] = mapped_column(
        comment="Keyed hash of the phone number: the same number has the same hash."
    )
    phone_last4: Mapped[str | None] = mapped_column(comment="Last four digits of the phone number.")


class CallEvent(Base):
    """Something that Zoom told about a call."""

    __tablename__ = "call_event"
    __table_args__ = (
        Index(None, "engagement_id", "occurred_at"),
        {"comment": "Something that Zoom told about a call: answered, hold, unhold, transfer and so on."},
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    name: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's name of the event, in lower case.")
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True, comment="When, by Zoom's clock.")
    channel_id: Mapped[str] = mapped_column(
        primary_key=True, comment="The channel it is about; empty when it is about the whole call."
    )
    detail: Mapped[str | None] = mapped_column(comment="What more there is to say of it, in plain words.")


class Utterance(Base):
    """One stretch of speech of one participant, with its transcript."""

    __tablename__ = "utterance"
    __table_args__ = (
        Index(None, "engagement_id", "start_ms"),
        Index(
            "ix_utterance_text_search",
            sql("to_tsvector(zccvoice.text_search_configuration(language), text)"),
            postgresql_using="gin",
            postgresql_where=sql("verdict = 'kept'"),
        ),
        {
            "comment": "A stretch of speech of one participant, with its transcript; its side is in participant.",
            **BY_MONTH,
        },
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    channel_id: Mapped[str] = of_channel()
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    call_date: Mapped[date] = call_date()
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    source: Mapped[str] = mapped_column(
        server_default="zccvoice", comment="Who transcribed it: zccvoice. Zoom's own is in zoom_transcript."
    )
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
    loudness_by_second: Mapped[list[float]] = mapped_column(
        server_default="{}",
        comment="RMS level of each second of the speech, dBFS; the last one may be shorter.",
    )
    sentiment: Mapped[float | None] = mapped_column(
        comment="Score of its words, -1 (bad) to +1 (good); NULL where the language has no scorer."
    )
    model: Mapped[str | None] = mapped_column(comment="Weights that transcribed it.")
    verdict: Mapped[str] = mapped_column(
        comment="kept; empty: no words in it; refused or failed, with why: its text must not be counted."
    )
    stored_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it was first stored."
    )
    refused_text: Mapped[str | None] = mapped_column(
        comment="What the recognizer said where the verdict is refused, redacted. Nobody said it: never count it."
    )
    speaker_channel_id: Mapped[str | None] = mapped_column(
        comment="In a mixed track, the channel of the participant who spoke; NULL where that is not certain."
    )


class Gap(Base):
    """Audio of a track that should have arrived and did not."""

    __tablename__ = "gap"
    __table_args__ = (
        Index(None, "engagement_id", "start_ms"),
        {"comment": "Audio of one participant that should have arrived and did not."},
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    channel_id: Mapped[str] = of_channel()
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
    cause: Mapped[str] = mapped_column(
        comment="lost_packets, or undecodable (what came was no audio), or why we did not listen: daemon_down, "
        "connection_lost, stream_stopped, disk_full, damaged_journal."
    )


class Track(Base):
    """What arrived of one participant's audio in one stream."""

    __tablename__ = "track"
    __table_args__ = (
        Index(None, "engagement_id"),
        {"comment": "What arrived of one participant's audio in one stream, counted at its end."},
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    channel_id: Mapped[str] = of_channel()
    start_ms: Mapped[int] = mapped_column(comment="Start of its first packet, ms on the engagement's clock.")
    end_ms: Mapped[int] = mapped_column(comment="End of its last packet, ms on the engagement's clock.")
    packets_count: Mapped[int] = mapped_column(comment="Audio packets that arrived.")
    lost_packets_count: Mapped[int] = mapped_column(
        comment="Audio packets that never came, or were no audio."
    )
    duplicate_packets_count: Mapped[int] = mapped_column(comment="Audio packets that came more than once.")
    reordered_packets_count: Mapped[int] = mapped_column(comment="Audio packets that came after a later one.")
    noise_dbfs: Mapped[float | None] = mapped_column(
        comment="10th percentile of the level outside speech, dBFS."
    )
    speech_dbfs: Mapped[float | None] = mapped_column(REAL, comment="Level of its speech, RMS, dBFS.")
    clipped_ratio: Mapped[float | None] = mapped_column(
        REAL, comment="Share of the samples of its speech at full scale for 3 or more in a row, 0-1."
    )
    jitter_ms: Mapped[float | None] = mapped_column(
        REAL,
        comment="How unevenly its packets came (RFC 3550), ms, beyond the 200 ms that reading gathers; "
        "NULL after a crash.",
    )
    leakage_channel_id: Mapped[str | None] = mapped_column(
        comment="The channel that is heard again in this one (echo, cross-talk); NULL when none is."
    )
    leakage_delay_ms: Mapped[int | None] = mapped_column(
        Integer, comment="How much later it is heard again, ms."
    )
    leakage_gain_db: Mapped[float | None] = mapped_column(
        REAL, comment="How loud it is heard again, dB against the original."
    )
    leakage_correlation: Mapped[float | None] = mapped_column(
        REAL, comment="How well the levels of the two move together where only the other speaks, 0-1."
    )


class OneWayAudio(Base):
    """A long stretch in which a channel said nothing while others spoke."""

    __tablename__ = "one_way_audio"
    __table_args__ = (
        Index(None, "engagement_id"),
        {
            "comment": "A minute and more in which a channel said nothing while others spoke: dead, or a listener."
        },
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    channel_id: Mapped[str] = of_channel()
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int] = mapped_column(comment="Its end, ms on the engagement's clock.")
