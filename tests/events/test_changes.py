"""Revisions and changes: what rises when, what is remembered, and how a change is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.changes import Revised, changed_occurrences, compare, describe, diff, revise, stands
from calfeed.events.model import Calendar, Catalog, Duration, Event, Moment, Place, Text
from calfeed.events.record import digest
from calfeed.events.revision import Change, ChangeKind, Revision
from calfeed.events.words import words

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2024, 5, 14, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


def text(english: str) -> Text:
    return Text((("en", english),))


def at(hour: int, minute: int = 0, day: int = 17) -> datetime:
    return datetime(2024, 5, day, hour, minute, tzinfo=SHANGHAI)


OPENING = Event(
    id="opening", uid="u-opening", summary=text("Opening"), start=at(10), end=at(11), timezone="Asia/Shanghai"
)
FORUM = replace(OPENING, id="forum", uid="u-forum", summary=text("Forum"))
WEEKLY = replace(OPENING, id="weekly", uid="u-weekly", rrule="FREQ=WEEKLY;COUNT=4")


def override(moment: datetime, **changes: Any) -> Event:
    base = replace(WEEKLY, rrule=None, recurrence_id=moment, start=moment, end=moment + timedelta(hours=1))
    return replace(base, **changes)


def catalog(*events: Event) -> Catalog:
    return Catalog(calendar=Calendar(id="c", name=text("C"), timezone="Asia/Shanghai"), events=events)


def publish(states: Iterable[tuple[datetime, tuple[Event, ...]]]) -> Revised:
    """The last of several publications, each given what the one before remembered."""
    revised = Revised(revisions={})
    for now, events in states:
        revised = revise(catalog(*events), revised.remembered, now, MONTH)
    return revised


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def test_the_first_publication() -> None:
    """Every event has its first revision; all are `added`, and the caller can tell that nobody waited for it."""
    now = NOON.replace(microsecond=987654)
    assert revise(catalog(OPENING), {}, now, MONTH) == Revised(
        revisions={
            "u-opening": Revision(
                uid="u-opening",
                number=1,
                sequence=0,
                created=NOON,
                modified=NOON,
                digest=digest(OPENING),
                event=OPENING,
            )
        },
        changes=(_change(ChangeKind.ADDED, None, OPENING, number=1),),
        retired={},
        first=True,
    )


def _change(
    kind: ChangeKind, before: Event | None, after: Event | None, *, number: int, at: datetime = NOON, fields: Any = ()
) -> Change:
    some = after or before or OPENING
    return Change(
        kind=kind, at=at, uid=some.uid, event_id=some.id, number=number, before=before, after=after, fields=fields
    )


def test_an_unchanged_event_keeps_its_revision() -> None:
    """To the second, in whatever zone `now` is given; nothing is a change."""
    once = publish([(hours(0), (OPENING,))])
    again = revise(catalog(OPENING), once.remembered, hours(5).astimezone(SHANGHAI), MONTH)
    assert again == Revised(revisions=once.revisions)


def test_what_no_reader_sees_is_no_revision() -> None:
    """Lead times and an embargo: the revision stays, with the event as it is now."""
    silent = replace(OPENING, remind=(Duration(days=2),), embargo=NOON)
    revised = publish([(hours(0), (OPENING,)), (hours(1), (silent,))])
    assert revised.changes == ()
    assert revised.revisions["u-opening"].modified == NOON
    assert revised.revisions["u-opening"].event is silent


def test_only_what_changed_is_revised() -> None:
    """The others keep their revisions; `created` stays, `modified` and the number rise, `sequence` for times only."""
    moved = replace(FORUM, start=at(12), end=at(13))
    edited = replace(OPENING, description=text("More"))
    revised = publish([(hours(0), (OPENING, FORUM, WEEKLY)), (hours(1), (edited, moved, WEEKLY))])
    assert {uid: (one.number, one.sequence, one.created, one.modified) for uid, one in revised.revisions.items()} == {
        "u-opening": (2, 0, NOON, hours(1)),
        "u-forum": (2, 1, NOON, hours(1)),
        "u-weekly": (1, 0, NOON, NOON),
    }
    assert revised.changes == (
        _change(ChangeKind.EDITED, OPENING, edited, number=2, at=hours(1), fields=("description",)),
        _change(ChangeKind.MOVED, FORUM, moved, number=2, at=hours(1), fields=("start", "end")),
    )
    assert not revised.first


@pytest.mark.parametrize(
    ("changes", "rises"),
    [
        ({"start": at(9)}, True),
        ({"end": at(12)}, True),
        ({"end": None}, True),
        ({"timezone": "Asia/Singapore"}, True),
        ({"status": "cancelled"}, True),
        ({"status": "tentative"}, True),
        ({"rrule": "FREQ=WEEKLY;COUNT=5"}, True),
        ({"rdate": (at(10, day=18),)}, True),
        ({"exdate": (at(10, day=24),)}, True),
        ({"overrides": (override(at(10, day=24), start=at(15, day=24), end=at(16, day=24)),)}, True),
        ({"overrides": (override(at(10, day=24), status="cancelled"),)}, True),
        ({"overrides": (override(at(10, day=24), summary=text("Guest")),)}, False),
        ({"summary": text("Closing")}, False),
        ({"location": Place(text("Hall"))}, False),
        ({"url": "https://example.org/"}, False),
        ({"id": "renamed"}, False),
        ({"categories": ("expo",)}, False),
        ({"visibility": "unlisted"}, False),
        ({"transparency": "opaque"}, False),
    ],
)
def test_sequence_rises_with_times_and_status(changes: dict[str, Any], *, rises: bool) -> None:
    """RFC 5545 §3.8.7.4, RFC 5546 §2.1.4: when attendees must look again."""
    revised = publish([(hours(0), (WEEKLY,)), (hours(1), (replace(WEEKLY, **changes),))])
    assert revised.revisions["u-weekly"].number == 2
    assert revised.revisions["u-weekly"].sequence == int(rises)


def test_days_have_no_zone() -> None:
    """A new zone of an all-day event is an edit; to be announced or not is a matter of time."""
    day = replace(OPENING, start=date(2024, 5, 17), end=date(2024, 5, 18))
    elsewhere = publish([(hours(0), (day,)), (hours(1), (replace(day, timezone="Europe/Moscow"),))])
    assert (elsewhere.revisions["u-opening"].sequence, elsewhere.changes[0].kind) == (0, ChangeKind.EDITED)
    unsure = publish([(hours(0), (day,)), (hours(1), (replace(day, tba="time"),))])
    assert (unsure.revisions["u-opening"].sequence, unsure.changes[0].kind) == (1, ChangeKind.MOVED)


def test_modified_never_goes_back() -> None:
    """Not when the clock does, and not twice to the same second."""
    first, second, third = (replace(OPENING, url=f"https://example.org/{number}") for number in range(3))
    revised = publish([(hours(0), (first,)), (hours(-3), (second,)), (hours(-2), (third,))])
    assert revised.revisions["u-opening"].modified == NOON + timedelta(seconds=2)
    assert revised.revisions["u-opening"].created == NOON


def test_a_removed_event_stays_as_cancelled() -> None:
    """For the tombstone's time, one sequence higher, and unchanged while it lasts; then it is only remembered."""
    gone = publish([(hours(0), (OPENING, FORUM)), (hours(1), (FORUM,))])
    tombstone = gone.revisions["u-opening"]
    cancelled = replace(OPENING, status="cancelled")
    assert tombstone == Revision(
        uid="u-opening",
        number=2,
        sequence=1,
        created=NOON,
        modified=hours(1),
        digest=digest(cancelled),
        event=cancelled,
        removed=hours(1),
    )
    assert gone.changes == (_change(ChangeKind.REMOVED, OPENING, None, number=2, at=hours(1)),)
    later = revise(catalog(FORUM), gone.remembered, hours(1) + MONTH - timedelta(seconds=1), MONTH)
    assert (later.revisions["u-opening"], later.changes) == (tombstone, ())
    over = revise(catalog(FORUM), later.remembered, hours(1) + MONTH, MONTH)
    assert (list(over.revisions), over.retired, over.changes) == (["u-forum"], {"u-opening": tombstone}, ())
    assert [stands(tombstone, hours(1) + MONTH, MONTH), stands(tombstone, hours(1), MONTH)] == [False, True]


