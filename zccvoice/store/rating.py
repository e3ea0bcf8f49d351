"""Utterances that were stored without a sentiment, for want of a scorer then: rated from their words."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from zccvoice.analytics.sentiment import Scorers, sentiment_of
from zccvoice.store.schema import table_of
from zccvoice.store.tables import Utterance
from zccvoice.store.upsert import storable

_utterances = table_of(Utterance)
_KEY = ("engagement_id", "stream_id", "channel_id", "start_ms", "call_date")
_RATE = (
    update(_utterances)
    .where(*(_utterances.c[name] == bindparam(f"its_{name}") for name in _KEY))
    .values(sentiment=bindparam("score"))
)


def rate(connection: Connection, engagement_id: str, scorers: Scorers) -> bool:
    """Rate those of a call whose words count and that have no sentiment; False when there are none."""
    if not scorers:
        return False
    unrated = select(
        *(_utterances.c[name] for name in _KEY), _utterances.c.text, _utterances.c.language
    ).where(
        _utterances.c.engagement_id == storable(engagement_id),
        _utterances.c.sentiment.is_(None),
        _utterances.c.verdict == "kept",
        _utterances.c.text != "",
        _utterances.c.language.in_(scorers),
    )
    rated = [
        {
            **{f"its_{name}": getattr(row, name) for name in _KEY},
            "score": sentiment_of(row.text, row.language, scorers),
        }
        for row in connection.execute(unrated)
    ]
    if rated:
        connection.execute(_RATE, rated)
    return bool(rated)
