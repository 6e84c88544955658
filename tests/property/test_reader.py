"""The law of reading again: after any edits the same Catalog, places and problems as from reading the whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import SourceError
from calfeed.events.parse import load
from calfeed.events.reader import Reader

CALENDAR = '[calendar]\nid = "c"\nname = "C"\ntimezone = "Europe/Paris"\n\n'
EXTRAS = [
    "",
    "",
    "",
    '[[feeds]]\nid = "f"\ncategories = ["x"]\n',
    '[[channels]]\nid = "h"\nkind = "webhook"\nurl = "env:H"\n',
    "# a word\n\n",
]
PIECES = [
    "",
    "\n",
    "\n\n",
    '"',
    '"""',
    "[[events]]\n",
    "  ",
    "#",
    'parent = "e1"\n',
    'id = "E1"\n',
    "[calendar]\n",
    "\r\n",
    "é",
]
DETAILS = [
    "",
    'description = """\n[[events]]\nid = "no event"\n"""\n',
    'categories = ["x"]\n',
    'categories = ["y", "x"]\n',
    'parent = "e0"\n',
    'parent = "e1"\n',
    'uid = "own"\n',
    'uid = "other"\n',
    'rrule = "FREQ=DAILY;COUNT=3"\n  [[events.overrides]]\n  recurrence_id = 2024-05-17T10:00\n  summary = "O"\n',
    "end = 2024-05-01T10:00\n",
    "tba = 7\n",
    "remind = ['2h']\n",
]

entry = st.builds(
    lambda number, title, hour, detail, indent, extra: (
        f'{indent}[[events]]\n{indent}id = "e{number}"\n'
        f'summary = "{title}"\nstart = 2024-05-16T{hour:02}:00\n{detail}{extra}'
    ),
    st.integers(0, 5),
    st.sampled_from(["A", "Б", "[[events]]"]),
    st.integers(10, 12),
    st.sampled_from(DETAILS[:4] * 3 + DETAILS),
    st.sampled_from(["", "", "  "]),
    st.sampled_from(EXTRAS),
)
entries = st.lists(entry, max_size=6, unique_by=lambda text: text.split('id = "')[1][:2])


@st.composite
def edited(draw: st.DrawFn, before: str) -> str:
    """The text with some of it replaced, whole entries for the most part."""
    starts = [0, *(at for at in range(len(before)) if before.startswith("[[", at)), len(before)]
    whole = draw(st.integers(0, 3)) > 0
    places = st.sampled_from(starts) if whole else st.integers(0, len(before))
    begin, end = sorted((draw(places), draw(places)))
    new = draw(st.one_of(entry, st.just("")) if whole else st.sampled_from(PIECES))
    return before[:begin] + new + before[end:]


def outcome(reader: Reader | None, files: list[tuple[str, str]]) -> str:
    """All that reading them says."""
    try:
        return repr(load(files) if reader is None else reader.load(files))
    except SourceError as error:
        return "\n".join(map(repr, error.problems))


@given(data=st.data())
def test_reading_again_is_reading(data: st.DataObject) -> None:
    first, second = CALENDAR + "".join(data.draw(entries)), "".join(data.draw(entries)).replace('"e', '"f')
    files = [("a.toml", first), ("b.toml", second)]
    reader = Reader()
    for _ in range(4):
        assert outcome(reader, files) == outcome(None, files)
        number = data.draw(st.integers(0, 1))
        name, text = files[number]
        files[number] = (name, data.draw(edited(text)))
