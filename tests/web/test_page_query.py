"""The address of a page: what it asks for, and that it can be written again."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import QueryError
from calfeed.feeds.select import Query
from calfeed.web.page_query import PageQuery, with_query


def parsed(text: str) -> PageQuery:
    return PageQuery.parse(parse_qsl(text))


def test_every_key_is_read() -> None:
    text = "view=month&from=2024-05-16&to=2024-05-21&month=2024-05&feed=expo&tz=Europe/Moscow"
    text += "&category=a,b&q=x&lang=ru&utm=1"
    assert parsed(text) == PageQuery(
        view="month",
        since=date(2024, 5, 16),
        until=date(2024, 5, 21),
        month=date(2024, 5, 1),
        feed="expo",
        tz="Europe/Moscow",
        filter=Query(categories=("a", "b"), q="x", lang="ru"),
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("view=week", "view"),
        ("from=tomorrow", "from"),
        ("from=20240516", "from"),
        ("to=2024-02-30", "to"),
        ("from=0001-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("from=2024-05-02&to=2024-05-01", "to"),
        ("month=2024-13", "month"),
        ("month=2024-5", "month"),
        ("tz=Beijing", "tz"),
        ("tz=../../etc/passwd", "tz"),
        ("tz=/etc/passwd", "tz"),
        ("alarm=soon", "alarm"),
    ],
)
def test_a_bad_value_names_its_key(text: str, key: str) -> None:
    with pytest.raises(QueryError) as caught:
        parsed(text)
    assert caught.value.key == key


@given(
    st.builds(
        PageQuery,
        view=st.sampled_from(["agenda", "month", "timeline"]),
        since=st.none() | st.dates(date(1900, 1, 1), date(2000, 1, 1)),
        until=st.none() | st.dates(date(2000, 1, 2), date(2200, 1, 1)),
        feed=st.sampled_from(["all", "expo"]),
        tz=st.sampled_from([None, "Europe/Moscow", "UTC"]),
        filter=st.builds(
            Query,
            categories=st.sets(st.sampled_from(["a", "b", "ü 1"])).map(lambda some: tuple(sorted(some))),
            q=st.none() | st.sampled_from(["two words", "a&b=c", "张"]),
            lang=st.sampled_from([None, "ru", "zh-hans"]),
        ),
    )
)
def test_what_is_written_is_read_again(query: PageQuery) -> None:
    assert parsed(with_query("", query.pairs()).removeprefix("?")) == query


def test_a_toggle_chooses_and_leaves_out() -> None:
    once = PageQuery().toggle("expo")
    assert (once.filter.categories, once.toggle("expo")) == (("expo",), PageQuery())
