"""Nobody is in the same team, or may read about it, twice at a time.

An exclusion constraint would need an extension that not every server allows; so a trigger looks. Rows from before
are not looked at until they are changed.

Revision ID: 20261129_validity
Revises: 20261129_days_and_hours
"""

from __future__ import annotations

from alembic import op

revision = "20261129_validity"
down_revision = "20261129_days_and_hours"
branch_labels = None
depends_on = None

# The key is the team and the column named when the trigger is made. After all rows of a statement, so that it may
# shift several of them.
REFUSE_OVERLAP = """
CREATE FUNCTION zccvoice.refuse_overlap() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other tstzrange;
BEGIN
    EXECUTE format(
        'SELECT tstzrange(o.valid_from, o.valid_to) FROM %1$s o '
        'WHERE o.team_id = $1.team_id AND o.%2$I = $1.%2$I AND o.valid_from <> $1.valid_from '
        'AND tstzrange(o.valid_from, o.valid_to) && tstzrange($1.valid_from, $1.valid_to) LIMIT 1',
        TG_RELID::regclass, TG_ARGV[0]) INTO other USING NEW;
    IF other IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'exclusion_violation', MESSAGE = format(
            'expected validity of the same %s and team that does not overlap, got %s beside %s', TG_ARGV[0],
            tstzrange(NEW.valid_from, NEW.valid_to), other);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION zccvoice.refuse_overlap() FROM PUBLIC;

-- Two who add to the same key at once would not see one another.
CREATE TRIGGER alone BEFORE INSERT OR UPDATE ON zccvoice.team_reader
    EXECUTE FUNCTION zccvoice.change_teams_alone();
CREATE TRIGGER no_overlap AFTER INSERT OR UPDATE ON zccvoice.team_reader FOR EACH ROW
    EXECUTE FUNCTION zccvoice.refuse_overlap('login');
CREATE TRIGGER no_overlap AFTER INSERT OR UPDATE ON zccvoice.agent_team FOR EACH ROW
    EXECUTE FUNCTION zccvoice.refuse_overlap('user_id');
"""


def upgrade() -> None:
    op.execute(REFUSE_OVERLAP)


def downgrade() -> None:
    op.execute("DROP TRIGGER alone ON zccvoice.team_reader")
    op.execute("DROP FUNCTION zccvoice.refuse_overlap() CASCADE")  # with the triggers that call it
