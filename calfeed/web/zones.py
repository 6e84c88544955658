"""The time zones a reader is offered: one or more for each offset in use, from west to east."""

from __future__ import annotations

ZONES = (
    "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago",
    "America/Mexico_City", "America/New_York", "America/Bogota", "America/Halifax", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "America/St_Johns", "Atlantic/Azores", "UTC", "Europe/London", "Europe/Lisbon",
    "Africa/Lagos", "Europe/Berlin", "Europe/Madrid", "Europe/Paris", "Europe/Rome", "Europe/Warsaw",
    "Africa/Cairo", "Africa/Johannesburg", "Europe/Athens", "Europe/Kyiv", "Asia/Jerusalem", "Europe/Istanbul",
    "Europe/Moscow", "Africa/Nairobi", "Asia/Riyadh", "Asia/Tehran", "Asia/Dubai", "Europe/Samara", "Asia/Kabul",
    "Asia/Almaty", "Asia/Karachi", "Asia/Tashkent", "Asia/Yekaterinburg", "Asia/Kolkata", "Asia/Kathmandu",
    "Asia/Dhaka", "Asia/Omsk", "Asia/Yangon", "Asia/Bangkok", "Asia/Jakarta", "Asia/Novosibirsk", "Asia/Hong_Kong",
    "Asia/Irkutsk", "Asia/Manila", "Asia/Shanghai", "Asia/Singapore", "Australia/Perth", "Asia/Seoul", "Asia/Tokyo",
    "Asia/Yakutsk", "Australia/Adelaide", "Asia/Vladivostok", "Australia/Sydney", "Asia/Magadan", "Asia/Kamchatka",
    "Pacific/Auckland",
)  # fmt: skip


def zone_choices(chosen: str | None) -> tuple[str, ...]:
    """The zones to offer; the reader's own is among them whatever it is."""
    return ZONES if chosen is None or chosen in ZONES else (chosen, *ZONES)
