// What every driver in JavaScript shares; the form of what comes in and goes out is told in judging.py.

import { readFileSync } from "node:fs";

export const day = (date) => date.toISOString().slice(0, 10);
export const instant = (date) => date.toISOString().replace(/\.\d+Z$/, "Z");

export function judge(expand) {
  console.log = console.warn = () => {}; // some libraries talk
  const { since, until, calendars } = JSON.parse(readFileSync(0, "utf8"));
  const answers = calendars.map((text) => {
    try {
      const found = expand(text, new Date(since), new Date(until)).filter(([start]) => since <= start && start < until);
      return [...new Set(found.map(JSON.stringify))].map(JSON.parse).sort((a, b) => (a.join("\n") < b.join("\n") ? -1 : 1));
    } catch (fault) {
      return { error: String(fault).slice(0, 300) };
    }
  });
  process.stdout.write(JSON.stringify(answers));
}
