"""The words for changes, in English, Russian and Chinese; other languages read English."""

from __future__ import annotations

from dataclasses import dataclass

from calfeed.events.revision import ChangeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The phrases of one language; braces hold what is filled in."""

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


_EN = Words(
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

_RU = Words(
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

_ZH = Words(
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


def words(language: str) -> Words:
    """The words for readers of a BCP 47 language."""
    return _LANGUAGES.get(language.lower().split("-")[0], _EN)
