"""What schemathesis cannot know: which time zones there are, and that a span does not end before it begins."""

from typing import Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format("iana-timezone", st.sampled_from(sorted(available_timezones() - {"Factory", "localtime"})))


@schemathesis.hook
def filter_query(context: Any, query: dict[str, Any] | None) -> bool:
    """Only spans that a person could mean."""
    days = [str(query[key]) for key in ("from", "to") if query and query.get(key)]
    return days == sorted(days) and all("1900" <= day < "2201" for day in days)
