"""The forms of single values: their patterns and bounds, as annotations for the tables of ``schema``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, InstanceOf, StringConstraints, Tag, WithJsonSchema

from calfeed.events import bounds

_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff"
_CONTROL_IN_PROSE = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff"
_NOT_IN_URI = r"""\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufffe\uffff<>"{}|\\^`"""
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_OFFSET = r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"

# One syntax for two engines: Rust's regex (pydantic, Taplo) and ECMA-262 (other editors). No lookaround, no \x.
LINE = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
PROSE = rf"^[^{_CONTROL_IN_PROSE}]*[^{_CONTROL_IN_PROSE}\s][^{_CONTROL_IN_PROSE}]*$"
TRIMMED = rf"^[^{_CONTROL}\s]([^{_CONTROL}]*[^{_CONTROL}\s])?$"
CATEGORY = rf"^[^{_CONTROL}\s,]([^{_CONTROL},]*[^{_CONTROL}\s,])?$"
ID = r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$"
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
_UNITS = [f"[0-9]{{1,5}}{unit}" for unit in "wdhms"]
DURATION = (
    f"^({'|'.join(first + ''.join(f'({rest})?' for rest in _UNITS[n + 1 :]) for n, first in enumerate(_UNITS))})$"
)
CLOCK = rf"^{_CLOCK}$"
QUIET = rf"^{_CLOCK}-{_CLOCK}$"
URL = (
    rf"^[Hh][Tt][Tt][Pp][Ss]?://([^{_NOT_IN_URI}/?#@:\[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?"
    rf"([/?#][^{_NOT_IN_URI}]*)?$"
)
URI = rf"^[A-Za-z][A-Za-z0-9+.-]*:[^{_NOT_IN_URI}]+$"
EMAIL = rf"^[^{_NOT_IN_URI}@(),:;\[\]]+@[^{_NOT_IN_URI}@(),:;\[\]]+$"

TEXT, BY_LANGUAGE, PLACE = "<text>", "<by language>", "<place>"
"""Labels of the forms that one key may take, as they stand in the path of a pydantic error."""

Language = Annotated[str, StringConstraints(max_length=35, pattern=LANGUAGE)]
Id = Annotated[str, StringConstraints(max_length=bounds.ID, pattern=ID)]
Category = Annotated[str, StringConstraints(max_length=bounds.CATEGORY, pattern=CATEGORY)]
Categories = Annotated[list[Category], Field(max_length=bounds.CATEGORIES)]
Url = Annotated[str, StringConstraints(max_length=bounds.URL, pattern=URL)]
Uri = Annotated[str, StringConstraints(max_length=bounds.URL, pattern=URI)]
Email = Annotated[str, StringConstraints(max_length=bounds.EMAIL, pattern=EMAIL)]
Length = Annotated[str, StringConstraints(pattern=DURATION)]
Leads = Annotated[list[Length], Field(max_length=bounds.LEADS)]
Clock = Annotated[str, StringConstraints(pattern=CLOCK)]
Quiet = Annotated[str, StringConstraints(pattern=QUIET)]
Zone = Annotated[str, StringConstraints(max_length=64, pattern=TRIMMED)]
Line = Annotated[str, StringConstraints(max_length=bounds.TITLE, pattern=LINE)]
Prose = Annotated[str, StringConstraints(max_length=bounds.PROSE, pattern=PROSE)]
_OneOrMore = Field(min_length=1, max_length=bounds.LANGUAGES)
LineByLanguage = Annotated[dict[Language, Line], _OneOrMore, Tag(BY_LANGUAGE)]
ProseByLanguage = Annotated[dict[Language, Prose], _OneOrMore, Tag(BY_LANGUAGE)]
Title = Annotated[Annotated[Line, Tag(TEXT)] | LineByLanguage, Field(union_mode="left_to_right")]
Story = Annotated[Annotated[Prose, Tag(TEXT)] | ProseByLanguage, Field(union_mode="left_to_right")]
Moment = Annotated[
    InstanceOf[date],
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE}({_TIME}{_OFFSET}?)?$"}),
]
Moments = Annotated[list[Moment], Field(max_length=bounds.DATES)]
Day = Annotated[date, WithJsonSchema({"type": "string", "pattern": f"^{_DATE}$"})]
Instant = Annotated[InstanceOf[date], WithJsonSchema({"type": "string", "pattern": f"^{_DATE}{_TIME}{_OFFSET}?$"})]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Feature = Literal["audio", "chat", "feed", "moderator", "phone", "screen", "video"]
