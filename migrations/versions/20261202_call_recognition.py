"""What became of a call's utterances, counted once when the call is measured.

A report over a month then reads a row per call instead of millions of wide ones, and its numbers stay when
transcripts are pruned. `zccvoice.count_recognition` counts the utterances of one call: for the table, and in the
view for calls that are not measured yet. A lag below zero is none: it comes of a call whose clock runs faster than
ours, as when the demo is played.

Revision ID: 20261202_call_recognition
Revises: 20261202_shared_calls
"""

from __future__ import annotations

from types import ModuleType

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "20261202_call_recognition"
down_revision = "20261202_shared_calls"
branch_labels = None
depends_on = None

COUNTS = (
    "utterances_count",
    "kept_count",
    "empty_count",
    "refused_count",
    "failed_count",
    "waiting_count",
    "unassigned_count",
)
LAG = "(extract(epoch FROM u.stored_at) * 1000)::bigint - e.clock_zero_ms - u.end_ms"
COUNT = """
CREATE FUNCTION zccvoice.count_recognition(engagement_id text) RETURNS TABLE (
    utterances_count bigint, kept_count bigint, empty_count bigint, refused_count bigint, failed_count bigint,
    waiting_count bigint, unassigned_count bigint, lags_ms bigint[], rejections jsonb
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH heard AS MATERIALIZED (
        SELECT outcome, coalesce(reason, '') AS reason, length_ms, lag_ms, side FROM reporting.recognition r
        WHERE r.engagement_id = count_recognition.engagement_id
    )
    SELECT count(*), count(*) FILTER (WHERE outcome = 'kept'), count(*) FILTER (WHERE outcome = 'empty'),
           count(*) FILTER (WHERE outcome = 'refused'), count(*) FILTER (WHERE outcome = 'failed'),
           count(*) FILTER (WHERE outcome = 'waiting'), count(*) FILTER (WHERE side IS NULL),
           coalesce(array_agg(lag_ms ORDER BY lag_ms) FILTER (WHERE lag_ms IS NOT NULL), '{}'),
           coalesce((
               SELECT jsonb_agg(to_jsonb(r) ORDER BY outcome, reason) FROM (
                   SELECT outcome, reason, count(*) AS count, sum(length_ms)::bigint AS length_ms FROM heard
                   WHERE outcome IN ('refused', 'failed') GROUP BY outcome, reason
               ) r
           ), '[]')
    FROM heard;
END
"""
OF_CALL = "e.engagement_id, e.started_at, e.queue_id, e.queue_name"
COLUMNS = ", ".join(f"r.{name}" for name in (*COUNTS, "lags_ms", "rejections"))
VIEWS = {
    "call_recognition": f"""
        SELECT {OF_CALL}, {COLUMNS}
        FROM zccvoice.engagement e JOIN zccvoice.call_recognition r ON r.engagement_id = e.engagement_id
        UNION ALL
        SELECT {OF_CALL}, {COLUMNS}
        FROM zccvoice.engagement e CROSS JOIN LATERAL zccvoice.count_recognition(e.engagement_id) r
        WHERE NOT EXISTS (SELECT FROM zccvoice.call_recognition k WHERE k.engagement_id = e.engagement_id)
    """,  # noqa: S608
}


def upgrade() -> None:
    texts, days, reports = _before()
    lag = f"CASE WHEN {LAG} >= 0 THEN {LAG} END AS lag_ms"
    days._replace_views({"recognition": reports.VIEWS["recognition"].replace(f"{LAG} AS lag_ms", lag)})
    op.execute(COUNT)
    op.create_table(
        "call_recognition",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.Column("lags_ms", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("rejections", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_call_recognition_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_call_recognition")),
        schema="zccvoice",
    )
    op.execute("SET LOCAL statement_timeout = 0")  # calls of years take as long as they take
    op.execute(
        "INSERT INTO zccvoice.call_recognition SELECT s.engagement_id, r.* FROM zccvoice.scorecard s "
        "CROSS JOIN LATERAL zccvoice.count_recognition(s.engagement_id) r WHERE r.utterances_count > 0"
    )
    texts.protect("call_recognition")
    texts.create_views(VIEWS)


def downgrade() -> None:
    _, days, reports = _before()
    op.execute("DROP VIEW reporting.call_recognition")
    op.drop_table("call_recognition", schema="zccvoice")
    op.execute("DROP FUNCTION zccvoice.count_recognition(text)")
    days._replace_views({"recognition": reports.VIEWS["recognition"]})


def _before() -> tuple[ModuleType, ...]:
    names = ("20261130_zoom_texts", "20261129_days_and_hours", "20261201_reports")
    return tuple(context.script.get_revision(name).module for name in names)
