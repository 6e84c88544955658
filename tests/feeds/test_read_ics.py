"""iCalendar becomes an event list that loads, with UIDs kept; what it cannot carry is told."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import Location, SourceError
from calfeed.events.model import Event
from calfeed.events.parse import load
from calfeed.feeds.markdown import plain
from calfeed.feeds.read_ics import Imported, read_ics, texts, toml

GOLDEN = Path(__file__).parents[1] / "golden"
BASE = (GOLDEN / "lint" / "good" / "base.ics").read_bytes()


def calendar(*events: str, head: str = "", prodid: str = "-//Example//Feed//EN") -> bytes:
    """A file with these events, each given as its lines after UID."""
    parts = [f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:{prodid}\n{head}"]
    parts += [f"BEGIN:VEVENT\nUID:e{number}\n{lines}\nEND:VEVENT\n" for number, lines in enumerate(events)]
    return "".join((*parts, "END:VCALENDAR\n")).replace("\n", "\r\n").encode()


def keys(data: bytes, number: int = 0) -> str:
    """The lines of one event in the TOML, less its id, UID, summary and transparency."""
    table = read_ics(data, "x.ics").toml.split("\n[[events]]\n")[number + 1]
    unsaid = ("id = ", "uid = ", "summary = ", "transparency = ")
    return "\n".join(line for line in table.splitlines() if line and not line.startswith(unsaid))


def event(data: bytes, number: int = 0) -> Event:
    return load([("x.toml", read_ics(data, "x.ics").toml)]).events[number]


def told(imported: Imported) -> list[str]:
    return [f"{problem.location.line}: {problem.path}: {problem.message}" for problem in imported.lost]


@pytest.mark.parametrize("file", sorted((GOLDEN / "import").glob("*.toml")), ids=lambda file: file.stem)
def test_a_product_s_feed_becomes_the_event_list_beside_it(file: Path):
    source = next((GOLDEN / "lint").glob(f"*/{file.stem}.ics"))

    imported = read_ics(source.read_bytes(), source.name)

    assert imported.toml == file.read_text("utf-8")
    assert [str(problem) for problem in imported.lost] == file.with_suffix(".txt").read_text("utf-8").splitlines()
    assert [each.severity for each in load([("x.toml", imported.toml)]).warnings] == []


@pytest.mark.parametrize(
    ("damage", "line", "message"),
    [
        (lambda _: b"\r\n", None, "the file is empty"),
        (lambda _: b"<!DOCTYPE html>\n<title>Sign in</title>", None, "this is a web page, not an iCalendar file"),
        (lambda _: b"\x1f\x8b\x08\0", None, "this is a gzip archive, not an iCalendar file"),
        (lambda _: b"BEGIN:VCARD\r\nEND:VCARD\r\n", None, "this is a list of contacts, not an iCalendar file"),
        (lambda _: b'["vcalendar", [], []]', None, "this is JSON, such as jCal, not an iCalendar file"),
        (lambda data: data.partition(b"\r\n")[2], 1, "BEGIN:VCALENDAR is missing: the file begins 'VERSION:2.0'"),
        (lambda data: data[:8], 1, "BEGIN:VCALENDAR is missing: the file begins 'BEGIN:VC'"),
        (lambda data: b"\r\n\r\n> " + data, 3, "BEGIN:VCALENDAR is damaged: '> BEGIN:VCALENDAR'"),
        (lambda data: b"Subject: x\r\n " + data, 2, "a line that begins with a space goes on with line 1"),
        (
            lambda data: BOM_UTF8 + data.replace(b"\r\n", b"\r\n  "),
            2,
            "a line that begins with a space goes on with BEGIN:VCALENDAR",
        ),
        (lambda data: b"BEGIN:X-MAIL\n" + data, 2, "BEGIN:VCALENDAR stands within another component"),
        (lambda _: b"# A list\n", 1, "this is no iCalendar file: it begins '# A list'"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_its_reason_and_place(
    damage: Callable[[bytes], bytes], line: int | None, message: str
):
    with pytest.raises(SourceError) as refused:
        read_ics(damage(BASE), "feed.ics")

    (problem,) = refused.value.problems
    assert (problem.location, problem.message) == (Location("feed.ics", line), message)
    assert problem.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_characters_are_read_with_and_without_their_mark(encoding: str):
    assert read_ics(BASE.decode().encode(encoding), "x.ics") == read_ics(BASE, "x.ics")


def test_a_file_that_was_cut_short_is_read_as_far_as_it_goes_and_says_so():
    imported = read_ics(calendar("DTSTART:20240608T100000Z\nSUMMARY:Fair").rpartition(b"END:VEVENT")[0], "x.ics")

    assert told(imported) == ["7: VCALENDAR: the file ends before its calendar does: it may have been cut short"]
    assert [one.summary.get() for one in load([("x.toml", imported.toml)]).events] == ["Fair"]


def test_an_event_without_its_end_does_not_swallow_the_next():
    data = calendar(*(f"DTSTART:2024060{day}T100000Z\nSUMMARY:Day {day}" for day in (1, 2, 3)))

    imported = read_ics(data.replace(b"END:VEVENT\r\n", b"", 1), "x.ics")

    assert [one.summary.get() for one in load([("x.toml", imported.toml)]).events] == ["Day 1", "Day 2", "Day 3"]
    assert told(imported) == ["8: VEVENT: an event began before the last one's END (2 times, here first)"]


def test_an_all_day_event_ends_on_its_last_day():
    assert keys(calendar("DTSTART;VALUE=DATE:20240608\nDTEND;VALUE=DATE:20240610\nSUMMARY:Fair")) == (
        "start = 2024-06-08\nend = 2024-06-09"
    )


@pytest.mark.parametrize(
    ("duration", "end"),
    [("PT1H30M", "2024-03-30T13:30:00"), ("P1D", "2024-03-31T12:00:00"), ("P1DT1H", "2024-03-31T13:00:00")],
)
def test_a_duration_becomes_an_end_days_by_the_calendar(duration: str, end: str):
    """The day from 30 to 31 March 2024 has 23 hours in Paris."""
    data = calendar(f"DTSTART;TZID=Europe/Paris:20240330T120000\nDURATION:{duration}\nSUMMARY:x")

    assert keys(data) == f"start = 2024-03-30T12:00:00\nend = {end}"


@pytest.mark.parametrize(
    ("tzid", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("/freeassociation.sourceforge.net/Europe/Paris", "Europe/Paris"),
        ("/mozilla.org/20050126_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ('"Tokyo Standard Time"', "Asia/Tokyo"),
        ('"(UTC+07:00) Bangkok, Hanoi, Jakarta"', "Asia/Bangkok"),
        ('"(UTC-05:00) Eastern Time (US & Canada)"', "America/New_York"),
        ('"GMT +01:00"', "Etc/GMT-1"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_known_by_many_names(tzid: str, zone: str):
    assert event(calendar(f"DTSTART;TZID={tzid}:20240603T100000\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:x")).timezone == zone


def test_a_zone_of_no_name_is_known_by_its_rules():
    """The VTIMEZONE of Paris under a name of its own: Paris is not the only such zone, but the clocks agree."""
    found = event(BASE.replace(b"Europe/Paris", b"Customized Time Zone"))

    assert found.start.isoformat() == "2024-06-03T10:00:00+02:00"
    assert found.timezone == "Europe/Berlin"


def test_times_in_a_zone_like_no_other_are_converted():
    """A VTIMEZONE an hour and 23 minutes ahead: its instants are kept, its clock is not."""
    zone = b"BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:20200101T000000\r\nTZOFFSETFROM:+0123\r\n"
    zone += b"TZOFFSETTO:+0123\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    data = calendar("DTSTART;TZID=Ours:20240603T100000\nSUMMARY:x").replace(b"BEGIN:VEVENT", zone)

    assert event(data).start.isoformat() == "2024-06-03T08:37:00+00:00"
    assert told(read_ics(data, "x.ics")) == [
        "14: DTSTART: the zone 'Ours' is not known; its times were converted to times in UTC"
    ]


@pytest.mark.parametrize("defined", [b"TZID:(UTC+01:23) Ours\\, Yours", b"TZID:(UTC+01:23) Ours, Yours"])
def test_a_zone_whose_name_holds_a_comma_has_its_rules_all_the_same(defined: bytes):
    """Escaped where it is a text, quoted where it is a parameter; some products do not escape it."""
    zone = b"BEGIN:VTIMEZONE\r\n" + defined + b"\r\nBEGIN:STANDARD\r\nDTSTART:20200101T000000\r\n"
    zone += b"TZOFFSETFROM:+0123\r\nTZOFFSETTO:+0123\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    data = calendar('DTSTART;TZID="(UTC+01:23) Ours, Yours":20240603T100000\nSUMMARY:x').replace(b"BEGIN:VEVENT", zone)

    assert event(data).start.isoformat() == "2024-06-03T08:37:00+00:00"


def test_the_zone_of_the_calendar_is_tried_first():
    data = BASE.replace(b"Europe/Paris", b"Customized Time Zone")
    named = data.replace(b"X-WR-CALNAME", b"X-WR-TIMEZONE:Europe/Rome\r\nX-WR-CALNAME")

    assert event(named).timezone == "Europe/Rome"


def test_a_time_without_a_zone_is_read_in_the_calendar_s_and_told():
    data = calendar("DTSTART:20240603T100000\nDTEND:20240603T110000\nSUMMARY:x", head="X-WR-TIMEZONE:Asia/Tokyo\n")

    assert event(data).start.isoformat() == "2024-06-03T10:00:00+09:00"
    assert told(read_ics(data, "x.ics")) == ["7: DTSTART: times without a zone were read as times in Asia/Tokyo"]


def test_a_local_time_that_happens_twice_is_written_with_its_offset():
    data = calendar("DTSTART;TZID=Europe/Paris:20241027T023000\nSUMMARY:x")

    assert keys(data) == "start = 2024-10-27T02:30:00+02:00"


def test_a_start_that_is_none_of_its_rule_s_dates_becomes_a_further_date():
    """3 June 2024 is a Monday. Most clients show it and the Tuesdays, COUNT counting it too."""
    data = calendar("DTSTART;TZID=Europe/Paris:20240603T100000\nRRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3\nSUMMARY:x")

    assert keys(data) == (
        'start = 2024-06-04T10:00:00\nrrule = "FREQ=WEEKLY;COUNT=2;BYDAY=TU"\nrdate = [2024-06-03T10:00:00]'
    )


def test_of_count_and_until_the_end_is_kept():
    data = calendar("DTSTART;VALUE=DATE:20240603\nRRULE:FREQ=DAILY;COUNT=9;UNTIL=20240605\nSUMMARY:x")

    assert keys(data) == 'start = 2024-06-03\nrrule = "FREQ=DAILY;UNTIL=20240605"'


def test_exceptions_of_what_does_not_recur_are_left_out_and_what_never_happens_is_too():
    single = "DTSTART;VALUE=DATE:20240603\nEXDATE;VALUE=DATE:20240604\nSUMMARY:x"
    never = "DTSTART;VALUE=DATE:20240603\nRRULE:FREQ=DAILY;COUNT=1\nEXDATE;VALUE=DATE:20240603\nSUMMARY:y"
    imported = read_ics(calendar(single, never), "x.ics")

    assert [each.summary.get() for each in load([("x.toml", imported.toml)]).events] == ["x"]
    assert told(imported) == [
        "7: EXDATE: left out: the event does not recur",
        "10: VEVENT: an event that an event list cannot hold was left out: exdate leaves no occurrence",
    ]


def test_days_and_times_are_matched_in_exceptions_of_either_form():
    """Google writes EXDATE as a day of a timed event, Exchange RECURRENCE-ID as a time of an all-day one."""
    timed = "DTSTART;TZID=Europe/Paris:20240603T100000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20240604\nSUMMARY:x"
    days = "DTSTART;VALUE=DATE:20240603\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Paris:20240604T000000\nSUMMARY:x"
    data = calendar(timed, days)

    assert keys(data, 0).endswith("exdate = [2024-06-04T10:00:00]")
    assert keys(data, 1).endswith("exdate = [2024-06-04]")


def test_an_override_holds_only_what_differs():
    data = calendar(
        "DTSTART;TZID=Europe/Paris:20240603T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:x\nLOCATION:Mill\n"
        "END:VEVENT\nBEGIN:VEVENT\nUID:e0\nRECURRENCE-ID;TZID=Europe/Paris:20240604T100000\nSUMMARY:x\nLOCATION:Barn\n"
        "DTSTART;TZID=Europe/Paris:20240604T120000\nDURATION:PT1H\nSTATUS:CANCELLED"
    )

    assert read_ics(data, "x.ics").toml.split("[[events.overrides]]\n")[1] == (
        'recurrence_id = 2024-06-04T10:00:00\nstart = 2024-06-04T12:00:00\nstatus = "cancelled"\nlocation = "Barn"\n'
    )


def test_an_override_without_its_event_s_categories_and_links_has_none():
    """An override is the whole occurrence (RFC 5545 §3.8.4.4): of lists the event list can say that they are empty."""
    data = calendar(
        "DTSTART;VALUE=DATE:20240603\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:x\nCATEGORIES:expo\nATTACH:https://example.org/x\n"
        "CONFERENCE;VALUE=URI:tel:+1\nEND:VEVENT\nBEGIN:VEVENT\nUID:e0\nRECURRENCE-ID;VALUE=DATE:20240604\n"
        "DTSTART;VALUE=DATE:20240604\nSUMMARY:y"
    )
    (override,) = event(data).overrides

    assert (override.categories, override.attach, override.conference) == ((), (), ())
    assert told(read_ics(data, "x.ics")) == []


def test_an_hour_of_a_day_needs_no_end():
    """An occurrence of hours among all-day ones is not as long as they are, and nothing is lost."""
    data = calendar(
        "DTSTART;VALUE=DATE:20240603\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:x\n"
        "END:VEVENT\nBEGIN:VEVENT\nUID:e0\nRECURRENCE-ID;VALUE=DATE:20240604\nDTSTART:20240604T100000Z\nSUMMARY:x"
    )
    (override,) = event(data).overrides

    assert (override.start.isoformat(), override.end) == ("2024-06-04T10:00:00+00:00", None)
    assert told(read_ics(data, "x.ics")) == []


def test_an_override_of_nothing_becomes_an_event_of_its_own():
    data = calendar("RECURRENCE-ID:20240604T100000Z\nDTSTART:20240604T120000Z\nSUMMARY:Moved")
    imported = read_ics(data, "x.ics")

    assert load([("x.toml", imported.toml)]).events[0].uid == "e0"
    assert told(imported) == ["6: RECURRENCE-ID: an occurrence without its recurring event became an event"]


def test_of_two_events_with_one_uid_the_last_revised_is_kept():
    twice = calendar(
        "SEQUENCE:2\nDTSTART:20240604T120000Z\nSUMMARY:New\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:e0\nSEQUENCE:1\nDTSTART:20240604T100000Z\nSUMMARY:Old"
    )

    assert [each.summary.get() for each in load([("x.toml", read_ics(twice, "x.ics").toml)]).events] == ["New"]


@pytest.mark.parametrize(
    ("written", "uid"),
    [
        (r"a\,b\;c", "a,b;c"),
        ("a,b;c", "a,b;c"),
        (r"OFFICE\\desk", r"OFFICE\desk"),
        (r"OFFICE\desk", r"OFFICE\desk"),
        (r"OFFICE\news", r"OFFICE\news"),
    ],
)
def test_a_uid_is_kept_as_its_readers_know_it(written: str, uid: str):
    """Its escapes are undone, or clients would see another event; also where it is a parent's."""
    data = calendar(
        "DTSTART;VALUE=DATE:20240603\nSUMMARY:Visit",
        f"DTSTART;VALUE=DATE:20240603\nSUMMARY:Talks\nRELATED-TO:{written}",
    ).replace(b"UID:e0", f"UID:{written}".encode())

    visit, talks = load([("x.toml", read_ics(data, "x.ics").toml)]).events
    assert (visit.uid, talks.parent) == (uid, uid)


