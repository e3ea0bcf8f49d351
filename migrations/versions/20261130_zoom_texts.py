"""Zoom's own transcripts and the chat of meetings, beside what is transcribed here.

Tables of their own, so that no measure and no search counts what was said twice.

Revision ID: 20261130_zoom_texts
Revises: 20261129_validity
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261130_zoom_texts"
down_revision = "20261129_validity"
branch_labels = None
depends_on = None

VIEWS = {
    "zoom_transcript": """
        SELECT t.engagement_id, t.channel_id, p.side, p.display_name AS speaker_name, t.start_ms, t.end_ms,
               t.language, t.text
        FROM zccvoice.zoom_transcript t LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
    "chat_message": """
        SELECT engagement_id, sent_at, sender_id, sender_name, text FROM zccvoice.chat_message
    """,
}


def upgrade() -> None:
    op.create_table(
        "zoom_transcript",
        *ids(),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        *keys("zoom_transcript", "stream_id", "channel_id", "start_ms"),
        schema="zccvoice",
    )
    op.create_table(
        "chat_message",
        *ids(),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=True),
        sa.Column("sender_name", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        *keys("chat_message", "stream_id", "message_id"),
        schema="zccvoice",
    )
    for table, moment in (("zoom_transcript", "start_ms"), ("chat_message", "sent_at")):
        op.create_index(
            op.f(f"ix_{table}_engagement_id_{moment}"), table, ["engagement_id", moment], schema="zccvoice"
        )
        protect(table)
    create_views(VIEWS)


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW reporting.{name}")
        op.drop_table(name, schema="zccvoice")


def create_views(views: dict[str, str]) -> None:
    """With the rights of whoever asks, where Postgres has such views."""
    version = int(op.get_bind().exec_driver_sql("SHOW server_version_num").scalar_one())
    options = "WITH (security_invoker = true)" if version >= 150_000 else ""
    viewers = "zccvoice_reader" if version >= 150_000 else "zccvoice_reader_all"
    for name, query in views.items():
        op.execute(f"CREATE VIEW reporting.{name} {options} AS {query}")
        op.execute(f"GRANT SELECT ON reporting.{name} TO zccvoice_daemon, {viewers}")


def ids() -> list[sa.Column[str]]:
    """Whose row it is."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in ("engagement_id", "stream_id")]


def keys(table: str, *primary: str) -> list[sa.schema.SchemaItem]:
    """Its primary key, and that it goes with its call and its stream."""
    return [
        sa.ForeignKeyConstraint(
            [f"{parent}_id"],
            [f"zccvoice.{parent}.{parent}_id"],
            name=op.f(f"fk_{table}_{parent}_id"),
            ondelete="CASCADE",
        )
        for parent in ("engagement", "stream")
    ] + [sa.PrimaryKeyConstraint(*primary, name=op.f(f"pk_{table}"))]


def protect(table: str) -> None:
    """As every table about calls: all for the daemon, the calls that they may read for readers."""
    op.execute(f"ALTER TABLE zccvoice.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY daemon ON zccvoice.{table} TO zccvoice_daemon USING (true) WITH CHECK (true)")
    readable = f"EXISTS (SELECT FROM zccvoice.engagement e WHERE e.engagement_id = {table}.engagement_id)"
    op.execute(f"CREATE POLICY reader ON zccvoice.{table} FOR SELECT TO zccvoice_reader USING ({readable})")
    op.execute(f"CREATE POLICY reader_all ON zccvoice.{table} FOR SELECT TO zccvoice_reader_all USING (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON zccvoice.{table} TO zccvoice_daemon")
    op.execute(f"GRANT SELECT ON zccvoice.{table} TO zccvoice_reader")
