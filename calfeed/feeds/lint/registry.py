"""What is registered: components, properties, value types, parameters (RFC 5545 §8, 7986, 9073, 9074, 9253)."""

from __future__ import annotations

from dataclasses import dataclass, field

EVENT, TODO, JOURNAL, BUSY = "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"
ENTRIES = frozenset({EVENT, TODO, JOURNAL})
SCHEDULED = frozenset({*ENTRIES, BUSY})
OBSERVANCES = frozenset({"STANDARD", "DAYLIGHT"})
NESTED = frozenset({"PARTICIPANT", "VLOCATION", "VRESOURCE"})
TIMED = frozenset({"DTSTART", "DTEND", "DUE", "EXDATE", "RDATE", "RECURRENCE-ID"})
"""Properties whose times may be in a zone."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


@dataclass(frozen=True, slots=True)
class ComponentRule:
    """Where a component may stand, what it needs, and what it may have once (RFC 5545 §3.6)."""

    parents: frozenset[str]
    required: tuple[str, ...] = ()
    once: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PropertyRule:
    """A property's value types, the default first, and the components that may have it (empty: any)."""

    types: tuple[str, ...]
    components: frozenset[str] = field(default=frozenset())
    many: bool = False  # a comma-separated list of values
    words: frozenset[str] = frozenset()  # the only values


def _component(parents: str, required: str = "", once: str = "") -> ComponentRule:
    return ComponentRule(_set(parents), tuple(required.split()), _set(f"{required} {once}"))


_OFTEN_ONCE = "CLASS CREATED DTSTART LAST-MODIFIED ORGANIZER RECURRENCE-ID SEQUENCE STATUS SUMMARY URL COLOR"
_ENTRY = f"{_OFTEN_ONCE} DESCRIPTION GEO LOCATION PRIORITY DURATION"

COMPONENTS: dict[str, ComponentRule] = {
    "VCALENDAR": _component(
        "", "PRODID VERSION", "CALSCALE METHOD UID LAST-MODIFIED URL REFRESH-INTERVAL SOURCE COLOR X-WR-CALNAME"
    ),
    "VEVENT": _component("VCALENDAR", "UID DTSTAMP", f"{_ENTRY} DTEND TRANSP"),
    "VTODO": _component("VCALENDAR", "UID DTSTAMP", f"{_ENTRY} COMPLETED DUE PERCENT-COMPLETE"),
    "VJOURNAL": _component("VCALENDAR", "UID DTSTAMP", _OFTEN_ONCE),
    "VFREEBUSY": _component("VCALENDAR", "UID DTSTAMP", "CONTACT DTSTART DTEND ORGANIZER URL"),
    "VTIMEZONE": _component("VCALENDAR", "TZID", "LAST-MODIFIED TZURL TZUNTIL"),
    "STANDARD": _component("VTIMEZONE", "DTSTART TZOFFSETFROM TZOFFSETTO"),
    "DAYLIGHT": _component("VTIMEZONE", "DTSTART TZOFFSETFROM TZOFFSETTO"),
    "VALARM": _component(
        "VEVENT VTODO VALARM AVAILABLE", "ACTION TRIGGER", "DESCRIPTION SUMMARY DURATION REPEAT UID ACKNOWLEDGED"
    ),
    "VAVAILABILITY": _component("VCALENDAR", "UID DTSTAMP", "DTSTART DTEND DURATION SUMMARY"),
    "AVAILABLE": _component("VAVAILABILITY", "UID DTSTAMP DTSTART", "DTEND DURATION SUMMARY"),
    "PARTICIPANT": _component("VEVENT VTODO VJOURNAL VFREEBUSY", "UID PARTICIPANT-TYPE"),
    "VLOCATION": _component("VEVENT VTODO VJOURNAL VFREEBUSY PARTICIPANT VALARM", "UID"),
    "VRESOURCE": _component("VEVENT VTODO VJOURNAL VFREEBUSY PARTICIPANT", "UID"),
    "VPOLL": _component("VCALENDAR"),
    "VOTE": _component("PARTICIPANT VPOLL"),
    "VVOTER": _component("VPOLL"),
}

