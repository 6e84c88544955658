"""What a stranger asks for, as JSON or as a form: checked as a whole, every fault told at once.

No fault repeats the URL, and none tells what its host's name leads to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from calfeed.channels.transport import Refused
from calfeed.errors import CalfeedError
from calfeed.events.model import ALL, Catalog, Duration, Event
from calfeed.ledger.audiences import Audience
from calfeed.ledger.subscriptions import Kind, Wish

SLACK = "hooks.slack.com"
LONGEST_LEAD = Duration(days=30)
USUAL = (Duration(days=1), Duration(seconds=3600))
"""Lead times where none are asked for: those of a channel."""

UNUSABLE = "must be https on port 443 or 8443, lead to a public address, and hold no credentials"

Fault = tuple[str, str]
"""(key, what is wrong with it)."""


class InvalidWish(CalfeedError):
    """What was asked for cannot be (HTTP 422)."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{key}: {what}" for key, what in self.faults))


def _several(value: Any) -> Any:
    """``"1d, 1h"`` as ``["1d", "1h"]``."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _lead(text: str) -> str:
    lead = Duration.parse(text)
    if lead.seconds % 60:
        raise ValueError("expected whole minutes")
    if lead.total_seconds > LONGEST_LEAD.total_seconds:
        raise ValueError(f"at most {LONGEST_LEAD}")
    return str(lead)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Europe/Moscow") from None


_Lead = Annotated[
    str,
    StringConstraints(max_length=20),
    AfterValidator(_lead),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+w)?(\d+d)?(\d+h)?(\d+m)?$", "minLength": 2, "maxLength": 20}),
]
_Zone = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_zone),
    WithJsonSchema({"type": "string", "format": "iana-timezone", "maxLength": 64}),
]
_Category = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Raises InvalidWish with every fault of shape."""
        try:
            return cls.model_validate(dict(given))
        except ValidationError as fault:
            raise InvalidWish(_faults(fault)) from None


class SubscriptionRequest(_Asked):
    """A subscription that is asked for."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="Where messages go: an https URL of yours, or a Slack incoming webhook.",
        examples=["https://example.com/hooks/calendar"],
    )
    feed: str = Field(ALL, max_length=100, description="The feed to be told of.")
    category: Annotated[list[_Category], BeforeValidator(_several)] = Field(
        default_factory=list, max_length=10, description="Any of these categories within the feed; all when empty."
    )
    before: Annotated[list[_Lead], BeforeValidator(_several)] = Field(
        default_factory=lambda: [str(lead) for lead in USUAL],
        min_length=1,
        max_length=5,
        description="How long before an item to be told, such as 1d, 2h or 30m.",
    )
    language: _Language | None = Field(None, description="Language of the messages (BCP 47).")
    timezone: _Zone | None = Field(None, description="IANA time zone that messages show times in.")


class SubscriptionChange(_Asked):
    """What its owner may change of a subscription."""

    paused: bool = Field(description="True sends nothing until it is false again.")


def wish(
    asked: SubscriptionRequest, catalog: Catalog, public: Iterable[Event], home: str, check: Callable[[str], None]
) -> Wish:
    """What is asked for, of what there is for the public. Raises InvalidWish with every fault of meaning.

    ``check`` raises `Refused` for a URL that may not be used.
    """
    faults = [*_unknown_feed(asked, catalog), *_unknown_categories(asked, catalog, public)]
    faults += _unusable(asked.url, check)
    if faults:
        raise InvalidWish(faults)
    before = sorted({Duration.parse(lead) for lead in asked.before}, key=lambda lead: -lead.total_seconds)
    host = (urlsplit(asked.url).hostname or "").lower()
    return Wish(
        audience=Audience(feed=asked.feed, categories=tuple(sorted(set(asked.category))), before=tuple(before)),
        kind=kind(host),
        url=asked.url,
        host=host,
        home=home,
        language=asked.language,
        timezone=asked.timezone,
    )


def kind(host: str) -> Kind:
    """Slack's incoming webhooks are known by their host."""
    return "slack" if host == SLACK else "webhook"


def _faults(fault: ValidationError) -> Iterable[Fault]:
    """Without the values, of which one is a secret."""
    for error in fault.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in error["loc"])
        yield key, error["msg"].removeprefix("Value error, ")


def _unknown_feed(asked: SubscriptionRequest, catalog: Catalog) -> Iterable[Fault]:
    feed = catalog.feed_by_id.get(asked.feed)
    if feed is None or feed.visibility == "private":
        names = ", ".join(one.id for one in catalog.feeds if one.visibility == "public")
        yield "feed", f"there is no such feed; there are: {names}"


def _unknown_categories(asked: SubscriptionRequest, catalog: Catalog, public: Iterable[Event]) -> Iterable[Fault]:
    """What only events or feeds have that are not public does not exist here."""
    if not asked.category:
        return
    known = {name for event in public for name in event.categories}
    known |= {name for feed in catalog.feeds if feed.visibility == "public" for name in feed.categories}
    folded = {name.casefold() for name in known}
    for name in asked.category:
        if name.casefold() not in folded:
            yield "category", f"there is no category {name!r}"


def _unusable(url: str, check: Callable[[str], None]) -> Iterable[Fault]:
    try:
        check(url)
        parts = urlsplit(url)
        if parts.hostname == SLACK and not re.match(r"/services/[^/]", parts.path):
            yield "url", "a Slack address must be an incoming webhook: https://hooks.slack.com/services/…"
    except Refused:
        yield "url", UNUSABLE
