"""The private Postgres of the default set-up: one server per state folder, shared by our processes.

The first process that wants it runs it, under a lock on the folder; others (a report while the daemon is up)
attach to it. When the one that runs it goes, an attached one that still needs it takes it over, and a server
that dies is started again, so whoever retries what he wanted to store will succeed in the end.

A database of your own (``database.url``) does without all this.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from sqlalchemy import URL

from zccvoice.errors import StoreError
from zccvoice.store.postgres_server import DATABASE, PORT, STARTUP_S, PostgresServer, account_for

_log = logging.getLogger(__name__)

_ELSEWHERE = Path("/var/lib/zccvoice")
_LOOK_AGAIN_S = 0.2
_RESTART_PAUSE_S = 1


class PrivatePostgres:
    """A server for as long as the ``with`` block lasts; entering waits until it takes connections.

    A thread of its own forks and watches the server, because the server ends with the thread that forked it.
    So it may be entered and left in any thread, and it never outlives the process, not even one killed with
    SIGKILL. Leaving stops the server if it is ours: 65 s at most, far less than one as a rule.

    Raises:
        StoreError: (on entering) it cannot be had; the text says why and holds the end of the server's log.
    """

    def __init__(self, folder: Path) -> None:
        """Args: folder: the program's state folder; made if it is not there."""
        self._folder = folder
        self._leaving = threading.Event()
        self._settled = threading.Event()
        self._failure: BaseException | None = None
        self._server: PostgresServer
        self._keeper: threading.Thread

    def __enter__(self) -> Self:
        try:
            self._server = PostgresServer(_home(self._folder))
        except OSError as error:
            raise StoreError(f"the private Postgres cannot use {self._folder}: {error}") from None
        self._keeper = threading.Thread(target=self._keep, name="postgres-keeper", daemon=True)
        self._keeper.start()
        try:
            self._settled.wait()
        except BaseException:  # Ctrl-C while it comes up
            self._leave()
            raise
        if self._failure is not None:
            self._leave()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database, for `database.connect`."""
        where = {"host": str(self._server.socket_folder), "port": str(PORT)}
        return URL.create(
            "postgresql+psycopg", username="postgres", database=DATABASE, query=where
        ).render_as_string()

    @property
    def dsn(self) -> str:
        """The same for libpq: psql, pg_dump, BI tools on this machine."""
        where = str(self._server.socket_folder)
        return psycopg.conninfo.make_conninfo(host=where, port=PORT, user="postgres", dbname=DATABASE)

    @property
    def psql_args(self) -> list[str]:
        """A command line that opens psql on the database."""
        return [str(self._server.psql()), self.dsn]

    @property
    def home(self) -> Path:
        """Where cluster, socket and log really are; not below the state folder if that is out of reach."""
        return self._server.home

    def _leave(self) -> None:
        self._leaving.set()
        self._keeper.join()

    def _keep(self) -> None:
        """Body of the keeper thread: run the server, or wait for the chance to, until we leave."""
        try:
            with (self._server.home / "lock").open("ab") as lock:
                waited_since = time.monotonic()
                while not self._leaving.is_set():
                    if _try_lock(lock):
                        self._run_server()
                    elif not self._settled.is_set():
                        self._attach(waited_since)
                    self._leaving.wait(_LOOK_AGAIN_S)
        except BaseException as error:  # a thread's error is raised in __enter__
            self._failure = (
                error if isinstance(error, StoreError) else StoreError(f"private Postgres: {error}")
            )
            if self._settled.is_set():
                _log.exception("the private Postgres is no longer looked after")
            self._settled.set()

    def _attach(self, waited_since: float) -> None:
        if self._server.answers():
            self._settled.set()
        elif time.monotonic() - waited_since > STARTUP_S:
            raise StoreError(f"another process holds {self.home / 'lock'}, but its Postgres does not answer")

    def _run_server(self) -> None:
        """Run it until we leave or it dies. The first failure is for the caller, later ones are tried again."""
        try:
            process = self._server.start()
        except (StoreError, OSError) as error:
            if not self._settled.is_set():
                raise
            _log.warning("the private Postgres does not come up, trying again: %s", error)
            self._leaving.wait(_RESTART_PAUSE_S)
            return
        self._settled.set()
        try:
            while process.poll() is None:
                if self._leaving.wait(_LOOK_AGAIN_S):
                    return
            _log.warning("the private Postgres ended with status %s, starting it again", process.returncode)
        finally:
            self._server.stop(process)


def _try_lock(lock: IO[bytes]) -> bool:
    """Take the lock, which the kernel frees when the process ends; True also if it is ours already."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _home(folder: Path) -> Path:
    """The home of the state folder's server, made if need be.

    Below the folder, unless we are root and the server's account cannot get there (a project below /root, a
    0700 folder). Then it is in /var/lib, and a file in the folder says where.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    home = folder / "postgres"
    signpost = folder / "postgres-is-in"
    if not home.exists():
        account = account_for(home / "data")
        if signpost.exists():
            home = Path(signpost.read_text(encoding="utf-8").strip())
        elif account is not None and not account.may_enter(folder):
            home = _ELSEWHERE / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
            signpost.write_text(f"{home}\n", encoding="utf-8")
    if not home.exists():
        home.mkdir(parents=True)
        # The account passes through to its own folders; what is directly in here is ours.
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return home
