"""The same TOML as a feed by way of `icalendar` objects; CPU seconds of the building alone as JSON on stderr."""

import json
import sys
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

path = Path(sys.argv[1])
data = tomllib.loads(path.read_text())
begin = time.process_time()
zone = ZoneInfo(data["calendar"]["timezone"])
namespace = uuid5(NAMESPACE_URL, "calfeed:" + data["calendar"]["id"])
stamp = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
calendar = Calendar()
calendar.add("version", "2.0")
calendar.add("prodid", "-//example.org//bench//EN")
calendar.add("x-wr-calname", data["calendar"]["name"])
for each in data["events"]:
    event, start = Event(), each["start"].replace(tzinfo=zone)
    event.add("uid", str(uuid5(namespace, each["id"])))
    event.add("dtstamp", stamp)
    event.add("created", stamp)
    event.add("last-modified", stamp)
    event.add("sequence", 0)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(hours=1))
    event.add("summary", each["summary"])
    event.add("description", each["description"])
    event.add("location", each["location"])
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("x-microsoft-cdo-busystatus", "FREE")
    event.add("categories", each["categories"])
    calendar.add_component(event)
calendar.add_missing_timezones()
octets = calendar.to_ical()
print(json.dumps({"build": time.process_time() - begin}), file=sys.stderr)
sys.stdout.buffer.write(octets)
