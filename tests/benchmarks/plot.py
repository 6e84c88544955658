"""Growth curves as a picture: both axes logarithmic, so that a straight line at 45° is linear growth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

Curve = Sequence[tuple[int, float, float]]
"""``(events, CPU seconds, peak MB)``."""

WIDTH, HEIGHT, LEFT, TOP, SIDE, LEVEL = 760, 330, 56, 34, 290, 236
COLOURS = ("#0b62a4", "#b3541e", "#3d7a3a")


def svg(curves: dict[str, Curve], title: str) -> str:
    """Two panels: CPU seconds, and peak memory in MB, by number of events."""
    body = [
        _panel(curves, 0, "CPU seconds", lambda point: point[1]),
        _panel(curves, 1, "peak memory, MB", lambda point: point[2]),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{title}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    )
    return "\n".join((head, *body, "</svg>", ""))


def _panel(curves: dict[str, Curve], place: int, name: str, value: Callable[[tuple[int, float, float]], float]) -> str:
    every = [point for curve in curves.values() for point in curve]
    counts = [log10(point[0]) for point in every]
    values = [log10(value(point)) for point in every]
    low, high = floor(min(values)), ceil(max(values))
    left = LEFT + place * (SIDE + 86)

    def across(count: float) -> float:
        return left + SIDE * (log10(count) - min(counts)) / (max(counts) - min(counts))

    def up(amount: float) -> float:
        return TOP + LEVEL * (1 - (log10(amount) - low) / (high - low))

    parts = [f'<text x="{left}" y="20" font-weight="bold">{name}</text>']
    for power in range(low, high + 1):
        y = up(10**power)
        parts.append(f'<path d="M{left} {y:.1f}h{SIDE}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:g}</text>')
    parts += [
        f'<text x="{across(count):.1f}" y="{TOP + LEVEL + 18}" text-anchor="middle">{count:,} events</text>'
        for count in sorted({point[0] for point in every})
    ]
    for number, (label, curve) in enumerate(curves.items()):
        points = " ".join(f"{across(point[0]):.1f},{up(value(point)):.1f}" for point in curve)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across(point[0]):.1f}" cy="{up(value(point)):.1f}" r="3.5" fill="{colour}"/>'
            for point in curve
        ]
        parts.append(f'<rect x="{left + 10}" y="{TOP + 8 + 18 * number}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{left + 28}" y="{TOP + 14 + 18 * number}">{label}</text>')
    return "\n".join(parts)
