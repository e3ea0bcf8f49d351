"""Who may do what: three roles, row-level security by agent hierarchy, and a search that keeps to it.

`zccvoice_daemon` writes rows and changes no table. `zccvoice_reader` sees the views, and in them the calls of the
teams that the login may read. `zccvoice_reader_all` sees the views and every call. Logins become members of them.

Readers hold SELECT on tables but no USAGE on their schema: a view with their rights can read a table that they
themselves cannot name. The same goes for the functions that the policies and the search call; these get the
reader's name from the policy, which nobody can call with another.

Postgres 14 has no views with the rights of whoever asks: there everybody who may read a view sees all of it, so
only `zccvoice_reader_all` may; `reporting.search` keeps to the teams there too.

Revision ID: 20261127_access
Revises: 20261127_reporting
"""

from __future__ import annotations

from alembic import op

revision = "20261127_access"
down_revision = "20261127_reporting"
branch_labels = None
depends_on = None

ROLES = """
DO $$
DECLARE
    wanted text;
    may_create boolean := (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user);
BEGIN
    FOREACH wanted IN ARRAY ARRAY['zccvoice_daemon', 'zccvoice_reader', 'zccvoice_reader_all'] LOOP
        CONTINUE WHEN to_regrole(wanted) IS NOT NULL;
        EXIT WHEN NOT may_create;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- made for another database just now
        END;
    END LOOP;
    IF may_create AND NOT pg_has_role('zccvoice_reader_all', 'zccvoice_reader', 'USAGE') THEN
        GRANT zccvoice_reader TO zccvoice_reader_all;
    END IF;
    IF to_regrole('zccvoice_daemon') IS NULL OR to_regrole('zccvoice_reader') IS NULL
        OR to_regrole('zccvoice_reader_all') IS NULL
        OR NOT pg_has_role('zccvoice_reader_all', 'zccvoice_reader', 'USAGE') THEN
        RAISE EXCEPTION 'the roles of zccvoice are missing and % may not create them; an administrator may: '
            'CREATE ROLE zccvoice_daemon NOLOGIN; CREATE ROLE zccvoice_reader NOLOGIN; '
            'CREATE ROLE zccvoice_reader_all NOLOGIN; GRANT zccvoice_reader TO zccvoice_reader_all', current_user;
    END IF;
END $$
"""

# Tables with the engagement they are about, which readers see through views.
OF_ENGAGEMENT = (
    "engagement",
    "stream",
    "participant",
    "call_event",
    "utterance",
    "gap",
    "track",
    "scorecard",
    "side_scorecard",
    "live_call",
    "speech_span",
    "silence",
    "hold",
    "interruption",
    "category_hit",
)
# Tables with the same rows for every reader.
FOR_ALL = ("metric_definition", "schema_change")
# Tables about engagements that no reader sees.
UNSEEN = ("tombstone", "legal_hold")

# The calls of the teams that somebody may read. As a view with the owner's rights it asks for whoever runs the
# statement, and the planner may look up one call in it or hash all of them, whichever is less work.
READABLE_ENGAGEMENTS = """
    SELECT e.engagement_id
    FROM zccvoice.engagement e
    JOIN zccvoice.participant p ON p.engagement_id = e.engagement_id AND p.side = 'agent'
    JOIN zccvoice.agent_team m ON m.user_id = p.user_id
        AND e.started_at >= m.valid_from AND (m.valid_to IS NULL OR e.started_at < m.valid_to)
    WHERE m.team_id IN (SELECT zccvoice.readable_teams({reader}))
"""

READABLE = """
CREATE FUNCTION zccvoice.readable_teams(reader text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE below (team_id) AS (
        SELECT r.team_id FROM zccvoice.team_reader r
        WHERE r.login = reader AND r.valid_from <= statement_timestamp()
          AND (r.valid_to IS NULL OR statement_timestamp() < r.valid_to)
        UNION
        SELECT t.team_id FROM zccvoice.team t JOIN below ON t.parent_team_id = below.team_id
    )
    SELECT team_id FROM below;
END;

CREATE FUNCTION zccvoice.readable_agents(reader text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT m.user_id FROM zccvoice.agent_team m
    WHERE m.team_id IN (SELECT zccvoice.readable_teams(reader));
END;

CREATE FUNCTION zccvoice.readable_engagements(reader text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER ROWS 5000 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    {of_reader};
END;

CREATE VIEW zccvoice.readable_engagement AS {of_current_user};
COMMENT ON VIEW zccvoice.readable_engagement IS 'Calls that the current user may read, by teams.';
COMMENT ON COLUMN zccvoice.readable_engagement.engagement_id IS 'The engagement; once per agent who opens it.';

REVOKE EXECUTE ON FUNCTION zccvoice.readable_teams(text), zccvoice.readable_agents(text),
    zccvoice.readable_engagements(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION zccvoice.readable_teams(text), zccvoice.readable_agents(text) TO zccvoice_reader;
GRANT SELECT ON zccvoice.readable_engagement TO zccvoice_reader;
"""

