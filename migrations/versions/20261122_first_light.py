"""First light: engagements with what was heard on them and their measures, and the views for reports.

Comments are not here: `zccvoice.store.comments` writes them after every upgrade.

Revision ID: 20261122_first_light
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_first_light"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "zccvoice"
# name, type, may be NULL
MEASURES = (
    ("duration_ms", sa.BigInteger, False),
    ("conversation_ms", sa.BigInteger, False),
    ("talk_time_agent_ms", sa.BigInteger, True),
    ("talk_time_customer_ms", sa.BigInteger, True),
    ("talk_time_other_ms", sa.BigInteger, True),
    ("talk_time_total_ms", sa.BigInteger, False),
    ("speech_time_ms", sa.BigInteger, False),
    ("talk_ratio_agent", sa.Double, True),
    ("talk_share_agent", sa.Double, True),
    ("hold_time_ms", sa.BigInteger, False),
    ("hold_count", sa.BigInteger, False),
    ("longest_hold_ms", sa.BigInteger, False),
    ("silence_time_ms", sa.BigInteger, False),
    ("silence_count", sa.BigInteger, False),
    ("longest_silence_ms", sa.BigInteger, False),
    ("dead_air_count", sa.BigInteger, False),
    ("non_talk_time_total_ms", sa.BigInteger, False),
    ("gap_time_ms", sa.BigInteger, False),
    ("gap_count", sa.BigInteger, False),
    ("coverage_ratio", sa.Double, True),
    ("overtalk_time_ms", sa.BigInteger, True),
    ("overtalk_count", sa.BigInteger, True),
    ("interruptions_agent_count", sa.BigInteger, True),
    ("interruptions_customer_count", sa.BigInteger, True),
    ("interruptions_agent_time_ms", sa.BigInteger, True),
    ("interruptions_customer_time_ms", sa.BigInteger, True),
    ("backchannels_agent_count", sa.BigInteger, True),
    ("backchannels_customer_count", sa.BigInteger, True),
    ("turns_agent_count", sa.BigInteger, True),
    ("turns_customer_count", sa.BigInteger, True),
    ("speaker_switches_per_min", sa.Double, True),
    ("response_gap_agent_ms_p50", sa.BigInteger, True),
    ("response_gap_agent_ms_p90", sa.BigInteger, True),
    ("response_gap_customer_ms_p50", sa.BigInteger, True),
    ("response_gap_customer_ms_p90", sa.BigInteger, True),
    ("longest_monologue_agent_ms", sa.BigInteger, True),
    ("longest_monologue_customer_ms", sa.BigInteger, True),
    ("first_response_agent_ms", sa.BigInteger, True),
    ("words_agent_count", sa.BigInteger, True),
    ("words_customer_count", sa.BigInteger, True),
    ("talk_speed_agent_wpm", sa.Double, True),
    ("talk_speed_customer_wpm", sa.Double, True),
    ("talk_speed_change_agent_ratio", sa.Double, True),
    ("talk_speed_change_customer_ratio", sa.Double, True),
    ("questions_agent_count", sa.BigInteger, True),
    ("questions_customer_count", sa.BigInteger, True),
    ("fillers_agent_count", sa.BigInteger, True),
    ("fillers_customer_count", sa.BigInteger, True),
    ("language", sa.Text, True),
    ("language_source", sa.Text, True),
    ("transcript_confidence", sa.Double, True),
    ("loudness_agent_dbfs", sa.Double, True),
    ("loudness_customer_dbfs", sa.Double, True),
    ("clipping_agent_ratio", sa.Double, True),
    ("clipping_customer_ratio", sa.Double, True),
    ("snr_agent_db", sa.Double, True),
    ("snr_customer_db", sa.Double, True),
    ("lost_packets_count", sa.BigInteger, True),
    ("duplicate_packets_count", sa.BigInteger, True),
    ("reordered_packets_count", sa.BigInteger, True),
    ("verdict", sa.Text, True),
    ("damaged", sa.Boolean, False),
)
# Language and its source are the engagement's: known before there is a scorecard.
MEASURES_IN_VIEW = ", ".join(f"s.{name}" for name, _, _ in MEASURES if not name.startswith("language"))

VIEWS = (
    f"""
    CREATE VIEW reporting.call AS
    SELECT e.engagement_id, e.product, e.account_id, e.queue_id, e.queue_name,
           (SELECT string_agg(DISTINCT p.display_name, ', ' ORDER BY p.display_name) FROM zccvoice.participant p
            WHERE p.engagement_id = e.engagement_id AND p.side = 'agent') AS agent_name,
           e.started_at, e.ended_at,
           (SELECT string_agg(DISTINCT t.end_reason, ', ' ORDER BY t.end_reason) FROM zccvoice.stream t
            WHERE t.engagement_id = e.engagement_id) AS end_reason,
           e.language, e.language_source,
           {MEASURES_IN_VIEW}, s.computed_at
    FROM zccvoice.engagement e LEFT JOIN zccvoice.scorecard s USING (engagement_id)
    """,  # noqa: S608
    """
    CREATE VIEW reporting.utterance AS
    SELECT u.engagement_id, u.stream_id, u.channel_id, p.side, p.display_name AS speaker_name,
           u.start_ms, u.end_ms,
           timestamptz 'epoch' + (e.clock_zero_ms + u.start_ms) * interval '1 ms' AS started_at,
           CASE WHEN u.verdict = 'kept' THEN u.text END AS text,
           u.language, u.confidence, u.loudness_dbfs, u.verdict
    FROM zccvoice.utterance u
    JOIN zccvoice.engagement e USING (engagement_id)
    LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
    """
    CREATE VIEW reporting.gap AS
    SELECT g.engagement_id, g.stream_id, g.channel_id, p.side, g.start_ms, g.end_ms,
           g.end_ms - g.start_ms AS length_ms, g.cause
    FROM zccvoice.gap g LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
    """
    CREATE VIEW reporting.event AS
    SELECT v.engagement_id, v.stream_id, v.name, v.occurred_at,
           (extract(epoch FROM v.occurred_at) * 1000)::bigint - e.clock_zero_ms AS at_ms,
           nullif(v.channel_id, '') AS channel_id, p.side
    FROM zccvoice.call_event v
    JOIN zccvoice.engagement e USING (engagement_id)
    LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
)


