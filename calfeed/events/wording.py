"""A change in words: "moved from Fri 17 May 2024, 10:00 to 11:30 (Asia/Shanghai)", in English, Russian or Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from calfeed.events.comparison import changed_occurrences, compare, differing, occurrence_of
from calfeed.events.model import Event, Moment
from calfeed.events.occurrences import end_of, length
from calfeed.events.revision import Change, ChangeKind

_TIMES = {"start", "end", "tba", "rrule", "rdate", "exdate", "overrides"}
"""Keys that other words than "edited" speak of."""
_SHOWN = 3
"""Single dates that are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    locale: str
    day: str  # a pattern of Unicode TR 35
    clock: str
    zone: str
    list: str
    pause: str
    moved: str
    repeats: str
    also: str
    not_on: str
    edited: str
    one: str
    more: str
    time_tba: str
    date_tba: str
    kinds: dict[ChangeKind, str]
    fields: dict[str, str]


def describe(change: Change, language: str = "en", *, timezone: str | None = None) -> str:
    """What changed, without the title; in words of ``language`` (else English), in ``timezone`` or the event's own."""
    speaker = _Speaker(_LANGUAGES.get(language.lower().split("-")[0], _LANGUAGES["en"]), timezone)
    before, after = change.before, change.after
    if before is None or after is None:
        return "".join(speaker.whole(change.kind, event) for event in (before or after,) if event)
    ids = changed_occurrences(before, after)
    if ids:
        return speaker.words.pause.join((speaker.occurrences(before, after, ids), *speaker.edits(before, after)))
    return speaker.change(change.kind, before, after)


@dataclass(frozen=True, slots=True)
class _Speaker:
    words: _Words
    timezone: str | None

    def change(self, kind: ChangeKind, before: Event, after: Event) -> str:
        if kind is ChangeKind.CANCELLED:
            return self.whole(kind, before)
        if kind not in {ChangeKind.MOVED, ChangeKind.EDITED}:
            return self.whole(kind, after)
        return self.words.pause.join((*self.moves(before, after), *self.edits(before, after)))

    def whole(self, kind: ChangeKind, event: Event) -> str:
        return self.words.kinds[kind].format(self.zoned(self.when(event), event))

    def occurrences(self, before: Event, after: Event, ids: tuple[Moment, ...]) -> str:
        told = [self.occurrence(before, after, moment) for moment in ids[:_SHOWN]]
        rest = [self.words.more.format(len(ids) - _SHOWN)] if len(ids) > _SHOWN else []
        return self.words.pause.join((*told, *rest))

    def occurrence(self, before: Event, after: Event, moment: Moment) -> str:
        old, new = occurrence_of(before, moment), occurrence_of(after, moment)
        found = compare(old, new)
        kind = found[0] if found else ChangeKind.EDITED
        said = self.change(kind, old, new)
        return self.words.one.format(self.point(moment), said) if kind is ChangeKind.EDITED else said

    def moves(self, before: Event, after: Event) -> Iterator[str]:
        words, names = self.words, differing(before, after)
        if not ({"start", "end", "tba"} if after.all_day else {"start", "end", "tba", "timezone"}).isdisjoint(names):
            yield self.move(before, after)
        if "rrule" in names:
            yield words.repeats
        for phrase, name in ((words.also, "rdate"), (words.not_on, "exdate")):
            added = [moment for moment in getattr(after, name) if moment not in getattr(before, name)]
            if added:
                yield self.zoned(phrase.format(self.points(added)), after)
            elif name in names and "rrule" not in names:
                yield words.edited.format(words.fields[name])

    def move(self, before: Event, after: Event) -> str:
        full = self.has_hours(before) and self.has_hours(after) and length(before) != length(after)
        old, new = self.when(before, full=full), self.when(after, full=full)
        if self.zone(before) != self.zone(after):
            old = self.zoned(old, before)
        elif self.day_of(before) == self.day_of(after) and self.has_hours(before) and self.has_hours(after):
            new = self.clocks(after, full=full)
        return self.words.moved.format(old, self.zoned(new, after))

    def edits(self, before: Event, after: Event) -> Iterator[str]:
        skipped = _TIMES if after.all_day else _TIMES | {"timezone"}
        names = [name for name in differing(before, after) if name not in skipped]
        if names:
            yield self.words.edited.format(self.words.list.join(self.words.fields[name] for name in names))

    def when(self, event: Event, *, full: bool = False) -> str:
        if self.has_hours(event):
            return self.words.clock.format(self.day(self.day_of(event)), self.clocks(event, full=full))
        first, last = self.day(self.day_of(event)), self.day(event.last_day)
        if event.tba == "date":
            return self.words.date_tba.format(first, last)
        days = first if first == last else f"{first} – {last}"
        return self.words.time_tba.format(days) if event.tba else days

    def clocks(self, event: Event, *, full: bool) -> str:
        start, end = self.local(event.start, event), self.local(end_of(event, event.start), event)
        if not full or start == end:
            return f"{start:%H:%M}"
        if start.date() == end.date():
            return f"{start:%H:%M}–{end:%H:%M}"
        return f"{start:%H:%M} – " + self.words.clock.format(self.day(end.date()), f"{end:%H:%M}")

    def day_of(self, event: Event) -> date:
        start = event.start
        return start if not isinstance(start, datetime) else self.local(start, event).date()

    def local(self, moment: Moment, event: Event) -> datetime:
        at = moment if isinstance(moment, datetime) else datetime.combine(moment, datetime.min.time(), event.zone)
        return at.astimezone(ZoneInfo(self.zone(event)))

    def zone(self, event: Event) -> str:
        return self.timezone if self.timezone and not event.tba else event.timezone

    def zoned(self, text: str, event: Event) -> str:
        return self.words.zone.format(text, self.zone(event)) if self.has_hours(event) else text

    def has_hours(self, event: Event) -> bool:
        return not event.all_day and not event.tba

    def points(self, moments: Iterable[Moment]) -> str:
        return self.words.list.join(self.point(moment) for moment in moments)

    def point(self, moment: Moment) -> str:
        if not isinstance(moment, datetime):
            return self.day(moment)
        local = moment.astimezone(ZoneInfo(self.timezone)) if self.timezone else moment
        return self.words.clock.format(self.day(local.date()), f"{local:%H:%M}")

    def day(self, day: date) -> str:
        from babel.dates import format_date  # late: 50 ms that only words need

        return format_date(day, self.words.day, locale=self.words.locale)


