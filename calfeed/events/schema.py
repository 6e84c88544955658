"""The shape of the TOML: every key, its type and bounds, and the words that editors and the manual show for it.

What a shape cannot say (an end before its start, a zone that does not exist) is checked by ``parse``.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, Tag

from calfeed.events import bounds
from calfeed.events.forms import (
    PLACE,
    TEXT,
    TRIMMED,
    Categories,
    Clock,
    Day,
    Degrees,
    Email,
    Feature,
    Id,
    Instant,
    Language,
    Leads,
    Length,
    Line,
    LineByLanguage,
    Moment,
    Moments,
    Quiet,
    Story,
    Title,
    Uri,
    Url,
    Zone,
)
from calfeed.events.model import ChannelKind, Status, Tba, Transparency, Visibility


class Table(BaseModel):
    """Any table of the source: no other keys, no conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class PersonTable(Table):
    """Who runs it."""

    name: Title = Field(description="Name of the person or body.", examples=["Organising committee"])
    email: Email | None = Field(None, description="Address for questions.", examples=["desk@example.org"])


class PlaceTable(Table):
    """Where it happens."""

    name: Title = Field(description="Name of the place.", examples=["Congress Hall"])
    address: Story | None = Field(
        None, description="Postal address, in one or more lines.", examples=["1 Main Street, Harbin"]
    )
    geo: Annotated[list[Degrees], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Latitude and longitude in degrees (WGS 84), in this order.", examples=[[45.77, 126.68]]
    )
    url: Url | None = Field(
        None, description="A page about the place, or a map.", examples=["https://example.org/hall"]
    )


class ConferenceTable(Table):
    """How to join from afar (RFC 7986 §5.11)."""

    uri: Uri = Field(
        description="Address to join: https, tel, sip, xmpp and the like.", examples=["https://example.org/live"]
    )
    label: Title | None = Field(None, description="What the link is called.", examples=["Live stream"])
    features: Annotated[list[Feature], Field(max_length=7)] | None = Field(
        None, description="What it carries (RFC 7986 §6.3).", examples=[["audio", "video"]]
    )


class SourceTable(Table):
    """Where the publisher has an event from."""

    title: Title = Field(description="Title of the document.", examples=["Programme of the visit"])
    url: Url | None = Field(None, description="Where it can be read.", examples=["https://example.org/programme"])
    published: Day | None = Field(None, description="The day it appeared.", examples=["2024-05-14"])


class CalendarTable(Table):
    """What this source describes. There is one such table, in one of the files."""

    id: Id = Field(
        description="Namespace of the UIDs of all events; never change it once published.",
        examples=["china-visit-2024"],
    )
    name: Title = Field(
        description="Name of the calendar, as clients list it.",
        examples=["State visit", {"en": "State visit", "zh": "国事访问"}],
    )
    description: Story | None = Field(
        None, description="What the calendar is about; CommonMark.", examples=["The programme, as announced."]
    )
    timezone: Zone = Field(description="IANA time zone of local date-times that name none.", examples=["Asia/Shanghai"])
    language: Language = Field(
        "en",
        description="Language (BCP 47) of texts that name none; also the one shown when a text lacks the reader's.",
        examples=["en", "zh-Hans"],
    )
    url: Url | None = Field(
        None,
        description="Where the page lives in public; CALFEED_BASE_URL wins over it.",
        examples=["https://calendar.example.org"],
    )
    color: Annotated[str, StringConstraints(max_length=30)] | None = Field(
        None, description="A CSS3 colour name.", examples=["crimson"]
    )
    refresh: Length = Field("1h", description="How often clients are asked to poll.", examples=["1h", "1d"])
    tombstone: Length = Field(
        "30d", description="How long a removed event stays in feeds as cancelled.", examples=["30d"]
    )
    all_day_at: Clock = Field("09:00", description="Local time at which all-day items remind.", examples=["09:00"])
    organizer: PersonTable | None = Field(
        None,
        description="Organizer of the events that name none.",
        examples=[{"name": "Organising committee", "email": "desk@example.org"}],
    )


class FeedTable(Table):
    """A named selection of events with a URL of its own. The feed `all` is always there."""

    id: Id = Field(description="Name in the feed's URL.", examples=["expo"])
    name: Title | None = Field(
        None,
        description="Name of the feed, as clients list it; default: the id, for `all` the calendar's name.",
        examples=["EXPO programme"],
    )
    categories: Categories | None = Field(
        None, description="Events with any of these categories; default: all events.", examples=[["expo"]]
    )
    exclude: Categories | None = Field(None, description="But none with one of these.", examples=[["protocol"]])
    visibility: Visibility = Field(
        "public",
        description="`public`, `unlisted` (served, but not shown) or `private` (served only under a secret link).",
        examples=["public"],
    )


