"""Stored frames as pictures: JPEG or PNG and nothing else, whatever the bytes of somebody's data folder are.

Pillow opens some forty formats by their first bytes, and one of them (EPS) by starting another program.
"""

from __future__ import annotations

import io

from PIL import Image

FORMATS = ("JPEG", "PNG")


def picture_of(stored: bytes) -> Image.Image:
    """The stored bytes of a frame as an RGB image; raises ValueError for anything else than a JPEG or PNG image."""
    try:
        with Image.open(io.BytesIO(stored), formats=FORMATS) as opened:
            return opened.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"a stored frame ({len(stored):,} bytes) is no JPEG or PNG image that can be read ({error}); delete the "
            "folder `frames` and run `emotrain prep RECIPE --stage frames`"
        ) from error
