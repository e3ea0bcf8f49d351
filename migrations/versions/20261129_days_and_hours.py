"""Days and hours of calls are columns, so that an index finds the calls of a day, also under row-level security.

A reader's condition is run before the policy, and thus by an index, only if Postgres trusts what it calls not to
tell of rows: it trusts the comparison of dates and moments, and does not trust `date_trunc`. The columns of
`reporting.agent_day` and `reporting.queue_hour` say what they said before.

Revision ID: 20261129_days_and_hours
Revises: 20261129_teams_of_calls
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261129_days_and_hours"
down_revision = "20261129_teams_of_calls"
branch_labels = None
depends_on = None

VIEWS = {
    "agent_day": """
        SELECT c.user_id, a.display_name AS agent_name, c.day, {call_sums},
               count(*) FILTER (WHERE NOT c.is_alone) AS shared_calls_count, {sums_when_alone}
        FROM (
            SELECT DISTINCT p.user_id, e.engagement_id, e.started_day AS day,
                   NOT EXISTS (
                       SELECT FROM zccvoice.participant o
                       WHERE o.engagement_id = p.engagement_id AND o.side = 'agent'
                         AND o.user_id IS DISTINCT FROM p.user_id
                   ) AS is_alone
            FROM zccvoice.participant p JOIN zccvoice.engagement e USING (engagement_id)
            WHERE p.side = 'agent'
        ) c
        JOIN zccvoice.agent a USING (user_id)
        LEFT JOIN zccvoice.scorecard s USING (engagement_id)
        GROUP BY c.user_id, a.display_name, c.day
    """,
    "queue_hour": """
        SELECT e.queue_id, max(e.queue_name) AS queue_name, e.started_hour AS hour, {call_sums}, {sums}
        FROM zccvoice.engagement e LEFT JOIN zccvoice.scorecard s USING (engagement_id)
        GROUP BY e.queue_id, e.started_hour
    """,
}


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")  # the table is written anew
    started_day = sa.Computed("((started_at AT TIME ZONE 'UTC'::text))::date", persisted=True)
    started_hour = sa.Computed(
        "(date_trunc('hour'::text, (started_at AT TIME ZONE 'UTC'::text)) AT TIME ZONE 'UTC'::text)",
        persisted=True,
    )
    op.add_column("engagement", sa.Column("started_day", sa.Date(), started_day), schema="zccvoice")
    op.add_column(
        "engagement",
        sa.Column("started_hour", sa.DateTime(timezone=True), started_hour),
        schema="zccvoice",
    )
    op.create_index(op.f("ix_engagement_started_day"), "engagement", ["started_day"], schema="zccvoice")
    op.create_index(
        op.f("ix_engagement_started_hour_queue_id"),
        "engagement",
        ["started_hour", "queue_id"],
        schema="zccvoice",
    )
    # With all that `agent_day` and the triggers want of an agent's calls: nothing else has to be read for them.
    op.drop_index(op.f("ix_participant_user_id"), "participant", schema="zccvoice")
    op.create_index(
        op.f("ix_participant_user_id_engagement_id_side"),
        "participant",
        ["user_id", "engagement_id", "side"],
        schema="zccvoice",
    )
    reporting = context.script.get_revision("20261127_reporting").module
    sums = {
        "call_sums": reporting.CALL_SUMS,
        "sums": reporting.agent_sums("true"),
        "sums_when_alone": reporting.agent_sums("c.is_alone"),
    }
    _replace_views({name: query.format(**sums) for name, query in VIEWS.items()})


def downgrade() -> None:
    before = context.script.get_revision("20261127_reporting").module.VIEWS
    _replace_views({name: before[name] for name in VIEWS})
    op.create_index(op.f("ix_participant_user_id"), "participant", ["user_id"], schema="zccvoice")
    op.drop_index(op.f("ix_participant_user_id_engagement_id_side"), "participant", schema="zccvoice")
    op.drop_column("engagement", "started_hour", schema="zccvoice")
    op.drop_column("engagement", "started_day", schema="zccvoice")


def _replace_views(queries: dict[str, str]) -> None:
    """Their rights and comments stay; that they run with those of whoever asks has to be said again."""
    version = int(op.get_bind().exec_driver_sql("SHOW server_version_num").scalar_one())
    options = "WITH (security_invoker = true)" if version >= 150_000 else ""
    for name, query in queries.items():
        op.execute(f"CREATE OR REPLACE VIEW reporting.{name} {options} AS {query}")