_EN = _Words(
    locale="en",
    day="EEE d MMM y",
    clock="{}, {}",
    zone="{} ({})",
    list=", ",
    pause="; ",
    moved="moved from {} to {}",
    repeats="repeats differently",
    also="also on {}",
    not_on="no longer on {}",
    edited="edited: {}",
    one="on {}: {}",
    more="and {} more dates",
    time_tba="{}, time to be announced",
    date_tba="some day from {} to {}",
    kinds={
        ChangeKind.ADDED: "added: {}",
        ChangeKind.REMOVED: "removed: was planned for {}",
        ChangeKind.CANCELLED: "cancelled: was planned for {}",
        ChangeKind.RESTORED: "on again: {}",
        ChangeKind.CONFIRMED: "confirmed: {}",
    },
    fields={
        "id": "page address",
        "summary": "title",
        "timezone": "time zone",
        "description": "description",
        "status": "status",
        "location": "place",
        "categories": "categories",
        "url": "link",
        "image": "image",
        "conference": "how to join",
        "organizer": "organizer",
        "contact": "contact",
        "attach": "attachments",
        "sources": "sources",
        "parent": "what it is part of",
        "transparency": "free or busy",
        "visibility": "visibility",
        "priority": "priority",
        "rdate": "extra dates",
        "exdate": "left-out dates",
        "recurrence_id": "date",
    },
)

_RU = _Words(
    locale="ru",
    day="EEE, d MMM y 'г'.",
    clock="{}, {}",
    zone="{} ({})",
    list=", ",
    pause="; ",
    moved="перенесено: было {}, стало {}",
    repeats="повторяется по-другому",
    also="добавлены даты: {}",
    not_on="больше не состоится: {}",
    edited="изменено: {}",
    one="{}: {}",
    more="и другие даты: {}",
    time_tba="{}, время будет объявлено",
    date_tba="в один из дней с {} по {}",
    kinds={
        ChangeKind.ADDED: "добавлено: {}",
        ChangeKind.REMOVED: "снято с программы: планировалось на {}",
        ChangeKind.CANCELLED: "отменено: планировалось на {}",
        ChangeKind.RESTORED: "снова в силе: {}",
        ChangeKind.CONFIRMED: "подтверждено: {}",
    },
    fields={
        "id": "адрес страницы",
        "summary": "название",
        "timezone": "часовой пояс",
        "description": "описание",
        "status": "статус",
        "location": "место",
        "categories": "рубрики",
        "url": "ссылка",
        "image": "изображение",
        "conference": "подключение",
        "organizer": "организатор",
        "contact": "контакт",
        "attach": "вложения",
        "sources": "источники",
        "parent": "часть чего",
        "transparency": "занятость",
        "visibility": "видимость",
        "priority": "важность",
        "rdate": "дополнительные даты",
        "exdate": "исключённые даты",
        "recurrence_id": "дата",
    },
)

_ZH = _Words(
    locale="zh",
    day="y年M月d日EEE",
    clock="{} {}",
    zone="{}（{}）",
    list="、",
    pause="；",
    moved="时间由{}改为{}",
    repeats="重复方式有变",
    also="新增日期：{}",
    not_on="不再举行：{}",
    edited="已修改：{}",
    one="{}：{}",
    more="另有{}个日期",
    time_tba="{}，具体时间待定",
    date_tba="{}至{}之间的某一天",
    kinds={
        ChangeKind.ADDED: "新增：{}",
        ChangeKind.REMOVED: "已撤下：原定于{}",
        ChangeKind.CANCELLED: "已取消：原定于{}",
        ChangeKind.RESTORED: "恢复举行：{}",
        ChangeKind.CONFIRMED: "已确定：{}",
    },
    fields={
        "id": "网页地址",
        "summary": "标题",
        "timezone": "时区",
        "description": "说明",
        "status": "状态",
        "location": "地点",
        "categories": "分类",
        "url": "链接",
        "image": "图片",
        "conference": "参加方式",
        "organizer": "主办方",
        "contact": "联系方式",
        "attach": "附件",
        "sources": "来源",
        "parent": "所属活动",
        "transparency": "忙闲状态",
        "visibility": "可见范围",
        "priority": "优先级",
        "rdate": "附加日期",
        "exdate": "排除日期",
        "recurrence_id": "日期",
    },
)

_LANGUAGES = {"en": _EN, "ru": _RU, "zh": _ZH}
