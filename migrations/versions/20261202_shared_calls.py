"""A call that several agents share counts for each of them by his own part of it.

`reporting.agent_call` says what is an agent's own in a call: of the whole call when nobody shared it, else of his
parts. `reporting.agent_day` sums it up. Parts that are stored already get the new measures when the call is
measured again; until then these are NULL.

Revision ID: 20261202_shared_calls
Revises: 20261202_speakers
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "20261202_shared_calls"
down_revision = "20261202_speakers"
branch_labels = None
depends_on = None

MEASURES = {
    "talk_time_total_ms": sa.BigInteger(),
    "response_gap_ms_p50": sa.BigInteger(),
    "longest_monologue_ms": sa.BigInteger(),
    "sentiment_score": sa.Double(),
}
PART_END = "a.interruptions_count,\n               a.first_response_ms"
# The measure, the same of the whole call, and how several parts of one agent are one.
OWN = (
    ("length_ms", "s.duration_ms", "sum(a.end_ms - a.start_ms)::bigint"),
    ("talk_time_ms", "s.talk_time_agent_ms", "sum(a.talk_time_ms)::bigint"),
    ("talk_time_total_ms", "s.talk_time_total_ms", "sum(a.talk_time_total_ms)::bigint"),
    (
        "words_count",
        "s.words_agent_count",
        "CASE WHEN count(a.words_count) = count(*) THEN sum(a.words_count)::bigint END",
    ),
    ("hold_time_ms", "s.hold_time_ms", "sum(a.hold_time_ms)::bigint"),
    ("hold_count", "s.hold_count", "sum(a.hold_count)::bigint"),
    ("silence_time_ms", "s.silence_time_ms", "sum(a.silence_time_ms)::bigint"),
    ("interruptions_count", "s.interruptions_agent_count", "sum(a.interruptions_count)::bigint"),
    (
        "first_response_ms",
        "s.first_response_agent_ms",
        "(array_agg(a.first_response_ms ORDER BY a.start_ms) FILTER (WHERE a.first_response_ms IS NOT NULL))[1]",
    ),
    ("response_gap_ms_p50", "s.response_gap_agent_ms_p50", "round(avg(a.response_gap_ms_p50))::bigint"),
    ("longest_monologue_ms", "s.longest_monologue_agent_ms", "max(a.longest_monologue_ms)"),
    (
        "sentiment_score",
        "s.sentiment_agent_score",
        "sum(a.sentiment_score * a.words_count) "
        "/ nullif(sum(a.words_count) FILTER (WHERE a.sentiment_score IS NOT NULL), 0)::double precision",
    ),
)
AGENT_CALL = """
    SELECT c.user_id, c.agent_name, c.engagement_id, c.started_at, c.queue_id, c.queue_name, c.team_ids,
           c.is_alone, c.day, {own}
    FROM (
        SELECT DISTINCT p.user_id, a.display_name AS agent_name, e.engagement_id, e.started_at, e.queue_id,
               e.queue_name, e.team_ids,
               NOT EXISTS (
                   SELECT FROM zccvoice.participant o
                   WHERE o.engagement_id = p.engagement_id AND o.side = 'agent'
                     AND o.user_id IS DISTINCT FROM p.user_id
               ) AS is_alone, e.started_day AS day
        FROM zccvoice.participant p
        JOIN zccvoice.engagement e USING (engagement_id)
        JOIN zccvoice.agent a USING (user_id)
        WHERE p.side = 'agent'
    ) c
    LEFT JOIN zccvoice.scorecard s USING (engagement_id)
    LEFT JOIN LATERAL (
        SELECT {of_parts}
        FROM zccvoice.agent_part a
        JOIN zccvoice.participant p ON p.engagement_id = a.engagement_id AND p.channel_id = a.channel_id
        WHERE NOT c.is_alone AND a.engagement_id = c.engagement_id AND p.user_id = c.user_id
    ) o ON true
