"""Hostile iCalendar files into the lint and the import: findings or an event list, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from calfeed.cli import main
from calfeed.events.parse import load


def calendar(body: bytes) -> bytes:
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + body + b"END:VCALENDAR\r\n"


HEAD = b"BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20240101T000000Z\r\nDTSTART:20240101T000000Z\r\n"


def event(body: bytes, old: bytes = b"-", new: bytes = b"-") -> bytes:
    return calendar(HEAD.replace(old, new) + body + b"\r\nEND:VEVENT\r\n")


DTSTART = b"DTSTART:20240101T000000Z"
FILES: dict[str, bytes] = {
    "nothing": b"",
    "calendars in calendars": b"BEGIN:VCALENDAR\r\n" * 4_000,
    "components in components": b"".join(b"BEGIN:X%d\r\n" % n for n in range(2_000)),
    "one long line": b"A" * 200_000,
    "folds of one letter": event(b"SUMMARY:" + b"\r\n a" * 20_000),
    "folds of nothing": event(b"SUMMARY:" + b"\r\n " * 20_000),
    "many parameters": event(b"SUMMARY" + b";a=b" * 10_000 + b":x"),
    "an open quote": event(b"SUMMARY;a=" + b'"' * 20_001 + b":x"),
    "many values": event(b"CATEGORIES:" + b"," * 20_000),
    "backslashes": event(b"SUMMARY:" + b"\\" * 20_001),
    "many exceptions": event(b"RRULE:FREQ=DAILY\r\nEXDATE:" + b",".join([b"20240101T000000Z"] * 4_000)),
    "a rule of each second": event(b"RRULE:FREQ=SECONDLY;UNTIL=99991231T235959Z"),
    "a rule that never comes": event(b"RRULE:FREQ=SECONDLY;COUNT=1000000000;BYMONTH=2;BYMONTHDAY=30"),
    "an endless interval": event(b"RRULE:FREQ=DAILY;INTERVAL=999999999999999999999"),
    "many rules": event(b"\r\n".join([b"RRULE:FREQ=DAILY;COUNT=2"] * 500)),
    "the year 1": event(b"", DTSTART, b"DTSTART:00010101T000000"),
    "the year 9999": event(b"DURATION:P99999999999W", DTSTART, b"DTSTART:99991231T000000"),
    "a long duration": event(b"DURATION:PT" + b"9" * 5_000 + b"S"),
    "a geo of no place": event(b"GEO:1e400;nan"),
    "a huge priority": event(b"PRIORITY:" + b"9" * 5_000 + b"\r\nSEQUENCE:-" + b"9" * 6_000),
    "a zone that is a path": event(b"", DTSTART, b"DTSTART;TZID=../../etc/passwd:20240101T000000"),
    "a zone that is a folder": event(b"", DTSTART, b"DTSTART;TZID=Asia:20240101T000000"),
    "a zone with a NUL": event(b"", DTSTART, b"DTSTART;TZID=a\x00b:20240101T000000"),
    "a zone out of time": calendar(
        b"BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:00010101T000000\r\nRRULE:FREQ=SECONDLY\r\n"
        b"TZOFFSETFROM:+9999\r\nTZOFFSETTO:-235960\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        + HEAD.replace(DTSTART, b"DTSTART;TZID=X:20240101T000000") + b"END:VEVENT\r\n"
    ),
    "one UID for all": calendar((HEAD + b"END:VEVENT\r\n") * 2_000),
    "a UID that is a path": event(b"", b"UID:a", b"UID:../../../etc/passwd"),
    "HTML without end": event(b"X-ALT-DESC;FMTTYPE=text/html:" + b"<a href='" * 4_000),
    "many people": event(b"\r\n".join([b"ATTENDEE;CN=a:mailto:a@b"] * 2_000)),
    "many alarms": event(b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n" * 600),
    "NULs": b"\0" * 100_000,
    "carriage returns": b"\r" * 100_000,
    "line feeds": b"\n" * 100_000,
    "colons": b":\r\n" * 20_000,
    "no UTF-8": b"\xff" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_check_and_import_end_in_lines(
    name: str, check: Callable[..., tuple[int, list[str]]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 0 or 1, each problem one printable line; what is imported is an event list without an error."""
    _, lines = check(FILES[name], "hostile.ics")
    assert [line for line in lines if not line.startswith("hostile.ics") or not line.isprintable()] == []
    status = 0
    try:
        main(["import", str(tmp_path / "hostile.ics")])
    except SystemExit as ended:
        status = int(str(ended.code or 0))
    told = capfd.readouterr()
    assert status in {0, 1}
    assert "Traceback" not in told.err
    assert told.err or status == 0
    if status == 0:
        load([("made.toml", told.out)])
    print("2 files, lost 0, repeated 0")


@pytest.mark.parametrize("command", ["check", "import"])
def test_a_device_without_end_is_bounded(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is read up to the bound of a source; what is larger is told, not loaded."""
    monkeypatch.setattr("calfeed.publish.MAX_FILE_BYTES", 2**20)
    monkeypatch.setattr("calfeed.logs.configure", lambda *_: None)
    (tmp_path / "zero.ics").symlink_to("/dev/zero")
    with pytest.raises(SystemExit) as ended:
        main([command, str(tmp_path / "zero.ics")])
    told = capfd.readouterr()
    assert ended.value.code == 1
    assert "zero.ics: error: cannot be read: larger than" in told.out + told.err