_PLACES = {
    "C": "VCALENDAR",
    "E": EVENT,
    "T": TODO,
    "J": JOURNAL,
    "F": BUSY,
    "Z": "VTIMEZONE",
    "O": "STANDARD DAYLIGHT",
    "A": "VALARM",
}

_PROPERTIES = """
ACKNOWLEDGED     A        DATE-TIME
ACTION           A        TEXT
ATTACH           ETJA     URI BINARY
ATTENDEE         ETJFA    CAL-ADDRESS
BUSYTYPE         -        TEXT
CALENDAR-ADDRESS -        CAL-ADDRESS
CALSCALE         C        TEXT
CATEGORIES       CETJ     TEXT,
CLASS            ETJ      TEXT
COLOR            CETJ     TEXT
COMMENT          ETJFO    TEXT
COMPLETED        T        DATE-TIME
CONCEPT          -        URI
CONFERENCE       ETJ      URI
CONTACT          ETJF     TEXT
CREATED          ETJ      DATE-TIME
DESCRIPTION      CETJA    TEXT
DTEND            EF       DATE-TIME DATE
DTSTAMP          ETJF     DATE-TIME
DTSTART          ETJFO    DATE-TIME DATE
DUE              T        DATE-TIME DATE
DURATION         ETA      DURATION
EXDATE           ETJ      DATE-TIME, DATE
EXRULE           ETJ      RECUR
FREEBUSY         F        PERIOD,
GEO              ET       GEO
IMAGE            CETJ     URI BINARY
LAST-MODIFIED    CETJZ    DATE-TIME
LINK             -        URI TEXT UID XML-REFERENCE
LOCATION         ET       TEXT
LOCATION-TYPE    -        TEXT,
METHOD           C        TEXT
NAME             C        TEXT
ORGANIZER        ETJF     CAL-ADDRESS
PARTICIPANT-TYPE -        TEXT
PERCENT-COMPLETE T        INTEGER
PRIORITY         ET       INTEGER
PRODID           C        TEXT
PROXIMITY        A        TEXT
RDATE            ETJO     DATE-TIME, DATE PERIOD
RECURRENCE-ID    ETJ      DATE-TIME DATE
REFID            -        TEXT
REFRESH-INTERVAL C        DURATION
RELATED-TO       ETJA     TEXT UID URI
REPEAT           A        INTEGER
REQUEST-STATUS   ETJF     STATUS
RESOURCE-TYPE    -        TEXT
RESOURCES        ET       TEXT,
RRULE            ETJO     RECUR
SEQUENCE         ETJ      INTEGER
SOURCE           C        URI
STATUS           ETJ      TEXT
STRUCTURED-DATA  -        TEXT BINARY URI
STYLED-DESCRIPTION -      TEXT URI
SUMMARY          ETJA     TEXT
TRANSP           E        TEXT
TRIGGER          A        DURATION DATE-TIME
TZID             Z        TEXT
TZID-ALIAS-OF    Z        TEXT
TZNAME           O        TEXT
TZOFFSETFROM     O        UTC-OFFSET
TZOFFSETTO       O        UTC-OFFSET
TZUNTIL          Z        DATE-TIME
TZURL            Z        URI
UID              CETJFA   TEXT
URL              CETJF    URI
VERSION          C        TEXT
"""

_WORDS = {
    "TRANSP": "OPAQUE TRANSPARENT",
    "STATUS": "TENTATIVE CONFIRMED CANCELLED NEEDS-ACTION COMPLETED IN-PROCESS DRAFT FINAL",
}

STATUSES = {
    EVENT: frozenset({"TENTATIVE", "CONFIRMED", "CANCELLED"}),
    TODO: frozenset({"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"}),
    JOURNAL: frozenset({"DRAFT", "FINAL", "CANCELLED"}),
}
"""STATUS by component (RFC 5545 §3.8.1.11)."""


