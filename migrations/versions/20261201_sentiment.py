"""How people feel on a call: of each utterance, of each side, and of each quarter of the call.

Revision ID: 20261201_sentiment
Revises: 20261201_language_pins
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261201_sentiment"
down_revision = "20261201_language_pins"
branch_labels = None
depends_on = None

PARTS = ("score", "q1", "q2", "q3", "q4", "shift")
OF_CALL = [f"sentiment_{side}_{part}" for side in ("agent", "customer") for part in PARTS]
OF_SIDE = [f"sentiment_{part}" for part in PARTS]
CALL = """
    SELECT e.engagement_id, e.product, e.account_id, e.queue_id, e.queue_name,
           (SELECT string_agg(DISTINCT p.display_name, ', ' ORDER BY p.display_name) FROM zccvoice.participant p
            WHERE p.engagement_id = e.engagement_id AND p.side = 'agent') AS agent_name,
           e.started_at, e.ended_at,
           (SELECT string_agg(DISTINCT t.end_reason, ', ' ORDER BY t.end_reason) FROM zccvoice.stream t
            WHERE t.engagement_id = e.engagement_id) AS end_reason,
           e.language, e.language_source,
           {measures}, s.computed_at{more}
    FROM zccvoice.engagement e LEFT JOIN zccvoice.scorecard s USING (engagement_id)
"""


def upgrade() -> None:
    op.add_column("utterance", sa.Column("sentiment", sa.Double(), nullable=True), schema="zccvoice")
    for table, columns in (("scorecard", OF_CALL), ("side_scorecard", OF_SIDE)):
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Double(), nullable=True), schema="zccvoice")
    make_views(", ".join(["", *(f"s.{column}" for column in OF_CALL)]), ", u.sentiment", OF_SIDE)


def downgrade() -> None:
    make_views("", "", [])
    for table, columns in (("scorecard", OF_CALL), ("side_scorecard", OF_SIDE), ("utterance", ["sentiment"])):
        for column in columns:
            op.drop_column(table, column, schema="zccvoice")


def make_views(of_call: str, of_utterance: str, of_side: list[str]) -> None:
    """Anew, with these columns at their ends."""
    first, reporting, texts = (
        context.script.get_revision(name).module
        for name in ("20261122_first_light", "20261127_reporting", "20261130_zoom_texts")
    )
    score = reporting.LOUDNESS_SCORE.format(level="u.loudness_dbfs")
    side_columns = ", ".join(["engagement_id", "side", reporting.SIDE_MEASURES, *of_side])
    views = {
        "call": CALL.format(measures=first.MEASURES_IN_VIEW, more=of_call),
        "utterance": reporting.UTTERANCE.format(more=f", u.source, {score}{of_utterance}"),
        "side": f"SELECT {side_columns} FROM zccvoice.side_scorecard",  # noqa: S608
    }
    for name in views:
        op.execute(f"DROP VIEW reporting.{name}")
    texts.create_views(views)
