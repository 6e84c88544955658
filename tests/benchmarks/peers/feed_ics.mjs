// The same TOML as a feed by way of npm's ics, which writes instants in UTC.
import { readFileSync } from 'node:fs';
import { createEvents } from 'ics';
import { parse } from 'smol-toml';

const data = parse(readFileSync(process.argv[2], 'utf8'));
const begin = process.cpuUsage();
const { error, value } = createEvents(
  data.events.map((each) => ({
    uid: each.id, sequence: 0, start: Date.parse(each.start.toISOString() + 'Z'), duration: { hours: 1 },
    title: each.summary, description: each.description, location: each.location,
    status: 'CONFIRMED', transp: 'TRANSPARENT', busyStatus: 'FREE', categories: each.categories,
  })),
  { productId: '-//example.org//bench//EN', calName: data.calendar.name },
);
if (error) throw error;
const used = process.cpuUsage(begin);
process.stderr.write(JSON.stringify({ build: (used.user + used.system) / 1e6 }) + '\n');
process.stdout.write(value);
