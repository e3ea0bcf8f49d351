"""Who spoke in a mixed track, where Zoom's active-speaker events leave no doubt.

Revision ID: 20261202_speakers
Revises: 20261201_agent_parts
"""

from __future__ import annotations

from types import ModuleType

import sqlalchemy as sa
from alembic import context, op

revision = "20261202_speakers"
down_revision = "20261201_agent_parts"
branch_labels = None
depends_on = None

SEARCHED = "engagement_id, channel_id, call_date, start_ms, end_ms, language, text, verdict"
"""Columns of utterances, by name: what a function takes with ``*`` cannot be dropped."""
WHOSE = "LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)"
WHO_SPOKE = (
    "LEFT JOIN zccvoice.participant p ON p.engagement_id = u.engagement_id "
    "AND p.channel_id = coalesce(u.speaker_channel_id, u.channel_id)"
)


def upgrade() -> None:
    op.add_column("utterance", sa.Column("speaker_channel_id", sa.Text(), nullable=True), schema="zccvoice")
    _make_views(WHO_SPOKE, ", u.speaker_channel_id")
    search = _search_for(f"{SEARCHED}, speaker_channel_id")
    op.execute(search.replace("p.channel_id = u.channel_id", WHO_SPOKE.rpartition(" AND ")[2]))


def downgrade() -> None:
    op.execute(_search_for(SEARCHED))
    _make_views(WHOSE, "")
    op.drop_column("utterance", "speaker_channel_id", schema="zccvoice")


def _make_views(whose: str, more: str) -> None:
    """Those that name the speaker, anew."""
    reporting, texts = _of("20261127_reporting"), _of("20261130_zoom_texts")
    score = reporting.LOUDNESS_SCORE.format(level="u.loudness_dbfs")
    views = {
        "utterance": reporting.UTTERANCE.format(more=f", u.source, {score}, u.sentiment{more}"),
        "transcript_search": reporting.VIEWS["transcript_search"],
    }
    for name in views:
        op.execute(f"DROP VIEW reporting.{name}")
    texts.create_views({name: view.replace(WHOSE, whose) for name, view in views.items()})


def _search_for(columns: str) -> str:
    search: str = _of("20261129_teams_of_calls").SEARCH_FOR.format(codes=_of("20261127_access").CODES)
    return search.replace("SELECT *", f"SELECT {columns}")


def _of(revision: str) -> ModuleType:
    return context.script.get_revision(revision).module
