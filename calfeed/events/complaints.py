"""What pydantic says about a shape, in the words of the user's file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from calfeed.events import forms, schema
from calfeed.events.scan import Path

_LABELS = {forms.TEXT, forms.BY_LANGUAGE, forms.PLACE}
_PATTERNS = {
    forms.CATEGORY: ("is not a category", "categories are words without commas or spaces around them"),
    forms.TRIMMED: ("has spaces around it or is not one line", ""),
    forms.ID: ("is not an id", "ids are letters and digits, with '-', '_' or single dots between"),
    forms.LANGUAGE: ("is not a language tag", "such as 'en', 'zh' or 'zh-Hans'"),
    forms.DURATION: ("is not a duration", "such as '30m', '2h', '1d' or '1h30m'"),
    forms.CLOCK: ("is not a time of day", "such as '09:00'"),
    forms.QUIET: ("is not a span of hours", "such as '22:00-07:00'"),
    forms.URL: ("is not an http or https URL", "such as 'https://example.org/page', without user name or spaces"),
    forms.URI: ("is not a URI", "such as 'https://example.org/live' or 'tel:+7-495-000-00-00'"),
    forms.EMAIL: ("is not an e-mail address", "such as 'desk@example.org'"),
}
_TYPES = {
    "string_type": "a text",
    "string_unicode": "Unicode text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "date_type": "a date",
    "is_instance_of": "a date or date-time",
}
_SYNONYMS = {  # of other calendars, programs and spellings
    "begin": ["start"],
    "before": ["remind"],
    "colour": ["color"],
    "date": ["start"],
    "lang": ["language"],
    "link": ["url"],
    "name": ["summary"],
    "place": ["location"],
    "remind": ["before"],
    "reminders": ["remind", "before"],
    "tags": ["categories"],
    "title": ["summary", "name"],
    "type": ["kind"],
    "tz": ["timezone"],
    "venue": ["location"],
}
_HOMES: dict[str, type[schema.Table]] = {
    "[calendar]": schema.CalendarTable,
    "[[events]]": schema.EventTable,
    "location": schema.PlaceTable,
    "[[channels]]": schema.ChannelTable,
    "[[events.overrides]]": schema.OverrideTable,
}
_PLACE_KEYS = schema.PlaceTable.model_fields.keys()
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def place_of(error: ErrorDetails, data: Mapping[str, Any]) -> Path | None:
    """Where in the file an error belongs; None when it speaks of a form that the value does not have."""
    parts = error["loc"]
    if parts[-1] == "[key]" and forms.BY_LANGUAGE in parts[-3:-2]:  # of the key, not of its value
        parts = parts[:-1]
    path: list[str | int] = []
    value: Any = data
    was_label = False
    for number, part in enumerate(parts):
        is_name = was_label or (error["type"] == "extra_forbidden" and number == len(parts) - 1)
        was_label = part in _LABELS and not is_name
        if not was_label:
            path.append(part)
            value = step(value, part)
        elif part != _form(value, path[-1]):
            return None
    return tuple(path)


def step(value: Any, part: str | int) -> Any:
    """The item of a table or list, None where there is none."""
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def _form(value: Any, key: str | int) -> str:
    """Which of the forms of a text or place ``value`` has; a wrong type counts as a wrong text."""
    if not isinstance(value, dict):
        return forms.TEXT
    if key != "location":
        return forms.BY_LANGUAGE
    by_language = value and all(re.match(forms.LANGUAGE, name) for name in value)
    return forms.BY_LANGUAGE if by_language and value.keys().isdisjoint(_PLACE_KEYS) else forms.PLACE


def words(error: ErrorDetails, path: Path) -> tuple[str, str]:
    """``(message, hint)`` for an error at ``path``."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return f"the key {error['loc'][-1]!r} is missing", _example(path, str(error["loc"][-1]))
    if kind == "extra_forbidden":
        return "unknown key", _nearest_key(path)
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"]), value, path)
    if kind == "literal_error":
        return f"expected {context['expected']}{_got(value, path)}", _nearest(value, str(context["expected"]))
    if kind in _TYPES:
        return f"expected {_expected(kind, error, path)}{_got(value, path)}", _type_hint(kind, value, path)
    return _limit(kind, value, context), ""


