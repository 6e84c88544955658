// node-ical.

import ical from "node-ical";
import { judge, instant } from "./judging.mjs";

const local = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
const plain = (text) => (typeof text === "object" ? text.val : text);

function expand(text, since, until) {
  const said = (date, whole) => (whole ? local(date) : instant(date));
  return Object.values(ical.sync.parseICS(text))
    .filter((event) => event.type === "VEVENT")
    .flatMap((event) => ical.expandRecurringEvent(event, { from: since, to: until }))
    .map((each) => [said(each.start, each.isFullDay), said(each.end ?? each.start, each.isFullDay), plain(each.summary)]);
}

judge(expand);