def test_a_relation_within_the_file_becomes_a_parent_and_a_circle_is_cut():
    imported = read_ics(
        calendar(
            "DTSTART;VALUE=DATE:20240603\nSUMMARY:Visit\nRELATED-TO:e1",
            "DTSTART;VALUE=DATE:20240603\nSUMMARY:Talks\nRELATED-TO:e0",
            "DTSTART;VALUE=DATE:20240603\nSUMMARY:Dinner\nRELATED-TO:elsewhere",
        ),
        "x.ics",
    )

    parents = [each.parent for each in load([("x.toml", imported.toml)]).events]
    assert parents == ["e1", None, None]
    assert told(imported) == [
        "14: RELATED-TO: a relation to what is not an event of the file was left out (2 times, here first)"
    ]


def test_ids_are_made_of_titles_and_unique():
    titles = ("Opening: the café!", "Opening, the CAFE", "Открытие", "开幕")
    data = calendar(*(f"DTSTART;VALUE=DATE:20240603\nSUMMARY:{title}" for title in titles))

    assert [each.id for each in load([("x.toml", read_ics(data, "x.ics").toml)]).events] == [
        "opening-the-cafe",
        "opening-the-cafe-2",
        "event-2024-06-03",
        "event-2024-06-03-2",
    ]


