"""What messages say: in the channel's language and zone, with the hour only where it is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.events.model import Catalog
from calfeed.reminders.digest import due_digests
from calfeed.reminders.message import (
    Origin,
    challenge_message,
    digest_message,
    reminder_message,
)
from calfeed.reminders.message import (
    test_message as trial_message,
)
from calfeed.reminders.plan import due_reminders

Read = Callable[[str], Catalog]

ALWAYS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)

TALK = """
[[events]]
id = "talk"
summary = { en = "Talk", ru = "Лекция", zh = "讲座" }
start = 2024-05-17T10:00:00
end = 2024-05-17T11:30:00
location = { name = "Hall 3", address = "1 Example Street" }
"""

EXPO = """
[[events]]
id = "expo"
summary = { en = "Expo", ru = "Экспо", zh = "博览会" }
start = 2024-05-17
end = 2024-05-21
"""


def channel(language: str = "en", timezone: str = "Asia/Shanghai", more: str = "") -> str:
    return f"""
        [[channels]]
        id = "news"
        kind = "webhook"
        url = "env:NEWS_URL"
        language = "{language}"
        timezone = "{timezone}"
        {more}
    """


def said(read: Catalog, *, late: timedelta = timedelta(), origin: Origin | None = None) -> list[str]:
    """What each reminder of the list says when it is sent ``late`` after its time."""
    where = origin or Origin(calendar=read.calendar)
    return [reminder_message(due, due.due + late, where).text for due in due_reminders(read, *ALWAYS)]


def test_a_reminder_says_how_far_ahead_what_when_and_where(catalog: Read) -> None:
    day, hour = said(catalog(TALK + channel()))
    assert hour == (
        "In 1 hour: Talk\n"
        "When: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)\n"
        "Where: Hall 3, 1 Example Street\n"
        "https://cal.example.org/events/talk"
    )
    assert day.splitlines()[0] == "Tomorrow: Talk"


def test_the_channels_zone_comes_first_and_the_events_beside_it_where_clocks_differ(catalog: Read) -> None:
    _, hour = said(catalog(TALK + channel("ru", "Europe/Moscow")))
    assert hour == (
        "Через 1 час: Лекция\n"
        "Когда: пт, 17 мая 2024 г., 05:00 – 06:30 (Москва)\n"
        "пт, 17 мая 2024 г., 10:00 – 11:30 (Шанхай)\n"
        "Где: Hall 3, 1 Example Street\n"
        "https://cal.example.org/events/talk"
    )
    _, same_clock = said(catalog(TALK + channel("en", "Asia/Singapore")))
    assert same_clock.splitlines()[1:3] == [
        "When: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Singapore)",
        "Where: Hall 3, 1 Example Street",
    ]


def test_chinese_is_written_as_chinese(catalog: Read) -> None:
    _, hour = said(catalog(TALK + channel("zh", "Asia/Shanghai")))
    assert hour == (
        "1小时后：讲座\n"
        "时间：2024年5月17日周五，10:00 – 11:30（上海）\n"
        "地点：Hall 3，1 Example Street\n"
        "https://cal.example.org/events/talk"
    )


def test_another_language_reads_english_around_its_own_titles(catalog: Read) -> None:
    german = TALK.replace("{ en =", '{ de = "Vortrag", en =')
    _, hour = said(catalog(german + channel("de-AT")))
    assert hour.splitlines()[:2] == [
        "In 1 hour: Vortrag",
        "When: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)",
    ]


def test_a_language_that_nobody_knows_reads_english(catalog: Read) -> None:
    _, hour = said(catalog(TALK + channel("qqq-Zzzz")))
    assert hour.splitlines()[:2] == ["In 1 hour: Talk", "When: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)"]


@pytest.mark.parametrize(("language", "as_in"), [("zh-Latn", "zh"), ("zh-Latn-CN", "zh"), ("en-Shaw", "en")])
def test_a_script_that_has_no_dates_of_its_own_reads_those_of_its_language(
    catalog: Read, language: str, as_in: str
) -> None:
    assert said(catalog(TALK + channel(language))) == said(catalog(TALK + channel(as_in)))


def test_a_region_has_the_dates_of_its_region(catalog: Read) -> None:
    _, hour = said(catalog(TALK + channel("en-GB")))
    assert hour.splitlines()[1] == "When: Fri, 17 May 2024, 10:00 – 11:30 (Shanghai)"


def test_an_item_over_midnight_names_both_days(catalog: Read) -> None:
    night = TALK.replace("T11:30", "T23:30").replace("T10:00", "T22:00").replace("end = 2024-05-17", "end = 2024-05-18")
    _, hour = said(catalog(night + channel()))
    assert hour.splitlines()[1] == "When: Fri, May 17, 2024, 10:00 PM – Sat, May 18, 2024, 11:30 PM (Shanghai)"


def test_an_item_whose_end_clocks_show_before_its_start_has_its_end(catalog: Read) -> None:
    """It takes 40 minutes, in which the clocks go back."""
    new_york = """
        [[events]]
        id = "night"
        summary = "Night"
        timezone = "America/New_York"
        start = 2024-11-03T01:30:00-04:00
        end = 2024-11-03T01:10:00-05:00
    """
    _, hour = said(catalog(new_york + channel(timezone="America/New_York")))
    assert hour.splitlines()[1] == "When: Sun, Nov 3, 2024, 1:30 AM – 1:10 AM (New York)"


def test_an_all_day_item_has_days_and_no_hour(catalog: Read) -> None:
    day, same_day = said(catalog(EXPO + channel()))
    assert day == ("Tomorrow: Expo\nWhen: Fri, May 17, 2024 – Tue, May 21, 2024\nhttps://cal.example.org/events/expo")
    assert same_day.splitlines()[0] == "Today: Expo"


def test_days_far_from_the_reader_say_where_they_are_counted(catalog: Read) -> None:
    day, _ = said(catalog(EXPO + channel("en", "Europe/Moscow")))
    assert day.splitlines()[1] == "When: Fri, May 17, 2024 – Tue, May 21, 2024 (Shanghai)"


def test_an_hour_to_be_announced_is_not_shown_but_said(catalog: Read) -> None:
    toml = '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17\ntba = "time"\n'
    assert [text.splitlines()[:2] for text in said(catalog(toml + channel()))] == [
        ["Tomorrow: Talk", "When: Fri, May 17, 2024, time to be announced"],
        ["Today: Talk", "When: Fri, May 17, 2024, time to be announced"],
    ]


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "Tomorrow at the earliest",
                "Any day now",
                "some day from Fri, May 17, 2024 to Tue, May 21, 2024 (the day",
            ],
        ),
        (
            "ru",
            ["Завтра, не раньше", "Со дня на день", "один из дней с пт, 17 мая 2024 г. по вт, 21 мая 2024 г. (день"],
        ),
        (
            "zh",
            ["最早明天", "近日", "2024年5月17日周五至2024年5月21日周二之间的某一天（具体日期"],
        ),
    ],
)
def test_a_day_to_be_announced_is_told_as_a_window(catalog: Read, language: str, lines: list[str]) -> None:
    before, within = said(catalog(EXPO + 'tba = "date"' + channel(language)))
    assert before.startswith(lines[0])
    assert within.startswith(lines[1])
    assert lines[2] in before.splitlines()[1]


def test_what_is_tentative_says_so(catalog: Read) -> None:
    _, hour = said(catalog(TALK + 'status = "tentative"' + channel()))
    assert "Tentative: it may still change." in hour.splitlines()


@pytest.mark.parametrize(
    ("lead", "phrase"),
    [
        ("0m", "Now"),
        ("1m", "In 1 minute"),
        ("90m", "In 1 hour 30 minutes"),
        ("23h", "In 23 hours"),
        ("24h", "Tomorrow"),
        ("30h", "Tomorrow"),
        ("1d", "Tomorrow"),
        ("2d", "In 2 days"),
        ("1w", "In 7 days"),
    ],
)
def test_a_lead_in_words(catalog: Read, lead: str, phrase: str) -> None:
    assert [text.splitlines()[0] for text in said(catalog(TALK + f'remind = ["{lead}"]' + channel()))] == [
        f"{phrase}: Talk"
    ]


@pytest.mark.parametrize(
    ("lead", "phrase"),
    [
        ("1m", "Через 1 минуту"),
        ("2m", "Через 2 минуты"),
        ("11m", "Через 11 минут"),
        ("21m", "Через 21 минуту"),
        ("1h", "Через 1 час"),
        ("3h5m", "Через 3 часа 5 минут"),
        ("21h", "Через 21 час"),
        ("1d", "Завтра"),
        ("5d", "Через 5 дней"),
        ("22d", "Через 22 дня"),
    ],
)
def test_russian_counts_in_three_forms(catalog: Read, lead: str, phrase: str) -> None:
    assert [text.splitlines()[0] for text in said(catalog(TALK + f'remind = ["{lead}"]' + channel("ru")))] == [
        f"{phrase}: Лекция"
    ]


def test_a_day_before_a_short_day_is_still_tomorrow(catalog: Read) -> None:
    """Clocks in Paris go forward on March 31, 2024: from 09:00 to 09:00 it is 23 hours."""
    toml = '[[events]]\nid = "a"\nsummary = "A"\nstart = 2024-03-31T09:00:00\ntimezone = "Europe/Paris"\n'
    day, _ = said(catalog(toml + channel("en", "Europe/Paris")))
    assert day.startswith("Tomorrow: A\n")


@pytest.mark.parametrize(
    ("seconds", "first", "last"),
    [
        (59, "In 1 hour: Talk", "https://cal.example.org/events/talk"),
        (60, "In 59 minutes: Talk", "1 minute late: this was due on Fri, May 17, 2024, 9:00 AM."),
        (2700, "In 15 minutes: Talk", "45 minutes late: this was due on Fri, May 17, 2024, 9:00 AM."),
    ],
)
def test_a_late_reminder_says_so_and_how_much_time_is_left(catalog: Read, seconds: int, first: str, last: str) -> None:
    text = said(catalog(TALK + 'remind = ["1h"]' + channel()), late=timedelta(seconds=seconds))[0]
    assert (text.splitlines()[0], text.splitlines()[-1]) == (first, last)


def test_a_late_day_before_counts_what_is_left(catalog: Read) -> None:
    day, _ = said(catalog(TALK + channel()), late=timedelta(hours=20))
    assert day.splitlines()[0] == "In 4 hours: Talk"
    day, _ = said(catalog(EXPO + channel()), late=timedelta(hours=20))
    assert day.splitlines()[0] == "Today: Expo"


def test_a_reminder_held_for_quiet_hours_is_not_late_and_counts_what_is_left(catalog: Read) -> None:
    quiet = channel(more='quiet = "22:00-07:00"\nbefore = ["8h"]')
    assert said(catalog(TALK + quiet))[0].splitlines() == [
        "In 3 hours: Talk",
        "When: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)",
        "Where: Hall 3, 1 Example Street",
        "https://cal.example.org/events/talk",
    ]


def test_links_lead_to_the_public_address_that_is_known(catalog: Read) -> None:
    read = catalog(TALK + 'url = "https://example.com/talk"\nremind = ["1h"]' + channel())
    (due,) = due_reminders(read, *ALWAYS)
    served = Origin(calendar=read.calendar, base_url="https://feeds.example.org/")
    assert reminder_message(due, due.due, served).items[0].url == "https://feeds.example.org/events/talk"
    assert served.feed_url == "https://feeds.example.org/feeds/all.ics"
    nowhere = Origin(calendar=catalog('[calendar]\nid = "c"\nname = "C"\ntimezone = "UTC"\n').calendar)
    assert reminder_message(due, due.due, nowhere).items[0].url == "https://example.com/talk"
    assert nowhere.feed_url == ""


def test_a_digest_lists_the_day(catalog: Read) -> None:
    read = catalog(EXPO + TALK.replace("-17T", "-18T") + channel(more='digest = "08:00"'))
    digest = due_digests(read, *ALWAYS)[1]
    message = digest_message(digest, digest.due, Origin(calendar=read.calendar))
    assert (message.type, message.timestamp, message.late_by) == ("event.digest", digest.due, timedelta())
    assert message.text == (
        "Sat, May 18, 2024: 2 on the calendar\n"
        "Expo\n"
        "When: Fri, May 17, 2024 – Tue, May 21, 2024\n"
        "day 2 of 5\n"
        "https://cal.example.org/events/expo\n"
        "Talk\n"
        "When: Sat, May 18, 2024, 10:00 AM – 11:30 AM (Shanghai)\n"
        "Where: Hall 3, 1 Example Street\n"
        "https://cal.example.org/events/talk"
    )


def test_a_late_digest_says_so(catalog: Read) -> None:
    read = catalog(TALK + channel(more='digest = "08:00"'))
    (digest,) = due_digests(read, *ALWAYS)
    message = digest_message(digest, digest.due + timedelta(hours=2), Origin(calendar=read.calendar))
    assert message.text.splitlines()[-1] == "2 hours late: this was due on Fri, May 17, 2024, 8:00 AM."


def test_an_online_event_says_how_to_join(catalog: Read) -> None:
    online = TALK + 'conference = [{ uri = "https://meet.example.org/a_b", label = "Video" }]'
    _, hour = said(catalog(online + channel()))
    assert hour.splitlines()[3] == "Join: https://meet.example.org/a_b"


def test_a_test_and_a_challenge_say_what_they_are(catalog: Read) -> None:
    read = catalog(channel("ru"))
    now, origin = datetime(2024, 5, 1, tzinfo=UTC), Origin(calendar=read.calendar)
    assert trial_message(read.channels[0], now, origin).text == (
        "Проверка: Визит\nЭто проверка. Сюда будут приходить напоминания календаря «Визит»."
    )
    challenge = challenge_message(read.channels[0], "c4a11e", now, origin)
    assert (challenge.type, challenge.subject) == ("subscription.challenge", "c4a11e")