def test_a_removal_is_a_change_also_where_no_tombstone_is_kept() -> None:
    """It is in no feed any more, but people were told of it."""
    before = publish([(hours(0), (OPENING, FORUM))])
    gone = revise(catalog(FORUM), before.remembered, hours(1), timedelta())
    assert (list(gone.revisions), list(gone.retired)) == (["u-forum"], ["u-opening"])
    assert gone.changes == (_change(ChangeKind.REMOVED, OPENING, None, number=2, at=hours(1)),)
    assert revise(catalog(FORUM), gone.remembered, hours(2), timedelta()).changes == ()


def test_the_overrides_of_a_removed_event_are_cancelled_too() -> None:
    """No client is left with single occurrences of an event that is gone."""
    weekly = replace(WEEKLY, overrides=(override(at(10, day=24), summary=text("Guest")),))
    gone = publish([(hours(0), (weekly,)), (hours(1), ())])
    assert [each.status for each in gone.revisions["u-weekly"].event.overrides] == ["cancelled"]


@pytest.mark.parametrize("away", [timedelta(days=1), timedelta(days=400)])
def test_an_event_that_comes_back_goes_on_counting(away: timedelta) -> None:
    """Within the tombstone's time or long after: restored, its sequence higher than any that was published."""
    back = publish([(hours(0), (OPENING,)), (hours(1), ()), (hours(1) + away, ()), (hours(2) + away, (OPENING,))])
    assert back.revisions["u-opening"] == Revision(
        uid="u-opening",
        number=3,
        sequence=2,
        created=NOON,
        modified=hours(2) + away,
        digest=digest(OPENING),
        event=OPENING,
    )
    before = replace(OPENING, status="cancelled")
    assert back.changes == (
        _change(ChangeKind.RESTORED, before, OPENING, number=3, at=hours(2) + away, fields=("status",)),
    )
    assert back.retired == {}