def test_an_organizer_s_address_is_what_the_uri_means():
    """RFC 6068: octets may be encoded, and a subject may follow."""
    data = calendar("DTSTART;VALUE=DATE:20240603\nORGANIZER;CN=Desk:mailto:desk%2Bvisit@example.org?subject=Visit")

    assert keys(data) == 'start = 2024-06-03\norganizer = { name = "Desk", email = "desk+visit@example.org" }'


def test_html_that_services_write_becomes_plain_text():
    data = calendar(
        'DTSTART:20240603T100000Z\nSUMMARY:x\nDESCRIPTION:<p>Bring <b>tools</b>&nbsp\\;\\, <a href="https://example.org/x">'
        "tea</a>.</p><ul><li>One</li><li>Two</li></ul>"
    )

    assert plain(event(data).description.get()) == "Bring tools\xa0, tea (https://example.org/x).\n• One\n• Two"


def test_a_backslash_before_n_stays_one():
    """``C:\\New`` is no line break, though several parsers read one."""
    data = calendar("DTSTART:20240603T100000Z\nSUMMARY:C:\\\\New\nDESCRIPTION:C:\\\\new\\nline")

    assert event(data).summary.get() == "C:\\New"
    assert plain(event(data).description.get()) == "C:\\new\nline"


def test_what_an_event_list_refuses_is_left_out_with_its_reason():
    data = calendar(
        "DTSTART:20240603T100000Z\nSUMMARY:x\nRRULE:FREQ=FORTNIGHTLY\nURL:https://user:pass@:99999/\nCATEGORIES:"
        + "c" * 70
    )
    imported = read_ics(data, "x.ics")

    assert keys(data) == "start = 2024-06-03T10:00:00"
    assert [line.split(":")[1].strip() for line in told(imported)] == ["RRULE", "URL", "CATEGORIES"]


