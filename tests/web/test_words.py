"""The interface speaks English, Russian and Chinese, and says the same in each."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from babel import Locale

from calfeed.web.words import INTERFACE, Words, interface_language, locale


def table(language: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("calfeed.web").joinpath("i18n", f"{language}.json").read_text("utf-8"))
    return loaded


def slots(text: Any) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", json.dumps(text)))


@pytest.mark.parametrize("language", INTERFACE)
def test_each_language_has_every_phrase_with_the_same_slots(language: str) -> None:
    """No reader meets another language's words, nor a phrase that lacks what is filled in."""
    ours, reference = table(language), table("en")
    assert {key: slots(text) for key, text in ours.items()} == {key: slots(text) for key, text in reference.items()}


@pytest.mark.parametrize("language", INTERFACE)
def test_each_plural_has_the_forms_of_its_language(language: str) -> None:
    """CLDR's cardinal categories, whole numbers only."""
    forms = {Locale.parse(language).plural_form(number) for number in range(200)} | {"other"}
    plurals = {key: set(text) for key, text in table(language).items() if not isinstance(text, str)}
    assert plurals == dict.fromkeys(plurals, forms)


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 event found"),
        ("ru", 3, "Найдено 3 события"),
        ("ru", 11, "Найдено 11 событий"),
        ("zh", 2, "找到 2 项活动"),
    ],
)
def test_plurals_are_picked(language: str, count: int, said: str) -> None:
    assert Words(language)("found", count=count) == said


@pytest.mark.parametrize(("tag", "language"), [("zh-Hans", "zh"), ("RU", "ru"), ("fr", "en"), ("", "en")])
def test_other_languages_read_the_nearest(tag: str, language: str) -> None:
    assert interface_language(tag) == language


@pytest.mark.parametrize(
    ("tag", "name"), [("en", "en_GB"), ("zh", "zh_Hans_CN"), ("fr-CA", "fr_CA"), ("xx", "en_GB"), ("1", "en_GB")]
)
def test_dates_have_a_locale_for_every_tag(tag: str, name: str) -> None:
    assert str(locale(tag)) == name
