"""Databases of every earlier version come along with what was published and sent, and versions can run side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, insert, select

import calfeed.ledger
from calfeed.events.parse import load
from calfeed.ledger import Ledger, Result
from calfeed.ledger.schema import HEAD
from calfeed.ledger.values import Settlement

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
SOURCE = """
[calendar]
id = "desk"
name = "Desk"
timezone = "UTC"

[[channels]]
id = "hook"
kind = "webhook"
url = "env:HOOK"
before = ["1h"]
"""
EVENT = '[[events]]\nid = "e{}"\nsummary = "{}"\nstart = 2024-05-15T{:02}:00:00Z\n'
MIGRATIONS = Path(calfeed.ledger.__file__).parent / "migrations"


def config(connection: Any) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


EARLIER = [one.revision for one in ScriptDirectory.from_config(config(None)).walk_revisions() if one.revision != HEAD]


def lived(url: str) -> Ledger:
    """A ledger with revisions, changes, deliveries sent, waiting and failed."""
    ledger = Ledger(url)
    ledger.upgrade()
    for edition in range(2):
        text = SOURCE + "".join(EVENT.format(n, f"E{n} {edition}", n + 1) for n in range(6))
        ledger.publish(load([("events.toml", text)]), NOW + timedelta(minutes=edition))
    ledger.plan(["hook"], NOW + timedelta(minutes=2))
    claimed = ledger.claim(NOW + timedelta(hours=17), 2, ["hook"], lambda _: True)
    results = (Result.SENT, Result.RETRY)
    ledger.settle(
        [
            Settlement(delivery=one.id, attempt=one.attempt, result=result, ended=NOW + timedelta(hours=17))
            for one, result in zip(claimed, results, strict=False)
        ],
        NOW + timedelta(hours=17),
    )
    return ledger


def earlier(url: str, version: str, model: Ledger) -> Ledger:
    """A database of that version with the rows of the model, as far as it has tables and columns for them."""
    ledger = Ledger(url)
    with ledger.database.upgrading() as connection:
        command.upgrade(config(connection), version)
    old = MetaData()
    with ledger.database.upgrading() as connection, model.database.engine.connect() as source:
        old.reflect(connection)
        for table in old.sorted_tables:
            if table.name == "alembic_version":
                continue
            there = MetaData()
            there.reflect(source, only=[table.name])
            names = [column.name for column in table.columns]
            rows = source.execute(select(*(there.tables[table.name].c[name] for name in names))).mappings().all()
            if rows:
                connection.execute(insert(table), [dict(row) for row in rows])
    return ledger


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_database_keeps_what_was_published_and_sent(tmp_path: Path, version: str) -> None:
    with lived(f"sqlite:///{tmp_path / 'model.db'}") as model:
        with earlier(f"sqlite:///{tmp_path / 'old.db'}", version, model) as ledger:
            assert ledger.upgrade() == (version, HEAD)
            assert ledger.deliveries() == model.deliveries()
            assert [str(one.state) for one in ledger.deliveries()].count("sent") == 1
            assert ledger.revisions() == model.revisions()
            assert ledger.changes() == model.changes()
            now = NOW + timedelta(hours=17)
            assert ledger.audit(now) == model.audit(now)
        print(f"{len(model.deliveries())} deliveries, lost 0, repeated 0")


def test_the_program_before_the_newest_migration_is_kept() -> None:
    """As an archive, which the rolling deploy of `tests/system` runs beside the present one."""
    assert (Path(__file__).parents[1] / "system" / "older" / f"{EARLIER[0]}.tar.xz").is_file()


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_version_may_still_write_during_a_rolling_deploy(tmp_path: Path, version: str) -> None:
    """Migrations only add: no column goes, and a row written without the new ones is a whole row."""
    old, new = MetaData(), MetaData()
    with Ledger(f"sqlite:///{tmp_path / 'a.db'}") as before, Ledger(f"sqlite:///{tmp_path / 'b.db'}") as after:
        with before.database.upgrading() as connection:
            command.upgrade(config(connection), version)
            old.reflect(connection)
        after.upgrade()
        with after.database.read() as connection:
            new.reflect(connection)
    for name, table in old.tables.items():
        columns = new.tables[name].columns
        assert {one.name for one in table.columns} <= {one.name for one in columns}
        added = [one for one in columns if one.name not in table.columns]
        assert [one.name for one in added if not one.nullable and one.server_default is None] == []
