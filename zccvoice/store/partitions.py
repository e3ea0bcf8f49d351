"""Monthly partitions of the tables that grow: made ahead, so that no row has to wait for one.

The work is done by a function in the database that belongs to whoever migrates: the daemon's own role may
execute it, and may neither create nor drop tables itself.
"""

from __future__ import annotations

from sqlalchemy import Connection, text


def make_partitions(connection: Connection, *, months_ahead: int) -> int:
    """Make what is missing from last month to `months_ahead` months from now; returns how many were made.

    What lies in the default partition by then is moved into the right one. Safe to repeat, also at the same
    time from several processes.
    """
    made = connection.scalar(text("SELECT zccvoice.make_partitions(:ahead)"), {"ahead": months_ahead})
    return int(made or 0)
