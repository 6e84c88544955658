"""Brings a database to this version: alembic, driven from here, safe to run by several at once."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from calfeed.errors import LedgerVersion
from calfeed.ledger.database import Database, current_version
from calfeed.ledger.schema import HEAD


def upgrade(database: Database) -> tuple[str | None, str]:
    """(version before, version now). Raises LedgerVersion for a database newer than this program."""
    if database.version() == HEAD:  # nothing to do, so nobody else's lock need be waited for
        return HEAD, HEAD
    with database.upgrading() as connection:
        before = current_version(connection)
        if before == HEAD:
            return before, HEAD
        _run(connection, before)
        return before, HEAD


def _run(connection: Connection, before: str | None) -> None:
    from alembic import command  # late: 100 ms that only a migration needs to pay
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise LedgerVersion(f"the database is at version {before}, which is newer than this program: update calfeed")
    command.upgrade(config, "head")