# An index on text cannot serve a query under row-level security, because Postgres would have to trust the search
# not to tell on rows. So the search runs with the owner's rights and asks for the rows of the reader itself.
SEARCH = """
CREATE FUNCTION zccvoice.search_for(
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
          AND (search_for.since IS NULL OR call_date >= search_for.since)
          AND (search_for.until IS NULL OR call_date < search_for.until)
        OFFSET 0  -- by the index, once per configuration: a join of the two would read every text
    ) u
    LEFT JOIN zccvoice.participant p ON p.engagement_id = u.engagement_id AND p.channel_id = u.channel_id
    WHERE (
          pg_has_role(reader, current_user, 'USAGE')
          OR pg_has_role(reader, 'zccvoice_reader_all', 'USAGE')
          OR pg_has_role(reader, 'zccvoice_daemon', 'USAGE')
          OR u.engagement_id IN (SELECT zccvoice.readable_engagements(reader))
      )
    ORDER BY u.call_date DESC, u.engagement_id, u.start_ms
    LIMIT most;
END;
REVOKE EXECUTE ON FUNCTION zccvoice.search_for(text, text, text, date, date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION zccvoice.search_for(text, text, text, date, date, integer)
    TO zccvoice_reader, zccvoice_daemon;

CREATE FUNCTION reporting.search(
    query text, language text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
    most integer DEFAULT 100
) RETURNS TABLE (engagement_id text, call_date date, side text, speaker_name text, start_ms bigint, end_ms bigint,
                 spoken_language text, text text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM zccvoice.search_for(current_user, query, language, since, until, most);
END;
REVOKE EXECUTE ON FUNCTION reporting.search(text, text, date, date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.search(text, text, date, date, integer) TO zccvoice_reader, zccvoice_daemon;
"""
CODES = (
    "ARRAY['ar','ca','da','de','el','en','es','fi','fr','hi','hu','id','it','lt','nl','no','pt','ro','ru','sr',"
    "'sv','ta','tr','']"
)

DAEMON_RIGHTS = """
GRANT USAGE ON SCHEMA zccvoice, reporting TO zccvoice_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA zccvoice TO zccvoice_daemon;
REVOKE INSERT, UPDATE, DELETE ON zccvoice.alembic_version FROM zccvoice_daemon;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO zccvoice_daemon;
GRANT EXECUTE ON FUNCTION zccvoice.make_partitions(integer) TO zccvoice_daemon;
ALTER DEFAULT PRIVILEGES IN SCHEMA zccvoice GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO zccvoice_daemon;
"""


def upgrade() -> None:
    op.execute(ROLES)
    op.create_index(op.f("ix_participant_user_id"), "participant", ["user_id"], schema="zccvoice")
    op.execute(
        READABLE.format(
            of_reader=READABLE_ENGAGEMENTS.format(reader="reader"),
            of_current_user=READABLE_ENGAGEMENTS.format(reader="current_user"),
        )
    )
    op.execute(SEARCH.format(codes=CODES))
    for table in OF_ENGAGEMENT:
        _protect(
            table,
            "EXISTS (SELECT FROM zccvoice.readable_engagement r "
            f"WHERE r.engagement_id = {table}.engagement_id)",
        )
    _protect("agent", "user_id IN (SELECT zccvoice.readable_agents(current_user))")
    for table in UNSEEN:
        _protect(table, None)
    op.execute(DAEMON_RIGHTS)
    op.execute("GRANT USAGE ON SCHEMA reporting TO zccvoice_reader")
    viewers = "zccvoice_reader" if _has_security_invoker() else "zccvoice_reader_all"
    op.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {viewers}")
    for table in (*OF_ENGAGEMENT, "agent", *FOR_ALL):
        op.execute(f"GRANT SELECT ON zccvoice.{table} TO zccvoice_reader")


def downgrade() -> None:
    """Takes the rights back; the roles stay, because other databases of the server may use them."""
    for table in (*OF_ENGAGEMENT, "agent", *UNSEEN):
        for policy in ("daemon", "reader", "reader_all"):
            op.execute(f"DROP POLICY IF EXISTS {policy} ON zccvoice.{table}")
        op.execute(f"ALTER TABLE zccvoice.{table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION reporting.search(text, text, date, date, integer)")
    op.execute("DROP FUNCTION zccvoice.search_for(text, text, text, date, date, integer)")
    op.execute("DROP VIEW zccvoice.readable_engagement")
    for function in ("readable_engagements", "readable_agents", "readable_teams"):
        op.execute(f"DROP FUNCTION zccvoice.{function}(text)")
    op.drop_index(op.f("ix_participant_user_id"), "participant", schema="zccvoice")
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA zccvoice REVOKE ALL ON TABLES FROM zccvoice_daemon; "
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA zccvoice FROM zccvoice_daemon; "
        "REVOKE ALL ON ALL TABLES IN SCHEMA zccvoice, reporting "
        "FROM zccvoice_daemon, zccvoice_reader, zccvoice_reader_all; "
        "REVOKE ALL ON SCHEMA zccvoice, reporting FROM zccvoice_daemon, zccvoice_reader, zccvoice_reader_all"
    )


def _protect(table: str, readable: str | None) -> None:
    """Rows for the owner and the daemon, and for readers those that `readable` is true of."""
    op.execute(f"ALTER TABLE zccvoice.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY daemon ON zccvoice.{table} TO zccvoice_daemon USING (true) WITH CHECK (true)")
    if readable is not None:
        op.execute(
            f"CREATE POLICY reader ON zccvoice.{table} FOR SELECT TO zccvoice_reader USING ({readable})"
        )
        op.execute(
            f"CREATE POLICY reader_all ON zccvoice.{table} FOR SELECT TO zccvoice_reader_all USING (true)"
        )


def _has_security_invoker() -> bool:
    version = op.get_bind().exec_driver_sql("SHOW server_version_num").scalar_one()
    return int(version) >= 150_000
