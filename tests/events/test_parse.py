"""Tables to a Catalog: what each key becomes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pytest

from calfeed.errors import Location, SourceError
from calfeed.events.model import (
    Calendar,
    Catalog,
    Channel,
    Conference,
    Duration,
    Event,
    Feed,
    Person,
    Place,
    Source,
    Text,
)
from calfeed.events.parse import load

GOLDEN = Path(__file__).parents[1] / "golden" / "toml"
SHANGHAI, PARIS, MOSCOW = (ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Paris", "Europe/Moscow"))
HEAD = '[calendar]\nid = "test"\nname = "Test"\ntimezone = "Europe/Paris"\n'


def english(text: str) -> Text:
    return Text((("en", text),))


def one(text: str) -> Event:
    """The single event of a calendar in Paris with these keys."""
    (event,) = load([("events.toml", f'{HEAD}[[events]]\nid = "one"\nsummary = "One"\n{text}')]).events
    return event


COMMITTEE = Person(english("Organising committee"), "desk@example.org")
NAME = Text((("en", "Everything"), ("ru", "Всё"), ("zh-Hans", "一切")))
COURSE = Event(
    id="course",
    uid="00cb6470-dac7-56fd-ad2a-e559e4d9922b",
    summary=english("Course"),
    start=datetime(2024, 3, 25, 10, tzinfo=PARIS),
    end=datetime(2024, 3, 25, 11, 30, tzinfo=PARIS),
    timezone="Europe/Paris",
    location=Place(english("Room 1")),
    organizer=COMMITTEE,
    rrule="FREQ=WEEKLY;COUNT=4",
    rdate=(datetime(2024, 3, 26, 10, tzinfo=PARIS), datetime(2024, 3, 27, 10, tzinfo=PARIS)),
    exdate=(datetime(2024, 4, 1, 10, tzinfo=PARIS),),
    remind=(),
    overrides=(
        Event(
            id="course",
            uid="00cb6470-dac7-56fd-ad2a-e559e4d9922b",
            summary=english("Guest lecture"),
            start=datetime(2024, 4, 9, 15, tzinfo=MOSCOW),
            end=datetime(2024, 4, 9, 16, 30, tzinfo=MOSCOW),
            timezone="Europe/Moscow",
            location=Place(english("Room 1")),
            organizer=COMMITTEE,
            remind=(),
            recurrence_id=datetime(2024, 4, 8, 10, tzinfo=PARIS),
        ),
        Event(
            id="course",
            uid="00cb6470-dac7-56fd-ad2a-e559e4d9922b",
            summary=english("Course"),
            start=datetime(2024, 4, 15, 10, tzinfo=PARIS),
            end=datetime(2024, 4, 15, 11, 30, tzinfo=PARIS),
            timezone="Europe/Paris",
            status="cancelled",
            location=Place(english("Room 1")),
            organizer=COMMITTEE,
            remind=(),
            recurrence_id=datetime(2024, 4, 15, 10, tzinfo=PARIS),
        ),
    ),
)
OPENING = Event(
    id="expo-opening",
    uid="6596699e-ad58-5216-8f62-e41fd4854943",
    summary=english("Opening"),
    start=datetime(2024, 5, 17, 10, tzinfo=SHANGHAI),
    end=datetime(2024, 5, 17, 12, 30, tzinfo=SHANGHAI),
    timezone="Asia/Shanghai",
    description=english("With *music*.\n\nAnd dance."),
    status="tentative",
    location=Place(
        name=english("Hall"),
        address=english("1 Main Street\nHarbin"),
        geo=(45.77, 126.68),
        url="https://example.org/%D0%B7%D0%B0%D0%BB?q=%C3%BC#%C3%A9",
    ),
    categories=("expo", "protocol"),
    url="https://xn--e1afmkfd.xn--p1ai/expo",
    image="https://example.org/opening.jpg",
    conference=(
        Conference("https://example.org/live", english("Live"), ("video", "audio")),
        Conference("tel:+7-495-000-00-00"),
    ),
    organizer=Person(english("Expo office")),
    contact=english("Press desk"),
    attach=("https://example.org/programme.pdf",),
    sources=(Source(english("Programme"), "https://example.org/p", date(2024, 5, 14)),),
    parent="visit@example.org",
    transparency="opaque",
    embargo=datetime(2024, 5, 15, tzinfo=UTC),
    priority=5,
    remind=(Duration(days=1), Duration(seconds=3600)),
)
EVERYTHING = Catalog(
    calendar=Calendar(
        id="everything",
        name=NAME,
        description=english("All of it."),
        timezone="Asia/Shanghai",
        language="en",
        url="https://calendar.example.org/",
        color="crimson",
        refresh=Duration(seconds=7200),
        tombstone=Duration(days=7),
        all_day_at=time(8, 30),
        organizer=COMMITTEE,
    ),
    events=(
        Event(
            id="visit",
            uid="visit@example.org",
            summary=Text((("en", "Visit"), ("zh", "访问"))),
            start=date(2024, 5, 16),
            end=date(2024, 5, 18),
            timezone="Asia/Shanghai",
            tba="date",
            organizer=COMMITTEE,
        ),
        OPENING,
        COURSE,
    ),
    feeds=(
        Feed(id="all", name=NAME, visibility="private"),
        Feed(id="expo", name=english("Expo"), categories=("expo",), exclude=("protocol",), visibility="unlisted"),
    ),
    channels=(
        Channel(
            id="newsroom",
            kind="webhook",
            url="env:HOOK_URL",
            secret="file:/run/secrets/hook",
            categories=("expo",),
            exclude=("protocol",),
            before=(Duration(days=1), Duration(seconds=3600), Duration(seconds=600)),
            language="zh",
            timezone="Europe/Moscow",
            changes=False,
            digest=time(8),
            quiet=(time(22), time(7)),
        ),
    ),
)


@pytest.mark.parametrize(
    ("asked", "given"),
    [("zh-Hans-CN", "zh-Hans"), ("zh-hans", "zh-Hans"), ("ru-RU", "ru"), ("zh-Hant", "en"), ("z", "en"), (None, "en")],
)
def test_a_text_is_found_in_the_next_wider_language(asked: str | None, given: str) -> None:
    assert NAME.pick(asked)[0] == given


def test_every_key_becomes_its_value() -> None:
    """everything.toml, which has every key, is this Catalog; its texts begin with the calendar's language."""
    catalog = load([("everything.toml", (GOLDEN / "everything.toml").read_bytes())])
    assert catalog == EVERYTHING
    assert catalog.warnings == ()


