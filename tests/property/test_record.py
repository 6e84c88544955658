"""Laws of records and digests."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import Location
from calfeed.events.model import Event
from calfeed.events.record import digest, from_record, to_record


@given(st.from_type(Event))
def test_a_record_is_the_event(event: Event) -> None:
    """What JSON carries is what was written, and it makes the same event, to the reading of a repeated hour."""
    record = to_record(event)
    carried = json.loads(json.dumps(record))
    assert carried == record
    made = from_record(carried)
    assert made == event
    assert to_record(made) == record


@given(st.from_type(Event))
def test_a_digest_is_of_the_content(event: Event) -> None:
    """Where an event stands in the source, and what no reader sees, is not in its digest; a word of it is."""
    assert digest(replace(event, source=Location("other.toml", 7))) == digest(event)
    assert digest(from_record(to_record(event))) == digest(event)
    assert digest(replace(event, remind=(), embargo=None)) == digest(event)
    assert digest(replace(event, url="https://example.org/another")) != digest(event)