def test_the_calendar_itself():
    head = (
        "NAME;LANGUAGE=en:Fair\nNAME;LANGUAGE=fr:Foire\nX-WR-CALDESC:All *days*\n"
        "X-WR-TIMEZONE:W. Europe Standard Time\nX-APPLE-CALENDAR-COLOR:#DC143CFF\nREFRESH-INTERVAL;VALUE=DURATION:P1D\nURL:https://example.org\n"
    )

    assert read_ics(calendar(head=head), "x.ics").toml == (
        '[calendar]\nid = "fair"\nname = { en = "Fair", fr = "Foire" }\ndescription = "All \\\\*days\\\\*"\n'
        'timezone = "Europe/Berlin"\nurl = "https://example.org"\ncolor = "crimson"\nrefresh = "1d"\n'
    )


def test_a_file_in_another_encoding_is_read_all_the_same():
    data = calendar("DTSTART:20240603T100000Z\nSUMMARY:Été").decode().encode("cp1252")

    assert event(data).summary.get() == "Été"


def test_the_id_of_the_calendar_may_be_given():
    assert read_ics(calendar(), "x.ics", calendar_id="mine").toml.startswith('[calendar]\nid = "mine"\n')


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60), st.data())
def test_any_text_becomes_commonmark_that_says_just_that(text: str, data: st.DataObject):
    marks = data.draw(
        st.lists(
            st.sampled_from(
                ["*", "_", "`", "# ", "> ", "- ", "1. ", "\n", "\n\n", "<b>", "[", "](", "\\", "~~~", "&lt;"]
            ),
            max_size=8,
        )
    )
    pieces = [piece for mark in marks for piece in (mark, text[:5])]
    wanted = texts.tidied("".join((text, *pieces)))

    assert not wanted or plain(texts.commonmark(wanted)) == wanted


