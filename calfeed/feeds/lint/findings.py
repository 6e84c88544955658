"""Every finding of the linter: its code, how grave it is, what it means, where the rule stands and how to mend it.

CF1xx octets and lines, CF2xx structure, CF3xx values and parameters, CF4xx events and recurrence, CF5xx time zones,
CF6xx alarms, CF7xx METHOD, CF8xx RFC 7986 and 9073, CF9xx what a client will misread. An *error* breaks a MUST (or
makes a client drop the feed); a *warning* is legal, or broken by every large product, and still misread somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from calfeed.errors import Severity

FINDINGS: dict[str, Finding] = {}
"""Every finding by its code, in the order of the codes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault; ``section`` is where the rule stands, ``mend`` what to do."""

    code: str
    severity: Severity
    title: str
    section: str
    mend: str

    @property
    def hint(self) -> str:
        """``RFC 5545 §3.1: end every line with CRLF``."""
        return f"{self.section}: {self.mend}"


def _add(severity: Severity, code: str, title: str, section: str, mend: str) -> Finding:
    finding = FINDINGS[code] = Finding(code, severity, title, section, mend)
    return finding


def _error(code: str, title: str, section: str, mend: str) -> Finding:
    return _add("error", code, title, section, mend)


def _warning(code: str, title: str, section: str, mend: str) -> Finding:
    return _add("warning", code, title, section, mend)


# CF1xx: octets and lines
LINE_END = _error("CF101", "A line ends with LF or CR alone", "RFC 5545 §3.1", "end every line with CR LF")
LONG_LINE = _error("CF102", "A line is longer than 75 octets", "RFC 5545 §3.1", "fold it: CR LF and one space")
SPLIT_CHARACTER = _error(
    "CF103", "A fold stands inside a UTF-8 sequence", "RFC 5545 §3.1", "fold between characters, not between octets"
)
SPLIT_ESCAPE = _warning(
    "CF104",
    "A fold stands between a backslash and its character",
    "RFC 5545 §3.1 and §3.3.11",
    "fold before the backslash: readers that unescape line by line lose it",
)
NOT_UTF8 = _error("CF105", "The file is not valid UTF-8", "RFC 5545 §3.1.4", "write it in UTF-8")
BOM = _error("CF106", "The file begins with a byte order mark", "RFC 5545 §3.4", "begin with BEGIN:VCALENDAR")
CONTROL = _error(
    "CF107", "A line holds a control character", "RFC 5545 §3.1", "remove it; a line break in a text is written \\n"
)
BLANK_LINE = _error("CF108", "A line is blank", "RFC 5545 §3.1", "remove it; an empty line of a text is written \\n\\n")
NO_FINAL_CRLF = _error("CF109", "The last line has no line end", "RFC 5545 §3.1", "end the file with CR LF")
NOT_A_LINE = _error(
    "CF110",
    "A line is no name:value (a wrapped line without a leading space?)",
    "RFC 5545 §3.1",
    "begin each continuation with one space",
)
OUTSIDE = _error("CF111", "Something stands outside of VCALENDAR", "RFC 5545 §3.4", "remove it")
FIRST_FOLD = _error("CF112", "The first line is a continuation", "RFC 5545 §3.1", "begin with BEGIN:VCALENDAR")

# CF2xx: structure
NO_CALENDAR = _error("CF201", "There is no VCALENDAR", "RFC 5545 §3.4", "begin with BEGIN:VCALENDAR")
SEVERAL_CALENDARS = _warning(
    "CF202", "There is more than one VCALENDAR", "RFC 5545 §3.4", "merge them: most clients read only the first"
)
UNCLOSED = _error("CF203", "A component has no END", "RFC 5545 §3.6", "close it with END:NAME")
WRONG_END = _error("CF204", "An END does not match its BEGIN", "RFC 5545 §3.6", "close components in order")
UNKNOWN_COMPONENT = _error(
    "CF205", "A component has an unregistered name", "RFC 5545 §3.6", "use a registered name or begin it with X-"
)
MISPLACED_COMPONENT = _error("CF206", "A component stands in the wrong place", "RFC 5545 §3.6", "move it")
TOO_DEEP = _error("CF207", "Components are nested too deep", "RFC 5545 §3.6", "close components in order")
EMPTY_CALENDAR = _error(
    "CF208", "VCALENDAR holds no component", "RFC 5545 §3.6", "give an empty feed a VTIMEZONE at least"
)
VERSION = _error("CF209", "VERSION is not 2.0", "RFC 5545 §3.7.4", "write VERSION:2.0")
CALSCALE = _error("CF210", "CALSCALE is not GREGORIAN", "RFC 5545 §3.7.1", "write CALSCALE:GREGORIAN or leave it out")
MISSING = _error("CF211", "A required property is missing", "RFC 5545 §3.6", "add it")
REPEATED = _error("CF212", "A property that may stand once is repeated", "RFC 5545 §3.6", "keep one")
MISPLACED = _error(
    "CF213", "A property of time stands in a component that cannot have it", "RFC 5545 §3.8", "remove it or move it"
)
UNKNOWN_PROPERTY = _warning(
    "CF214",
    "A property has an unregistered name",
    "RFC 5545 §3.8.8",
    "use a registered name or begin it with X-: clients skip it",
)
LATE_PROPERTY = _error(
    "CF215", "A calendar property stands after a component", "RFC 5545 §3.6", "write calendar properties first"
)
ODD_PLACE = _warning("CF216", "A property stands where it means nothing", "RFC 5545 §3.8", "remove it: clients skip it")

# CF3xx: values and parameters
BAD_DATE = _error("CF301", "A date or date-time is malformed", "RFC 5545 §3.3.4 and §3.3.5", "write 20240517T090000")
DATE_WITHOUT_VALUE = _error(
    "CF302", "A date stands where a date-time is the default", "RFC 5545 §3.3.4", "add ;VALUE=DATE"
)
BAD_DURATION = _error("CF303", "A duration is malformed", "RFC 5545 §3.3.6", "write PT1H30M, P1D or P2W")
BAD_PERIOD = _error("CF304", "A period is malformed", "RFC 5545 §3.3.9", "write START/END or START/DURATION")
BAD_OFFSET = _error("CF305", "A UTC offset is malformed", "RFC 5545 §3.3.14", "write +0200 or -0330")
BAD_NUMBER = _error("CF306", "A number is malformed or out of range", "RFC 5545 §3.3.8", "write a number in range")
BAD_GEO = _error("CF307", "GEO is malformed or out of range", "RFC 5545 §3.8.1.6", "write LATITUDE;LONGITUDE")
BAD_URI = _error("CF308", "A URI is malformed", "RFC 5545 §3.3.13", "write an absolute URI")
URI_CHARACTER = _warning(
    "CF309", "A URI holds a character that it cannot hold", "RFC 3986 §2", "percent-encode the character"
)
BAD_ADDRESS = _error("CF310", "A calendar address is no URI", "RFC 5545 §3.3.3", "write mailto:somebody@example.com")
BAD_BINARY = _error(
    "CF311", "Binary data is not BASE64", "RFC 5545 §3.3.1", "write ;ENCODING=BASE64;VALUE=BINARY and valid BASE64"
)
BAD_BOOLEAN = _error("CF312", "A boolean is neither TRUE nor FALSE", "RFC 5545 §3.3.2", "write TRUE or FALSE")
BAD_ESCAPE = _error(
    "CF313", "A text holds a backslash that escapes nothing", "RFC 5545 §3.3.11", "escape only \\\\ \\; \\, and \\n"
)
UNESCAPED = _error("CF314", "A text holds an unescaped comma or semicolon", "RFC 5545 §3.3.11", "write \\, and \\;")
BAD_WORD = _error("CF315", "A value is none of those allowed", "RFC 5545 §3.8", "use one of the listed values")
WRONG_TYPE = _error(
    "CF316", "VALUE names a type that the property cannot have", "RFC 5545 §3.2.20", "use a type of the property"
)
NOT_UTC = _error(
    "CF317", "A time that must be in UTC is not", "RFC 5545 §3.8.2 and §3.8.7", "write it in UTC, ending in Z"
)
BAD_PARAMETER = _error("CF318", "A parameter is malformed", "RFC 5545 §3.2", "write ;NAME=value")
REPEATED_PARAMETER = _error("CF319", "A parameter is repeated", "RFC 5545 §3.2", "keep one")
UNQUOTED = _error(
    "CF320", "A parameter value with : ; or , is not quoted", "RFC 5545 §3.2", "put the value into double quotes"
)
CARET = _warning(
    "CF321", "A caret in a parameter escapes nothing", "RFC 6868 §3", "write ^^ for ^, ^' for a quote, ^n for a break"
)
UNKNOWN_PARAMETER = _warning(
    "CF322", "A parameter has an unregistered name", "RFC 5545 §3.2", "use a registered name or begin it with X-"
)
TZID_ON_UTC = _error("CF323", "A UTC time has a TZID", "RFC 5545 §3.2.19", "remove the TZID or the Z")
TZID_ON_DATE = _error("CF324", "A date has a TZID", "RFC 5545 §3.2.19", "remove the TZID: a date has no zone")
BAD_PARAMETER_VALUE = _error("CF325", "A parameter has a value that is not allowed", "RFC 5545 §3.2", "mend the value")

# CF4xx: events and recurrence
END_AND_DURATION = _error(
    "CF401", "There is both an end and a duration", "RFC 5545 §3.6.1", "keep one of DTEND (DUE) and DURATION"
)
END_NOT_AFTER_START = _error(
    "CF402",
    "The end is not after the start",
    "RFC 5545 §3.8.2.2",
    "write a later end; the end of whole days is exclusive",
)
END_TYPE = _error("CF403", "The end is of another type than the start", "RFC 5545 §3.8.2.2", "write both in one form")
BAD_EVENT_DURATION = _error(
    "CF404",
    "The duration does not fit the start",
    "RFC 5545 §3.8.2.5",
    "whole days take P1D or P1W; no event is negative",
)
BAD_RULE = _error("CF405", "A recurrence rule is malformed", "RFC 5545 §3.3.10", "mend the rule")
RULE_COMBINATION = _error(
    "CF406", "A recurrence rule combines parts that exclude each other", "RFC 5545 §3.3.10", "remove one of the parts"
)
COUNT_AND_UNTIL = _error("CF407", "A rule has COUNT and UNTIL", "RFC 5545 §3.3.10", "keep one of them")
UNTIL_TYPE = _error("CF408", "UNTIL is of another type than DTSTART", "RFC 5545 §3.3.10", "write it as DTSTART is")
UNTIL_NOT_UTC = _error("CF409", "UNTIL is not in UTC", "RFC 5545 §3.3.10", "DTSTART has a zone: write UNTIL in UTC")
UNTIL_BEFORE_START = _warning(
    "CF410", "UNTIL is before DTSTART", "RFC 5545 §3.3.10", "the event never happens in some clients: mend UNTIL"
)
RULE_OFF_START = _warning(
    "CF411",
    "DTSTART is not one of the days of its rule",
    "RFC 5545 §3.8.5.3",
    "move DTSTART to the first day of the rule: clients differ in counting it",
)
FREQ_NOT_FIRST = _warning("CF412", "FREQ is not the first part of the rule", "RFC 5545 §3.3.10", "write FREQ first")
SEVERAL_RULES = _warning("CF413", "There is more than one RRULE", "RFC 5545 §3.8.5.3", "keep one: clients read one")
EXRULE = _warning("CF414", "EXRULE is no longer read", "RFC 5545 §A.1", "write EXDATE")
EXDATE_FORM = _error(
    "CF415",
    "EXDATE is of another form than DTSTART",
    "RFC 5545 §3.8.5.1",
    "write it as DTSTART is: it excludes nothing",
)
RECURRENCE_ID_FORM = _error(
    "CF416", "RECURRENCE-ID is of another form than DTSTART", "RFC 5545 §3.8.4.4", "write it as the event's DTSTART is"
)
OTHER_ZONE = _warning(
    "CF417",
    "EXDATE or RECURRENCE-ID is in another zone than DTSTART",
    "RFC 5545 §3.8.4.4",
    "write it in DTSTART's zone: several clients compare the text",
)
RDATE_FORM = _error("CF418", "RDATE is of another form than DTSTART", "RFC 5545 §3.8.5.2", "write it as DTSTART is")
DUPLICATE_UID = _error(
    "CF419", "Two components have one UID and no RECURRENCE-ID", "RFC 5545 §3.8.4.7", "give each event a UID of its own"
)
DUPLICATE_RECURRENCE_ID = _error(
    "CF420", "One occurrence is overridden twice", "RFC 5545 §3.8.4.4", "keep the override with the higher SEQUENCE"
)
NO_MASTER = _warning(
    "CF421",
    "An override has no recurring event to override",
    "RFC 5545 §3.8.4.4",
    "publish the recurring event too, or give this one a UID of its own",
)
NO_SUCH_TIME = _warning(
    "CF422",
    "A local time does not exist (the clock was put forward)",
    "RFC 5545 §3.3.5",
    "write a time that exists, or UTC: clients differ",
)
RELATED_ITSELF = _warning("CF423", "A component is related to itself", "RFC 5545 §3.8.4.5", "name another UID")
OVERRIDE_RULE = _warning(
    "CF424", "An override recurs", "RFC 5545 §3.8.4.4", "remove RRULE, RDATE and EXDATE from the override"
)
TODO_DURATION = _error("CF425", "A VTODO has DURATION without DTSTART", "RFC 5545 §3.6.2", "add DTSTART or write DUE")

ZERO_LENGTH = _warning(
    "CF426",
    "An event ends the instant it begins",
    "RFC 5545 §3.8.2.2",
    "leave DTEND out of an event without a length: some clients hide it",
)

# CF5xx: time zones
NO_TIMEZONE = _error(
    "CF501", "A TZID has no VTIMEZONE", "RFC 5545 §3.2.19", "add the VTIMEZONE: clients fall back to UTC or refuse"
)
DUPLICATE_TIMEZONE = _error("CF502", "A VTIMEZONE stands twice", "RFC 5545 §3.6.5", "keep one")
UNUSED_TIMEZONE = _warning("CF503", "A VTIMEZONE is not used", "RFC 5545 §3.6.5", "leave it out")
NO_OBSERVANCE = _error(
    "CF504", "A VTIMEZONE has neither STANDARD nor DAYLIGHT", "RFC 5545 §3.6.5", "add at least one of them"
)
OBSERVANCE_START = _error(
    "CF505", "DTSTART of a VTIMEZONE is not a local time", "RFC 5545 §3.6.5", "remove the Z and the TZID"
)
OBSERVANCE_UNTIL = _error("CF506", "UNTIL of a VTIMEZONE is not in UTC", "RFC 5545 §3.6.5", "write it in UTC")
TIMEZONE_RDATE = _warning(
    "CF507",
    "A VTIMEZONE lists its changes as RDATE",
    "RFC 5545 §3.6.5",
    "write one yearly RRULE: Outlook ignores RDATE, ical.js reads the first value only",
)
TIMEZONE_FORM = _warning(
    "CF508",
    "A VTIMEZONE is not in the form that Outlook reads",
    "RFC 5545 §3.6.5",
    "write one STANDARD and at most one DAYLIGHT, each with a yearly RRULE such as BYMONTH=3;BYDAY=-1SU",
)
TIMEZONE_NAME = _warning(
    "CF509",
    "A TZID is no IANA time zone",
    "RFC 5545 §3.2.19",
    "use the IANA name: some clients go by the name and not by the VTIMEZONE",
)

# CF6xx: alarms
ALARM_NEEDS = _error("CF601", "An alarm lacks what its ACTION needs", "RFC 5545 §3.6.6", "add the property")
REPEAT_PAIR = _error(
    "CF602", "An alarm has only one of REPEAT and DURATION", "RFC 5545 §3.6.6", "write both or neither"
)
ALARM_ATTACH = _error("CF603", "An alarm has too many attachments", "RFC 5545 §3.6.6", "AUDIO takes one, DISPLAY none")
TRIGGER_NOT_UTC = _error("CF604", "An absolute TRIGGER is not in UTC", "RFC 5545 §3.8.6.3", "write it in UTC")
TRIGGER_ANCHOR = _error(
    "CF605", "A TRIGGER is related to an end that is not there", "RFC 5545 §3.8.6.3", "add DTEND, DUE or DURATION"
)

# CF7xx: METHOD
METHOD_NEEDS = _error("CF701", "A component lacks what METHOD needs", "RFC 5546 §3", "add the property")
METHOD_FORBIDS = _error("CF702", "A component has what METHOD forbids", "RFC 5546 §3", "remove the property")
PUBLISH_RULES = _warning(
    "CF703",
    "METHOD:PUBLISH obliges every event to have ORGANIZER and forbids ATTENDEE",
    "RFC 5546 §3.2.1",
    "leave METHOD out of a feed",
)
UNKNOWN_METHOD = _warning("CF704", "METHOD is not registered", "RFC 5546 §1.4", "leave METHOD out of a feed")
SCHEDULING = _warning(
    "CF705",
    "METHOD makes this file a scheduling message",
    "RFC 5546 §1.4",
    "leave METHOD out of a feed: clients take it for an invitation or refuse it",
)

# CF8xx: RFC 7986 and RFC 9073
NEEDS_VALUE = _error("CF801", "The property needs a VALUE parameter", "RFC 7986 §5 and RFC 9073 §6", "add the VALUE")
BAD_COLOR = _error(
    "CF802",
    "COLOR is no CSS3 colour name",
    "RFC 7986 §5.9",
    "write a name; a hex colour goes to X-APPLE-CALENDAR-COLOR",
)
BAD_REFRESH = _error("CF803", "REFRESH-INTERVAL is not positive", "RFC 7986 §5.7", "write PT1H or the like")
NESTED_COMPONENT = _warning(
    "CF804",
    "Events hold components of RFC 9073",
    "RFC 9073 §7",
    "leave them out of the feed for everybody: some readers take their texts for the event's",
)

# CF9xx: clients
FLOATING = _warning(
    "CF901", "A time has no zone", "RFC 5545 §3.3.5", "add a TZID or write UTC: Google reads a floating time as UTC"
)
TOO_BIG = _warning(
    "CF902", "The feed is larger than Google reads", "Google Calendar", "publish less: Google truncates near 1 MB"
)
TOO_MANY = _warning(
    "CF903", "The feed has more events than Google reads", "Google Calendar", "publish less: Google reads about 1000"
)
NO_NAME = _warning(
    "CF904", "The feed has no name", "RFC 7986 §5.1", "add NAME and X-WR-CALNAME: clients show the URL instead"
)
CALENDAR_UID = _warning(
    "CF905", "The calendar has a UID", "RFC 7986 §5.3", "leave it out: vdirsyncer takes the whole feed for one item"
)
NO_REVISION = _warning(
    "CF906",
    "Events have neither SEQUENCE nor LAST-MODIFIED",
    "RFC 5545 §3.8.7",
    "add both, and raise them with each edit: Google may ignore an edit without them",
)
APPLE_LOCATION = _warning(
    "CF907",
    "LOCATION does not begin with the title of X-APPLE-STRUCTURED-LOCATION",
    "Apple Calendar",
    "write the same title in both: Apple shows no map otherwise",
)
UID_HOST = _warning(
    "CF908",
    "A UID names a person or a machine",
    "RFC 7986 §5.3",
    "write a UUID; keep the UIDs that are published already",
)
RDATE_ALONE = _warning(
    "CF909",
    "An event has RDATE without RRULE",
    "RFC 5545 §3.8.5.2",
    "publish further dates as events of their own: Outlook skips the event",
)
RDATE_PERIOD = _warning(
    "CF910", "RDATE holds a period", "RFC 5545 §3.8.5.2", "publish it as an event of its own: most clients drop it"
)
CALENDAR_ZONE = _warning(
    "CF911", "X-WR-TIMEZONE is no IANA time zone", "Google and Apple Calendar", "use the IANA name"
)
NO_TITLE = _warning("CF912", "An event has no SUMMARY", "RFC 5545 §3.8.1.12", "add one: clients show an empty title")
DOUBLE_ESCAPE = _warning(
    "CF913", "A text seems to be escaped twice", "RFC 5545 §3.3.11", "escape once: readers see the backslashes"
)
