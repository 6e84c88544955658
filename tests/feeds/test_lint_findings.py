"""The manual tells of every finding, in the same words as the linter."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from calfeed.feeds.lint.findings import FINDINGS, Finding

PAGE = files("calfeed").joinpath("help/findings.md").read_text("utf-8")
PRODUCTS = Path(__file__).parents[1] / "golden" / "lint" / "products"
ROW = re.compile(r"^\| (CF\d{3}) \| (error|warning) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def test_the_page_has_a_row_for_each_finding_in_order():
    rows = [Finding(*(cell.replace("\\|", "|") for cell in row)) for row in ROW.findall(PAGE)]

    assert rows == list(FINDINGS.values())


def test_codes_are_in_order_and_belong_to_the_group_of_their_first_digit():
    assert list(FINDINGS) == sorted(FINDINGS)
    assert all(re.fullmatch(r"CF[1-9]\d\d", code) for code in FINDINGS)


def test_a_title_says_what_is_wrong_and_a_mend_what_to_do():
    """Titles begin with a capital, mends do not; neither ends in a full stop, for a code follows."""
    for finding in FINDINGS.values():
        assert finding.title[0].isupper()
        assert not finding.mend[0].isupper() or finding.mend.startswith(("DTSTART", "AUDIO"))
        assert not finding.title.endswith(".")
        assert not finding.mend.endswith(".")


def test_the_page_tells_what_is_said_of_each_product():
    """The table names the codes that stand in the golden files, and no others."""
    table = PAGE.split("## What it was compared with")[1].split("\n\n")[2]
    written = [set(re.findall(r"CF\d{3}", row)) for row in table.splitlines()[2:]]
    order = ("google", "outlook-published", "outlook-desktop", "apple", "nextcloud", "thunderbird", "evolution")
    names = (*order, "indico", "events-calendar", "meetup", "rfc5545")
    said = [set(re.findall(r"\[(CF\d{3})\]", (PRODUCTS / f"{name}.txt").read_text("utf-8"))) for name in names]

    assert written == said
    assert set(names) == {file.stem for file in PRODUCTS.glob("*.ics")}
