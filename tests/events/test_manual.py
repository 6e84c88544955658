"""The manual's page of keys, the JSON Schema and the template of `calfeed init`, each held against the parser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tomli

from calfeed.events import bounds, schema
from calfeed.events.model import Duration
from calfeed.events.parse import load

ROOT = Path(__file__).parents[2] / "calfeed"
PAGE = (ROOT / "help" / "events-toml.md").read_text(encoding="utf-8")
TABLES: dict[str, type[schema.Table]] = {
    "[calendar]": schema.CalendarTable,
    "[[feeds]]": schema.FeedTable,
    "[[events]]": schema.EventTable,
    "[[events.overrides]]": schema.OverrideTable,
    "[[channels]]": schema.ChannelTable,
    "Person": schema.PersonTable,
    "Place": schema.PlaceTable,
    "Conference": schema.ConferenceTable,
    "Source": schema.SourceTable,
}


def rows(title: str) -> dict[str, list[str]]:
    """The cells of each key's row in the section of that title."""
    (section,) = re.findall(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    found = {}
    for line in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE):
        keys, *cells = line.split(" | ")
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", keys), cells)
    return found


@pytest.mark.parametrize("title", TABLES)
def test_every_key_stands_in_the_manual(title: str) -> None:
    """The page has the keys that the schema has, no more and no fewer, and calls required what is required."""
    fields = TABLES[title].model_fields
    assert set(rows(title)) == set(fields)
    required = {key for key, (_, default, _) in rows(title).items() if default == "required"}
    assert required == {key for key, field in fields.items() if field.is_required()}


@pytest.mark.parametrize("title", TABLES)
def test_every_default_stands_in_the_manual(title: str) -> None:
    """Where the schema has a default of its own, the page shows it."""
    shown = {key: default for key, (_, default, _) in rows(title).items()}
    defaults = {key: field.default for key, field in TABLES[title].model_fields.items() if not field.is_required()}
    written = {key: f"`{json.dumps(value).strip(chr(34))}`" for key, value in defaults.items() if value is not None}
    assert {key: shown[key] for key in written} == written


def test_the_page_is_one_valid_list() -> None:
    """All its examples together are read without a problem or a warning, and use every key."""
    text = "\n".join(re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    catalog = load([("events.toml", text)])
    assert catalog.warnings == ()
    assert [event.id for event in catalog.events] == ["visit", "expo-opening", "signing", "course"]
    keys = {key for table in TABLES.values() for key in table.model_fields}
    assert {key for key in keys if not re.search(rf"\b{key}\b *=", text)} == {"overrides"}


def test_the_page_names_the_bounds() -> None:
    """Each bound stands on the page."""
    section = PAGE.partition("## Bounds")[2].replace(",", "")
    numbers = {int(number) for number in re.findall(r"\d+", section)}
    named = {getattr(bounds, name) for name in vars(bounds) if name.isupper()}
    elsewhere = {bounds.SOURCE_BYTES, bounds.YEARS, bounds.LENGTH_DAYS, bounds.LEAD_DAYS, bounds.EMAIL}
    assert named - elsewhere <= numbers
    assert f"{bounds.SOURCE_BYTES // 2**20} MiB" in section
    assert all(f"{days:,} days" in PAGE for days in (bounds.LENGTH_DAYS, bounds.TOMBSTONE_DAYS, bounds.LEAD_DAYS))
    assert all(str(year) in PAGE for year in bounds.YEARS)


def test_the_template_has_no_problem() -> None:
    """What `calfeed init` writes is a valid list, without a warning."""
    catalog = load([("events.toml", (ROOT / "events" / "starter.toml").read_bytes())])
    assert catalog.warnings == ()
    assert [event.id for event in catalog.events] == ["conference", "opening", "dinner", "rehearsal"]
    assert catalog.channels[0].before == (Duration(days=1), Duration(seconds=3600))


def objects(node: Any) -> list[dict[str, Any]]:
    """Every object of a JSON document."""
    if isinstance(node, list):
        return [found for each in node for found in objects(each)]
    return [node, *(found for each in node.values() for found in objects(each))] if isinstance(node, dict) else []


def test_the_schema_describes_every_key() -> None:
    """Each key has a description and, but for lists of tables, an example: editors show both."""
    document = schema.json_schema()
    tables = [each for each in document["$defs"].values() if "properties" in each]
    assert [key for table in tables for key, each in table["properties"].items() if "title" in each] == []
    assert [key for table in tables for key, each in table["properties"].items() if not each.get("description")] == []
    bare = [key for table in tables for key, each in table["properties"].items() if "examples" not in each]
    assert bare == ["overrides"]


def test_the_schema_is_of_toml() -> None:
    """No null, no key besides those it names, dates as the texts that editors make of them."""
    document = schema.json_schema()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert [each for each in objects(document) if each.get("type") == "null" or each.get("default", 0) is None] == []
    loose = [each for each in objects(document) if each.get("type") == "object" and each.get("additionalProperties")]
    assert loose == []
    start = document["$defs"]["EventTable"]["properties"]["start"]
    moments = ["2024-05-17", "2024-05-17T10:00:00", "2024-05-17 10:00:00Z", "2024-05-17T10:00:00.5+08:00"]
    assert all(re.search(start["pattern"], moment) for moment in moments)
    assert not re.search(start["pattern"], "tomorrow")


def written(key: str, example: object) -> str:
    """An example of the schema as TOML."""
    text = json.dumps(example, ensure_ascii=False)
    text = re.sub(r'"(\d{4}-\d\d-\d\d(T[\d:+]+)?)"', r"\1", text)  # dates stand without quotes
    return f"{key} = " + re.sub(r'"(\w+)": ', r"\1 = ", text)


@pytest.mark.parametrize("title", ["[calendar]", "[[feeds]]", "[[events]]", "[[channels]]"])
def test_the_examples_of_the_schema_are_valid(title: str) -> None:
    """Each example of each key is a value that the parser's shape takes, once it is written as TOML."""
    model = TABLES[title]
    name = title.strip("[]")
    base = {key: written(key, field.examples[0]) for key, field in model.model_fields.items() if field.is_required()}
    for key, field in model.model_fields.items():
        for example in field.examples or ():
            text = "\n".join((base | {key: written(key, example)}).values())
            tables = schema.SourceFile.model_validate(tomli.loads(f"{title}\n{text}\n"))
            assert getattr(tables, name)