class Happening(Table):
    """What an event and an override of one occurrence may both say."""

    description: Story | None = Field(
        None, description="CommonMark; plain text in feeds, sanitised HTML on the page.", examples=["With *music*."]
    )
    end: Moment | None = Field(
        None,
        description="All-day: the last day, inclusive. Else the instant it ends. Not together with `duration`.",
        examples=["2024-05-17", "2024-05-17T12:00:00"],
    )
    duration: Length | None = Field(
        None,
        description="How long it takes, instead of `end`; whole days for an all-day event.",
        examples=["2h", "1h30m", "2d"],
    )
    timezone: Zone | None = Field(
        None, description="IANA time zone of this event; default: the calendar's.", examples=["Asia/Shanghai"]
    )
    tba: Tba | None = Field(
        None,
        description="To be announced: `time` (the day is known, not the hour) or `date` (some day from start to end).",
        examples=["time"],
    )
    status: Status | None = Field(
        None, description="`confirmed`, `tentative` or `cancelled`; default: `confirmed`.", examples=["tentative"]
    )
    location: (
        Annotated[
            Annotated[Line, Tag(TEXT)] | LineByLanguage | Annotated[PlaceTable, Tag(PLACE)],
            Field(union_mode="left_to_right"),
        ]
        | None
    ) = Field(
        None,
        description="Where: a text, or a table with name, address, geo and url.",
        examples=["Congress Hall", {"name": "Congress Hall", "geo": [45.77, 126.68]}],
    )
    categories: Categories | None = Field(
        None, description="What feeds, channels and readers select by.", examples=[["expo"]]
    )
    url: Url | None = Field(None, description="A page about the event.", examples=["https://example.org/opening"])
    image: Url | None = Field(
        None, description="A picture for the event.", examples=["https://example.org/opening.jpg"]
    )
    conference: Annotated[list[ConferenceTable], Field(max_length=bounds.LINKS)] | None = Field(
        None,
        description="How to join from afar.",
        examples=[[{"uri": "https://example.org/live", "label": "Live stream", "features": ["video"]}]],
    )
    organizer: PersonTable | None = Field(
        None, description="Who runs it; default: the calendar's organizer.", examples=[{"name": "Organising committee"}]
    )
    contact: Story | None = Field(
        None, description="Whom to ask, in free text.", examples=["Press desk, desk@example.org"]
    )
    attach: Annotated[list[Url], Field(max_length=bounds.LINKS)] | None = Field(
        None, description="Documents that belong to it.", examples=[["https://example.org/programme.pdf"]]
    )
    sources: Annotated[list[SourceTable], Field(max_length=bounds.LINKS)] | None = Field(
        None,
        description="Where the publisher has it from.",
        examples=[[{"title": "Programme", "url": "https://example.org/programme", "published": "2024-05-14"}]],
    )
    transparency: Transparency | None = Field(
        None, description="`opaque` blocks the reader's time, `transparent` (default) does not.", examples=["opaque"]
    )
    priority: Annotated[int, Field(ge=0, le=9)] | None = Field(
        None, description="1 (highest) to 9 (lowest); 0 says nothing (RFC 5545 §3.8.1.9).", examples=[5]
    )
    remind: Leads | None = Field(
        None,
        description="Lead times of this event, in place of the channels' own; [] for none.",
        examples=[["1d", "1h"], []],
    )


class OverrideTable(Happening):
    """One occurrence that differs from the rule. Every key left out is the event's own."""

    recurrence_id: Moment = Field(
        description="Which occurrence: the start that the rule gives it, in the form of the event's `start`.",
        examples=["2024-06-03T10:00:00"],
    )
    summary: Title | None = Field(None, description="Title of this occurrence.", examples=["Guest lecture"])
    start: Moment | None = Field(
        None,
        description="When it happens instead; the length is kept unless `end` or `duration` says otherwise.",
        examples=["2024-06-03T15:00:00"],
    )


