// ical.js, which Thunderbird and Nextcloud read calendars with.

import ICAL from "ical.js";
import { judge, instant } from "./judging.mjs";

const said = (time) => (time.isDate ? time.toString() : instant(time.toJSDate()));

function expand(text, since, until) {
  const root = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  root.getAllSubcomponents("vtimezone").forEach((zone) => ICAL.TimezoneService.register(zone));
  const events = root.getAllSubcomponents("vevent").map((one) => new ICAL.Event(one, { exceptions: [] }));
  const exceptions = events.filter((event) => event.isRecurrenceException());
  const found = [];
  for (const event of events.filter((each) => !each.isRecurrenceException())) {
    if (!event.isRecurring()) {
      found.push([said(event.startDate), said(event.endDate), event.summary]);
      continue;
    }
    exceptions.filter((each) => each.uid === event.uid).forEach((each) => event.relateException(each));
    const dates = event.iterator();
    for (let next = dates.next(); next && next.toJSDate() < until; next = dates.next()) {
      const { startDate, endDate, item } = event.getOccurrenceDetails(next);
      found.push([said(startDate), said(endDate), item.summary]);
    }
  }
  return found;
}

judge(expand);
