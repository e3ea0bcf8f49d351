"""Two transactions at once: one of them in a thread, and the moment at which it waits for the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

from zccvoice.store.database import transaction


def in_thread(
    engine: Engine, work: Callable[[Connection], None]
) -> tuple[threading.Thread, list[BaseException]]:
    """Do it in a transaction of its own, and tell what went wrong."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            with transaction(engine) as connection:
                work(connection)
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, problems


def wait_for_a_lock(engine: Engine, thread: threading.Thread) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while True:
        with transaction(engine) as connection:
            if connection.scalar(waiting):
                return
        assert thread.is_alive()
        time.sleep(0.01)
