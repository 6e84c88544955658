"""Strategies for every value of the model, registered by type: ``st.from_type(Event)``, ``st.from_type(Catalog)``.

They make what `calfeed.events.parse` could have made: all-day and timed events in many zones, at both readings of a
repeated hour, to be announced, recurring with extra dates, exceptions and overrides, with texts of any script.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from calfeed.events.model import (
    ALL,
    Calendar,
    Catalog,
    Conference,
    Duration,
    Event,
    Feed,
    Moment,
    Person,
    Place,
    Source,
    Text,
)
from calfeed.events.occurrences import check_rule, length, occurrences
from calfeed.events.rules import WEEKDAYS, canonical_rule
from calfeed.feeds.markdown import plain

ZONES = (
    "Asia/Shanghai",
    "Europe/Moscow",
    "Europe/Paris",
    "America/New_York",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Nuuk",
    "Europe/Dublin",
    "Pacific/Apia",
    "UTC",
)
LANGUAGES = ("en", "ru", "zh", "zh-Hant", "pt-BR", "ar")
CATEGORIES = ("expo", "protocol", "culture", "вузы", "教育", 'R&D; "50 %" | 50:50', "a\\b")
FIRST_DAY, LAST_DAY = date(1901, 1, 5), date(2195, 12, 31)

_FORBIDDEN = "\u2028\u2029\ufffe\uffff"
_SPECIAL = (
    "\\",
    ";",
    ",",
    ":",
    '"',
    "\\n",
    "&amp;",
    "<b>",
    "*",
    "_",
    "\u200f",
    "👩‍👩‍👧",
    "e\u0301",
    "é" * 40,
    "中" * 30,
)
_characters = st.characters(codec="utf-8", exclude_categories=("Cc",), exclude_characters=_FORBIDDEN)
_pieces = st.lists(st.one_of(st.text(_characters, max_size=12), st.sampled_from(_SPECIAL)), min_size=1, max_size=6)
lines = _pieces.map(lambda parts: "".join(parts).strip() or "…")
prose = st.lists(st.one_of(lines, st.just("")), min_size=1, max_size=4).map(lambda each: "\n".join(each).strip() or "…")
urls = st.text("abcdefghij0123456789-._~/%2C;,=&", max_size=100).map(lambda path: f"https://example.org/{path}")


_IN_KEYS = ("|", "/", "%", "?", "#", "&", ";", ",", ":", "'", '"', "^", "@example.org", "urn:uuid:", "  ", "..")
"""What joins the parts of composed keys, addresses and lines somewhere."""
_odd_uids = (
    st.lists(st.one_of(_pieces.map("".join), st.sampled_from(_IN_KEYS)), min_size=1, max_size=20)
    .map(lambda parts: "".join(parts)[:255].strip())
    .filter(bool)
)
uids = st.one_of(st.uuids().map(str), _odd_uids)
"""What the schema takes: one line of 255 characters, whatever they are."""
ids = st.one_of(
    st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}(\.[A-Za-z0-9_-]{1,9}){0,3}", fullmatch=True).filter(
        lambda name: not name.lower().endswith((".ics", ".json", ".jcal", ".jscal", ".atom", ".html", ".xml", ".gz"))
    ),
)


def texts(parts: st.SearchStrategy[str] = lines) -> st.SearchStrategy[Text]:
    """A text in one to three languages."""
    tags = st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=3, unique=True)
    return tags.flatmap(lambda found: st.tuples(*(st.tuples(st.just(tag), parts) for tag in found))).map(Text)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """None, most of the time."""
    return st.one_of(st.none(), st.none(), strategy)


places = st.builds(
    Place,
    name=texts(),
    address=maybe(texts(prose)),
    geo=maybe(st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
    url=maybe(urls),
)
emails = [
    "desk@example.org",
    "press@example.com",
    "пресса@example.org",
    "a?b%c#d&e=/f@example.org",
    "o'h+ara@example.org",
]
people = st.builds(Person, name=texts(), email=maybe(st.sampled_from(emails)))
conferences = st.builds(
    Conference,
    uri=st.one_of(urls, st.just("tel:+10000000000")),
    label=maybe(texts()),
    features=st.lists(st.sampled_from(["audio", "chat", "video"]), max_size=2, unique=True).map(tuple),
)
sources = st.builds(Source, title=texts(), url=maybe(urls), published=maybe(st.dates(FIRST_DAY, LAST_DAY)))
leads = st.builds(Duration, days=st.integers(0, 30), seconds=st.integers(0, 90_000))
days = st.one_of(*[st.dates(date(1995, 1, 1), date(2060, 12, 31))] * 3, st.dates(FIRST_DAY, LAST_DAY))


def few(strategy: st.SearchStrategy, most: int = 2) -> st.SearchStrategy[tuple]:
    """A short tuple without repeats, often empty."""
    return st.one_of(st.just(()), st.lists(strategy, max_size=most, unique=True).map(tuple))


@st.composite
def instants(draw: st.DrawFn, timezone: str, near: date | None = None) -> datetime:
    """A local time that exists in the zone, on either reading of a repeated hour."""
    day = draw(days) if near is None else draw(st.dates(near, near + timedelta(days=60)))
    clock = draw(st.one_of(st.times(), st.sampled_from([time(0), time(1, 30), time(2), time(2, 30), time(23, 59, 59)])))
    local = datetime.combine(day, clock.replace(microsecond=0, tzinfo=None, fold=draw(st.integers(0, 1))))
    return local.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC).astimezone(ZoneInfo(timezone))


details = st.fixed_dictionaries(
    {
        "summary": texts(),
        "status": st.sampled_from(["confirmed", "confirmed", "tentative", "cancelled"]),
        "transparency": st.sampled_from(["transparent", "opaque"]),
    },
    optional={
        "description": texts(prose),
        "location": places,
        "categories": few(st.sampled_from(CATEGORIES), 3),
        "url": urls,
        "image": urls,
        "conference": few(conferences),
        "organizer": people,
        "contact": texts(prose),
        "attach": few(urls),
        "sources": few(sources),
        "priority": st.integers(0, 9),
        "remind": few(leads),
    },
)


@st.composite
def rules(draw: st.DrawFn, start: Moment) -> str:
    """A canonical rule that ``start`` is the first date of."""
    freq = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] + ["HOURLY"] * isinstance(start, datetime)))
    weekday, which = WEEKDAYS[start.weekday()], (start.day - 1) // 7 + 1
    choices = {
        "YEARLY": ["", f"BYMONTH={start.month};BYDAY={which}{weekday}", f"BYYEARDAY={start.timetuple().tm_yday}"],
        "MONTHLY": ["", f"BYMONTHDAY={start.day}", f"BYDAY={which}{weekday}", f"BYDAY={weekday};BYSETPOS={which}"],
        "WEEKLY": ["", f"BYDAY=MO,{weekday}", f"BYDAY={weekday};WKST=SU"],
        "DAILY": ["", f"BYMONTH={start.month}"],
        "HOURLY": ["", f"BYMINUTE={start.minute}" if isinstance(start, datetime) else ""],
    }[freq]
    ends = ["", f"COUNT={draw(st.integers(1, 40))}"]
    if isinstance(start, datetime):
        ends.append(f"UNTIL={start.astimezone(UTC) + timedelta(days=draw(st.integers(0, 900))):%Y%m%dT%H%M%SZ}")
    else:
        ends.append(f"UNTIL={start + timedelta(days=draw(st.integers(0, 900))):%Y%m%d}")
    interval = f"INTERVAL={draw(st.integers(1, 5))}"
    parts = (f"FREQ={freq}", interval, draw(st.sampled_from(choices)), draw(st.sampled_from(ends)))
    return canonical_rule(";".join(filter(None, parts)), start)


@st.composite
def events(draw: st.DrawFn, *, recurring: bool | None = None) -> Event:
    """Any event; ``recurring`` True or False fixes whether it recurs."""
    timezone = draw(st.sampled_from(ZONES))
    event = draw(st.one_of(_all_day(timezone), _timed(timezone)))
    event = replace(
        event, **draw(details), visibility=draw(st.sampled_from(["public", "public", "unlisted", "private"]))
    )
    if draw(st.integers(0, 9)) == 0:
        event = replace(event, embargo=draw(instants("UTC")).astimezone(UTC), parent=draw(uids))
    recurs = recurring if recurring is not None else draw(st.booleans()) and not event.tba
    return draw(_recurring(event)) if recurs else event


def _named(draw: st.DrawFn) -> dict[str, str]:
    return {"id": draw(ids), "uid": draw(uids)}


@st.composite
def _all_day(draw: st.DrawFn, timezone: str) -> Event:
    start, tba = draw(days), draw(maybe(st.sampled_from(["time", "date"])))
    last = start + timedelta(days=draw(st.integers(1 if tba == "date" else 0, 5)))
    title = Text((("en", "All day"),))
    end = last + timedelta(days=1)
    return Event(**_named(draw), summary=title, start=start, end=end, timezone=timezone, tba=tba)


@st.composite
def _timed(draw: st.DrawFn, timezone: str) -> Event:
    start = draw(instants(timezone))
    after = draw(st.one_of(st.none(), st.timedeltas(timedelta(seconds=1), timedelta(days=4))))
    end = after and (start.astimezone(UTC) + after).replace(microsecond=0).astimezone(start.tzinfo)
    end = end if end and end > start and end.astimezone(UTC) > start.astimezone(UTC) else None
    return Event(**_named(draw), summary=Text((("en", "Timed"),)), start=start, end=end, timezone=timezone)


@st.composite
def _recurring(draw: st.DrawFn, event: Event) -> Event:
    event = replace(event, tba=None)
    extra = st.dates if event.all_day else None
    first = event.start.date() if isinstance(event.start, datetime) else event.start
    dates = st.dates(first, first + timedelta(days=60)) if extra else instants(event.timezone, first)
    event = replace(event, rdate=tuple(sorted(draw(few(dates)))))
    if not event.rdate or draw(st.booleans()):
        event = replace(event, rrule=draw(rules(event.start)))
    since = datetime(FIRST_DAY.year - 1, 1, 1, tzinfo=UTC)
    found = [each.recurrence_id for each in occurrences(event, since, datetime(2199, 12, 1, tzinfo=UTC), limit=6)]
    marked = draw(st.lists(st.sampled_from(found), max_size=3, unique=True))
    event = replace(event, overrides=tuple(draw(_override(event, moment)) for moment in sorted(marked[:2])))
    event = replace(event, exdate=tuple(marked[2:]) if len(found) > 3 else ())
    check_rule(event)
    return event


@st.composite
def _override(draw: st.DrawFn, event: Event, moment: Moment) -> Event:
    """One occurrence that differs: elsewhere in time, in another zone, of hours instead of days or the other way."""
    day = moment.date() if isinstance(moment, datetime) else moment
    timezone = draw(st.sampled_from([event.timezone, event.timezone, *ZONES]))
    start: Moment = moment.astimezone(ZoneInfo(timezone)) if isinstance(moment, datetime) else moment
    way = draw(st.sampled_from(["same", "same", "moved", "moved", "other form"]))
    if way != "same":
        of_days = event.all_day == (way == "moved")
        start = draw(st.dates(day, day + timedelta(3)) if of_days else instants(timezone, day))
    changed = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "summary": texts(),
                "location": places,
                "status": st.sampled_from(["cancelled", "cancelled", "confirmed", "tentative"]),
                "categories": few(st.sampled_from(CATEGORIES), 3),
                "description": texts(prose).filter(_says_something),
            },
        )
    )
    base = replace(event, rrule=None, rdate=(), exdate=(), overrides=(), recurrence_id=moment, timezone=timezone)
    return replace(base, start=start, end=draw(_end(event, start)), **changed)


def _says_something(text: Text) -> bool:
    """As plain text, too: an occurrence without a description of its own has that of its event."""
    return all(plain(each) for _, each in text.by_language)


@st.composite
def _end(draw: st.DrawFn, event: Event, start: Moment) -> Moment | None:
    """As long as the event, where both are of days or of hours and nothing else is said."""
    own = draw(st.integers(0, 3)) == 0 or isinstance(start, datetime) == event.all_day
    if not isinstance(start, datetime):
        return start + (timedelta(draw(st.integers(1, 3))) if own else length(event))
    if own and event.all_day and draw(st.booleans()):
        return None
    span = timedelta(minutes=draw(st.integers(1, 3000))) if own else length(event)
    return (start.astimezone(UTC) + span).astimezone(start.tzinfo) if own or event.end else None


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """A calendar with up to six events and the feed of all, some with a feed of their own."""
    timezone = draw(st.sampled_from(ZONES))
    calendar = Calendar(id="any", name=draw(texts()), timezone=timezone, description=draw(maybe(texts(prose))))
    found = draw(st.lists(events(), max_size=6, unique_by=(lambda event: event.id, lambda event: event.uid)))
    selections = draw(few(st.sampled_from(CATEGORIES[:3])))
    feeds = (
        Feed(id=ALL, name=calendar.name),
        *(Feed(id=name, name=Text((("en", name),)), categories=(name,)) for name in selections),
    )
    return Catalog(calendar=calendar, events=tuple(found), feeds=feeds)


st.register_type_strategy(Text, texts())
st.register_type_strategy(Place, places)
st.register_type_strategy(Event, events())
st.register_type_strategy(Catalog, catalogs())