def test_an_event_that_comes_back_cancelled_is_no_news() -> None:
    """Readers saw it as cancelled and still do; only its revision goes on."""
    cancelled = replace(OPENING, status="cancelled")
    back = publish([(hours(0), (OPENING,)), (hours(1), ()), (hours(2), (cancelled,))])
    assert back.changes == ()
    assert (back.revisions["u-opening"].number, back.revisions["u-opening"].removed) == (3, None)


def test_a_rename_keeps_the_history() -> None:
    """History goes by uid: an event renamed with its uid kept is the same one."""
    renamed = replace(OPENING, id="grand-opening")
    revised = publish([(hours(0), (OPENING,)), (hours(1), (renamed,))])
    assert revised.changes == (_change(ChangeKind.EDITED, OPENING, renamed, number=2, at=hours(1), fields=("id",)),)


DAYS = replace(OPENING, start=date(2024, 5, 16), end=date(2024, 5, 18), tba="date")


@pytest.mark.parametrize(
    ("before", "after", "kind", "fields"),
    [
        (None, OPENING, ChangeKind.ADDED, ()),
        (OPENING, None, ChangeKind.REMOVED, ()),
        (OPENING, replace(OPENING, start=at(12), url="https://example.org/"), ChangeKind.MOVED, ("start", "url")),
        (OPENING, replace(OPENING, status="cancelled", start=at(12)), ChangeKind.CANCELLED, ("start", "status")),
        (
            replace(OPENING, status="cancelled"),
            replace(OPENING, start=at(12)),
            ChangeKind.RESTORED,
            ("start", "status"),
        ),
        (DAYS, OPENING, ChangeKind.CONFIRMED, ("start", "end", "tba")),
        (replace(OPENING, status="tentative"), OPENING, ChangeKind.CONFIRMED, ("status",)),
        (OPENING, replace(OPENING, status="tentative"), ChangeKind.EDITED, ("status",)),
        (WEEKLY, replace(WEEKLY, rrule=None), ChangeKind.MOVED, ("rrule",)),
        (WEEKLY, replace(WEEKLY, exdate=(at(10, day=24),)), ChangeKind.MOVED, ("exdate",)),
        (
            WEEKLY,
            replace(WEEKLY, overrides=(override(at(10, day=24), status="cancelled"),)),
            ChangeKind.CANCELLED,
            ("overrides",),
        ),
        (
            replace(WEEKLY, overrides=(override(at(10, day=24), status="cancelled"),)),
            WEEKLY,
            ChangeKind.RESTORED,
            ("overrides",),
        ),
        (
            WEEKLY,
            replace(WEEKLY, overrides=(override(at(10, day=24), start=at(12, day=24)),)),
            ChangeKind.MOVED,
            ("overrides",),
        ),
        (
            WEEKLY,
            replace(WEEKLY, overrides=(override(at(10, day=24), summary=text("Guest")),)),
            ChangeKind.EDITED,
            ("overrides",),
        ),
        (
            replace(WEEKLY, overrides=(override(at(10, day=24), status="cancelled"),)),
            replace(WEEKLY, start=at(11), end=at(12), overrides=(override(at(11, day=24), status="cancelled"),)),
            ChangeKind.MOVED,
            ("start", "end", "overrides"),
        ),
    ],
)
def test_the_kind_of_a_change(before: Event | None, after: Event | None, kind: ChangeKind, fields: Any) -> None:
    """The strongest of cancelled, restored, confirmed, moved, edited; of an occurrence where only it differs."""
    assert compare(before, after) == (kind, fields)


