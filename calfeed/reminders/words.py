"""What messages say, in English, Russian and Chinese; other languages read English around titles of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The phrases of one language; braces hold what is filled in."""

    language: str
    said: str  # how a headline joins its phrase and its title
    list: str
    gap: str  # between a number and its unit, and between units
    future: str
    now: str
    today: str
    tomorrow: str
    any_day: str
    earliest: str
    when: str
    where: str
    join: str
    yours: str  # before the reader's own time, which the place it is read fills in
    was: str
    becomes: str
    place: str
    time_tba: str
    date_tba: str
    window: str
    all_of: str
    tentative: str
    late: str
    moved: str
    cancelled: str
    restored: str
    confirmed: str
    off_one: str
    on_one: str
    repeats: str
    series: str
    digest: str
    more: str
    day_of: str
    test: str
    test_body: str
    challenge: str
    challenge_body: str
    confirm_body: str
    open: str
    subscribe: str
    unsubscribe: str
    untitled: str
    others: str
    moves: tuple[str, ...]  # reminders that an edit moves, in the forms that ``plural`` counts by
    adds: tuple[str, ...]
    withdraws: tuple[str, ...]
    units: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # days, hours, minutes
    plural: Callable[[int], int]

    def span(self, span: timedelta) -> str:
        """A length of time in its two largest units, rounded down to minutes: ``1 hour 30 minutes``."""
        minutes = max(int(span.total_seconds()) // 60, 0)
        counts = (minutes // 1440, minutes // 60 % 24, minutes % 60)
        parts = [f"{n}{self.gap}{unit[self.plural(n)]}" for n, unit in zip(counts, self.units, strict=True) if n] or [
            f"0{self.gap}{self.units[2][self.plural(0)]}"
        ]
        return self.gap.join(parts[:2])

    def days(self, days: int) -> str:
        """How far a day lies ahead: today, tomorrow, in 5 days."""
        if days <= 0:
            return self.today
        return self.tomorrow if days == 1 else self.future.format(self.span(timedelta(days=days)))

    def title(self, phrase: str, title: str) -> str:
        """A headline: the phrase with a capital, and what it is about."""
        return self.said.format(phrase[:1].upper() + phrase[1:], title)


def _one_other(n: int) -> int:
    return 0 if n == 1 else 1


def _one_few_many(n: int) -> int:
    """Russian: 1 час, 2 часа, 5 часов, 11 часов, 21 час (CLDR's one, few, many)."""
    if n % 10 == 1 and n % 100 != 11:
        return 0
    return 1 if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else 2


EN = Words(
    language="en",
    said="{}: {}",
    list=", ",
    gap=" ",
    future="in {}",
    now="now",
    today="today",
    tomorrow="tomorrow",
    any_day="any day now",
    earliest="{} at the earliest",
    when="When",
    where="Where",
    join="Join",
    yours="Your time",
    was="Was",
    becomes="Now",
    place="{} ({})",
    time_tba="{}, time to be announced",
    date_tba="{} (the day is to be announced)",
    window="some day from {} to {}",
    all_of="{} – {}",
    tentative="Tentative: it may still change.",
    late="{} late: this was due on {}.",
    moved="moved",
    cancelled="cancelled",
    restored="on again",
    confirmed="confirmed",
    off_one="no longer on {}",
    on_one="also on {}",
    repeats="It repeats differently now.",
    series="It is a series: only these dates change.",
    digest="{}: {} on the calendar",
    more="and {} more",
    day_of="day {} of {}",
    test="test",
    test_body="This is a test. Reminders of “{}” will arrive here.",
    challenge="confirm this subscription",
    challenge_body="Answer 2xx with the challenge in the body, and reminders of “{}” will arrive here.",
    confirm_body="Open the link and confirm, and reminders of “{}” will arrive here. Otherwise nothing more is sent.",
    open="Open",
    subscribe="Subscribe",
    unsubscribe="Unsubscribe",
    untitled="untitled",
    others="Other items",
    moves=("{} reminder moves with it", "{} reminders move with it"),
    adds=("{} reminder is new", "{} reminders are new"),
    withdraws=("{} reminder is withdrawn", "{} reminders are withdrawn"),
    units=(("day", "days"), ("hour", "hours"), ("minute", "minutes")),
    plural=_one_other,
)

RU = Words(
    language="ru",
    said="{}: {}",
    list=", ",
    gap=" ",
    future="через {}",
    now="сейчас",
    today="сегодня",
    tomorrow="завтра",
    any_day="со дня на день",
    earliest="{}, не раньше",
    when="Когда",
    where="Где",
    join="Подключиться",
    yours="У вас",
    was="Было",
    becomes="Стало",
    place="{} ({})",
    time_tba="{}, время будет объявлено",
    date_tba="{} (день будет объявлен)",
    window="в один из дней с {} по {}",
    all_of="{} – {}",
    tentative="Предварительно: возможны изменения.",
    late="С опозданием на {}: срок был {}.",
    moved="перенесено",
    cancelled="отменено",
    restored="снова в силе",
    confirmed="подтверждено",
    off_one="больше не {}",
    on_one="также {}",
    repeats="Теперь повторяется иначе.",
    series="Событие повторяется: меняются только эти даты.",
    digest="{}: в календаре {}",
    more="и ещё {}",
    day_of="день {} из {}",
    test="проверка",
    test_body="Это проверка. Сюда будут приходить напоминания календаря «{}».",
    challenge="подтвердите подписку",
    challenge_body="Ответьте кодом 2xx и верните challenge в теле, и сюда будут приходить напоминания календаря «{}».",
    confirm_body="Откройте ссылку и подтвердите: сюда будут приходить напоминания «{}». Иначе больше ничего не придёт.",
    open="Открыть",
    subscribe="Подписаться",
    unsubscribe="Отписаться",
    untitled="без названия",
    others="Остальное",
    moves=(
        "с этим переносится {} напоминание",
        "с этим переносятся {} напоминания",
        "с этим переносится {} напоминаний",
    ),
    adds=("добавляется {} напоминание", "добавляются {} напоминания", "добавляется {} напоминаний"),
    withdraws=("снимается {} напоминание", "снимаются {} напоминания", "снимается {} напоминаний"),
    units=(("день", "дня", "дней"), ("час", "часа", "часов"), ("минуту", "минуты", "минут")),
    plural=_one_few_many,
)

ZH = Words(
    language="zh",
    said="{}：{}",
    list="，",
    gap="",
    future="{}后",
    now="现在",
    today="今天",
    tomorrow="明天",
    any_day="近日",
    earliest="最早{}",
    when="时间",
    where="地点",
    join="加入会议",
    yours="您的当地时间",
    was="原定",
    becomes="现为",
    place="{}（{}）",
    time_tba="{}，具体时间待定",
    date_tba="{}（具体日期待定）",
    window="{}至{}之间的某一天",
    all_of="{} – {}",
    tentative="暂定：仍可能变动。",
    late="迟到{}：应于{}发出。",
    moved="时间变更",
    cancelled="已取消",
    restored="恢复举行",
    confirmed="已确认",
    off_one="取消日期：{}",
    on_one="新增日期：{}",
    repeats="重复规则有变。",
    series="系列活动：仅以下日期有变。",
    digest="{}：日程{}项",
    more="另有{}项",
    day_of="第{}天，共{}天",
    test="测试",
    test_body="这是一条测试消息。“{}”的提醒将发送到这里。",
    challenge="请确认订阅",
    challenge_body="请以 2xx 应答，并在正文中返回 challenge，“{}”的提醒将发送到这里。",
    confirm_body="打开链接并确认，“{}”的提醒将发送到这里；否则不再发送任何消息。",
    open="查看",
    subscribe="订阅",
    unsubscribe="退订",
    untitled="无标题",
    others="其他事项",
    moves=("随之调整{}条提醒",),
    adds=("新增{}条提醒",),
    withdraws=("取消{}条提醒",),
    units=(("天",), ("小时",), ("分钟",)),
    plural=lambda _: 0,
)

_ALL = {words.language: words for words in (EN, RU, ZH)}


def words(language: str | None) -> Words:
    """The words for a BCP 47 tag: those of its primary language, else English."""
    return _ALL.get((language or "en").lower().split("-")[0], EN)
