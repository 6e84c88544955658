"""What both databases say alike and SQLAlchemy does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """``INSERT … ON CONFLICT``: an insert that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def batches(ids: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Parts small enough for the number of parameters that a statement may have."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever columns were asked for."""
