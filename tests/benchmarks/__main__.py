"""``python -m tests.benchmarks [--write] [serve compile remind wait curves]``: one table of ratios against peers.

Peers run beside calfeed, in turn, each in an environment of its own that this command makes. ``--write`` puts the table
and the growth curves into the manual's page on performance.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

from tests.benchmarks import bench_compile, bench_edit, bench_remind, bench_serve, plot
from tests.benchmarks.measure import ROOT, Row
from tests.benchmarks.peers import environments

PAGE = ROOT / "calfeed" / "help" / "performance.md"
PICTURE = ROOT / "calfeed" / "help" / "pictures" / "growth.svg"
HEADER = ("measured", "calfeed", "peer", "peer's", "times better", "goal")


def curves() -> list[Row]:
    """Draws the picture; its last points are lines of the table."""
    found = bench_compile.curves()
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(plot.svg(found, "Whole process from TOML to one feed: calfeed and icalendar"))
    (count, spent, peak), (_, theirs, their_peak) = (curve[-1] for curve in found.values())
    what, peer = f"`feed all` of {count:,} events, whole process", environments.python_package("icalendar")
    return [
        Row(f"{what}, CPU", f"{spent:.1f} s", peer, f"{theirs:.1f} s", theirs / spent, "3"),
        Row(f"{what}, peak memory", f"{peak:,.0f} MB", peer, f"{their_peak:,.0f} MB", their_peak / peak, "1"),
    ]


GROUPS: dict[str, Callable[[], list[Row]]] = {
    "compile": bench_compile.rows,
    "serve": bench_serve.rows,
    "wait": bench_edit.rows,
    "remind": bench_remind.rows,
    "curves": curves,
}


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [HEADER, ("---", "---:", "---", "---:", "---:", "---:"), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def circumstances() -> str:
    """When, with what, on what."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("granian", "flask", "sqlalchemy", "pydantic", "tomli"))
    load = os.getloadavg()[2]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; Python {platform.python_version()}, {packages}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load average {load:.1f}."
    )


def write(text: str) -> None:
    """The table in the page, in place of the last one."""
    page = PAGE.read_text()
    marked = r"(<!-- measured -->\n).*?(<!-- /measured -->)"
    PAGE.write_text(re.sub(marked, lambda match: f"{match[1]}\n{text}\n{match[2]}", page, flags=re.DOTALL))


def main(arguments: list[str]) -> None:
    """Measures what is named, or everything."""
    chosen = [name for name in arguments if name != "--write"] or list(GROUPS)
    environments.make()
    rows: list[Row] = []
    for name in chosen:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            rows += GROUPS[name]()
        except Exception:  # noqa: BLE001 # one peer that cannot be had must not cost the rest of the table
            traceback.print_exc()
        print(table(rows), file=sys.stderr, flush=True)
    text = f"{circumstances()}\n\n{table(rows)}\n"
    print(text)
    if "--write" in arguments:
        write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
