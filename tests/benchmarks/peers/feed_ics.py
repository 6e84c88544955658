"""The same TOML as a feed by way of `ics` objects."""

import json
import sys
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from ics import Calendar, Event

path = Path(sys.argv[1])
data = tomllib.loads(path.read_text())
begin = time.process_time()
zone = ZoneInfo(data["calendar"]["timezone"])
namespace = uuid5(NAMESPACE_URL, "calfeed:" + data["calendar"]["id"])
stamp = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
calendar = Calendar(creator="-//example.org//bench//EN")
for each in data["events"]:
    start = each["start"].replace(tzinfo=zone)
    calendar.events.add(
        Event(
            name=each["summary"],
            begin=start,
            end=start + timedelta(hours=1),
            uid=str(uuid5(namespace, each["id"])),
            description=each["description"],
            created=stamp,
            last_modified=stamp,
            location=each["location"],
            transparent=True,
            categories=set(each["categories"]),
            status="CONFIRMED",
        )
    )
octets = calendar.serialize().encode()
print(json.dumps({"build": time.process_time() - begin}), file=sys.stderr)
sys.stdout.buffer.write(octets)
