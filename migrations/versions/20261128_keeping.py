"""Old months go as whole partitions, also for a role that may not drop tables.

Revision ID: 20261128_keeping
Revises: 20261127_access
"""

from __future__ import annotations

from alembic import op

revision = "20261128_keeping"
down_revision = "20261127_access"
branch_labels = None
depends_on = None

# Executed by the daemon, owned by whoever migrates. A month with a call under legal hold loses its other calls
# alone. Whoever waits for a lock makes others wait behind it: rather give up and come again. What lies in the
# default partition has a date far from when it was stored (a far end with a broken clock), so there the
# engagement's own start has to be old, too.
DROP_OLD_PARTITIONS = """
CREATE FUNCTION zccvoice.drop_old_partitions(before date) RETURNS TABLE (table_name text, rows_count bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    first_kept date := date_trunc('month', before)::date;
    part text;
    removed bigint;
    is_held boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(7262282012027);
    LOCK TABLE zccvoice.legal_hold IN SHARE MODE;
    FOREACH table_name IN ARRAY ARRAY['utterance', 'speech_span'] LOOP
        rows_count := 0;
        FOR part IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = format('zccvoice.%I', table_name)::regclass
              AND c.relname ~ ('^' || table_name || '_[0-9]{4}_[0-9]{2}$')
              AND to_date(right(c.relname, 7), 'YYYY_MM') < first_kept
            ORDER BY c.relname
        LOOP
            EXECUTE format(
                'SELECT EXISTS (SELECT FROM zccvoice.%I p JOIN zccvoice.legal_hold h USING (engagement_id) '
                'WHERE h.released_at IS NULL)', part) INTO is_held;
            IF is_held THEN
                EXECUTE format(
                    'DELETE FROM zccvoice.%I p WHERE NOT EXISTS (SELECT FROM zccvoice.legal_hold h '
                    'WHERE h.engagement_id = p.engagement_id AND h.released_at IS NULL)', part);
                GET DIAGNOSTICS removed = ROW_COUNT;
            ELSE
                EXECUTE format('SELECT count(*) FROM zccvoice.%I', part) INTO removed;
                -- What dropping locks, in the order in which writers lock it: they wait for us, or we for them.
                EXECUTE format(
                    'LOCK TABLE zccvoice.engagement, zccvoice.stream, zccvoice.%I IN ACCESS EXCLUSIVE MODE',
                    table_name);
                EXECUTE format('DROP TABLE zccvoice.%I', part);
            END IF;
            rows_count := rows_count + removed;
        END LOOP;
        EXECUTE format(
            'DELETE FROM zccvoice.%I p USING zccvoice.engagement e WHERE e.engagement_id = p.engagement_id '
            'AND p.call_date < %L AND coalesce(e.started_at < %L, true) '
            'AND NOT EXISTS (SELECT FROM zccvoice.legal_hold h '
            'WHERE h.engagement_id = p.engagement_id AND h.released_at IS NULL)',
            table_name || '_default', first_kept, before);
        GET DIAGNOSTICS removed = ROW_COUNT;
        rows_count := rows_count + removed;
        RETURN NEXT;
    END LOOP;
END $$
"""

# The role is there where the database has its own one for the daemon.
GRANT_TO_DAEMON = """
DO $$ BEGIN
    IF to_regrole('zccvoice_daemon') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION zccvoice.drop_old_partitions(date) TO zccvoice_daemon;
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute(DROP_OLD_PARTITIONS)
    op.execute("REVOKE EXECUTE ON FUNCTION zccvoice.drop_old_partitions(date) FROM PUBLIC")
    op.execute(GRANT_TO_DAEMON)


def downgrade() -> None:
    op.execute("DROP FUNCTION zccvoice.drop_old_partitions(date)")