def test_everything_knows_its_line() -> None:
    """The calendar, feeds, events, overrides and channels carry the place of their header."""
    catalog = load([("everything.toml", (GOLDEN / "everything.toml").read_bytes())])
    course = catalog.by_id["course"]
    found = [catalog.calendar, *catalog.feeds, *catalog.events, *course.overrides, *catalog.channels]
    assert [each.source for each in found] == [
        Location("everything.toml", line, 1) for line in (2, 24, 17, 28, 36, 59, 75, 71, 81)
    ]


def test_the_least_a_calendar_needs() -> None:
    """An id, a name and a zone; the feed `all` is there without being written, under the calendar's name."""
    catalog = load([("events.toml", HEAD)])
    calendar = Calendar(id="test", name=english("Test"), timezone="Europe/Paris")
    assert catalog == Catalog(calendar=calendar, feeds=(Feed(id="all", name=english("Test")),))


def test_a_feed_without_name_is_called_by_its_id() -> None:
    """`all` keeps the calendar's name."""
    catalog = load([("events.toml", f'{HEAD}[[feeds]]\nid = "expo"\n[[feeds]]\nid = "all"\n')])
    assert [(feed.id, feed.name) for feed in catalog.feeds] == [("all", english("Test")), ("expo", english("expo"))]


def test_a_folder_is_one_source() -> None:
    """Files in the order given; references go between them; each event knows its file."""
    first = HEAD + '[[events]]\nid = "part"\nsummary = "Part"\nstart = 2024-05-16\nparent = "whole"\n'
    second = '\n[[events]]\nid = "whole"\nsummary = "Whole"\nstart = 2024-05-16\n'
    catalog = load([("a.toml", first), ("b.toml", second)])
    assert [(event.id, str(event.source)) for event in catalog.events] == [
        ("part", "a.toml:5:1"),
        ("whole", "b.toml:2:1"),
    ]
    assert catalog.events[0].parent == catalog.events[1].uid


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("start = 2024-05-16", date(2024, 5, 16), date(2024, 5, 17)),
        ("start = 2024-05-16\nend = 2024-05-16", date(2024, 5, 16), date(2024, 5, 17)),
        ("start = 2024-05-16\nend = 2024-05-17", date(2024, 5, 16), date(2024, 5, 18)),
        ("start = 2024-05-16\nduration = '1w'", date(2024, 5, 16), date(2024, 5, 23)),
        ("start = 2024-05-16T10:00", datetime(2024, 5, 16, 10, tzinfo=PARIS), None),
        ("start = 2024-05-16 10:00:00Z", datetime(2024, 5, 16, 12, tzinfo=PARIS), None),
        (
            "start = 2024-05-16T10:00:00\nend = 2024-05-16T09:30:00Z",
            datetime(2024, 5, 16, 10, tzinfo=PARIS),
            datetime(2024, 5, 16, 11, 30, tzinfo=PARIS),
        ),
        (  # a nominal day over the change to summer time, then an exact hour (RFC 5545 §3.3.6)
            "start = 2024-03-30T10:00:00\nduration = '1d1h'",
            datetime(2024, 3, 30, 10, tzinfo=PARIS),
            datetime(2024, 3, 31, 11, tzinfo=PARIS),
        ),
        (  # 24 exact hours end an hour later on the clock
            "start = 2024-03-30T10:00:00\nduration = '24h'",
            datetime(2024, 3, 30, 10, tzinfo=PARIS),
            datetime(2024, 3, 31, 11, tzinfo=PARIS),
        ),
        (  # an offset chooses between the two readings of a repeated hour
            "start = 2024-10-27T02:30:00+02:00\nend = 2024-10-27T02:30:00+01:00",
            datetime(2024, 10, 27, 2, 30, tzinfo=PARIS),
            datetime(2024, 10, 27, 2, 30, tzinfo=PARIS, fold=1),
        ),
    ],
)
def test_from_when_to_when(text: str, start: date, end: date | None) -> None:
    """Inclusive last days become exclusive ends, local times are of the event's zone, days are nominal, hours exact."""
    event = one(text)
    assert (event.start, event.end) == (start, end)
    assert [getattr(each, "fold", 0) for each in (event.start, event.end)] == [
        getattr(each, "fold", 0) for each in (start, end)
    ]


