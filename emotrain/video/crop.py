"""Which part of a frame is read, and at what size: boxes in fractions of the frame, placed on whole pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

WIDEST_PIXEL = 8
"""Stated pixels that are further from square than this are damage: no camera or disc has them (up to 3 in use)."""


def square_pixels(height: int, width: int, aspect: Fraction | None) -> tuple[int, int]:
    """(height, width) at which a frame is shown whose stored pixels are `aspect` times as wide as high.

    The shorter side of a pixel is stretched, so that nothing stored is lost. None and what no file can mean are 1.
    """
    if not aspect or aspect <= 0 or not 1 / WIDEST_PIXEL <= aspect <= WIDEST_PIXEL:
        return height, width
    return (height, round(width * aspect)) if aspect > 1 else (round(height / aspect), width)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the upright frame, as fractions of its width and height; x to the right, y down."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.left < self.right <= 1.0 and 0.0 <= self.top < self.bottom <= 1.0):
            raise ValueError(f"{self}: expected 0 <= left < right <= 1 and 0 <= top < bottom <= 1")


WHOLE = Box()


def centre_square(height: int, width: int) -> Box:
    """The largest centred square of a frame of `height` x `width` pixels."""
    side = min(height, width)
    x, y = (1 - side / width) / 2, (1 - side / height) / 2
    return Box(x, y, 1 - x, 1 - y)


@dataclass(frozen=True, slots=True)
class Placement:
    """How a frame becomes an output: scale the whole frame to `full` (height, width), then cut `rows` and `columns`."""

    full: tuple[int, int]
    rows: slice
    columns: slice


def place(height: int, width: int, box: Box, size: int | None, square: bool) -> Placement:
    """Where the pixels of `box` land. `square` fills size x size; otherwise the longer side becomes `size`."""
    box_h, box_w = (box.bottom - box.top) * height, (box.right - box.left) * width
    if size is None:
        out_h, out_w = max(1, round(box_h)), max(1, round(box_w))
    elif square:
        out_h = out_w = size
    else:
        longer = max(box_h, box_w)
        out_h, out_w = max(1, round(size * box_h / longer)), max(1, round(size * box_w / longer))
    full_h, full_w = max(out_h, round(out_h * height / box_h)), max(out_w, round(out_w * width / box_w))
    y = min(round(box.top * full_h), full_h - out_h)
    x = min(round(box.left * full_w), full_w - out_w)
    return Placement((full_h, full_w), slice(y, y + out_h), slice(x, x + out_w))