"""
AGENT_DAY = """
    SELECT c.user_id, c.agent_name, c.day,
           count(*) AS calls_count,
           count(s.engagement_id) AS measured_calls_count,
           count(*) FILTER (WHERE s.damaged) AS damaged_calls_count,
           sum(s.duration_ms)::bigint AS duration_ms,
           sum(s.conversation_ms)::bigint AS conversation_ms,
           sum(s.speech_time_ms)::bigint AS speech_time_ms,
           sum(c.hold_time_ms)::bigint AS hold_time_ms,
           sum(c.hold_count)::bigint AS hold_count,
           sum(c.silence_time_ms)::bigint AS silence_time_ms,
           sum(s.silence_count)::bigint AS silence_count,
           sum(s.dead_air_count)::bigint AS dead_air_count,
           sum(c.hold_time_ms + c.silence_time_ms)::bigint AS non_talk_time_total_ms,
           sum(s.interruptions_customer_count)::bigint AS interruptions_customer_count,
           sum(s.talk_time_customer_ms)::bigint AS talk_time_customer_ms,
           count(*) FILTER (WHERE NOT c.is_alone) AS shared_calls_count,
           sum(c.talk_time_ms)::bigint AS talk_time_agent_ms,
           sum(c.talk_time_ms)::double precision
               / nullif(sum(c.length_ms) FILTER (WHERE c.talk_time_ms IS NOT NULL), 0)::double precision
               AS talk_ratio_agent,
           sum(c.talk_time_ms) FILTER (WHERE c.talk_time_total_ms IS NOT NULL)::double precision
               / nullif(sum(c.talk_time_total_ms) FILTER (WHERE c.talk_time_ms IS NOT NULL), 0)::double precision
               AS talk_share_agent,
           sum(c.interruptions_count)::bigint AS interruptions_agent_count,
           sum(c.words_count)::bigint AS words_agent_count,
           CASE WHEN sum(c.words_count) FILTER (WHERE c.talk_time_ms IS NOT NULL) >= 20
               THEN sum(c.words_count) FILTER (WHERE c.talk_time_ms IS NOT NULL)::double precision * 60000
                   / nullif(sum(c.talk_time_ms) FILTER (WHERE c.words_count IS NOT NULL), 0)::double precision
               END AS talk_speed_agent_wpm,
           avg(c.first_response_ms)::double precision AS mean_first_response_agent_ms
    FROM reporting.agent_call c
    LEFT JOIN zccvoice.scorecard s USING (engagement_id)
    GROUP BY c.user_id, c.agent_name, c.day
"""


def upgrade() -> None:
    days = context.script.get_revision("20261129_days_and_hours").module
    parts = context.script.get_revision("20261201_agent_parts").module
    for name, kind in MEASURES.items():
        op.add_column("agent_part", sa.Column(name, kind, nullable=True), schema="zccvoice")
    own = ", ".join(
        f"CASE WHEN c.is_alone THEN {whole} ELSE o.{name} END AS {name}" for name, whole, _ in OWN
    )
    of_parts = ", ".join(f"{several} AS {name}" for name, _, several in OWN)
    more = ", ".join(f"a.{name}" for name in MEASURES)
    days._replace_views(
        {
            "agent_part": parts.VIEWS["agent_part"].replace(PART_END, f"{PART_END}, {more}"),
            "agent_call": AGENT_CALL.format(own=own, of_parts=of_parts),
            "agent_day": AGENT_DAY,
        }
    )


def downgrade() -> None:
    zoom_texts, days, reports, parts = (
        context.script.get_revision(name).module
        for name in (
            "20261130_zoom_texts",
            "20261129_days_and_hours",
            "20261201_reports",
            "20261201_agent_parts",
        )
    )
    reporting = context.script.get_revision("20261127_reporting").module
    sums = {"call_sums": reporting.CALL_SUMS, "sums_when_alone": reporting.agent_sums("c.is_alone")}
    days._replace_views({"agent_day": days.VIEWS["agent_day"].format(**sums)})
    for name, views in (("agent_call", reports.VIEWS), ("agent_part", parts.VIEWS)):
        op.execute(f"DROP VIEW reporting.{name}")
        zoom_texts.create_views({name: views[name]})
    for name in MEASURES:
        op.drop_column("agent_part", name, schema="zccvoice")
