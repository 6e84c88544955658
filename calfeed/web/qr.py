"""A QR code as an SVG that takes its colour from the stylesheet."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from markupsafe import Markup


@lru_cache(maxsize=256)
def qr(text: str, title: str = "") -> Markup:
    """Inline SVG of class ``qr``; without a title hidden from screen readers, for the address stands beside it."""
    import segno  # drawing is what two pages need, and only for addresses not drawn before

    out = BytesIO()
    segno.make(text, micro=False, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        svgclass="qr",
        lineclass=None,
        omitsize=True,
        border=2,
        title=title or None,
    )
    svg = out.getvalue().decode().strip()
    role = 'role="img"' if title else 'aria-hidden="true"'
    return Markup(svg.replace("<svg ", f"<svg {role} ", 1).replace('stroke="#000"', 'stroke="currentColor"'))  # noqa: S704  # segno escapes the title
