"""Migrations: they lead to the tables of the code, may be run by several at once, and refuse what they do not know."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import calfeed.ledger
from calfeed.errors import LedgerVersion
from calfeed.ledger import Ledger
from calfeed.ledger.schema import HEAD, metadata

MIGRATIONS = Path(calfeed.ledger.__file__).parent / "migrations"


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def test_they_lead_to_the_tables_of_the_code(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        assert ledger.upgrade() == (None, HEAD)
        with ledger.database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": False})
            assert compare_metadata(context, metadata) == []


def test_the_version_the_code_asks_for_is_the_last_of_them() -> None:
    assert scripts().get_current_head() == HEAD


def test_their_versions_sort_in_their_order() -> None:
    """Which is how an older database is told from a newer one."""
    versions = [script.revision for script in scripts().walk_revisions()]
    assert versions == sorted(versions, reverse=True)


def test_upgrading_again_does_nothing(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        assert ledger.upgrade() == (HEAD, HEAD)


def test_several_may_upgrade_at_once(database_url: str) -> None:
    ledgers = [Ledger(database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        befores = [before for before, _ in pool.map(Ledger.upgrade, ledgers)]
    assert sorted(befores, key=str) == [HEAD] * 5 + [None]
    for ledger in ledgers:
        assert ledger.version() == 0
        ledger.close()


def test_an_empty_database_says_what_to_do(database_url: str) -> None:
    with Ledger(database_url) as ledger, pytest.raises(LedgerVersion, match=r"is empty: run `calfeed upgrade`"):
        ledger.version()


@pytest.mark.parametrize(
    ("version", "advice"),
    [("0000", rf"at version 0000, this program needs {HEAD}: run `calfeed upgrade`"), ("9999", "newer than this")],
)
def test_another_version_is_refused(database_url: str, version: str, advice: str) -> None:
    with Ledger(database_url) as ledger, Ledger(database_url) as other:
        ledger.upgrade()
        with ledger.database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        with pytest.raises(LedgerVersion, match=advice):
            other.beat(datetime(2024, 5, 10, tzinfo=UTC))


def test_a_newer_database_is_not_upgraded(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        with ledger.database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(LedgerVersion, match="newer than this program"):
            ledger.upgrade()
