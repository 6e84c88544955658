"""What feeds say in words of their own, in English, Russian and Chinese; other languages read English."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The phrases of one language; braces hold what is filled in."""

    cancelled_title: str
    tba_time_title: str
    tba_date_title: str
    tba_time: str
    tba_date: str
    join: str
    source: str
    dropped: str
    day: Callable[[date], str]
    days: Callable[[date, date], str]


def phrases(language: str) -> Phrases:
    """The phrases for readers of a BCP 47 language."""
    return _TABLE.get(language.lower().split("-")[0], _ENGLISH)


_EN = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_RU = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip


def _day_month(months: Sequence[str], era: str) -> Callable[[date], str]:
    return lambda day: f"{day.day} {months[day.month - 1]} {day.year}{era}"


def _span(months: Sequence[str], era: str) -> Callable[[date, date], str]:
    whole = _day_month(months, era)

    def days(first: date, last: date) -> str:
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{whole(last)}"
        if first.year == last.year:
            return f"{first.day} {months[first.month - 1]} – {whole(last)}"
        return f"{whole(first)} – {whole(last)}"

    return days


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _chinese_days(first: date, last: date) -> str:
    year = f"{last.year}年" if last.year != first.year else ""
    month = f"{last.month}月" if year or last.month != first.month else ""
    return f"{_chinese(first)}至{year}{month}{last.day}日"


_ENGLISH = Phrases(
    cancelled_title="Cancelled: {}",
    tba_time_title="{} (time to be announced)",
    tba_date_title="{} (date to be announced)",
    tba_time="Time to be announced.",
    tba_date="Date to be announced: some day within {}.",
    join="Join",
    source="Source",
    dropped="Left out: {} past events, the last of {}. Calendar services read about 1,000 events or 1 MB.",
    day=_day_month(_EN, ""),
    days=_span(_EN, ""),
)

_RUSSIAN = Phrases(
    cancelled_title="Отменено: {}",
    tba_time_title="{} (время уточняется)",
    tba_date_title="{} (дата уточняется)",
    tba_time="Время будет объявлено.",
    tba_date="Дата будет объявлена: один из дней {}.",
    join="Подключиться",
    source="Источник",
    dropped="Не включено прошедших событий: {}, последнее — {}. Сервисы читают около 1000 событий или 1 МБ.",
    day=_day_month(_RU, " года"),
    days=_span(_RU, " года"),
)

_CHINESE = Phrases(
    cancelled_title="已取消：{}",
    tba_time_title="{}（时间待定）",
    tba_date_title="{}（日期待定）",
    tba_time="具体时间待定。",
    tba_date="日期待定：{}之间的某一天。",
    join="加入",
    source="来源",
    dropped="未列入已结束的活动{}项（最后一项：{}）。日历服务约读取1000项或1 MB。",
    day=_chinese,
    days=_chinese_days,
)

_TABLE = {"en": _ENGLISH, "ru": _RUSSIAN, "zh": _CHINESE}