@pytest.mark.parametrize(
    ("override", "start", "end", "tba"),
    [
        ("status = 'cancelled'", date(2024, 5, 20), date(2024, 5, 22), "time"),
        ("start = 2024-05-22", date(2024, 5, 22), date(2024, 5, 24), "time"),
        ("end = 2024-05-20", date(2024, 5, 20), date(2024, 5, 21), "time"),
        ("start = 2024-05-22T10:00:00", datetime(2024, 5, 22, 10, tzinfo=PARIS), None, None),
        (
            "start = 2024-05-22T10:00:00\nduration = '1h'",
            datetime(2024, 5, 22, 10, tzinfo=PARIS),
            datetime(2024, 5, 22, 11, tzinfo=PARIS),
            None,
        ),
    ],
)
def test_an_override_keeps_what_it_does_not_say(override: str, start: date, end: date | None, tba: str | None) -> None:
    """Its length is the event's while both are of days; once its hour is known, that is no longer to be announced."""
    rule = 'start = 2024-05-13\nend = 2024-05-14\ntba = "time"\nrrule = "FREQ=WEEKLY;COUNT=3"\n'
    (changed,) = one(f"{rule}[[events.overrides]]\nrecurrence_id = 2024-05-20\n{override}\n").overrides
    assert (changed.start, changed.end, changed.tba) == (start, end, tba)
    assert (changed.recurrence_id, changed.rrule, changed.summary) == (date(2024, 5, 20), None, english("One"))


def test_a_way_to_join_is_a_uri_whatever_is_pasted() -> None:
    """RFC 3986 knows ASCII alone; what is encoded already stays as it is."""
    uris = ["xmpp:зал@example.org", "sip:desk%20one@example.org;transport=tcp?subject=[x]#y"]
    entries = ", ".join(f'{{ uri = "{uri}" }}' for uri in uris)
    text = f'{HEAD}[[events]]\nid = "a"\nsummary = "A"\nstart = 2024-05-17\nconference = [{entries}]\n'
    (event,) = load([("e.toml", text)]).events
    assert [each.uri for each in event.conference] == ["xmpp:%D0%B7%D0%B0%D0%BB@example.org", uris[1]]


def test_a_zero_is_a_zero() -> None:
    """Both are equal, so an edit from one to the other is no revision: they must be written alike."""
    text = (
        f'{HEAD}[[events]]\nid = "a"\nsummary = "A"\nstart = 2024-05-17\nlocation = {{ name = "X", geo = [-0.0, 0] }}\n'
    )
    (event,) = load([("e.toml", text)]).events
    assert event.location is not None
    assert str(event.location.geo) == "(0.0, 0.0)"


def test_a_uid_is_of_the_calendar_and_the_id() -> None:
    """uuid5(uuid5(NAMESPACE_URL, "calfeed:" + calendar.id), event.id), whatever else changes."""
    assert one("start = 2024-05-16").uid == one('start = 2025-01-01\ndescription = "Moved"').uid
    assert one("start = 2024-05-16").uid == str(uuid5(uuid5(NAMESPACE_URL, "calfeed:test"), "one"))


def test_warnings_do_not_stop_a_source() -> None:
    """They come with the Catalog, in file order."""
    text = HEAD + '[[feeds]]\nid = "expo"\ncategories = ["expo"]\n[[channels]]\nid = "c"\nkind = "slack"\n'
    catalog = load([("events.toml", text + 'url = "https://hooks.example.org/HIDDEN"\n')])
    assert [str(each) for each in catalog.warnings] == [
        "events.toml:7:15: warning: feeds[0].categories[0]: no event has the category 'expo'",
        (
            "events.toml:11:1: warning: channels[0].url: a literal URL is a secret that everyone reads "
            "who reads this file (write env:NAME or file:PATH)"
        ),
    ]


def test_a_category_is_not_missed_where_its_event_may_be_the_one_with_a_fault() -> None:
    text = HEAD + '[[feeds]]\nid = "expo"\ncategories = ["expo"]\n'
    event = '[[events]]\nid = "one"\nsummary = "One"\nstart = "soon"\ncategories = ["expo"]\n'
    with pytest.raises(SourceError) as raised:
        load([("events.toml", text + event)])
    assert [each.path for each in raised.value.problems] == ["events[0].start"]


def test_no_file_at_all() -> None:
    """An empty folder is a problem, too."""
    with pytest.raises(SourceError, match="there is no TOML file to read"):
        load([])
