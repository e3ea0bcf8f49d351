"""What reports over many calls ask for: target ranges, the calls of each agent, and how transcribing went.

The views have the moment at which the call began, so that a period in any time zone is found by an index, also
under row-level security.

Revision ID: 20261201_reports
Revises: 20261130_sound_of_tracks
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261201_reports"
down_revision = "20261130_sound_of_tracks"
branch_labels = None
depends_on = None

VIEWS = {
    "agent_call": """
        SELECT DISTINCT p.user_id, a.display_name AS agent_name, e.engagement_id, e.started_at, e.queue_id,
               e.queue_name, e.team_ids,
               NOT EXISTS (
                   SELECT FROM zccvoice.participant o
                   WHERE o.engagement_id = p.engagement_id AND o.side = 'agent'
                     AND o.user_id IS DISTINCT FROM p.user_id
               ) AS is_alone
        FROM zccvoice.participant p
        JOIN zccvoice.engagement e USING (engagement_id)
        JOIN zccvoice.agent a USING (user_id)
        WHERE p.side = 'agent'
    """,
    "recognition": """
        SELECT u.engagement_id, u.call_date, e.started_at, e.queue_id, e.queue_name, u.channel_id, p.side,
               CASE WHEN u.verdict = 'kept' AND u.text IS NULL THEN 'waiting'
                   ELSE split_part(u.verdict, ':', 1) END AS outcome,
               substring(u.verdict FROM ': (.*)$') AS reason,
               u.end_ms - u.start_ms AS length_ms,
               (extract(epoch FROM u.stored_at) * 1000)::bigint - e.clock_zero_ms - u.end_ms AS lag_ms,
               u.language, u.model
        FROM zccvoice.utterance u
        JOIN zccvoice.engagement e USING (engagement_id)
        LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
    "metric_target": """
        SELECT measure, nullif(queue_id, '') AS queue_id, nullif(team_id, '') AS team_id, low, high, valid_from
        FROM zccvoice.metric_target
    """,
}


def upgrade() -> None:
    op.create_table(
        "metric_target",
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("queue_id", sa.Text(), server_default="", nullable=False),
        sa.Column("team_id", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.CheckConstraint("low <= high", name=op.f("ck_metric_target_range")),
        sa.PrimaryKeyConstraint(
            "measure", "queue_id", "team_id", "valid_from", name=op.f("pk_metric_target")
        ),
        schema="zccvoice",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON zccvoice.metric_target TO zccvoice_daemon")
    op.execute("GRANT SELECT ON zccvoice.metric_target TO zccvoice_reader")
    context.script.get_revision("20261130_zoom_texts").module.create_views(VIEWS)


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW reporting.{name}")
    op.drop_table("metric_target", schema="zccvoice")
