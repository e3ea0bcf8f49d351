"""Many calls together say what each of them says: talk speed, an agent's own teams, one row for a hold.

The talk speed of a call is that of its transcribed speech, so that of many calls is, too: their words by the time
in which these were said, of the calls that have a talk speed. Nothing is stored for that, since words and speed of
a call tell the time. `reporting.agent_call` says which teams the agent himself was in: `team_ids` are those of all
agents on the call. A hold that reaches over time in which no stream was open is one row and has a length of its
own; rows that are there get it when the call is measured again. Rows of running calls whose end took no measures
with it go.

Revision ID: 20261203_as_each_call
Revises: 20261202_call_recognition
"""

from __future__ import annotations

import re
from types import ModuleType

import sqlalchemy as sa
from alembic import context, op

revision = "20261203_as_each_call"
down_revision = "20261202_call_recognition"
branch_labels = None
depends_on = None

SPEED = (
    "sum({words}) FILTER (WHERE {speed} > 0)::double precision "
    "/ nullif(sum({words} / nullif({speed}, 0)), 0) AS {name}"
)
SPEED_OF_PARTS = SPEED.format(words="a.words_count", speed="a.talk_speed_wpm", name="talk_speed_wpm")
SPEED_OF_CALLS = {
    "agent_day": ("c.words_count", "c.talk_speed_wpm"),
    "queue_hour": ("s.words_agent_count", "s.talk_speed_agent_wpm"),
}
# Of a call that nobody shared they are known already, and nobody has to be asked.
MORE_OF_AGENT_CALL = """
    CASE WHEN c.is_alone THEN s.talk_speed_agent_wpm ELSE o.talk_speed_wpm END AS talk_speed_wpm,
    CASE WHEN c.is_alone THEN c.team_ids ELSE zccvoice.teams_of_agent(c.user_id, c.started_at) END
        AS agent_team_ids
"""
# Readers may not see who is in which team. They can call this in a view alone, for agents of calls they may read,
# of which they are told the teams of all agents anyway.
TEAMS_OF_AGENT = """
CREATE FUNCTION zccvoice.teams_of_agent(user_id text, at timestamptz) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ARRAY(
        SELECT DISTINCT m.team_id COLLATE "C" FROM zccvoice.agent_team m
        WHERE m.user_id = teams_of_agent.user_id AND teams_of_agent.at >= m.valid_from
          AND (m.valid_to IS NULL OR teams_of_agent.at < m.valid_to)
        ORDER BY 1
    );
END;
REVOKE EXECUTE ON FUNCTION zccvoice.teams_of_agent(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION zccvoice.teams_of_agent(text, timestamptz) TO zccvoice_reader, zccvoice_daemon;
"""
HOLD = """
    SELECT engagement_id, start_ms, end_ms, coalesce(length_ms, end_ms - start_ms) AS length_ms FROM zccvoice.hold
"""
ENDED_LONG_AGO = """
    DELETE FROM zccvoice.live_call l WHERE NOT EXISTS (
        SELECT FROM zccvoice.stream s WHERE s.engagement_id = l.engagement_id AND s.ended_at IS NULL
    )
"""


def upgrade() -> None:
    before = _views_before()
    op.add_column("hold", sa.Column("length_ms", sa.BigInteger(), nullable=True), schema="zccvoice")
    op.execute(TEAMS_OF_AGENT)
    views = {
        "hold": HOLD,
        "agent_call": _agent_call(f", {SPEED_OF_PARTS}", f", {MORE_OF_AGENT_CALL}"),
        **{name: _with_speed_of_calls(name, before[name]) for name in SPEED_OF_CALLS},
    }
    _revision("20261129_days_and_hours")._replace_views(views)
    op.execute(ENDED_LONG_AGO)


def downgrade() -> None:
    before = _views_before()
    changed = ("agent_day", "queue_hour", "agent_call", "hold")
    for name in changed:
        op.execute(f"DROP VIEW reporting.{name}")
    _revision("20261130_zoom_texts").create_views({name: before[name] for name in reversed(changed)})
    op.execute("DROP FUNCTION zccvoice.teams_of_agent(text, timestamptz)")
    op.drop_column("hold", "length_ms", schema="zccvoice")


def _with_speed_of_calls(view: str, query: str) -> str:
    words, speed = SPEED_OF_CALLS[view]
    ours = SPEED.format(words=words, speed=speed, name="talk_speed_agent_wpm")
    changed, count = re.subn(
        r"CASE WHEN (?:(?!CASE).)*END AS talk_speed_agent_wpm", ours, query, flags=re.DOTALL
    )
    assert count == 1, view
    return changed


def _views_before() -> dict[str, str]:
    reporting, days, shared = (
        _revision(name) for name in ("20261127_reporting", "20261129_days_and_hours", "20261202_shared_calls")
    )
    sums = {"call_sums": reporting.CALL_SUMS, "sums": reporting.agent_sums("true")}
    return {
        "hold": reporting.VIEWS["hold"],
        "agent_call": _agent_call("", ""),
        "agent_day": shared.AGENT_DAY,
        "queue_hour": days.VIEWS["queue_hour"].format(**sums),
    }


def _agent_call(more_of_parts: str, more: str) -> str:
    """As `20261202_shared_calls` made it, and something more."""
    shared = _revision("20261202_shared_calls")
    own = ", ".join(
        f"CASE WHEN c.is_alone THEN {whole} ELSE o.{name} END AS {name}" for name, whole, _ in shared.OWN
    )
    of_parts = ", ".join(f"{several} AS {name}" for name, _, several in shared.OWN)
    query: str = shared.AGENT_CALL.format(own=own + more, of_parts=of_parts + more_of_parts)
    return query


def _revision(name: str) -> ModuleType:
    return context.script.get_revision(name).module