@given(
    st.dictionaries(st.sampled_from("abc"), st.text() | st.integers() | st.dates() | st.lists(st.text() | st.dates()))
)
def test_toml_says_what_it_was_given(values: dict[str, object]):
    import tomli  # the judge

    assert tomli.loads(toml.table("[x]", values)) == {"x": values}


@given(st.binary(max_size=300))
def test_any_octets_are_refused_or_become_an_event_list(data: bytes):
    try:
        imported = read_ics(data, "any")
    except SourceError:
        return
    load([("x.toml", imported.toml)])


@given(st.data())
def test_a_feed_with_any_octets_put_in_becomes_an_event_list(data: st.DataObject):
    whole = (GOLDEN / "lint" / "good" / "every-property.ics").read_bytes()
    at = data.draw(st.integers(100, len(whole)))
    cut = data.draw(st.integers(0, 60))
    piece = data.draw(st.binary(max_size=20) | st.sampled_from(PIECES))

    load([("x.toml", read_ics(whole[:at] + piece + whole[at + cut :], "any").toml)])


PIECES = [
    b"\r\nDTSTART:00010101T000000Z\r\n",
    b"\r\nDTEND:99991231T235959Z\r\n",
    b"\r\nRRULE:FREQ=SECONDLY\r\n",
    b"\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n",
    b"\r\nRECURRENCE-ID:20240603T000000Z\r\n",
    b"\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20240101\r\n",
    b"\r\nGEO:999;999\r\n",
    b";TZID=../../x:",
    b"\r\nTZID:../../../etc/passwd\r\n",
]