def upgrade() -> None:
    op.create_table(
        "engagement",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("queue_id", sa.Text(), nullable=True),
        sa.Column("queue_name", sa.Text(), nullable=True),
        sa.Column("clock_zero_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("language_source", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_engagement")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_engagement_started_at"), "engagement", ["started_at"], schema=SCHEMA)
    op.create_table(
        "participant",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("queue_id", sa.Text(), nullable=True),
        sa.Column("queue_name", sa.Text(), nullable=True),
        sa.CheckConstraint("side IN ('agent', 'customer', 'other')", name=op.f("ck_participant_side")),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_participant_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "channel_id", name=op.f("pk_participant")),
        schema=SCHEMA,
    )
    op.create_table(
        "scorecard",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        *(sa.Column(name, kind(), nullable=nullable) for name, kind, nullable in MEASURES),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_scorecard_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_scorecard")),
        schema=SCHEMA,
    )
    op.create_table(
        "stream",
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_packet_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_stream_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_stream")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_stream_engagement_id"), "stream", ["engagement_id"], schema=SCHEMA)
    op.create_table(
        "call_event",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_call_event_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["zccvoice.stream.stream_id"],
            name=op.f("fk_call_event_stream_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("stream_id", "name", "occurred_at", "channel_id", name=op.f("pk_call_event")),
        schema=SCHEMA,
    )
    op.create_index(
        op.f("ix_call_event_engagement_id_occurred_at"),
        "call_event",
        ["engagement_id", "occurred_at"],
        schema=SCHEMA,
    )
    op.create_table(
        "gap",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_gap_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["zccvoice.stream.stream_id"], name=op.f("fk_gap_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "channel_id", "start_ms", name=op.f("pk_gap")),
        schema=SCHEMA,
    )
    op.create_index(
        op.f("ix_gap_engagement_id_start_ms"), "gap", ["engagement_id", "start_ms"], schema=SCHEMA
    )
    op.create_table(
        "track",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("packets_count", sa.BigInteger(), nullable=False),
        sa.Column("lost_packets_count", sa.BigInteger(), nullable=False),
        sa.Column("duplicate_packets_count", sa.BigInteger(), nullable=False),
        sa.Column("reordered_packets_count", sa.BigInteger(), nullable=False),
        sa.Column("noise_dbfs", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_track_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["zccvoice.stream.stream_id"], name=op.f("fk_track_stream_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "channel_id", name=op.f("pk_track")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_track_engagement_id"), "track", ["engagement_id"], schema=SCHEMA)
    op.create_table(
        "utterance",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("word_texts", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("word_start_ms", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("word_end_ms", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("word_probability", sa.ARRAY(sa.REAL()), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("loudness_dbfs", sa.Double(), nullable=True),
        sa.Column("clipped_ratio", sa.Double(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_utterance_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["zccvoice.stream.stream_id"],
            name=op.f("fk_utterance_stream_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("stream_id", "channel_id", "start_ms", name=op.f("pk_utterance")),
        schema=SCHEMA,
    )
    op.create_index(
        op.f("ix_utterance_engagement_id_start_ms"), "utterance", ["engagement_id", "start_ms"], schema=SCHEMA
    )
    op.execute("CREATE SCHEMA reporting")
    for view in VIEWS:
        op.execute(view)


def downgrade() -> None:
    op.execute("DROP SCHEMA reporting CASCADE")
    for table in (
        "utterance",
        "track",
        "gap",
        "call_event",
        "stream",
        "scorecard",
        "participant",
        "engagement",
    ):
        op.drop_table(table, schema=SCHEMA)