class EventTable(Happening):
    """One entry of the calendar; may recur."""

    id: Id = Field(
        description="The publisher's handle, part of the event's URL and source of its UID: never change it.",
        examples=["expo-opening"],
    )
    summary: Title = Field(description="Title.", examples=["Opening of the EXPO", {"en": "Opening", "ru": "Открытие"}])
    start: Moment = Field(
        description="A date (all-day), a local date-time in the event's zone, or a date-time with an offset.",
        examples=["2024-05-17", "2024-05-17T10:00:00", "2024-05-17T10:00:00+08:00"],
    )
    parent: Id | None = Field(
        None, description="Id of the event that this one is part of (RELATED-TO).", examples=["visit"]
    )
    visibility: Visibility = Field("public", description="`public`, `unlisted` or `private`.", examples=["public"])
    embargo: Instant | None = Field(
        None, description="Not served in public before this instant.", examples=["2024-05-15T08:00:00+08:00"]
    )
    rrule: Annotated[str, StringConstraints(max_length=bounds.RRULE, pattern=TRIMMED)] | None = Field(
        None, description="Recurrence rule (RFC 5545 §3.3.10).", examples=["FREQ=WEEKLY;COUNT=4"]
    )
    rdate: Moments | None = Field(
        None, description="Further starts, in the form of `start`.", examples=[["2024-06-05T10:00:00"]]
    )
    exdate: Moments | None = Field(
        None,
        description="Starts that the rule gives but that do not happen, in the form of `start`.",
        examples=[["2024-06-10T10:00:00"]],
    )
    uid: Annotated[str, StringConstraints(max_length=bounds.UID, pattern=TRIMMED)] | None = Field(
        None,
        description="Only to keep the UID of an imported or renamed event.",
        examples=["9f0b1c1e-6f5c-5c1e-8f5e-0d6f4f5b7a10"],
    )
    overrides: Annotated[list[OverrideTable], Field(max_length=bounds.OVERRIDES)] | None = Field(
        None, description="Occurrences that differ from the rule."
    )


class ChannelTable(Table):
    """A place that reminders go to."""

    id: Id = Field(description="Name of the channel in commands and in the ledger.", examples=["newsroom"])
    kind: ChannelKind = Field(description=f"One of `{'`, `'.join(get_args(ChannelKind))}`.", examples=["slack"])
    url: Annotated[str, StringConstraints(max_length=bounds.URL, pattern=TRIMMED)] = Field(
        description="Where to send: `env:NAME` or `file:PATH` that holds the URL. A literal URL draws a warning.",
        examples=["env:NEWSROOM_SLACK_URL", "file:/run/secrets/slack"],
    )
    secret: Annotated[str, StringConstraints(max_length=bounds.URL, pattern=TRIMMED)] | None = Field(
        None,
        description="Webhook only: where the Standard Webhooks signing secret (whsec_…) is.",
        examples=["env:NEWSROOM_SECRET"],
    )
    categories: Categories | None = Field(
        None, description="Events with any of these categories; default: all.", examples=[["expo"]]
    )
    exclude: Categories | None = Field(None, description="But none with one of these.", examples=[["protocol"]])
    before: Leads | None = Field(
        None, description="Lead times; default: a day and an hour.", examples=[["1d", "1h", "10m"]]
    )
    language: Language | None = Field(
        None, description="Language of the messages; default: the calendar's.", examples=["zh"]
    )
    timezone: Zone | None = Field(
        None, description="The time zone that messages show first; default: the event's.", examples=["Europe/Moscow"]
    )
    changes: bool = Field(
        default=True, description="Tell of moved, cancelled, restored and confirmed events.", examples=[True]
    )
    digest: Clock | None = Field(
        None, description="One message with the day's items at this time, on days that have some.", examples=["08:00"]
    )
    quiet: Quiet | None = Field(
        None,
        description="Messages are held until these hours end, unless the item would have begun by then.",
        examples=["22:00-07:00"],
    )


class SourceFile(Table):
    """One TOML file of a source."""

    calendar: CalendarTable | None = None
    feeds: Annotated[list[FeedTable], Field(max_length=bounds.FEEDS)] = Field(
        default=[], description="Selections of events, each with a URL of its own."
    )
    events: Annotated[list[EventTable], Field(max_length=bounds.EVENTS)] = Field(
        default=[], description="The event list."
    )
    channels: Annotated[list[ChannelTable], Field(max_length=bounds.CHANNELS)] = Field(
        default=[], description="Where reminders go."
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema of one source file, for editors (Taplo's ``#:schema``)."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "calfeed event list"}
    return {**dialect, **_without_null(SourceFile.model_json_schema())}


def _without_null(node: Any) -> Any:
    """What pydantic writes, less what TOML does not have (null) and what only repeats the key's name (title)."""
    if isinstance(node, list):
        return [_without_null(each) for each in node if each != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    kept = {
        key: value if key in {"examples", "default"} else _without_null(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    forms = kept.get("anyOf", [])
    return {**kept.pop("anyOf")[0], **kept} if len(forms) == 1 else kept
