"""The page of guarantees and the tests that attack them: each names the other, so that neither promises alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "calfeed" / "help" / "guarantees.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", PAGE))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
ATTACKS = [
    *sorted((ROOT / "tests" / "hostile").glob("test_*.py")),
    *sorted((ROOT / "tests" / "fuzz").glob("test_*.py")),
    *(
        ROOT / "tests" / "system" / f"test_{name}.py"
        for name in ("crash", "cut_lines", "rolling_deploy", "soak", "surroundings")
    ),
]


def attacks_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    return {f"{path.relative_to(ROOT).as_posix()}::{name}" for name in names}


def test_every_test_that_the_page_names_is_there() -> None:
    files = {ROOT / name.partition("::")[0] for name in NAMED}
    assert set().union(*(attacks_of(path) for path in files)) >= NAMED


@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_every_attack_stands_on_the_page(path: Path) -> None:
    assert attacks_of(path) - NAMED == set()


def test_every_promise_is_one_sentence_with_an_attack() -> None:
    for row in ROWS:
        promise, tests = (cell.strip() for cell in row.strip("|").split("|"))
        assert promise.endswith("."), promise
        assert tests.startswith("`tests/"), promise
