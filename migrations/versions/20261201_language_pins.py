"""Which language was decided on, and why; and what the recognizer said and was not believed.

Revision ID: 20261201_language_pins
Revises: 20261130_sound_of_tracks
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261201_language_pins"
down_revision = "20261130_sound_of_tracks"
branch_labels = None
depends_on = None

EVENT = """
    SELECT v.engagement_id, v.stream_id, v.name, v.occurred_at,
           (extract(epoch FROM v.occurred_at) * 1000)::bigint - e.clock_zero_ms AS at_ms,
           nullif(v.channel_id, '') AS channel_id, p.side{detail}
    FROM zccvoice.call_event v
    JOIN zccvoice.engagement e USING (engagement_id)
    LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
"""
VIEWS = {
    "refused_utterance": """
        SELECT u.engagement_id, u.channel_id, p.side, p.display_name AS speaker_name, u.start_ms, u.end_ms,
               u.language, substr(u.verdict, 10) AS reason, u.refused_text, u.confidence, u.model
        FROM zccvoice.utterance u LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
        WHERE u.verdict LIKE 'refused: %'
    """,
    "language_pin": """
        SELECT l.engagement_id, nullif(l.channel_id, '') AS channel_id, p.side, p.display_name AS speaker_name,
               l.number, l.language, l.source, l.confidence, l.since_ms
        FROM zccvoice.language_pin l LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
}


def upgrade() -> None:
    texts = context.script.get_revision("20261130_zoom_texts").module
    op.add_column("utterance", sa.Column("refused_text", sa.Text(), nullable=True), schema="zccvoice")
    op.add_column("call_event", sa.Column("detail", sa.Text(), nullable=True), schema="zccvoice")
    op.create_table(
        "language_pin",
        *texts.ids(),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("confidence", sa.REAL(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        *texts.keys("language_pin", "stream_id", "channel_id", "number"),
        schema="zccvoice",
    )
    op.create_index(
        op.f("ix_language_pin_engagement_id"), "language_pin", ["engagement_id"], schema="zccvoice"
    )
    texts.protect("language_pin")
    texts.create_views(VIEWS)
    op.execute("DROP VIEW reporting.event")
    texts.create_views({"event": EVENT.format(detail=", v.detail")})


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW reporting.{name}")
    texts = context.script.get_revision("20261130_zoom_texts").module
    op.execute("DROP VIEW reporting.event")
    texts.create_views({"event": EVENT.format(detail="")})
    op.drop_table("language_pin", schema="zccvoice")
    op.drop_column("call_event", "detail", schema="zccvoice")
    op.drop_column("utterance", "refused_text", schema="zccvoice")
