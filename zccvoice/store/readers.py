"""What a login that may only read needs: nobody but the daemon and the owner sees the tables' schema."""

from __future__ import annotations

from sqlalchemy import Engine, text

from zccvoice.errors import SchemaNotCurrentError
from zccvoice.store.database import known_migrations, require_current_schema, transaction
from zccvoice.store.schema import SCHEMA


def require_readable_schema(engine: Engine) -> None:
    """As `require_current_schema`, also for a login in one of the roles of readers.

    Raises:
        SchemaMissingError: there are no tables of ours yet.
        SchemaNotCurrentError: the schema is not the one this version of the program was written for.
        StoreError: the database cannot be asked.
    """
    query = text("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = :schema")
    with transaction(engine) as connection:
        if connection.scalar(query, {"schema": SCHEMA}) is not False:
            known = None
        else:
            known = set(connection.execute(text("SELECT version FROM reporting.schema_change")).scalars())
    if known is None:
        require_current_schema(engine)
    elif known != known_migrations():
        raise SchemaNotCurrentError(
            f"the database's schema has {len(known)} of the changes that this program knows "
            f"({len(known_migrations())}): whoever owns it is to upgrade it, or this program"
        )
