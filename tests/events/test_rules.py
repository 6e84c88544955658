"""Recurrence rules: what is refused and how that is said, and the one way they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.model import Event, Moment, Text
from calfeed.events.occurrences import check_rule, occurrences
from calfeed.events.rules import canonical_rule

PARIS = ZoneInfo("Europe/Paris")
NINE = datetime(2024, 5, 17, 9, tzinfo=PARIS)  # a Friday
NOT_OF_IT = "is not a date of the rule, and clients differ on what that means: begin at its first one,"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("FREQ=WEEKLY;COUNT=4", "FREQ=WEEKLY;COUNT=4"),
        ("RRULE:freq=weekly;byday=fr,mo,fr;interval=1;", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("BYDAY=+1MO,-1SU;FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=-1SU,1MO"),
        ("WKST=SU;FREQ=WEEKLY;INTERVAL=02", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
        ("FREQ=DAILY;WKST=MO;BYHOUR=18,9", "FREQ=DAILY;BYHOUR=9,18"),
        ("FREQ=DAILY;UNTIL=20240630T160000Z", "FREQ=DAILY;UNTIL=20240630T160000Z"),
    ],
)
def test_one_way_to_write(written: str, canonical: str) -> None:
    """Parts in one order, numbers sorted and once, what says nothing left out."""
    assert canonical_rule(written) == canonical


@pytest.mark.parametrize(
    ("until", "start", "canonical"),
    [
        ("20240630", NINE, "20240630T215959Z"),  # all of that day in Paris
        ("20240630T090000", NINE, "20240630T070000Z"),  # local
        ("20240630T090000Z", NINE, "20240630T090000Z"),
        ("20240630", date(2024, 5, 17), "20240630"),
        ("20240630T235959Z", date(2024, 5, 17), "20240630"),
    ],
)
def test_until_takes_the_form_of_the_start(until: str, start: Moment, canonical: str) -> None:
    """UTC for a timed event, a date for an all-day one (RFC 5545 §3.3.10)."""
    assert canonical_rule(f"FREQ=DAILY;UNTIL={until}", start) == f"FREQ=DAILY;UNTIL={canonical}"


def test_what_readers_differ_on_is_said_outright() -> None:
    """The day that BYWEEKNO alone means, which is DTSTART's, and the months of BYMONTHDAY alone, which are all."""
    assert canonical_rule("FREQ=YEARLY;BYWEEKNO=20", NINE) == "FREQ=YEARLY;BYWEEKNO=20;BYDAY=FR"
    assert canonical_rule("FREQ=YEARLY;BYMONTHDAY=17", NINE) == (
        "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=17"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected NAME=VALUE parts joined by ';', got ''"),
        ("WEEKLY", "expected NAME=VALUE parts joined by ';', got 'WEEKLY'"),
        ("FREQ=", "expected NAME=VALUE parts joined by ';', got 'FREQ='"),
        ("COUNT=3", "FREQ is missing: one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY"),
        (
            "FREQ=FORTNIGHTLY",
            "FREQ=FORTNIGHTLY: expected one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY",
        ),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is given twice"),
        ("FREQ=DAILY;BYMONTHS=3", "unknown part BYMONTHS (did you mean BYMONTH?)"),
        ("FREQ=DAILY;X-NOTE=3", "unknown part X-NOTE"),
        ("FREQ=YEARLY;BYEASTER=0", "unknown part BYEASTER"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20240601", "COUNT and UNTIL exclude each other (RFC 5545 §3.3.10)"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0: expected a whole number above 0"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1: expected a whole number above 0"),
        ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL=1.5: expected a whole number above 0"),
        (
            "FREQ=DAILY;COUNT=10001",
            "COUNT=10001: at most 10000 occurrences; leave COUNT out for a rule without end",
        ),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH=13: expected 1 to 12"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR=24: expected 0 to 23"),
        ("FREQ=DAILY;BYSECOND=60", "BYSECOND=60: expected 0 to 59"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0: expected 1 to 31 or -1 to -31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY=: expected 1 to 31 or -1 to -31"),
        ("FREQ=MONTHLY;BYMONTHDAY=٣", "BYMONTHDAY=٣: expected 1 to 31 or -1 to -31"),
        ("FREQ=DAILY;BYMONTHDAY=-1", "a negative BYMONTHDAY cannot stand with FREQ=DAILY: use FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY cannot stand with FREQ=WEEKLY (RFC 5545 §3.3.10)"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO cannot stand with FREQ=MONTHLY (RFC 5545 §3.3.10)"),
        ("FREQ=DAILY;BYYEARDAY=3", "BYYEARDAY cannot stand with FREQ=DAILY (RFC 5545 §3.3.10)"),
        (
            "FREQ=WEEKLY;BYDAY=1MO",
            "a numbered BYDAY needs FREQ=MONTHLY, or YEARLY without BYWEEKNO (RFC 5545 §3.3.10)",
        ),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY: no month has more than five of a weekday"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY=0MO: expected a day such as MO, 2TU or -1SU"),
        ("FREQ=WEEKLY;BYDAY=MON", "BYDAY=MON: expected a day such as MO, 2TU or -1SU"),
        ("FREQ=WEEKLY;WKST=MON", "WKST=MON: expected one of MO, TU, WE, TH, FR, SA, SU"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs another BY… part to choose from (RFC 5545 §3.3.10)"),
        (
            "FREQ=HOURLY;BYMINUTE=0,30;BYSETPOS=1",
            "BYSETPOS below a day is read by no client: use BYHOUR, BYMINUTE or BYSECOND",
        ),
        (
            "FREQ=DAILY;UNTIL=20240231",
            "UNTIL=20240231: expected a date such as 20240630 or an instant such as 20240630T160000Z",
        ),
        (
            "FREQ=DAILY;UNTIL=2024-06-30",
            "UNTIL=2024-06-30: expected a date such as 20240630 or an instant such as 20240630T160000Z",
        ),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    """The message names the part and says what would do."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 # the whole message is compared
        canonical_rule(text)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("rrule", "start", "message"),
    [
        (
            "FREQ=WEEKLY;BYDAY=MO",
            NINE,
            f"start Fri 2024-05-17 09:00:00+02:00 {NOT_OF_IT} Mon 2024-05-20 09:00:00",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1SU",
            date(2024, 5, 17),
            f"start Fri 2024-05-17 {NOT_OF_IT} Sun 2024-05-26",
        ),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", NINE, "the rule gives no occurrence"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=11", NINE, "the rule gives no occurrence"),
        ("FREQ=WEEKLY;UNTIL=20240516", NINE, "UNTIL is before start 2024-05-17 09:00:00+02:00: no occurrence"),
        (
            "FREQ=HOURLY",
            date(2024, 5, 17),
            "a rule of hours, minutes or seconds needs a start with a time",
        ),
        (
            "FREQ=DAILY;BYHOUR=9",
            date(2024, 5, 17),
            "a rule of hours, minutes or seconds needs a start with a time",
        ),
        (
            "FREQ=SECONDLY",
            NINE,
            "more than 10000 occurrences in the first year: repeat less often, or set COUNT",
        ),
        (
            "FREQ=MINUTELY;INTERVAL=15",
            NINE,
            "more than 10000 occurrences in the first year: repeat less often, or set COUNT",
        ),
    ],
)
def test_rules_that_do_not_fit_their_event(rrule: str, start: Moment, message: str) -> None:
    """Each is told with what to do; a rule that gives nothing is found out, not followed for ever."""
    event = Event(id="e", uid="u", summary=Text((("en", "E"),)), start=start, end=None, timezone="Europe/Paris")
    with pytest.raises(ValueError) as raised:  # noqa: PT011 # the whole message is compared
        check_rule(_with(event, rrule))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=10000",
        "FREQ=MINUTELY;INTERVAL=90",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYDAY=20FR",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=FR",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=13",
    ],
)
def test_rules_that_do(rrule: str) -> None:
    """Whatever the RFC allows and stays within bounds."""
    event = Event(id="e", uid="u", summary=Text((("en", "E"),)), start=NINE, end=None, timezone="Europe/Paris")
    check_rule(_with(event, rrule))


def test_one_rule_at_one_instant_in_two_zones_has_the_day_of_each() -> None:
    """What is Friday evening in New York is Saturday morning in Paris."""
    for zone, days in (("America/New_York", [17, 24]), ("Europe/Paris", [18, 25])):
        start = datetime(2024, 5, 18, 3, 30, tzinfo=UTC).astimezone(ZoneInfo(zone))
        event = Event(id="e", uid="u", summary=Text((("en", "E"),)), start=start, end=None, timezone=zone)
        event = _with(event, "FREQ=WEEKLY;COUNT=2")
        check_rule(event)
        found = occurrences(event, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC), limit=9)
        assert [one.start.day for one in found] == days


def test_dates_beside_the_rule_must_be_of_it() -> None:
    """An exdate or an override that names no occurrence would change nothing, or add one in some clients."""
    event = Event(id="e", uid="u", summary=Text((("en", "E"),)), start=NINE, end=None, timezone="Europe/Paris")
    event = _with(event, "FREQ=WEEKLY;COUNT=2")
    with pytest.raises(ValueError, match=r"^exdate 2024-05-18 09:00:00\+02:00: no occurrence begins then$"):
        check_rule(_with(event, event.rrule, exdate=(datetime(2024, 5, 18, 9, tzinfo=PARIS),)))
    override = _with(event, None, recurrence_id=datetime(2024, 5, 31, 9, tzinfo=PARIS))
    with pytest.raises(ValueError, match=r"^recurrence_id 2024-05-31 09:00:00\+02:00: no occurrence begins then$"):
        check_rule(_with(event, event.rrule, overrides=(override,)))
    both = (NINE, datetime(2024, 5, 24, 7, tzinfo=UTC))
    with pytest.raises(ValueError, match=r"^exdate leaves no occurrence$"):
        check_rule(_with(event, event.rrule, exdate=both))


def _with(event: Event, rrule: str | None, **changes: object) -> Event:
    return replace(event, rrule=rrule, **changes)
