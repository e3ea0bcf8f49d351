"""Calls of four agents in a hierarchy of teams, for the tests of who may see what.

Team ``support`` has a part ``night``; ``sales`` stands beside it. Ann is in support, Nia in night, Sam in
sales; each has one call, named after the agent. Mia moves from support to sales at `MOVED` and has a call just
before, at the very moment and after.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Boolean, Connection, text

from zccvoice.store.measure_tables import AgentPart, scorecard_table
from zccvoice.store.schema import table_of

MOVED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CALLS = {
    "ann": ("ann", MOVED),
    "nia": ("nia", MOVED),
    "sam": ("sam", MOVED),
    "mia-before": ("mia", MOVED - timedelta(microseconds=1)),
    "mia-then": ("mia", MOVED),
    "mia-after": ("mia", MOVED + timedelta(hours=1)),
}
"""Engagement: its agent and its start."""
OF_SUPPORT = {"ann", "nia", "mia-before"}
OF_SALES = {"sam", "mia-then", "mia-after"}


def store_calls(connection: Connection, *, has_texts: bool = True) -> None:
    """Store the calls with a row in every table about calls, and the hierarchy.

    `has_texts` is False for a database from before the texts of Zoom, and what came later, had their places.
    """
    for engagement_id, (agent, started_at) in CALLS.items():
        store_call(connection, engagement_id, agent, started_at)
        for statement in _TEXTS.split(";") if has_texts else ():
            connection.execute(text(statement), {"id": engagement_id, "at": started_at})
    connection.execute(
        text("""
        INSERT INTO zccvoice.team VALUES ('support', 'Support', NULL), ('night', 'Night', 'support'),
            ('sales', 'Sales', NULL)
        """)
    )
    connection.execute(
        text("""
        INSERT INTO zccvoice.agent_team (team_id, user_id, valid_from, valid_to) VALUES
            ('support', 'ann', '2026-01-01Z', NULL), ('night', 'nia', '2026-01-01Z', NULL),
            ('sales', 'sam', '2026-01-01Z', NULL),
            ('support', 'mia', '2026-01-01Z', :moved), ('sales', 'mia', :moved, NULL)
        """),
        {"moved": MOVED},
    )


def store_call(connection: Connection, engagement_id: str, agent: str, started_at: datetime) -> None:
    """Store one call with a row in every table about calls."""
    values = {"id": engagement_id, "agent": agent, "at": started_at}
    for statement in _STATEMENTS.split(";"):
        connection.execute(text(statement), values)
    put_measures(connection, engagement_id, talk_time_agent_ms=1_500, words_agent_count=3)


def put_measures(connection: Connection, engagement_id: str, **measures: object) -> None:
    """Store a scorecard of these measures; the others are 0, or NULL where they may be."""
    zeros = {BigInteger: 0, Boolean: False}
    required = {
        column.name: zeros[type(column.type)]
        for column in scorecard_table.columns
        if not column.nullable and type(column.type) in zeros
    }
    of_call = {"engagement_id": engagement_id, "computed_at": MOVED}
    connection.execute(scorecard_table.insert().values(required | measures | of_call))


def add_part(
    connection: Connection, engagement_id: str, channel_id: str, *, start_ms: int = 0, **measures: object
) -> None:
    """Store an agent's part of a call, ten seconds long; measures that are not given are 0, or NULL."""
    zeros = dict.fromkeys(
        ("talk_time_ms", "hold_time_ms", "hold_count", "silence_time_ms", "interruptions_count"), 0
    )
    row = {"engagement_id": engagement_id, "channel_id": channel_id, "start_ms": start_ms}
    values = {**zeros, "end_ms": start_ms + 10_000, **measures, **row}
    connection.execute(table_of(AgentPart).insert().values(values))


