"""Every call knows its teams, so that row-level security costs little at any size.

`engagement.team_ids` are the teams that the call's agents were in when it began. A reader's teams, with those
below them, are found once per statement; a call is readable when the two have one in common, and a row about a
call when the call is. Nobody has to remember to keep the column: triggers do, whatever is changed of participants,
of the start of a call, or of who is in which team, now or in the past.

Who changes teams does so alone: writers of facts and of teams hold the lock of `zccvoice.store.removals`, shared
and for themselves. Else one could store an agent on a call while another changes the teams of that agent, neither
would see what the other does, and the call would keep the wrong teams. So keep such a transaction short: writers
wait for it.

Revision ID: 20261129_teams_of_calls
Revises: 20261128_keeping
"""

from __future__ import annotations

from types import ModuleType

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "20261129_teams_of_calls"
down_revision = "20261128_keeping"
branch_labels = None
depends_on = None

# Locked first, in the order in which writers lock them, and read afterwards: what another transaction did to the
# same calls meanwhile is seen. Ids and teams are in byte order, which is the same in every database.
REFRESH_TEAM_IDS = """
CREATE FUNCTION zccvoice.refresh_team_ids(engagement_ids text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM zccvoice.engagement e WHERE e.engagement_id = ANY (engagement_ids)
    ORDER BY e.engagement_id COLLATE "C" FOR NO KEY UPDATE;
    WITH known AS MATERIALIZED (
        SELECT e.engagement_id, ARRAY(
            SELECT DISTINCT m.team_id COLLATE "C" FROM zccvoice.participant p
            JOIN zccvoice.agent_team m ON m.user_id = p.user_id
                AND e.started_at >= m.valid_from AND (m.valid_to IS NULL OR e.started_at < m.valid_to)
            WHERE p.engagement_id = e.engagement_id AND p.side = 'agent' ORDER BY 1
        ) AS team_ids
        FROM zccvoice.engagement e WHERE e.engagement_id = ANY (engagement_ids)
    )
    UPDATE zccvoice.engagement e SET team_ids = known.team_ids
    FROM known WHERE known.engagement_id = e.engagement_id AND known.team_ids <> e.team_ids;
END $$
"""

TRIGGER_FUNCTIONS = """
CREATE FUNCTION zccvoice.call_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7262282012028);
    PERFORM zccvoice.refresh_team_ids(ARRAY[OLD.engagement_id, NEW.engagement_id]);
    RETURN NULL;
END $$;

CREATE FUNCTION zccvoice.change_teams_alone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7262282012028);
    RETURN NULL;
END $$;

CREATE FUNCTION zccvoice.agent_team_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM zccvoice.refresh_team_ids(ARRAY(
        SELECT DISTINCT p.engagement_id FROM zccvoice.participant p
        WHERE p.side = 'agent' AND p.user_id IN (OLD.user_id, NEW.user_id)
    ));
    RETURN NULL;
END $$;

CREATE FUNCTION zccvoice.all_left_their_teams() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE zccvoice.engagement SET team_ids = '{}' WHERE team_ids <> '{}';
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION zccvoice.refresh_team_ids(text[]), zccvoice.call_changed(),
    zccvoice.change_teams_alone(), zccvoice.agent_team_changed(), zccvoice.all_left_their_teams() FROM PUBLIC;
"""
FUNCTIONS = (
    "all_left_their_teams()",
    "agent_team_changed()",
    "change_teams_alone()",
    "call_changed()",
    "refresh_team_ids(text[])",
)

# A new call has no participants yet, and so no teams. The lock comes before any row of teams is locked.
TRIGGERS = """
CREATE TRIGGER call_moved AFTER UPDATE OF started_at ON zccvoice.engagement FOR EACH ROW
    WHEN (OLD.started_at IS DISTINCT FROM NEW.started_at) EXECUTE FUNCTION zccvoice.call_changed();
CREATE TRIGGER agent_came AFTER INSERT ON zccvoice.participant FOR EACH ROW
    WHEN (NEW.side = 'agent') EXECUTE FUNCTION zccvoice.call_changed();
CREATE TRIGGER agent_left AFTER DELETE ON zccvoice.participant FOR EACH ROW
    WHEN (OLD.side = 'agent') EXECUTE FUNCTION zccvoice.call_changed();
CREATE TRIGGER agent_learned AFTER UPDATE OF engagement_id, side, user_id ON zccvoice.participant FOR EACH ROW
    WHEN ((OLD.engagement_id, OLD.side, OLD.user_id) IS DISTINCT FROM (NEW.engagement_id, NEW.side, NEW.user_id))
    EXECUTE FUNCTION zccvoice.call_changed();
CREATE TRIGGER all_left AFTER TRUNCATE ON zccvoice.participant
    EXECUTE FUNCTION zccvoice.all_left_their_teams();
CREATE TRIGGER alone BEFORE INSERT OR UPDATE OR DELETE ON zccvoice.agent_team
    EXECUTE FUNCTION zccvoice.change_teams_alone();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON zccvoice.agent_team FOR EACH ROW
    EXECUTE FUNCTION zccvoice.agent_team_changed();
CREATE TRIGGER all_left AFTER TRUNCATE ON zccvoice.agent_team
    EXECUTE FUNCTION zccvoice.all_left_their_teams();
"""

