"""What supervisors query: the views of the schema ``reporting``, and full text of what was said.

Every view runs with the rights of whoever asks (``security_invoker``), so that the row-level security of
the tables holds in it. Postgres 14 has no such option; what that means for readers is said where they get their rights.

Comments are not here: `zccvoice.store.comments` writes them after every upgrade.

Revision ID: 20261127_reporting
Revises: 20261126_whole_store
"""

from __future__ import annotations

from alembic import op

revision = "20261127_reporting"
down_revision = "20261126_whole_store"
branch_labels = None
depends_on = None

SIDE_MEASURES = (
    "talk_time_ms, talk_ratio, talk_share, interruptions_count, interruptions_time_ms, backchannels_count, "
    "turns_count, response_gap_ms_p50, response_gap_ms_p90, longest_monologue_ms, first_response_ms, "
    "words_count, talk_speed_wpm, talk_speed_change_ratio, questions_count, fillers_count, loudness_dbfs, "
    "clipping_ratio, snr_db"
)

# Whisper's code of a language → Postgres' text search configuration. Any other language has no word stems.
TEXT_SEARCH = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
CASES = " ".join(f"WHEN '{code}' THEN 'pg_catalog.{name}'::regconfig" for code, name in TEXT_SEARCH.items())
TEXT_SEARCH_CONFIGURATION = f"""
CREATE FUNCTION zccvoice.text_search_configuration(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE language {CASES} ELSE 'pg_catalog.simple'::regconfig END
"""

# Sums over calls, and ratios of sums: a mean of the calls' ratios would weigh a short call like a long one.
CALL_SUMS = """
    count(*) AS calls_count,
    count(s.engagement_id) AS measured_calls_count,
    count(*) FILTER (WHERE s.damaged) AS damaged_calls_count,
    sum(s.duration_ms)::bigint AS duration_ms,
    sum(s.conversation_ms)::bigint AS conversation_ms,
    sum(s.speech_time_ms)::bigint AS speech_time_ms,
    sum(s.hold_time_ms)::bigint AS hold_time_ms,
    sum(s.hold_count)::bigint AS hold_count,
    sum(s.silence_time_ms)::bigint AS silence_time_ms,
    sum(s.silence_count)::bigint AS silence_count,
    sum(s.dead_air_count)::bigint AS dead_air_count,
    sum(s.non_talk_time_total_ms)::bigint AS non_talk_time_total_ms,
    sum(s.interruptions_customer_count)::bigint AS interruptions_customer_count,
    sum(s.talk_time_customer_ms)::bigint AS talk_time_customer_ms
"""


def agent_sums(of: str) -> str:
    """Sums of the agent side's measures over the calls `of` is true for."""
    known = f"{of} AND s.talk_time_agent_ms IS NOT NULL"
    spoken = f"{of} AND s.words_agent_count IS NOT NULL"
    return f"""
    sum(s.talk_time_agent_ms) FILTER (WHERE {of})::bigint AS talk_time_agent_ms,
    sum(s.talk_time_agent_ms) FILTER (WHERE {known})::double precision
        / nullif(sum(s.duration_ms) FILTER (WHERE {known}), 0)::double precision AS talk_ratio_agent,
    sum(s.talk_time_agent_ms) FILTER (WHERE {known})::double precision
        / nullif(sum(s.talk_time_total_ms) FILTER (WHERE {known}), 0)::double precision AS talk_share_agent,
    sum(s.interruptions_agent_count) FILTER (WHERE {of})::bigint AS interruptions_agent_count,
    sum(s.words_agent_count) FILTER (WHERE {of})::bigint AS words_agent_count,
    CASE WHEN sum(s.words_agent_count) FILTER (WHERE {spoken}) >= 20
        THEN sum(s.words_agent_count) FILTER (WHERE {spoken})::double precision * 60000
            / nullif(sum(s.talk_time_agent_ms) FILTER (WHERE {spoken}), 0)::double precision
        END AS talk_speed_agent_wpm,
    avg(s.first_response_agent_ms) FILTER (WHERE {of})::double precision AS mean_first_response_agent_ms
    """


AGENTS = """
(SELECT string_agg(DISTINCT p.display_name, ', ' ORDER BY p.display_name) FROM zccvoice.participant p
 WHERE p.engagement_id = e.engagement_id AND p.side = 'agent')
"""

UTTERANCE = """
SELECT u.engagement_id, u.stream_id, u.channel_id, p.side, p.display_name AS speaker_name,
       u.start_ms, u.end_ms,
       timestamptz 'epoch' + (e.clock_zero_ms + u.start_ms) * interval '1 ms' AS started_at,
       CASE WHEN u.verdict = 'kept' THEN u.text END AS text,
       u.language, u.confidence, u.loudness_dbfs, u.verdict{more}
FROM zccvoice.utterance u
JOIN zccvoice.engagement e USING (engagement_id)
LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
"""
LOUDNESS_SCORE = "least(greatest(({level} + 60) / 0.6, 0), 100)::double precision AS loudness_score"

