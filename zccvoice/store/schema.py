"""The whole schema in one place: importing it makes `Base.metadata` complete."""

from __future__ import annotations

import re

from sqlalchemy import Table

from zccvoice.store import (
    keeping_tables,
    language_tables,
    measure_tables,
    people_tables,
    tables,
    text_tables,
)
from zccvoice.store.tables import REPORTING_SCHEMA, SCHEMA, Base

__all__ = ["REPORTING_SCHEMA", "SCHEMA", "Base", "is_partition", "table_of"]

PARTITIONED = ("utterance", "speech_span")
"""Tables in monthly partitions."""
PARTS = (tables, measure_tables, people_tables, keeping_tables, text_tables, language_tables)
"""Where the tables are declared."""
_PARTITION = re.compile(rf"^({'|'.join(PARTITIONED)})_(\d{{4}}_\d{{2}}|default)$")


def is_partition(name: str) -> bool:
    """Whether a table of this name is a part of a partitioned one: made by the database, not declared."""
    return _PARTITION.match(name) is not None


def table_of(kind: type[Base]) -> Table:
    """The table of a declared class."""
    return Base.metadata.tables[f"{SCHEMA}.{kind.__tablename__}"]
