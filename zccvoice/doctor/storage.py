"""The database, the disk and the master key. Blocking."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

from sqlalchemy import Engine, text

from zccvoice.config import Config
from zccvoice.doctor.clocks import Clocks
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.errors import JournalError, SchemaMissingError, SchemaNotCurrentError, StoreError
from zccvoice.journal.vault import Vault, own_master_key
from zccvoice.store.database import DAEMON_ROLE, as_daemon, require_current_schema, transaction

OpenDatabase = Callable[[], AbstractContextManager[Engine]]
GIB = 2**30
LEAST_FREE_GIB = 1
LITTLE_FREE_GIB = 10
"""Some 45 hours of calls with two sides."""
SYNCS = 20
SLOW_SYNC_MS = 100
"""A webhook waits for up to two syncs before it is answered."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_database(config: Config, open_database: OpenDatabase, clocks: Clocks) -> list[Finding]:
    """Reachable, its schema current, and the daemon's role taken on. Notes its clock."""
    is_private = config.database.url is None
    if is_private and not config.data.folder.exists():
        told = "a private Postgres, which the daemon makes when it first starts"
        return [Finding("database", Verdict.NOT_CHECKED, told)]
    try:
        with open_database() as engine:
            with transaction(engine) as connection:
                clocks.note("the database's", connection.scalar(text("SELECT clock_timestamp()")))
            return [
                Finding("database", Verdict.OK, "private Postgres" if is_private else "reachable"),
                _schema(engine, is_private=is_private),
                _role(engine, config),
            ]
    except StoreError as error:
        step = "Check database.url, that the server runs, and that this machine may reach it."
        return [Finding("database", Verdict.FAILED, str(error), step)]


def _schema(engine: Engine, *, is_private: bool) -> Finding:
    try:
        require_current_schema(engine)
    except SchemaNotCurrentError as error:
        is_made_at_start = is_private and isinstance(error, SchemaMissingError)
        verdict = Verdict.WARNING if is_made_at_start else Verdict.FAILED
        return Finding("schema", verdict, str(error), "Run zccvoice db upgrade.")
    return Finding("schema", Verdict.OK, "current")


def _role(engine: Engine, config: Config) -> Finding:
    daemon = as_daemon(engine, connections=1, application_name="zccvoice doctor")
    if daemon is None:
        step = f"As an administrator of the database: GRANT {DAEMON_ROLE} TO the login in database.url."
        told = f"the login may not work as {DAEMON_ROLE}, so the daemon has all rights of the login"
        return Finding("role", Verdict.WARNING, told, step)
    daemon.dispose()
    return Finding("role", Verdict.OK, f"the daemon works as {DAEMON_ROLE}")


def check_disk(config: Config) -> list[Finding]:
    """Room and speed where the journals are to lie."""
    folder = _nearest(config.data.folder.resolve())
    if not os.access(folder, os.W_OK | os.X_OK):
        step = "Give the account that runs the daemon the right to write there, or set data.folder."
        return [Finding("disk", Verdict.FAILED, f"{folder} cannot be written", step)]
    try:
        return [_room(config, folder), _sync_time(folder)]
    except OSError as error:
        return [Finding("disk", Verdict.FAILED, f"{folder}: {error.strerror}", "Check the disk.")]


def _room(config: Config, folder: Path) -> Finding:
    free_gib = shutil.disk_usage(folder).free / GIB
    budget_gib, journals_gib = config.journal.budget_gib, _size_gib(config.data.folder / "journal")
    told = f"{free_gib:.1f} GiB free, journals take {journals_gib:.1f} GiB"
    if free_gib < LEAST_FREE_GIB:
        return Finding("disk", Verdict.FAILED, told, "Make room: webhooks are refused when there is none.")
    if budget_gib and budget_gib > free_gib + journals_gib:
        step = "Set journal.budget_gib to less than the disk has room for."
        told += f", and may take {budget_gib:g} GiB (journal.budget_gib)"
        return Finding("disk", Verdict.WARNING, told, step)
    if free_gib < LITTLE_FREE_GIB:
        step = "Make room, or bound the journals with journal.budget_gib and retention.sound_days."
        return Finding("disk", Verdict.WARNING, told, step)
    return Finding("disk", Verdict.OK, told)


def _sync_time(folder: Path) -> Finding:
    took_ms = []
    with NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        for _ in range(SYNCS):
            file.write(os.urandom(4096))
            file.flush()
            begin = time.perf_counter()
            os.fsync(file.fileno())
            took_ms.append((time.perf_counter() - begin) * 1000)
    told = f"forced onto it in {median(took_ms):.1f} ms, at most {max(took_ms):.1f} ms, of {SYNCS} times"
    if median(took_ms) > SLOW_SYNC_MS:
        step = "Put data.folder on a faster disk: every webhook waits for this."
        return Finding("disk speed", Verdict.WARNING, told, step)
    return Finding("disk speed", Verdict.OK, told)


def check_master_key(config: Config) -> list[Finding]:
    """It opens the keys that are there, only its owner may read it, and it lies apart from what it protects."""
    path, secret = config.data.folder / "master.key", config.journal.master_key
    if secret is None and not path.exists():
        step = "Set journal.master_key, or back up the file apart from the journals once it is there."
        return [Finding("master key", Verdict.NOT_CHECKED, f"{path} is made when it is first needed", step)]
    if (keys := config.data.folder / "keys").exists():
        try:
            Vault(keys, secret.get_secret_value() if secret is not None else own_master_key(path))
        except JournalError as error:
            step = "Give the master key that the journals were written under, as their owner."
            return [Finding("master key", Verdict.FAILED, str(error), step)]
    if secret is not None:
        return [Finding("master key", Verdict.OK, "given in the settings")]
    if (mode := path.stat().st_mode) & _OTHERS:
        told = f"{path} can be read by others: its mode is {stat.S_IMODE(mode):04o}"
        return [Finding("master key", Verdict.FAILED, told, f"chmod 600 {path}")]
    step = "Keep a backup apart from the journals; better give it in journal.master_key, from another disk."
    return [Finding("master key", Verdict.WARNING, f"{path} lies on the disk of the journals", step)]


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _size_gib(folder: Path) -> float:
    size = 0
    for path in folder.rglob("*.journal"):
        with suppress(FileNotFoundError):  # the daemon has just moved or deleted it
            size += path.stat().st_size
    return size / GIB
