"""Annotated face boxes: one box a clip, from a table that the user makes from the data set's own annotation.

`DATA/boxes.parquet` has the columns clip_id, left, top, right, bottom: fractions of the upright frame's width and
height, x to the right, y down. 24 bytes a clip are kept in memory.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.parquet_files import read_table
from emotrain.stable_hash import stable_hash
from emotrain.video.crop import Box

SIDES = ("left", "top", "right", "bottom")


class FaceBoxes:
    """The boxes of one `boxes.parquet`."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError, and ValueError for missing columns or a clip with two boxes."""
        if not path.exists():
            raise FileNotFoundError(
                f"{path} does not exist; crop box-from-annotation needs it, with columns clip_id, {', '.join(SIDES)}"
            )
        table = read_table(path, "make the file again from the annotation of the data set")
        missing = [name for name in ("clip_id", *SIDES) if name not in table.column_names]
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}; expected clip_id, {', '.join(SIDES)}")
        ids = table["clip_id"].to_pylist()
        if len(set(ids)) < len(ids):
            raise ValueError(
                f"{path}: {len(ids) - len(set(ids))} clip ids occur more than once; one box a clip is needed"
            )
        hashes = np.asarray([stable_hash(clip_id) for clip_id in ids], np.uint64)
        order = np.argsort(hashes)
        self.path = path
        self._hashes = hashes[order]
        self._sides = np.stack([table[side].to_numpy().astype(np.float32) for side in SIDES], axis=1)[order]

    def of(self, clip_id: str) -> Box:
        """The clip's box; ClipError when it has none or a wrong one."""
        key = np.uint64(stable_hash(clip_id))
        row = int(np.searchsorted(self._hashes, key))
        if row == len(self._hashes) or self._hashes[row] != key:
            raise ClipError(f"no face box for this clip in {self.path}")
        try:
            return Box(*(float(side) for side in self._sides[row]))
        except ValueError as error:
            raise ClipError(f"the face box in {self.path} is not one: {error}") from error

    def fingerprint(self) -> str:
        """Sixteen hex digits of all ids and boxes."""
        return blake2b(self._hashes.tobytes() + self._sides.tobytes(), digest_size=8).hexdigest()
