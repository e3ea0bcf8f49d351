"""How Alembic runs the migrations: on the engine it is given, one transaction each, one process at a time.

Started by `zccvoice.store.database.upgrade`; there is no alembic.ini.
"""

from alembic import context
from sqlalchemy import Engine, text

from zccvoice.store.comments import write_comments
from zccvoice.store.definitions import write_definitions, write_history
from zccvoice.store.schema import SCHEMA, Base, is_partition

# Any number that is always the same and that nobody else takes.
_ADVISORY_LOCK = 7_262_282_012_026
# Another process may be migrating: wait for it as long as a migration may take.
_WAIT_FOR_OTHER_S = 300
# A migration that waits for a table's lock makes everybody behind it wait too: rather give up and be run again.
_LOCK_TIMEOUT_S = 5
_STATEMENT_TIMEOUT_S = 120


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Compare only the tables' schema, and no partitions; ``reporting``'s views live in migrations alone."""
    if kind == "table" and name is not None and is_partition(name):
        return False
    return kind != "schema" or name == SCHEMA


def run(engine: Engine) -> None:
    """Run what is missing, under a lock."""
    with engine.connect() as connection:
        connection.detach()  # closed at the end instead of going back to the pool: lock and time-outs go with it
        connection.execute(text(f"SET statement_timeout = '{_WAIT_FOR_OTHER_S}s'"))
        connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_OTHER_S}s'"))
        connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
        connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
        connection.execute(text(f"SET statement_timeout = '{_STATEMENT_TIMEOUT_S}s'"))
        # Asked first, because IF NOT EXISTS needs the right to create even where there is nothing to do.
        if connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}) is None:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            version_table_schema=SCHEMA,
            include_schemas=True,
            include_name=_is_ours,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if set(context.get_context().get_current_heads()) == set(context.get_head_revisions()):
            write_comments(connection)
            write_definitions(connection)
            scripts = reversed(list(context.script.walk_revisions()))
            write_history(connection, [(one.revision, (one.doc or "").strip()) for one in scripts])
        connection.commit()


run(context.config.attributes["engine"])
