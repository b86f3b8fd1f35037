"""Files of face tracks: which one belongs to a clip, which of its rows do, and numbers out of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrain.clip_errors import ClipError
from emotrain.datasets.paths import inside
from emotrain.records import Clip

if TYPE_CHECKING:
    import pandas as pd

CLIP_COLUMNS = ("clip_id", "input", "video", "filename", "file")


def clip_file(path: Path, clip: Clip, video: Path, suffixes: Sequence[str]) -> Path:
    """The file itself, or the clip's own in a folder: <clip_id>.csv or one named as the video; else ClipError."""
    if not path.is_dir():
        return path
    names = [f"{stem}{suffix}" for stem in dict.fromkeys((clip.clip_id, video.stem)) for suffix in suffixes]
    for name in names:
        file = inside(path, name)
        if file.is_file():
            return file
    raise ClipError(f"{path}: no face tracks for this clip; expected {', '.join(names)}")


@lru_cache(maxsize=2)
def table_of(file: Path) -> pd.DataFrame:
    """A CSV or parquet file; the last ones are kept, since a file of many clips is asked for by each of them."""
    import pandas as pd

    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, skipinitialspace=True).rename(columns=str.strip)
    except (OSError, ValueError) as error:
        # The errors of pandas and pyarrow about what a file holds are ValueErrors.
        raise ClipError(f"{file}: face tracks cannot be read: {error}") from error


def rows_of(table: pd.DataFrame, path: Path, clip: Clip, video: Path) -> pd.DataFrame:
    """The rows of a clip: all of a file of its own, else those that name it."""
    if path.is_dir():
        return table
    column = next((name for name in CLIP_COLUMNS if name in table), None)
    if column is None:
        raise ClipError(f"{path}: no column {' or '.join(CLIP_COLUMNS[:2])} says which clip a row belongs to")
    named = table[column].astype(str)
    stems = named.str.replace("\\", "/", regex=False).str.rsplit("/", n=1).str[-1].str.rsplit(".", n=1).str[0]
    rows = table[(named == clip.clip_id) | (stems == clip.clip_id) | (stems == video.stem)]
    if rows.empty:
        raise ClipError(f"{path}: no row whose {column} is {clip.clip_id!r} or {video.stem!r}")
    return rows


def numbers(table: pd.DataFrame, columns: Sequence[str], path: Path) -> NDArray[np.float64]:
    """(rows, columns) float64; ClipError for a column that is not there or holds something else."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise ClipError(f"{path}: no column {', '.join(missing)}")
    try:
        return table[list(columns)].to_numpy(np.float64)
    except (ValueError, TypeError) as error:
        raise ClipError(f"{path}: {', '.join(columns[:4])}: {error}; expected numbers") from error
