"""What is an agent's own in a shared call is measured as a whole call is; a level that nobody knows has no score.

A part of a call is as long as a stream was open in it: where one had closed and another opened, the talk ratio and
the share of silence of a shared call were less than those of the same call without a second agent. The sentiment
of several parts is weighted by the words that have one, as that of a call is, not by all words. Rows that are
there get both when the call is measured again; until then a part is all the time from its start to its end, and
all its words count.

The loudness score of an utterance without a level was 0: least and greatest pass over NULL.

Revision ID: 20261204_known_numbers
Revises: 20261203_as_each_call
"""

from __future__ import annotations

from types import ModuleType

import sqlalchemy as sa
from alembic import context, op

revision = "20261204_known_numbers"
down_revision = "20261203_as_each_call"
branch_labels = None
depends_on = None

MEASURES = {"length_ms": sa.BigInteger(), "sentiment_words_count": sa.BigInteger()}
RATED_WORDS = "coalesce(a.sentiment_words_count, a.words_count)"
LEVEL = "least(greatest((u.loudness_dbfs"
CHANGES = {
    "agent_part": {
        "a.end_ms - a.start_ms AS length_ms": "coalesce(a.length_ms, a.end_ms - a.start_ms) AS length_ms",
    },
    "agent_call": {
        "sum(a.end_ms - a.start_ms)": "sum(coalesce(a.length_ms, a.end_ms - a.start_ms))",
        "sum(a.sentiment_score * a.words_count)": f"sum(a.sentiment_score * {RATED_WORDS})",
        "sum(a.words_count) FILTER (WHERE a.sentiment": f"sum({RATED_WORDS}) FILTER (WHERE a.sentiment",
    },
    "utterance": {
        LEVEL: f"CASE WHEN u.loudness_dbfs IS NOT NULL THEN {LEVEL}",
        "::double precision AS loudness_score": "::double precision END AS loudness_score",
    },
}


def upgrade() -> None:
    for name, kind in MEASURES.items():
        op.add_column("agent_part", sa.Column(name, kind, nullable=True), schema="zccvoice")
    before = _views_before()
    _replace_views({view: _changed(query, CHANGES[view]) for view, query in before.items()})


def downgrade() -> None:
    _replace_views(_views_before())
    for name in MEASURES:
        op.drop_column("agent_part", name, schema="zccvoice")


def _views_before() -> dict[str, str]:
    each_call, shared, parts = (
        _revision(name) for name in ("20261203_as_each_call", "20261202_shared_calls", "20261201_agent_parts")
    )
    more = ", ".join(f"a.{name}" for name in shared.MEASURES)
    reporting, speakers = _revision("20261127_reporting"), _revision("20261202_speakers")
    score = reporting.LOUDNESS_SCORE.format(level="u.loudness_dbfs")
    utterance = reporting.UTTERANCE.format(more=f", u.source, {score}, u.sentiment, u.speaker_channel_id")
    return {
        "agent_part": parts.VIEWS["agent_part"].replace(shared.PART_END, f"{shared.PART_END}, {more}"),
        "agent_call": each_call._agent_call(
            f", {each_call.SPEED_OF_PARTS}", f", {each_call.MORE_OF_AGENT_CALL}"
        ),
        "utterance": utterance.replace(speakers.WHOSE, speakers.WHO_SPOKE),
    }


def _changed(query: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert query.count(old) == 1, old
        query = query.replace(old, new)
    return query


def _replace_views(views: dict[str, str]) -> None:
    _revision("20261129_days_and_hours")._replace_views(views)


def _revision(name: str) -> ModuleType:
    return context.script.get_revision(name).module