def _property(row: str) -> tuple[str, PropertyRule]:
    name, places, *types = row.split()
    components = "" if places == "-" else " ".join(_PLACES[letter] for letter in places)
    many = any(type_.endswith(",") for type_ in types)
    words = frozenset(_WORDS.get(name, "").split())
    return name, PropertyRule(tuple(t.rstrip(",") for t in types), frozenset(components.split()), many, words)


PROPERTIES: dict[str, PropertyRule] = dict(_property(row) for row in _PROPERTIES.strip().splitlines())
"""Every registered property by name."""

MISLEADING = _set(
    "ACTION COMPLETED DTEND DTSTART DUE DURATION EXDATE EXRULE FREEBUSY RDATE RECURRENCE-ID REPEAT RRULE TRIGGER "
    "TZOFFSETFROM TZOFFSETTO"
)
"""Properties that change when something happens: in the wrong component they are an error."""

UTC_ONLY = frozenset({"ACKNOWLEDGED", "COMPLETED", "CREATED", "DTSTAMP", "LAST-MODIFIED", "TZUNTIL"})
"""Date-times that must be in UTC in every component (RFC 5545 §3.8.2.1, §3.8.7; 7808; 9074)."""

VALUE_REQUIRED = {
    "REFRESH-INTERVAL": ("DURATION",),
    "SOURCE": ("URI",),
    "CONFERENCE": ("URI",),
    "IMAGE": ("URI", "BINARY"),
    "STYLED-DESCRIPTION": ("TEXT", "URI"),
    "STRUCTURED-DATA": ("TEXT", "BINARY", "URI"),
}
"""Properties that must name their type (RFC 7986 §5, RFC 9073 §6)."""

RANGES = {"PRIORITY": (0, 9), "PERCENT-COMPLETE": (0, 100), "SEQUENCE": (0, 2**31 - 1), "REPEAT": (0, 2**31 - 1)}
"""Integers and their ranges (RFC 5545 §3.8)."""

NAMED = {"GEO": "FLOAT", "STATUS": "TEXT"}
"""How VALUE names the types that have a structure of their own (RFC 5545 §3.8.1.6, §3.8.8.3)."""

LISTED_TYPES = _set("DATE DATE-TIME DURATION FLOAT INTEGER PERIOD TIME")
"""Types of which a property may hold several, separated by commas (RFC 5545 §3.3)."""

PARAMETERS = _set(
    "ALTREP CN CUTYPE DELEGATED-FROM DELEGATED-TO DERIVED DIR DISPLAY EMAIL ENCODING FBTYPE FEATURE FILENAME FMTTYPE "
    "GAP LABEL LANGUAGE LINKREL MANAGED-ID MEMBER ORDER PARTSTAT RANGE RELATED RELTYPE ROLE RSVP SCHEDULE-AGENT "
    "SCHEDULE-FORCE-SEND SCHEDULE-STATUS SCHEMA SENT-BY SIZE STAY-INFORMED TZID VALUE REQUIRED RESPONSE"
)
"""Registered parameters."""

QUOTED_PARAMETERS = _set("ALTREP DELEGATED-FROM DELEGATED-TO DIR MEMBER SENT-BY")
"""Parameters whose values are always in quotes (RFC 5545 §3.2)."""

LIST_PARAMETERS = _set("DELEGATED-FROM DELEGATED-TO MEMBER DISPLAY FEATURE")
"""Parameters that may have several values."""

PARAMETER_WORDS = {
    "RANGE": frozenset({"THISANDFUTURE"}),
    "RELATED": frozenset({"START", "END"}),
    "RSVP": frozenset({"TRUE", "FALSE"}),
    "ENCODING": frozenset({"8BIT", "BASE64"}),
}
"""Parameters with a closed set of values (RFC 5545 §3.2)."""
