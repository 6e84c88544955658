// The same TOML as a feed by way of npm's ical-generator.
import { readFileSync, statSync } from 'node:fs';
import ical from 'ical-generator';
import { parse } from 'smol-toml';

const data = parse(readFileSync(process.argv[2], 'utf8'));
const begin = process.cpuUsage();
const stamp = statSync(process.argv[2]).mtime;
const calendar = ical({ name: data.calendar.name, prodId: '-//example.org//bench//EN', timezone: data.calendar.timezone });
for (const each of data.events) {
  const start = new Date(each.start.toISOString());
  calendar.createEvent({
    id: each.id, stamp, created: stamp, lastModified: stamp, sequence: 0,
    start, end: new Date(start.getTime() + 3600000), timezone: data.calendar.timezone,
    summary: each.summary, description: each.description, location: each.location,
    status: 'CONFIRMED', transparency: 'TRANSPARENT', busystatus: 'FREE',
    categories: each.categories.map((name) => ({ name })),
  });
}
const text = calendar.toString();
const used = process.cpuUsage(begin);
process.stderr.write(JSON.stringify({ build: (used.user + used.system) / 1e6 }) + '\n');
process.stdout.write(text);
