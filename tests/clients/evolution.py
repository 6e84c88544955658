"""What Evolution's window does, without the window: opens the calendar `desk` and refreshes it again and again.

Run inside a D-Bus session. It speaks to the data server through Evolution's own client libraries, and stays
connected, since the data server drops a calendar whose last client has left.
"""

from __future__ import annotations

import ctypes
import time
from typing import Any

EVENTS = 0  # E_CAL_CLIENT_SOURCE_TYPE_EVENTS
PAUSE = 2.0  # seconds between two refreshes
COUNT = 60


class GError(ctypes.Structure):
    _fields_ = (("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p))


def call(function: Any, *args: object) -> ctypes.c_void_p:
    """A function that returns a pointer or a boolean, and says in its last argument why it gives none."""
    function.restype = ctypes.c_void_p
    error = ctypes.POINTER(GError)()
    result = function(*args, None, ctypes.byref(error))
    if not result:
        raise SystemExit(f"{function.__name__}: {error.contents.message.decode() if error else 'nothing'}")
    return ctypes.c_void_p(result)


def main() -> None:
    server, calendars = ctypes.CDLL("libedataserver-1.2.so.27"), ctypes.CDLL("libecal-2.0.so.2")
    registry = call(server.e_source_registry_new_sync)
    server.e_source_registry_ref_source.restype = ctypes.c_void_p
    source = ctypes.c_void_p(server.e_source_registry_ref_source(registry, b"desk"))
    client = call(calendars.e_cal_client_connect_sync, source, EVENTS, 1)
    for _ in range(COUNT):
        time.sleep(PAUSE)
        call(server.e_client_refresh_sync, client)


main()