def test_no_change() -> None:
    """Nothing, the same, and what nobody sees."""
    assert compare(None, None) is None
    assert compare(OPENING, OPENING) is None
    assert compare(OPENING, replace(OPENING, remind=())) is None


def test_an_override_that_says_nothing_new_is_no_move() -> None:
    """It differs in the source, but at no occurrence."""
    same = replace(WEEKLY, overrides=(override(at(10, day=24)),))
    assert compare(WEEKLY, same) == (ChangeKind.EDITED, ("overrides",))
    assert changed_occurrences(WEEKLY, same) == ()


def test_which_occurrences_changed() -> None:
    """In order of time; none where the whole event moved; beside an edit of all, those that do more than follow it."""
    late, off = override(at(10, day=31), start=at(12, day=31)), override(at(10, day=24), status="cancelled")
    after = replace(WEEKLY, overrides=(late, off))
    assert changed_occurrences(WEEKLY, after) == (at(10, day=24), at(10, day=31))
    assert changed_occurrences(WEEKLY, replace(after, start=at(9), end=at(10))) == ()
    titled = replace(override(at(10, day=24), summary=text("Guest")))
    edited = replace(WEEKLY, url="https://example.org/", overrides=(titled, replace(late, url="https://example.org/")))
    assert changed_occurrences(WEEKLY, edited) == (at(10, day=31),)


def test_the_difference_of_two_sources() -> None:
    """In the new one's order, removed events last; there are no revisions, so the number is 0."""
    moved = replace(OPENING, start=at(12), end=at(13))
    assert diff(catalog(FORUM, OPENING), catalog(WEEKLY, moved), NOON) == (
        _change(ChangeKind.ADDED, None, WEEKLY, number=0),
        _change(ChangeKind.MOVED, OPENING, moved, number=0, fields=("start", "end")),
        _change(ChangeKind.REMOVED, FORUM, None, number=0),
    )


def told(before: Event | None, after: Event | None, language: str = "en", timezone: str | None = None) -> str:
    found = compare(before, after)
    assert found is not None
    return describe(_change(found[0], before, after, number=2, fields=found[1]), language, timezone=timezone)