READABLE_CALL = "team_ids && ARRAY(SELECT zccvoice.readable_teams(current_user))"
OF_READABLE_CALL = "EXISTS (SELECT FROM zccvoice.engagement e WHERE e.engagement_id = {table}.engagement_id)"

# The days are compared in a way that leaves partitions out even where the planner does not know them.
SEARCH_FOR = """
CREATE OR REPLACE FUNCTION zccvoice.search_for(
    reader text, query text, language text, since date, until date, most integer
) RETURNS TABLE (engagement_id text, call_date date, side text, speaker_name text, start_ms bigint, end_ms bigint,
                 spoken_language text, text text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.engagement_id, u.call_date, p.side, p.display_name, u.start_ms, u.end_ms, u.language, u.text
    FROM (
        SELECT DISTINCT zccvoice.text_search_configuration(code) AS configuration
        FROM unnest(CASE WHEN search_for.language IS NULL THEN {codes} ELSE ARRAY[search_for.language] END) code
    ) c
    CROSS JOIN LATERAL websearch_to_tsquery(c.configuration, search_for.query) words
    CROSS JOIN LATERAL (
        SELECT * FROM zccvoice.utterance
        WHERE to_tsvector(zccvoice.text_search_configuration(utterance.language), utterance.text) @@ words
          AND zccvoice.text_search_configuration(utterance.language) = c.configuration
          AND verdict = 'kept'
          AND (search_for.language IS NULL OR utterance.language = search_for.language)
          AND call_date >= coalesce(search_for.since, '-infinity')
          AND call_date < coalesce(search_for.until, 'infinity')
        OFFSET 0  -- by the index, once per configuration: a join of the two would read every text
    ) u
    JOIN zccvoice.engagement e ON e.engagement_id = u.engagement_id
    LEFT JOIN zccvoice.participant p ON p.engagement_id = u.engagement_id AND p.channel_id = u.channel_id
    WHERE (
          pg_has_role(reader, current_user, 'USAGE')
          OR pg_has_role(reader, 'zccvoice_reader_all', 'USAGE')
          OR pg_has_role(reader, 'zccvoice_daemon', 'USAGE')
          OR e.team_ids && ARRAY(SELECT zccvoice.readable_teams(reader))
      )
    ORDER BY u.call_date DESC, u.engagement_id, u.start_ms
    LIMIT most;
END;
"""


# As it was before, for going back.
READABLE_ENGAGEMENTS = """
CREATE FUNCTION zccvoice.readable_engagements(reader text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER ROWS 5000 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    {of_reader};
END;
REVOKE EXECUTE ON FUNCTION zccvoice.readable_engagements(text) FROM PUBLIC;
"""


def upgrade() -> None:
    access = _access()
    op.add_column(
        "engagement",
        sa.Column("team_ids", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        schema="zccvoice",
    )
    op.execute(REFRESH_TEAM_IDS)
    op.execute("SET LOCAL statement_timeout = 0")  # calls of years take as long as they take
    op.execute(
        "SELECT zccvoice.refresh_team_ids(ARRAY(SELECT engagement_id FROM zccvoice.engagement)) "
        "WHERE EXISTS (SELECT FROM zccvoice.agent_team)"
    )
    op.execute(TRIGGER_FUNCTIONS)
    op.execute(TRIGGERS)
    for table in access.OF_ENGAGEMENT:
        readable = READABLE_CALL if table == "engagement" else OF_READABLE_CALL.format(table=table)
        op.execute(f"ALTER POLICY reader ON zccvoice.{table} USING ({readable})")
    op.execute(SEARCH_FOR.format(codes=access.CODES))
    op.execute("DROP VIEW zccvoice.readable_engagement")
    op.execute("DROP FUNCTION zccvoice.readable_engagements(text)")


def downgrade() -> None:
    access = _access()
    op.execute(READABLE_ENGAGEMENTS.format(of_reader=access.READABLE_ENGAGEMENTS.format(reader="reader")))
    of_current_user = access.READABLE_ENGAGEMENTS.format(reader="current_user")
    op.execute(f"CREATE VIEW zccvoice.readable_engagement AS {of_current_user}")
    op.execute("GRANT SELECT ON zccvoice.readable_engagement TO zccvoice_reader")
    for table in access.OF_ENGAGEMENT:
        op.execute(
            f"ALTER POLICY reader ON zccvoice.{table} USING (EXISTS (SELECT FROM zccvoice.readable_engagement r "
            f"WHERE r.engagement_id = {table}.engagement_id))"
        )
    op.execute("DROP FUNCTION reporting.search(text, text, date, date, integer)")
    op.execute("DROP FUNCTION zccvoice.search_for(text, text, text, date, date, integer)")
    op.execute(access.SEARCH.format(codes=access.CODES))
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION zccvoice.{function} CASCADE")  # with the triggers that call it
    op.drop_column("engagement", "team_ids", schema="zccvoice")


def _access() -> ModuleType:
    """The migration whose policies these are."""
    return context.script.get_revision("20261127_access").module
