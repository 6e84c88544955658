// ts-ics: its rules know no summer time (an hour off after each change of clocks), so only events that do not recur are told.

import { convertIcsCalendar, getEventEnd } from "ts-ics";
import { judge, day, instant } from "./judging.mjs";

function expand(text) {
  const events = convertIcsCalendar(undefined, text).events ?? [];
  return events
    .filter((event) => !event.recurrenceRule && !event.recurrenceId)
    .map((event) => {
      const said = event.start.type === "DATE" ? day : instant;
      const end = event.end || event.duration ? getEventEnd(event) : event.start.date;
      return [said(event.start.date), said(end), event.summary];
    });
}

judge(expand);