def _pattern(pattern: str, value: str, path: Path) -> tuple[str, str]:
    if not value.strip():
        return "is empty", "leave the key out, or write something"
    if control := _CONTROL.search(value):
        return f"has the control character U+{ord(control[0]):04X}", "remove it; a line break is \\n"
    if pattern in (forms.LINE, forms.PROSE):
        return "must be one line", "only descriptions, addresses and contacts have several lines"
    message, hint = _PATTERNS[pattern]
    return message if _may_be_secret(path) else f"{show(value)} {message}", hint


def _expected(kind: str, error: ErrorDetails, path: Path) -> str:
    if error["loc"][-1] == forms.TEXT:
        either = "a text or a table of texts by language"
        return f"{either}, or a place" if path[-1] == "location" else either
    if path[-1] == "embargo":
        return "a date-time"
    if kind in {"list_type", "model_type"} and len(path) <= 2 and path[0] != "calendar":
        return f"[[{path[0]}]] tables"
    return _TYPES[kind]


def _type_hint(kind: str, value: Any, path: Path) -> str:
    if kind in {"is_instance_of", "date_type"} and isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return "dates and date-times stand without quotes"
    if kind == "string_type" and isinstance(value, date | time):
        return "put it in quotes"
    if kind == "list_type" and isinstance(value, str) and not _may_be_secret(path):
        return f'put it in brackets: ["{show(value)[1:-1]}"]'
    return ""


def _limit(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    size = len(value) if isinstance(value, str | list | dict) else 0
    limits = {
        "string_too_long": "is longer than {max_length} characters",
        "too_long": "holds {size}, more than {max_length}",
        "too_short": "holds {size}, fewer than {min_length}" if size else "is empty",
        "greater_than_equal": "{value} is less than {ge:g}",
        "less_than_equal": "{value} is more than {le:g}",
    }
    return limits.get(kind, "cannot be used").format(size=size, value=show(value), **context)


def _got(value: Any, path: Path) -> str:
    return "" if _may_be_secret(path) else f", got {show(value)}"


def _may_be_secret(path: Path) -> bool:
    return path[0] == "channels" and (len(path) < 3 or path[2] in {"url", "secret"})


def show(value: Any) -> str:
    """A value for a message, short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int) and abs(value) > 10**20:
        return "a huge number"
    text = re.sub(r"//[^/@]*@", "//…@", str(value))  # a password in a URL is not repeated
    text = text if len(text) <= 60 else text[:57] + "…"
    return repr(text) if isinstance(value, str) else text


def _nearest(value: Any, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    near = get_close_matches(value.lower(), names, n=1) if isinstance(value, str) else []
    return f"did you mean {near[0]!r}?" if near else ""


def _nearest_key(path: Path) -> str:
    keys = list(_fields(path[:-1]))
    wanted = str(path[-1]).lower()
    near = [each for each in _SYNONYMS.get(wanted, ()) if each in keys] or get_close_matches(wanted, keys, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    if path[-1] in schema.EventTable.model_fields and "overrides" in path:
        return "it belongs to the whole event"
    for place, table in _HOMES.items():
        if path[-1] in table.model_fields:
            return f"it belongs to {place}"
    return f"keys here are {', '.join(keys)}" if len(keys) <= 12 else ""


def _example(path: Path, key: str) -> str:
    field = _fields(path).get(key)
    if field is None or not field.examples:
        return ""
    example = field.examples[0]
    quoted = f'"{example}"' if isinstance(example, str) and field.annotation is not date else example
    return f"such as {key} = {quoted}"


def _fields(path: Path) -> Mapping[str, Any]:
    """The keys that the table at ``path`` may have."""
    model: type[BaseModel] = schema.SourceFile
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = _table_in(model.model_fields[part].annotation) or model
    return model.model_fields


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _table_in(each))), None)
