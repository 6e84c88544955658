"""The same TOML as a feed by way of `ical` objects."""

import json
import sys
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event

path = Path(sys.argv[1])
data = tomllib.loads(path.read_text())
begin = time.process_time()
zone = ZoneInfo(data["calendar"]["timezone"])
namespace = uuid5(NAMESPACE_URL, "calfeed:" + data["calendar"]["id"])
stamp = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
calendar = Calendar()
for each in data["events"]:
    start = each["start"].replace(tzinfo=zone)
    calendar.events.append(
        Event(
            uid=str(uuid5(namespace, each["id"])),
            dtstamp=stamp,
            created=stamp,
            last_modified=stamp,
            sequence=0,
            dtstart=start,
            dtend=start + timedelta(hours=1),
            summary=each["summary"],
            description=each["description"],
            location=each["location"],
            categories=each["categories"],
        )
    )
octets = IcsCalendarStream.calendar_to_ics(calendar).encode()
print(json.dumps({"build": time.process_time() - begin}), file=sys.stderr)
sys.stdout.buffer.write(octets)
