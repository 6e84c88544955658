"""Runs a program from a process that is itself small, and adds what it cost as a last line of JSON on stderr.

Linux hands the peak memory of the process that starts a program on to it: from a large one every program looks large.
"""

import json
import os
import sys

child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
cost = {"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
print(json.dumps(cost), file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
