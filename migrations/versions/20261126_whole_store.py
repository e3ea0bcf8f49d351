"""The store, whole: monthly partitions, what was made of a call as rows, people and teams, deletion and its proof.

Comments are not here: `zccvoice.store.comments` writes them after every upgrade.

Utterances move into a partitioned table within this migration; on a large database that takes as long as a copy
of them. The version before cannot run beside it: stop the daemon, upgrade, start the new one. Its journals keep
what arrives meanwhile.

Revision ID: 20261126_whole_store
Revises: 20261122_first_light
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261126_whole_store"
down_revision = "20261122_first_light"
branch_labels = None
depends_on = None

SCHEMA = "zccvoice"
UTTERANCE = (
    "engagement_id, stream_id, channel_id, start_ms, end_ms, text, word_texts, word_start_ms, word_end_ms, "
    "word_probability, language, confidence, loudness_dbfs, clipped_ratio, model, verdict, stored_at"
)

# Made ahead by whoever may execute it (the daemon), owned by whoever migrates: a role that may not create tables
# gets its partitions all the same. What lies in the default partition by then is moved.
MAKE_PARTITIONS = """
CREATE FUNCTION zccvoice.make_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent text;
    first_day date;
    part text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7262282012027);
    FOREACH parent IN ARRAY ARRAY['utterance', 'speech_span'] LOOP
        FOR ahead IN -1..least(months_ahead, 60) LOOP
            first_day := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date;
            part := parent || to_char(first_day, '_YYYY_MM');
            CONTINUE WHEN to_regclass(format('zccvoice.%I', part)) IS NOT NULL;
            -- What attaching locks, in the order in which writers lock it: they wait for us, or we for them.
            LOCK TABLE zccvoice.engagement, zccvoice.stream IN SHARE ROW EXCLUSIVE MODE;
            EXECUTE format('LOCK TABLE zccvoice.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
            EXECUTE format('CREATE TABLE zccvoice.%I (LIKE zccvoice.%I INCLUDING DEFAULTS)', part, parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM zccvoice.%I WHERE call_date >= %L AND call_date < %L RETURNING *) '
                'INSERT INTO zccvoice.%I SELECT * FROM moved',
                parent || '_default', first_day, first_day + interval '1 month', part);
            EXECUTE format(
                'ALTER TABLE zccvoice.%I ATTACH PARTITION zccvoice.%I FOR VALUES FROM (%L) TO (%L)',
                parent, part, first_day, (first_day + interval '1 month')::date);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$
"""

DATE_OF_ZERO = (
    "((timestamptz 'epoch' + coalesce(e.clock_zero_ms, 0) * interval '1 ms') AT TIME ZONE 'UTC')::date"
)

UTTERANCE_VIEW = """
CREATE VIEW reporting.utterance AS
SELECT u.engagement_id, u.stream_id, u.channel_id, p.side, p.display_name AS speaker_name,
       u.start_ms, u.end_ms,
       timestamptz 'epoch' + (e.clock_zero_ms + u.start_ms) * interval '1 ms' AS started_at,
       CASE WHEN u.verdict = 'kept' THEN u.text END AS text,
       u.language, u.confidence, u.loudness_dbfs, u.verdict
