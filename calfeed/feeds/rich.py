"""``rich=1``: what RFC 9073 adds to a VEVENT, for the readers that know it.

Only when asked for: calcurse and ts-ics show a PARTICIPANT's words as the event's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

from calfeed.events.model import Event
from calfeed.feeds.jsonld import event_jsonld
from calfeed.feeds.markdown import html
from calfeed.feeds.properties import Component, Property, one_line, text_property
from calfeed.feeds.prose import degrees
from calfeed.feeds.style import Style
from calfeed.feeds.text import mailto, uri


def enrich(component: Component, event: Event, style: Style) -> None:
    """Adds the styled description, the structured data, the place and the people."""
    if event.description is not None:
        component.properties = [_derived(each) for each in component.properties]
        styled = html(event.description.get(style.language))
        params = (("FMTTYPE", "text/html"), ("VALUE", "TEXT"))
        component.properties.append(
            text_property("STYLED-DESCRIPTION", event.description, style.tongues, styled, params)
        )
    data = json.dumps(event_jsonld(event, base_url=style.base_url, language=style.language), ensure_ascii=False)
    schema = (("FMTTYPE", "application/ld+json"), ("SCHEMA", "https://schema.org/Event"), ("VALUE", "TEXT"))
    component.properties.append(("STRUCTURED-DATA", data, "text", schema))
    component.components += [*_location(event, style), *_participants(event, style)]


def _derived(each: Property) -> Property:
    """Beside a STYLED-DESCRIPTION, DESCRIPTION is its derivative (RFC 9073 §6.5)."""
    name, value, kind, params = each
    return (name, value, kind, (*params, ("DERIVED", "TRUE"))) if name == "DESCRIPTION" else each


def _location(event: Event, style: Style) -> Iterator[Component]:
    place = event.location
    if place is None:
        return
    found: list[Property] = [
        ("UID", _uid(event, "location"), "text", ()),
        text_property("NAME", place.name, style.tongues, one_line(place.name.get(style.language))),
    ]
    if place.address is not None:
        found.append(text_property("DESCRIPTION", place.address, style.tongues))
    if place.geo is not None:
        found.append(("GEO", f"{degrees(place.geo[0])};{degrees(place.geo[1])}", "float", ()))
    if place.url is not None:
        found.append(("URL", uri(place.url), "uri", ()))
    yield Component("VLOCATION", found)


def _participants(event: Event, style: Style) -> Iterator[Component]:
    person = event.organizer
    if person is not None:
        found: list[Property] = [
            ("UID", _uid(event, "organizer"), "text", ()),
            ("PARTICIPANT-TYPE", "PLANNER-CONTACT", "text", ()),
            text_property("SUMMARY", person.name, style.tongues, one_line(person.name.get(style.language))),
        ]
        if person.email:
            found.append(("CALENDAR-ADDRESS", mailto(person.email), "cal-address", ()))
        yield Component("PARTICIPANT", found)
    if event.contact is not None:
        yield Component(
            "PARTICIPANT",
            [
                ("UID", _uid(event, "contact"), "text", ()),
                ("PARTICIPANT-TYPE", "CONTACT", "text", ()),
                text_property("SUMMARY", event.contact, style.tongues),
            ],
        )


def _uid(event: Event, what: str) -> str:
    return str(uuid5(uuid5(NAMESPACE_URL, f"calfeed:{event.uid}"), what))