VIEWS = {
    "live_call": f"""
        SELECT l.engagement_id, e.queue_id, e.queue_name, {AGENTS} AS agent_name, e.started_at, e.language,
               l.elapsed_ms, l.talk_time_agent_ms, l.talk_time_customer_ms, l.talk_share_agent,
               l.longest_silence_ms, l.interruptions_agent_count, l.interruptions_customer_count, l.on_hold,
               l.last_side, l.last_words, l.coverage_ratio, l.refreshed_at,
               (extract(epoch FROM statement_timestamp() - l.refreshed_at) * 1000)::bigint AS age_ms
        FROM zccvoice.live_call l JOIN zccvoice.engagement e USING (engagement_id)
    """,  # noqa: S608
    "agent_day": f"""
        SELECT c.user_id, a.display_name AS agent_name, c.day, {CALL_SUMS},
               count(*) FILTER (WHERE NOT c.is_alone) AS shared_calls_count, {agent_sums("c.is_alone")}
        FROM (
            SELECT DISTINCT p.user_id, e.engagement_id, (e.started_at AT TIME ZONE 'UTC')::date AS day,
                   NOT EXISTS (
                       SELECT FROM zccvoice.participant o
                       WHERE o.engagement_id = p.engagement_id AND o.side = 'agent'
                         AND o.user_id IS DISTINCT FROM p.user_id
                   ) AS is_alone
            FROM zccvoice.participant p JOIN zccvoice.engagement e USING (engagement_id)
            WHERE p.side = 'agent'
        ) c
        JOIN zccvoice.agent a USING (user_id)
        LEFT JOIN zccvoice.scorecard s USING (engagement_id)
        GROUP BY c.user_id, a.display_name, c.day
    """,  # noqa: S608
    "queue_hour": f"""
        SELECT e.queue_id, max(e.queue_name) AS queue_name, date_trunc('hour', e.started_at, 'UTC') AS hour,
               {CALL_SUMS}, {agent_sums("true")}
        FROM zccvoice.engagement e LEFT JOIN zccvoice.scorecard s USING (engagement_id)
        GROUP BY e.queue_id, date_trunc('hour', e.started_at, 'UTC')
    """,  # noqa: S608
    "transcript_search": """
        SELECT u.engagement_id, u.channel_id, p.side, p.display_name AS speaker_name, u.call_date, u.start_ms,
               u.end_ms, u.language, u.text,
               to_tsvector(zccvoice.text_search_configuration(u.language), u.text) AS search
        FROM zccvoice.utterance u LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
        WHERE u.verdict = 'kept'
    """,
    "silence": "SELECT engagement_id, start_ms, end_ms, end_ms - start_ms AS length_ms FROM zccvoice.silence",
    "hold": "SELECT engagement_id, start_ms, end_ms, end_ms - start_ms AS length_ms FROM zccvoice.hold",
    "interruption": "SELECT engagement_id, at_ms, side, overlap_ms FROM zccvoice.interruption",
    "speech": """
        SELECT engagement_id, channel_id, side, start_ms, end_ms, end_ms - start_ms AS length_ms, words_count
        FROM zccvoice.speech_span
    """,
    "loudness": f"""
        SELECT u.engagement_id, u.stream_id, u.channel_id, p.side, u.start_ms + (n.number - 1) * 1000 AS at_ms,
               n.level AS loudness_dbfs, {LOUDNESS_SCORE.format(level="n.level")}
        FROM zccvoice.utterance u
        CROSS JOIN LATERAL unnest(u.loudness_by_second) WITH ORDINALITY AS n (level, number)
        LEFT JOIN zccvoice.participant p USING (engagement_id, channel_id)
    """,  # noqa: S608
    "side": f"SELECT engagement_id, side, {SIDE_MEASURES} FROM zccvoice.side_scorecard",  # noqa: S608
    "category": """
        SELECT engagement_id, rule, revision, start_ms, end_ms, side, matched_at FROM zccvoice.category_hit
    """,
    "metric_definition": "SELECT name, version, definition, unit, valid_from FROM zccvoice.metric_definition",
    "schema_change": "SELECT version, what, applied_at FROM zccvoice.schema_change",
}
"""The new ones. `call`, `gap` and `event` stay as they are."""


def upgrade() -> None:
    op.execute(TEXT_SEARCH_CONFIGURATION)
    op.execute(
        "CREATE INDEX ix_utterance_text_search ON zccvoice.utterance USING gin "
        "(to_tsvector(zccvoice.text_search_configuration(language), text)) WHERE verdict = 'kept'"
    )
    score = LOUDNESS_SCORE.format(level="u.loudness_dbfs")
    more = f", u.source, {score}"
    op.execute(f"CREATE OR REPLACE VIEW reporting.utterance AS {UTTERANCE.format(more=more)}")
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW reporting.{name} AS {query}")
    # What it leaves out must not be seen by a function in somebody's WHERE either.
    op.execute("ALTER VIEW reporting.transcript_search SET (security_barrier = true)")
    if _has_security_invoker():
        for name in (*VIEWS, "call", "utterance", "gap", "event"):
            op.execute(f"ALTER VIEW reporting.{name} SET (security_invoker = true)")


def downgrade() -> None:
    for name in (*VIEWS, "utterance"):
        op.execute(f"DROP VIEW reporting.{name}")
    op.execute(f"CREATE VIEW reporting.utterance AS {UTTERANCE.format(more='')}")
    if _has_security_invoker():
        for name in ("call", "gap", "event"):
            op.execute(f"ALTER VIEW reporting.{name} RESET (security_invoker)")
    op.execute("DROP INDEX zccvoice.ix_utterance_text_search")
    op.execute("DROP FUNCTION zccvoice.text_search_configuration(text)")


def _has_security_invoker() -> bool:
    version = op.get_bind().exec_driver_sql("SHOW server_version_num").scalar_one()
    return int(version) >= 150_000