FROM zccvoice.utterance u
JOIN zccvoice.engagement e USING (engagement_id)
LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
"""


def upgrade() -> None:
    op.add_column("scorecard", sa.Column("thresholds_version", sa.BigInteger(), nullable=True), schema=SCHEMA)
    op.add_column("participant", sa.Column("phone_hash", sa.Text(), nullable=True), schema=SCHEMA)
    op.add_column("participant", sa.Column("phone_last4", sa.Text(), nullable=True), schema=SCHEMA)
    op.create_table(
        "agent",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_agent")),
        schema=SCHEMA,
    )
    op.create_table(
        "legal_hold",
        sa.Column("legal_hold_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("legal_hold_id", name=op.f("pk_legal_hold")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_legal_hold_engagement_id"), "legal_hold", ["engagement_id"], schema=SCHEMA)
    op.create_table(
        "metric_definition",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_metric_definition")),
        schema=SCHEMA,
    )
    op.create_table(
        "metric_thresholds",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("thresholds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_metric_thresholds")),
        schema=SCHEMA,
    )
    op.create_table(
        "queue",
        sa.Column("queue_id", sa.Text(), nullable=False),
        sa.Column("queue_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_queue")),
        schema=SCHEMA,
    )
    op.create_table(
        "schema_change",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_schema_change")),
        schema=SCHEMA,
    )
    op.create_table(
        "team",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("team_name", sa.Text(), nullable=True),
        sa.Column("parent_team_id", sa.Text(), nullable=True),
        sa.CheckConstraint("parent_team_id <> team_id", name=op.f("ck_team_parent")),
        sa.ForeignKeyConstraint(
            ["parent_team_id"], ["zccvoice.team.team_id"], name=op.f("fk_team_parent_team_id")
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_team")),
        schema=SCHEMA,
    )
    op.create_table(
        "tombstone",
        sa.Column("tombstone_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=True),
        sa.Column("stream_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("reason IN ('revoked', 'erased', 'retention')", name=op.f("ck_tombstone_reason")),
        sa.PrimaryKeyConstraint("tombstone_id", name=op.f("pk_tombstone")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_tombstone_engagement_id"), "tombstone", ["engagement_id"], schema=SCHEMA)
    op.create_index(op.f("ix_tombstone_stream_id"), "tombstone", ["stream_id"], schema=SCHEMA)
    op.create_table(
        "agent_team",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_agent_team_validity")),
        sa.ForeignKeyConstraint(
            ["team_id"], ["zccvoice.team.team_id"], name=op.f("fk_agent_team_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", "valid_from", name=op.f("pk_agent_team")),
        schema=SCHEMA,
    )
    op.create_index(
        op.f("ix_agent_team_user_id_valid_from"), "agent_team", ["user_id", "valid_from"], schema=SCHEMA
    )
    op.create_table(
        "category_hit",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_category_hit_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id", "rule", "revision", "start_ms", name=op.f("pk_category_hit")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        op.f("ix_category_hit_rule_engagement_id"), "category_hit", ["rule", "engagement_id"], schema=SCHEMA
    )
    op.create_table(
        "hold",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_hold_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "start_ms", name=op.f("pk_hold")),
        schema=SCHEMA,
    )
    op.create_table(
        "interruption",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("overlap_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_interruption_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "at_ms", "side", name=op.f("pk_interruption")),
        schema=SCHEMA,
    )
    op.create_table(
        "live_call",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=False),
        sa.Column("talk_time_agent_ms", sa.BigInteger(), nullable=True),
        sa.Column("talk_time_customer_ms", sa.BigInteger(), nullable=True),
        sa.Column("talk_share_agent", sa.Double(), nullable=True),
        sa.Column("longest_silence_ms", sa.BigInteger(), nullable=False),
        sa.Column("interruptions_agent_count", sa.BigInteger(), nullable=True),
        sa.Column("interruptions_customer_count", sa.BigInteger(), nullable=True),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("last_side", sa.Text(), nullable=True),
        sa.Column("last_words", sa.Text(), nullable=True),
        sa.Column("coverage_ratio", sa.Double(), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_live_call_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_live_call")),
        schema=SCHEMA,
    )
    op.create_table(
        "side_scorecard",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("talk_time_ms", sa.BigInteger(), nullable=True),
        sa.Column("talk_ratio", sa.Double(), nullable=True),
        sa.Column("talk_share", sa.Double(), nullable=True),
        sa.Column("interruptions_count", sa.BigInteger(), nullable=True),
        sa.Column("interruptions_time_ms", sa.BigInteger(), nullable=True),
        sa.Column("backchannels_count", sa.BigInteger(), nullable=True),
        sa.Column("turns_count", sa.BigInteger(), nullable=True),
        sa.Column("response_gap_ms_p50", sa.BigInteger(), nullable=True),
        sa.Column("response_gap_ms_p90", sa.BigInteger(), nullable=True),
        sa.Column("longest_monologue_ms", sa.BigInteger(), nullable=True),
        sa.Column("first_response_ms", sa.BigInteger(), nullable=True),
        sa.Column("words_count", sa.BigInteger(), nullable=True),
        sa.Column("talk_speed_wpm", sa.Double(), nullable=True),
        sa.Column("talk_speed_change_ratio", sa.Double(), nullable=True),
        sa.Column("questions_count", sa.BigInteger(), nullable=True),
        sa.Column("fillers_count", sa.BigInteger(), nullable=True),
        sa.Column("loudness_dbfs", sa.Double(), nullable=True),
        sa.Column("clipping_ratio", sa.Double(), nullable=True),
        sa.Column("snr_db", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_side_scorecard_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "side", name=op.f("pk_side_scorecard")),
        schema=SCHEMA,
    )
    op.create_table(
        "silence",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_silence_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "start_ms", name=op.f("pk_silence")),
        schema=SCHEMA,
    )
    op.create_table(
        "speech_span",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("call_date", sa.Date(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("words_count", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_speech_span_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "engagement_id", "channel_id", "start_ms", "call_date", name=op.f("pk_speech_span")
        ),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (call_date)",
    )
    op.create_index(
        op.f("ix_speech_span_engagement_id_start_ms"),
        "speech_span",
        ["engagement_id", "start_ms"],
        schema=SCHEMA,
    )
    op.create_table(
        "team_reader",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_team_reader_validity")),
        sa.ForeignKeyConstraint(
            ["team_id"], ["zccvoice.team.team_id"], name=op.f("fk_team_reader_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("login", "team_id", "valid_from", name=op.f("pk_team_reader")),
        schema=SCHEMA,
    )
    op.create_index(op.f("ix_participant_phone_hash"), "participant", ["phone_hash"], schema=SCHEMA)
    _move_utterances()
    for table in ("utterance", "speech_span"):
        op.execute(f"CREATE TABLE zccvoice.{table}_default PARTITION OF zccvoice.{table} DEFAULT")
    op.execute(MAKE_PARTITIONS)
    op.execute("REVOKE EXECUTE ON FUNCTION zccvoice.make_partitions(integer) FROM PUBLIC")
    op.execute("SELECT zccvoice.make_partitions(3)")
    columns = ", ".join(f"u.{name}" for name in UTTERANCE.split(", "))
    op.execute("SET LOCAL statement_timeout = 0")  # a copy takes as long as it takes
    op.execute(
        f"INSERT INTO zccvoice.utterance ({UTTERANCE}, call_date) SELECT {columns}, {DATE_OF_ZERO} "  # noqa: S608
        "FROM zccvoice.utterance_before u JOIN zccvoice.engagement e USING (engagement_id)"
    )
    op.execute("DROP TABLE zccvoice.utterance_before")
    op.execute(UTTERANCE_VIEW)


def downgrade() -> None:
    op.execute("DROP VIEW reporting.utterance")
    op.execute("ALTER TABLE zccvoice.utterance RENAME TO utterance_after")
    op.execute("ALTER INDEX zccvoice.pk_utterance RENAME TO pk_utterance_after")
    op.execute("DROP INDEX zccvoice.ix_utterance_engagement_id_start_ms")
    _create_utterance(is_partitioned=False)
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(
        f"INSERT INTO zccvoice.utterance ({UTTERANCE}) SELECT {UTTERANCE} FROM zccvoice.utterance_after"  # noqa: S608
    )
    op.execute("DROP FUNCTION zccvoice.make_partitions(integer)")
    for table in (
        "utterance_after",
        "team_reader",
        "speech_span",
        "silence",
        "side_scorecard",
        "live_call",
        "interruption",
        "hold",
        "category_hit",
        "agent_team",
        "tombstone",
        "team",
        "schema_change",
        "queue",
        "metric_thresholds",
        "metric_definition",
        "legal_hold",
        "agent",
    ):
        op.drop_table(table, schema=SCHEMA)
    op.drop_index(op.f("ix_participant_phone_hash"), "participant", schema=SCHEMA)
    op.drop_column("participant", "phone_last4", schema=SCHEMA)
    op.drop_column("participant", "phone_hash", schema=SCHEMA)
    op.drop_column("scorecard", "thresholds_version", schema=SCHEMA)
    op.execute(UTTERANCE_VIEW)


def _move_utterances() -> None:
    op.execute("DROP VIEW reporting.utterance")
    op.execute("ALTER TABLE zccvoice.utterance RENAME TO utterance_before")
    op.execute("ALTER INDEX zccvoice.pk_utterance RENAME TO pk_utterance_before")
    op.execute("DROP INDEX zccvoice.ix_utterance_engagement_id_start_ms")
    _create_utterance(is_partitioned=True)


def _create_utterance(*, is_partitioned: bool) -> None:
    more = (
        [
            sa.Column("call_date", sa.Date(), nullable=False),
            sa.Column("source", sa.Text(), server_default="zccvoice", nullable=False),
            sa.Column("loudness_by_second", sa.ARRAY(sa.REAL()), server_default="{}", nullable=False),
        ]
        if is_partitioned
        else []
    )
    keys = ["stream_id", "channel_id", "start_ms", *(["call_date"] if is_partitioned else [])]
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
        *more,
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
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_utterance")),
        schema=SCHEMA,
        **({"postgresql_partition_by": "RANGE (call_date)"} if is_partitioned else {}),
    )
    op.create_index(
        op.f("ix_utterance_engagement_id_start_ms"), "utterance", ["engagement_id", "start_ms"], schema=SCHEMA
    )
