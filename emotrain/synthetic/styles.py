"""In which manner a face is drawn, and which of the manners is kept from everything that is fitted.

A summariser whose templates and thresholds were fitted on one way of drawing finds events there and nowhere else.
Faces are therefore drawn in several styles, and one of them, HELD_BACK, is the project's own test of transfer: its
muscles, relief, eyes, mouth and skin come from code that shares nothing with the others' (`bust`). Neither the
action-unit templates nor thresholds nor the tiny base may see it, which `for_fitting` enforces.
"""

from __future__ import annotations

from typing import Literal, get_args

Style = Literal["shaded", "textured", "line", "flat", "bust"]

STYLES: tuple[Style, ...] = get_args(Style)
HELD_BACK: Style = "bust"
KNOWN: tuple[Style, ...] = tuple(style for style in STYLES if style != HELD_BACK)


class HeldBack(ValueError):
    """Something was about to be fitted to the style that tests what carries over."""


def for_fitting(*styles: str) -> tuple[Style, ...]:
    """The styles, if something may be fitted to them; raises HeldBack for the one kept back, ValueError for others."""
    for style in styles:
        if style == HELD_BACK:
            raise HeldBack(
                f"style {style!r} is held back: templates, thresholds and the tiny base never see it, or no figure "
                f"says what carries over to faces that nobody here drew; fit to {', '.join(KNOWN)}"
            )
    return tuple(known_style(style) for style in styles)


def known_style(style: str) -> Style:
    """The style of that name; raises ValueError that lists them."""
    for known in STYLES:
        if style == known:
            return known
    raise ValueError(f"style {style!r}: expected one of {', '.join(STYLES)}")
