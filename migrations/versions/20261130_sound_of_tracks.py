"""How tracks sound, one heard in the other, and legs on which nothing is said.

Revision ID: 20261130_sound_of_tracks
Revises: 20261130_zoom_texts
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261130_sound_of_tracks"
down_revision = "20261130_zoom_texts"
branch_labels = None
depends_on = None

COLUMNS = {
    "speech_dbfs": sa.REAL(),
    "clipped_ratio": sa.REAL(),
    "jitter_ms": sa.REAL(),
    "leakage_channel_id": sa.Text(),
    "leakage_delay_ms": sa.Integer(),
    "leakage_gain_db": sa.REAL(),
    "leakage_correlation": sa.REAL(),
}
VIEWS = {
    "track": """
        SELECT t.engagement_id, t.stream_id, t.channel_id, p.side, t.start_ms, t.end_ms, t.packets_count,
               t.lost_packets_count, t.duplicate_packets_count, t.reordered_packets_count,
               t.lost_packets_count::double precision / nullif(t.packets_count + t.lost_packets_count, 0)
                   AS lost_ratio,
               t.speech_dbfs, t.noise_dbfs, t.speech_dbfs - t.noise_dbfs AS snr_db, t.clipped_ratio, t.jitter_ms,
               t.leakage_channel_id, t.leakage_delay_ms, t.leakage_gain_db, t.leakage_correlation
        FROM zccvoice.track t LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
    "one_way_audio": """
        SELECT o.engagement_id, o.channel_id, p.side, o.start_ms, o.end_ms, o.end_ms - o.start_ms AS length_ms
        FROM zccvoice.one_way_audio o LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,
}


def upgrade() -> None:
    texts = context.script.get_revision("20261130_zoom_texts").module
    for name, kind in COLUMNS.items():
        op.add_column("track", sa.Column(name, kind, nullable=True), schema="zccvoice")
    op.create_table(
        "one_way_audio",
        *texts.ids(),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        *texts.keys("one_way_audio", "stream_id", "channel_id", "start_ms"),
        schema="zccvoice",
    )
    op.create_index(
        op.f("ix_one_way_audio_engagement_id"), "one_way_audio", ["engagement_id"], schema="zccvoice"
    )
    texts.protect("one_way_audio")
    texts.create_views(VIEWS)


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW reporting.{name}")
    op.drop_table("one_way_audio", schema="zccvoice")
    for name in COLUMNS:
        op.drop_column("track", name, schema="zccvoice")
