"""Archives to test on: SQLite always, PostgreSQL where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from nerve_core.access.roles import LOCAL, Actor, Role
from nerve_core.records.archive import Archive
from nerve_core.records.items import Saved
from nerve_core.records.records import About, Records
from tests.records import made


def programs() -> Path | None:
    """Folder of PostgreSQL's own programs."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb") or ""] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server of the tests' own, on a socket alone; without the name of a database."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql); only SQLite is tested")
    user: list[str] = []
    memory = Path("/dev/shm")  # where there is such a disk, hundreds of small files cost nothing
    place = Path(tempfile.mkdtemp(prefix="pg", dir=memory if os.access(memory, os.W_OK) else None))
    if os.name == "posix" and os.geteuid() == 0:  # the server refuses to run as root
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        os.chown(place, owner.pw_uid, owner.pw_gid)
        user = ["runuser", "-u", "postgres", "--"]

    def call(name: str, *words: str) -> None:
        subprocess.run(
            [*user, str(folder / name), "-D", str(place / "data"), *words],
            check=True, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )  # fmt: skip

    try:
        call("initdb", "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c fsync=off -k {place}"
        call("pg_ctl", "-w", "-l", str(place / "log"), "-o", options, "start")
        try:
            yield f"postgresql://tester@/{{}}?host={place}"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def database(server: str, template: str = "template0") -> str:
    """URL of a new database on the server."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.format(name)


def drop(url: str) -> None:
    """Take a database of :func:`database` from its server."""
    import psycopg

    server, _, rest = url.partition("@/")
    name, _, place = rest.partition("?")
    with psycopg.connect(f"{server}@/postgres?{place}", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with nothing but its tables, to be copied: making them takes longer than a test."""
    folder = tmp_path_factory.mktemp("tables")
    new = Archive(folder)
    new.migrate()
    new.close()
    return folder / "records.sqlite"


@pytest.fixture(scope="session")
def server_tables(postgresql: str) -> str:
    """Name of a PostgreSQL database with nothing but its tables, to be copied."""
    url = database(postgresql)
    new = Archive(Path("unused"), url)
    new.migrate()
    new.close()
    return url.split("@/")[1].split("?")[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """An archive on either database in which nothing was made yet."""
    url = database(request.getfixturevalue("postgresql")) if request.param == "postgresql" else ""
    new = Archive(tmp_path / "records", url)
    yield new
    new.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """An archive on either database, its tables made, nothing saved."""
    if request.param == "sqlite":
        yield from _copied(tmp_path, request.getfixturevalue("tables"))
        return
    names = (request.getfixturevalue(name) for name in ("postgresql", "server_tables"))
    url = database(*names)
    new = Archive(tmp_path / "records", url)
    yield new
    new.close()
    drop(url)


@pytest.fixture
def plain(tmp_path: Path, tables: Path) -> Iterator[Archive]:
    """An archive on SQLite, its tables made, nothing saved."""
    yield from _copied(tmp_path, tables)


def _copied(tmp_path: Path, tables: Path) -> Iterator[Archive]:
    new = Archive(tmp_path / "records")
    new.folder.mkdir(mode=0o700)
    shutil.copyfile(tables, new.folder / tables.name)
    yield new
    new.close()


@pytest.fixture
def records(archive: Archive) -> Records:
    """The records as this machine's own user has them."""
    return Records(LOCAL, archive)


def clinician(archive: Archive, name: str = "ada@clinic.example") -> Records:
    """The records as a clinician has them."""
    return Records(Actor(name, Role.CLINICIAN), archive)


def save(
    records: Records,
    pseudonym: str = "P-1",
    seed: int = 0,
    p: float | None = 0.9,
    radius: float = 15.0,
    day: date | None = None,
    **about: str,
) -> Saved:
    """Save a made scan of the median nerve at the left wrist."""
    content = made.png(seed)
    said = {"nerve": "median", "site": "wrist", "side": "left", **about}
    return records.save(
        pseudonym,
        content,
        made.scan_of(content),
        made.prediction(p, radius),
        About(**said, date=day),
        config={"name": "research", "version": "1"},
        deidentify=None,
    )
