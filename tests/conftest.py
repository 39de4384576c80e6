"""What every test may use: databases of both kinds, a clock, and no network outside this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from care.testing import Book, FakeClock

#: Where a result decides, the same examples are tried every time; at home every run tries new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("home", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")


@pytest.fixture(autouse=True)
def _network_stays_home(request: pytest.FixtureRequest) -> Iterator[None]:
    """Unit tests open no socket at all; the others none outside loopback."""
    if "/unit/" in str(request.path):
        disable_socket(allow_unix_socket=True)
    else:
        socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def clock() -> FakeClock:
    """A Wednesday morning in spring, no holiday near."""
    return FakeClock("2026-03-04T10:00+08:00")


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of this test run, on loopback, gone afterwards; the URL of its first database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.fail("PostgreSQL is missing: run `make test`, which installs it, or apt-get install postgresql")
    binaries = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="anxin-postgres-"))
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, port = folder / "data", free_port()

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    run(str(binaries / "initdb"), "-D", str(data), "-U", "anxin", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={folder} -c fsync=off"
    run(str(binaries / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://anxin@127.0.0.1:{port}/postgres"
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


MADE: list[tuple[str, str]] = []  # servers and the databases made there by the module that runs


def new_database(server: str) -> str:
    """Make an empty database on the test server and return its URL; it is gone when the module's tests are done."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{name}"')
    MADE.append((server, name))
    return server.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="module", autouse=True)
def _databases_end_with_their_module() -> Iterator[None]:
    """Five hundred databases of ten megabytes each need not be there at once."""
    yield
    while MADE:
        server, name = MADE.pop()
        with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as db:
            db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgres"])
def book(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Book]:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'care.db'}"
    else:
        url = new_database(request.getfixturevalue("postgres"))
    made = Book(url, f"sqlite:///{tmp_path / 'keys' / 'keys.db'}", tmp_path, clock)
    yield made
    made.close()
