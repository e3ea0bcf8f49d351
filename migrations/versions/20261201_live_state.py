"""What is going on now on a running call, and which rules have matched on it.

Revision ID: 20261201_live_state
Revises: 20261201_reports
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261201_live_state"
down_revision = "20261201_reports"
branch_labels = None
depends_on = None

COLUMNS = {
    "talk_share_customer": sa.Double(),
    "state": sa.Text(),
    "state_ms": sa.BigInteger(),
    "speaking": sa.Text(),
    "untranscribed_count": sa.BigInteger(),
    "transcript_lag_ms": sa.BigInteger(),
}
# At the end, where a view that is replaced may have more columns. The hits are those of the moment of asking.
MORE = """
       l.talk_share_customer, l.state, l.state_ms, l.speaking, l.untranscribed_count, l.transcript_lag_ms,
       (SELECT count(*) FROM zccvoice.category_hit h WHERE h.engagement_id = l.engagement_id) AS rule_hits_count,
       ARRAY(SELECT DISTINCT h.rule FROM zccvoice.category_hit h
             WHERE h.engagement_id = l.engagement_id ORDER BY h.rule) AS rule_hits
"""


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("live_call", sa.Column(name, kind, nullable=True), schema="zccvoice")
    query = _view().replace("FROM zccvoice.live_call l", f", {MORE} FROM zccvoice.live_call l")
    op.execute(f"CREATE OR REPLACE VIEW reporting.live_call {_options()} AS {query}")


def downgrade() -> None:
    op.execute("DROP VIEW reporting.live_call")
    context.script.get_revision("20261130_zoom_texts").module.create_views({"live_call": _view()})
    for name in COLUMNS:
        op.drop_column("live_call", name, schema="zccvoice")


def _view() -> str:
    """As it was before."""
    query: str = context.script.get_revision("20261127_reporting").module.VIEWS["live_call"]
    return query


def _options() -> str:
    """With the rights of whoever asks, where Postgres has such views; replacing one forgets it."""
    version = op.get_bind().exec_driver_sql("SHOW server_version_num").scalar_one()
    return "WITH (security_invoker = true)" if int(version) >= 150_000 else ""