_TEXTS = """
INSERT INTO zccvoice.zoom_transcript VALUES (:id, 's-' || :id, 'c2', 0, 900, 'Good morning.', 'en');
INSERT INTO zccvoice.chat_message VALUES (:id, 's-' || :id, 'm1', :at, 'u1', 'Caller', 'Hello?');
INSERT INTO zccvoice.one_way_audio VALUES (:id, 's-' || :id, 'c1', 0, 61000);
INSERT INTO zccvoice.language_pin VALUES (:id, 's-' || :id, 'c2', 0, 'en', 'detected', 0.9, NULL);
INSERT INTO zccvoice.utterance (engagement_id, stream_id, channel_id, start_ms, call_date, end_ms,
        word_texts, word_start_ms, word_end_ms, word_probability, verdict, refused_text)
    SELECT :id, stream_id, channel_id, 61000, call_date, 62000, '{}', '{}', '{}', '{}', 'refused: guessed', 'You.'
    FROM zccvoice.utterance WHERE engagement_id = :id;
INSERT INTO zccvoice.agent_part VALUES (:id, 'c2', 0, 9000, 1500, 3, NULL, 1000, 1, 4000, 1, 500)
"""
_STATEMENTS = """
INSERT INTO zccvoice.engagement (engagement_id, queue_id, queue_name, clock_zero_ms, started_at, language)
    VALUES (:id, 'q-' || :id, 'Queue', extract(epoch FROM CAST(:at AS timestamptz)) * 1000, :at, 'en');
INSERT INTO zccvoice.stream (stream_id, engagement_id, started_at, end_reason)
    VALUES ('s-' || :id, :id, :at, 'call_ended');
INSERT INTO zccvoice.agent VALUES (:agent, initcap(:agent)) ON CONFLICT DO NOTHING;
INSERT INTO zccvoice.participant (engagement_id, channel_id, side, user_id, display_name)
    VALUES (:id, 'c1', 'customer', NULL, 'Caller'), (:id, 'c2', 'agent', :agent, initcap(:agent));
INSERT INTO zccvoice.call_event VALUES (:id, 's-' || :id, 'user_hold', :at, 'c2');
INSERT INTO zccvoice.utterance (engagement_id, stream_id, channel_id, start_ms, call_date, end_ms, text,
        word_texts, word_start_ms, word_end_ms, word_probability, language, loudness_dbfs,
        loudness_by_second, verdict)
    VALUES (:id, 's-' || :id, 'c2', 1000, CAST(:at AS date), 2500, 'We refunded ' || :id, '{}', '{}', '{}', '{}',
        'en', -30, '{-30,-90}', 'kept');
INSERT INTO zccvoice.gap VALUES (:id, 's-' || :id, 'c2', 0, 10, 'lost_packets');
INSERT INTO zccvoice.track VALUES (:id, 's-' || :id, 'c2', 0, 10, 1, 1, 0, 0, NULL);
INSERT INTO zccvoice.live_call (engagement_id, elapsed_ms, longest_silence_ms, on_hold, refreshed_at)
    VALUES (:id, 1, 0, false, now() - interval '2 s');
INSERT INTO zccvoice.side_scorecard (engagement_id, side, talk_time_ms) VALUES (:id, 'agent', 1500);
INSERT INTO zccvoice.speech_span VALUES (:id, 'c2', 1000, CAST(:at AS date), 2500, 'agent', 3);
INSERT INTO zccvoice.silence VALUES (:id, 3000, 7000);
INSERT INTO zccvoice.hold VALUES (:id, 8000, 9000);
INSERT INTO zccvoice.interruption VALUES (:id, 1200, 'agent', 600);
INSERT INTO zccvoice.category_hit VALUES (:id, 'refund', 1, 1000, 2500, 'agent', :at);
INSERT INTO zccvoice.legal_hold (engagement_id, reason, placed_by, placed_at) VALUES (:id, 'court', 'law', :at);
INSERT INTO zccvoice.tombstone (engagement_id, reason, deleted_at, removed) VALUES (:id, 'erased', :at, '{}')
"""