MOSCOW = datetime(2024, 5, 17, 10, tzinfo=ZoneInfo("Europe/Moscow"))
LATER = replace(OPENING, start=at(11, 30), end=at(12, 30))
DAY = replace(OPENING, start=date(2024, 5, 17), end=date(2024, 5, 18))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, OPENING, "added: Fri 17 May 2024, 10:00 (Asia/Shanghai)"),
        (OPENING, None, "removed: was planned for Fri 17 May 2024, 10:00 (Asia/Shanghai)"),
        (OPENING, LATER, "moved from Fri 17 May 2024, 10:00 to 11:30 (Asia/Shanghai)"),
        (
            OPENING,
            replace(OPENING, start=at(10, day=18), end=at(12, day=18)),
            "moved from Fri 17 May 2024, 10:00–11:00 to Sat 18 May 2024, 10:00–12:00 (Asia/Shanghai)",
        ),
        (
            OPENING,
            replace(OPENING, end=at(12)),
            "moved from Fri 17 May 2024, 10:00–11:00 to 10:00–12:00 (Asia/Shanghai)",
        ),
        (
            OPENING,
            replace(OPENING, end=at(1, day=18)),
            "moved from Fri 17 May 2024, 10:00–11:00 to 10:00 – Sat 18 May 2024, 01:00 (Asia/Shanghai)",
        ),
        (
            OPENING,
            replace(OPENING, timezone="Europe/Moscow", start=MOSCOW, end=MOSCOW + timedelta(hours=1)),
            "moved from Fri 17 May 2024, 10:00 (Asia/Shanghai) to Fri 17 May 2024, 10:00 (Europe/Moscow)",
        ),
        (DAY, replace(DAY, end=date(2024, 5, 20)), "moved from Fri 17 May 2024 to Fri 17 May 2024 – Sun 19 May 2024"),
        (
            OPENING,
            replace(DAY, tba="time"),
            "moved from Fri 17 May 2024, 10:00 to Fri 17 May 2024, time to be announced",
        ),
        (DAYS, OPENING, "confirmed: Fri 17 May 2024, 10:00 (Asia/Shanghai)"),
        (None, DAYS, "added: some day from Thu 16 May 2024 to Fri 17 May 2024"),
        (
            OPENING,
            replace(LATER, status="cancelled"),
            "cancelled: was planned for Fri 17 May 2024, 10:00 (Asia/Shanghai)",
        ),
        (replace(OPENING, status="cancelled"), LATER, "on again: Fri 17 May 2024, 11:30 (Asia/Shanghai)"),
        (OPENING, replace(OPENING, location=Place(text("Hall")), url="https://example.org/"), "edited: place, link"),
        (OPENING, replace(OPENING, status="tentative", id="x"), "edited: page address, status"),
        (DAY, replace(DAY, timezone="Europe/Moscow"), "edited: time zone"),
        (
            OPENING,
            replace(LATER, summary=text("Closing")),
            "moved from Fri 17 May 2024, 10:00 to 11:30 (Asia/Shanghai); edited: title",
        ),
        (WEEKLY, replace(WEEKLY, rrule="FREQ=DAILY"), "repeats differently"),
        (WEEKLY, replace(WEEKLY, rdate=(at(15, day=20),)), "also on Mon 20 May 2024, 15:00 (Asia/Shanghai)"),
        (
            WEEKLY,
            replace(WEEKLY, exdate=(at(10, day=24), at(10, day=31))),
            "no longer on Fri 24 May 2024, 10:00, Fri 31 May 2024, 10:00 (Asia/Shanghai)",
        ),
        (replace(WEEKLY, exdate=(at(10, day=24),)), WEEKLY, "edited: left-out dates"),
        (
            WEEKLY,
            replace(WEEKLY, overrides=(override(at(10, day=24), status="cancelled"),)),
            "cancelled: was planned for Fri 24 May 2024, 10:00 (Asia/Shanghai)",
        ),
        (
            WEEKLY,
            replace(WEEKLY, overrides=(override(at(10, day=24), start=at(12, day=24), end=at(13, day=24)),)),
            "moved from Fri 24 May 2024, 10:00 to 12:00 (Asia/Shanghai)",
        ),
    ],
)
def test_a_change_in_words(before: Event | None, after: Event | None, words: str) -> None:
    """Days and hours that it was and will be, in the event's own zone."""
    assert told(before, after) == words


@pytest.mark.parametrize(
    ("language", "timezone", "words"),
    [
        ("ru", None, "перенесено: было пт, 17 мая 2024 г., 10:00, стало 11:30 (Asia/Shanghai)"),
        ("zh-Hans", None, "时间由2024年5月17日周五 10:00改为11:30（Asia/Shanghai）"),
        ("fr", "Europe/Moscow", "moved from Fri 17 May 2024, 05:00 to 06:30 (Europe/Moscow)"),
        ("en", "Pacific/Honolulu", "moved from Thu 16 May 2024, 16:00 to 17:30 (Pacific/Honolulu)"),
    ],
)
def test_a_change_in_other_words(language: str, timezone: str | None, words: str) -> None:
    """In Russian, Chinese, else English; on the reader's clock where one is named."""
    assert told(OPENING, LATER, language, timezone) == words


def test_many_occurrences_are_counted() -> None:
    """Three are told, the others numbered, in every language."""
    dates: list[Moment] = [at(10, day=day) for day in (17, 18, 19, 20, 21)]
    daily = replace(WEEKLY, rrule="FREQ=DAILY;COUNT=5")
    after = replace(daily, overrides=tuple(override(each, url="https://example.org/") for each in dates))  # type: ignore[arg-type]  # datetimes
    assert told(daily, after) == (
        "on Fri 17 May 2024, 10:00: edited: link; on Sat 18 May 2024, 10:00: edited: link; "
        "on Sun 19 May 2024, 10:00: edited: link; and 2 more dates"
    )


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_every_key_has_a_word(language: str) -> None:
    """Whatever key of an event a reader can see differ, there is a word for it."""
    told_otherwise = {"uid", "start", "end", "tba", "rrule", "overrides", "remind", "embargo", "source"}
    assert words(language).fields.keys() == {field.name for field in fields(Event)} - told_otherwise
