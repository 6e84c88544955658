"""The same TOML as a feed by way of `vobject` objects."""

import json
import sys
import time
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import dateutil.tz
import vobject

path = Path(sys.argv[1])
data = tomllib.loads(path.read_text())
begin = time.process_time()
zone = dateutil.tz.gettz(data["calendar"]["timezone"])
namespace = uuid5(NAMESPACE_URL, "calfeed:" + data["calendar"]["id"])
stamp = datetime.fromtimestamp(int(path.stat().st_mtime), dateutil.tz.UTC)
calendar = vobject.iCalendar()
for each in data["events"]:
    event, start = calendar.add("vevent"), each["start"].replace(tzinfo=zone)
    event.add("uid").value = str(uuid5(namespace, each["id"]))
    event.add("dtstamp").value = stamp
    event.add("created").value = stamp
    event.add("last-modified").value = stamp
    event.add("sequence").value = "0"
    event.add("dtstart").value = start
    event.add("dtend").value = start + timedelta(hours=1)
    event.add("summary").value = each["summary"]
    event.add("description").value = each["description"]
    event.add("location").value = each["location"]
    event.add("status").value = "CONFIRMED"
    event.add("transp").value = "TRANSPARENT"
    event.add("categories").value = each["categories"]
octets = calendar.serialize().encode()
print(json.dumps({"build": time.process_time() - begin}), file=sys.stderr)
sys.stdout.buffer.write(octets)
