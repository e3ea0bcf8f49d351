"""Rules by revision, why they matched, and hits on their way to a receiver.

Revision ID: 20261201_rules
Revises: 20261201_live_state
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261201_rules"
down_revision = "20261201_live_state"
branch_labels = None
depends_on = None

CATEGORY = """
    SELECT h.engagement_id, h.rule, h.revision, h.start_ms, h.end_ms, h.side, h.matched_at, h.why, h.provisional,
           to_timestamp((e.clock_zero_ms + h.start_ms) / 1000.0) AS started_at
    FROM zccvoice.category_hit h JOIN zccvoice.engagement e USING (engagement_id)
"""
CATEGORY_BEFORE = """
    SELECT engagement_id, rule, revision, start_ms, end_ms, side, matched_at FROM zccvoice.category_hit
"""
RULE_REVISION = "SELECT rule, revision, content, valid_from FROM zccvoice.rule_revision"


def upgrade() -> None:
    texts = context.script.get_revision("20261130_zoom_texts").module
    op.add_column(
        "category_hit", sa.Column("why", sa.Text(), server_default="", nullable=False), schema="zccvoice"
    )
    op.add_column(
        "category_hit",
        sa.Column("provisional", sa.Boolean(), server_default="false", nullable=False),
        schema="zccvoice",
    )
    op.create_table(
        "rule_revision",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", "revision", name=op.f("pk_rule_revision")),
        schema="zccvoice",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON zccvoice.rule_revision TO zccvoice_daemon")
    op.execute("GRANT SELECT ON zccvoice.rule_revision TO zccvoice_reader")
    op.create_table(
        "rule_delivery",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_rule_delivery_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_rule_delivery")),
        schema="zccvoice",
    )
    op.create_index(
        op.f("ix_rule_delivery_engagement_id"), "rule_delivery", ["engagement_id"], schema="zccvoice"
    )
    op.create_index(
        "ix_rule_delivery_due_at",
        "rule_delivery",
        ["due_at"],
        schema="zccvoice",
        postgresql_where=sa.text("delivered_at IS NULL AND given_up_at IS NULL"),
    )
    # For the daemon alone: what goes to a receiver is no reader's business.
    op.execute("ALTER TABLE zccvoice.rule_delivery ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY daemon ON zccvoice.rule_delivery TO zccvoice_daemon USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON zccvoice.rule_delivery TO zccvoice_daemon")
    op.execute("DROP VIEW reporting.category")
    texts.create_views({"category": CATEGORY, "rule_revision": RULE_REVISION})


def downgrade() -> None:
    texts = context.script.get_revision("20261130_zoom_texts").module
    for view in ("category", "rule_revision"):
        op.execute(f"DROP VIEW reporting.{view}")
    for table in ("rule_delivery", "rule_revision"):
        op.drop_table(table, schema="zccvoice")
    for column in ("provisional", "why"):
        op.drop_column("category_hit", column, schema="zccvoice")
    texts.create_views({"category": CATEGORY_BEFORE})
