"""What each agent did in his part of a call, for calls that several agents share.

Revision ID: 20261201_agent_parts
Revises: 20261201_sentiment
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261201_agent_parts"
down_revision = "20261201_sentiment"
branch_labels = None
depends_on = None

MEASURES = {
    "end_ms": (sa.BigInteger(), False),
    "talk_time_ms": (sa.BigInteger(), False),
    "words_count": (sa.BigInteger(), True),
    "talk_speed_wpm": (sa.Double(), True),
    "hold_time_ms": (sa.BigInteger(), False),
    "hold_count": (sa.BigInteger(), False),
    "silence_time_ms": (sa.BigInteger(), False),
    "interruptions_count": (sa.BigInteger(), False),
    "first_response_ms": (sa.BigInteger(), True),
}
VIEWS = {
    "agent_part": """
        SELECT a.engagement_id, p.user_id, p.display_name AS agent_name, a.channel_id, e.started_day AS day,
               to_timestamp((e.clock_zero_ms + a.start_ms) / 1000.0) AS started_at,
               to_timestamp((e.clock_zero_ms + a.end_ms) / 1000.0) AS ended_at,
               a.start_ms, a.end_ms, a.end_ms - a.start_ms AS length_ms, a.talk_time_ms, a.words_count,
               a.talk_speed_wpm, a.hold_time_ms, a.hold_count, a.silence_time_ms, a.interruptions_count,
               a.first_response_ms
        FROM zccvoice.agent_part a
        JOIN zccvoice.engagement e USING (engagement_id)
        LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
}


def upgrade() -> None:
    texts = context.script.get_revision("20261130_zoom_texts").module
    op.create_table(
        "agent_part",
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, kind, nullable=nullable) for name, (kind, nullable) in MEASURES.items()),
        sa.ForeignKeyConstraint(
            ["engagement_id"],
            ["zccvoice.engagement.engagement_id"],
            name=op.f("fk_agent_part_engagement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("engagement_id", "channel_id", "start_ms", name=op.f("pk_agent_part")),
        schema="zccvoice",
    )
    texts.protect("agent_part")
    texts.create_views(VIEWS)


def downgrade() -> None:
    op.execute("DROP VIEW reporting.agent_part")
    op.drop_table("agent_part", schema="zccvoice")
