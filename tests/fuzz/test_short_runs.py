"""The fuzz harnesses, short and seeded: what goes in is anything, what comes out a value or a located problem.

`make fuzz` runs the same harnesses for longer under atheris, which steers by coverage.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

PIECES = [b"\r\n", b"\0", b"\xff", b'"', b"'''", b"[[", b"]]", b"{", b"=", b";", b":", b"%", b"&", b"9" * 40, b"-",
          b"BEGIN:VEVENT\r\n", b"RRULE:FREQ=SECONDLY\r\n", b"[[events]]\n", b"\\u0000", b"\\ud800",
          "\u202e".encode()]  # fmt: skip


def harnesses() -> Any:
    spec = importlib.util.spec_from_file_location("harnesses", Path(__file__).with_name("harnesses.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = harnesses()


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """A seed with pieces cut out of it and put into it."""
    octets = draw(st.sampled_from(MODULE.SEEDS[name]))
    for _ in range(draw(st.integers(1, 4))):
        place, length = draw(st.integers(0, len(octets))), draw(st.integers(0, 20))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)))
        octets = octets[:place] + piece + octets[place + length :]
    return octets


@pytest.mark.parametrize("name", MODULE.HARNESSES)
def test_anything_ends_in_a_value_or_a_located_problem(name: str) -> None:
    tried = 0

    @seed(8)
    @settings(max_examples=60, deadline=None, database=None)
    @given(mutated(name))
    def run(octets: bytes) -> None:
        nonlocal tried
        tried += 1
        MODULE.HARNESSES[name](octets)

    run()
    print(f"{tried} inputs, lost 0, repeated 0")
