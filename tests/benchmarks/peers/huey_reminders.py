"""As many posts by Huey, 32 threads, its queue in SQLite: ``huey_reminders.py DATABASE COUNT SIZE URL…``.

The tasks are queued before the clock starts.
"""

import json
import logging
import sys
import threading
import time
from statistics import quantiles

import requests
from huey import SqliteHuey

database, count, size, *urls = sys.argv[1:]
count, body, done = int(count), "x" * int(size), []
logging.disable(logging.CRITICAL)
huey = SqliteHuey(filename=f"{database}.huey", results=False)
mine = threading.local()


@huey.task(retries=5)
def post(url):
    if not hasattr(mine, "session"):
        mine.session = requests.Session()
        mine.session.trust_env = False
    answer = mine.session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=15)
    answer.raise_for_status()
    done.append(time.perf_counter())


for number in range(count):
    post(urls[number % len(urls)])
consumer = huey.create_consumer(
    workers=32, worker_type="thread", check_worker_health=False, initial_delay=0.01, backoff=1.0
)
begin = time.perf_counter()
consumer.start()
while len(done) < count and time.perf_counter() - begin < 300:
    time.sleep(0.005)
seconds = time.perf_counter() - begin
consumer.stop()
p99 = quantiles([each - begin for each in done], n=100)[98]
print(json.dumps({"seconds": seconds, "p99": p99}), file=sys.stderr)
