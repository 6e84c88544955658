"""Laws of occurrences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calfeed.events.model import Event, instant
from calfeed.events.occurrences import last_end, occurrences, occurs

FIRST, LAST = datetime(1994, 1, 1, tzinfo=UTC), datetime(2064, 1, 1, tzinfo=UTC)
whens = st.builds(lambda days, seconds: FIRST + timedelta(days, seconds), st.integers(0, 25000), st.integers(0, 86399))


@given(
    st.from_type(Event),
    whens,
    st.timedeltas(timedelta(0), timedelta(days=60)),
    st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_spans_that_meet_hold_all(event: Event, first: datetime, one: timedelta, other: timedelta) -> None:
    """What touches a span touches the one or the other half of it, in the same order; both only over the cut."""
    cut, last = first + one, first + one + other
    whole = list(occurrences(event, first, last))
    before, after = list(occurrences(event, first, cut)), list(occurrences(event, cut, last))
    assert {each.key for each in whole} == {each.key for each in before} | {each.key for each in after}
    over = [each for each in before if each in after]
    assert all(instant(each.start, each.event.zone) < cut < instant(each.end, each.event.zone) for each in over)


@given(st.from_type(Event))
def test_each_occurrence_is_one(event: Event) -> None:
    """In order, with a key of its own, of the event or its override, from the rule, none after the end."""
    found = list(occurrences(event, FIRST, LAST, limit=300))
    starts = [instant(each.start, each.event.zone) for each in found]
    assert starts == sorted(starts)
    assert len({each.key for each in found}) == len(found)
    for each in found:
        assert each.start <= each.end
        assert each.event is event or each.event in event.overrides
        assert each.recurrence_id is None or occurs(event, each.recurrence_id)
        assert each.recurrence_id not in event.exdate
    end = last_end(event)
    if end is not None:
        assert max((instant(each.end, each.event.zone) for each in found), default=end) <= end


@given(st.from_type(Event))
def test_times_are_real(event: Event) -> None:
    """No start or end lies in a gap of the clocks: each survives the way to UTC and back."""
    for each in occurrences(event, FIRST, LAST, limit=100):
        for moment in (each.start, each.end):
            if isinstance(moment, datetime):
                assert moment.astimezone(UTC).astimezone(each.event.zone).replace(tzinfo=None) == moment.replace(
                    tzinfo=None
                )
