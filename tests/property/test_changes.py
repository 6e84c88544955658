"""Laws of revisions: whatever is published in whatever order, nothing goes back and replicas agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.events.changes import compare, describe, diff, revise
from calfeed.events.model import Calendar, Catalog, Event, Text
from calfeed.events.record import digest, from_record, to_record
from calfeed.events.revision import ChangeKind, Revision

START = datetime(2024, 5, 14, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
steps = st.one_of(st.timedeltas(timedelta(hours=-2), timedelta(days=2)), st.just(timedelta(days=40)))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[datetime, Catalog]]:
    """A catalog published again and again, with events of it gone, back or edited, and a clock that may go back."""
    events = st.lists(st.from_type(Event), max_size=3, unique_by=lambda event: event.uid)
    whole = Catalog(calendar=Calendar(id="c", name=Text((("en", "C"),)), timezone="UTC"), events=tuple(draw(events)))
    now, history = START, []
    for _ in range(draw(st.integers(1, 5))):
        now += draw(steps)
        kept = [event for event in whole.events if draw(st.booleans())]
        edited = [replace(event, url="https://example.org/2") if draw(st.booleans()) else event for event in kept]
        history.append((now, replace(whole, events=tuple(edited))))
    return history


@settings(max_examples=40)
@given(histories())
def test_nothing_goes_back(history: list[tuple[datetime, Catalog]]) -> None:
    """Numbers, sequences and times only rise, with the content; nothing published is ever forgotten."""
    published: Mapping[str, Revision] = {}
    for now, catalog in history:
        revised = revise(catalog, published, now, MONTH)
        assert published.keys() | catalog.by_uid.keys() == revised.remembered.keys()
        assert {uid for uid, one in revised.revisions.items() if one.removed is None} == catalog.by_uid.keys()
        for uid, old in published.items():
            new = revised.remembered[uid]
            same = new.number == old.number
            assert same == (new.digest == old.digest and (new.removed is None) == (old.removed is None))
            assert new.number - old.number in {0, 1}
            assert new.sequence - old.sequence in {0, 1}
            assert new.modified == old.modified if same else new.modified > old.modified
            assert new.created == old.created
            assert new.digest == digest(new.event)
        published = revised.remembered


@settings(max_examples=40)
@given(histories())
def test_replicas_agree(history: list[tuple[datetime, Catalog]]) -> None:
    """A process that read what was published from JSON makes the same revisions and changes; twice is once."""
    published: Mapping[str, Revision] = {}
    for now, catalog in history:
        revised = revise(catalog, published, now, MONTH)
        assert revise(catalog, {uid: _stored(one) for uid, one in published.items()}, now, MONTH) == revised
        again = revise(catalog, revised.remembered, now, MONTH)
        assert (again.revisions, again.changes, again.retired) == (revised.revisions, (), revised.retired)
        published = revised.remembered


def _stored(revision: Revision) -> Revision:
    return replace(revision, event=from_record(json.loads(json.dumps(to_record(revision.event)))))


@settings(max_examples=40)
@given(histories(), st.sampled_from(["en", "ru", "zh", "fr"]))
def test_every_change_has_words(history: list[tuple[datetime, Catalog]], language: str) -> None:
    """A difference is a change with a kind and words, and no difference is none."""
    (_, old), (_, new) = history[0], history[-1]
    changes = diff(old, new, START)
    assert {change.uid for change in changes} == {
        uid for uid in old.by_uid | new.by_uid if _digest(old.by_uid.get(uid)) != _digest(new.by_uid.get(uid))
    }
    for change in changes:
        assert describe(change, language, timezone="Asia/Kathmandu").strip()
        assert (change.kind is ChangeKind.ADDED) == (change.before is None)
        assert (change.kind is ChangeKind.REMOVED) == (change.after is None)


@settings(max_examples=40)
@given(st.from_type(Event), st.from_type(Event))
def test_any_two_states_compare(before: Event, after: Event) -> None:
    """Also of another kind altogether: of days or hours, recurring or not."""
    after = replace(after, id=before.id, uid=before.uid)
    found = compare(before, after)
    assert (found is None) == (digest(before) == digest(after))


def _digest(event: Event | None) -> str | None:
    return None if event is None else digest(event)
