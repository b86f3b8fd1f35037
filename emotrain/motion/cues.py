"""Action-unit intensities of a clip from the CSV files of OpenFace, py-feat or LibreFace.

| tool | intensity columns | scale | time |
|-|-|-|-|
| OpenFace | AU01_r ... AU45_r | 0..5 | timestamp in seconds; frame, from 1, where all stamps are 0 (images) |
| LibreFace | au_1_intensity ... | 0..5 | frame_time_in_ms, or frame_idx from 0 |
| py-feat | AU01 ... AU43 | 0..1 | frame, from 0 |

Only these columns are read, and those that say whether and in which video a face was seen: the expression classes that
the tools write beside them would give the label away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrain.clip_errors import ClipError
from emotrain.datasets.paths import inside
from emotrain.motion.action_units import templates
from emotrain.motion.face_regions import Floats
from emotrain.records import Clip

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Tool:
    """How one tool writes: intensity columns by pattern, their largest value, from which share of it a unit is there,
    and the columns that hold the time, with the number of the first frame."""

    name: str
    column: str
    scale: float
    present: float
    times: tuple[str, ...]
    first_frame: int


TOOLS = (
    Tool("OpenFace", r"AU(\d+)_r", 5.0, 0.2, ("timestamp", "frame"), 1),
    Tool("LibreFace", r"au_(\d+)_intensity", 5.0, 0.2, ("frame_time_in_ms", "frame_idx"), 0),
    Tool("py-feat", r"AU(\d+)", 1.0, 0.5, ("frame",), 0),
)
"""In the order in which a header is tried."""

SECONDS = {"timestamp": 1.0, "frame_time_in_ms": 1e-3}
CLIP_COLUMNS = ("clip_id", "input", "video", "filename", "file")
SEEN_COLUMNS = ("success", "confidence", "face_id", "FaceScore")
LEAST_CONFIDENCE = 0.5
EYES_CLOSED = "43"
"""py-feat has closed eyes and no blink; closed for less than half a second is a blink."""


@dataclass(frozen=True, slots=True)
class Cues:
    """What a tool saw in one clip: `intensity` (T, U) float32, 1 for full, of the U `units` at `times_s` (T,)."""

    times_s: NDArray[np.float64]
    units: tuple[str, ...]
    intensity: Floats
    present: float


def cues_fingerprint(path: Path) -> str:
    """Sixteen hex digits of all cue files at `path`, their names and their bytes.

    Raises FileNotFoundError when there is no CSV file.
    """
    files = sorted(path.rglob("*.csv")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise FileNotFoundError(
            f"{path}: no CSV file there; cues is a CSV file, or a folder with one CSV file a clip, that OpenFace, "
            "LibreFace or py-feat wrote"
        )
    digest = blake2b(digest_size=8)
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_cues(path: Path, clip: Clip, video: Path) -> Cues:
    """The cues of one clip, from its file in the folder `path` or from its rows in the file `path`.

    A folder holds <clip_id>.csv, or a file that is named as the video is. A file of many clips names them in a column
    clip_id or input. Raises ClipError, which names file, column and remedy, for anything missing or out of range.
    """
    if path.is_dir():
        file = _file_of(path, clip, video)
        rows = _table(file)
    else:
        file = path
        rows = _rows_of(_table_once(path), path, clip, video)
    rows = _one_face(rows)
    if rows.empty:
        raise ClipError(f"{file}: no frame in which a face was seen; run the tool again or leave this clip out")
    tool, columns = _tool_of(rows, file)
    times_s = _times(rows, tool, clip, video, file)
    order = np.argsort(times_s, kind="stable")
    order = order[np.diff(times_s[order], prepend=-np.inf) > 0]
    values = np.stack([_intensity(rows, column, tool, file) for column in columns.values()], axis=1)
    return Cues(times_s[order], tuple(columns), values[order], tool.present)


def _file_of(folder: Path, clip: Clip, video: Path) -> Path:
    names = [f"{clip.clip_id}.csv", str(Path(clip.path).with_suffix(".csv")), f"{video.stem}.csv"]
    for name in names:
        file = inside(folder, name)
        if file.is_file():
            return file
    raise ClipError(f"{folder}: no cue file for this clip; expected {', '.join(dict.fromkeys(names))}")


@lru_cache(maxsize=1)
def _table_once(path: Path) -> pd.DataFrame:
    return _table(path)


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    patterns = [tool.column for tool in TOOLS]
    plain = {name.lower() for tool in TOOLS for name in tool.times}
    plain |= {name.lower() for name in (*CLIP_COLUMNS, *SEEN_COLUMNS)}

    def wanted(name: str) -> bool:
        name = name.strip()
        return name.lower() in plain or any(re.fullmatch(p, name, re.IGNORECASE) for p in patterns)

    try:
        table = pd.read_csv(path, usecols=wanted, skipinitialspace=True)
    except (OSError, ValueError) as error:
        # pandas' own errors (empty, ragged) and wrong encodings are ValueErrors.
        raise ClipError(f"{path}: cannot be read as CSV: {error}") from error
    return table.rename(columns=str.strip)


def _rows_of(table: pd.DataFrame, path: Path, clip: Clip, video: Path) -> pd.DataFrame:
    column = next((name for name in CLIP_COLUMNS if name in table), None)
    if column is None:
        raise ClipError(
            f"{path}: no column {' or '.join(CLIP_COLUMNS[:2])} says which clip a row belongs to; add one, or give the "
            "folder with one CSV file a clip"
        )
    named = table[column].astype(str)
    files = named.str.replace("\\", "/", regex=False).str.rsplit("/", n=1).str[-1].str.rsplit(".", n=1).str[0]
    rows = table[(named == clip.clip_id) | (files == clip.clip_id) | (files == video.stem)]
    if rows.empty:
        raise ClipError(f"{path}: no row whose {column} is {clip.clip_id!r} or {video.stem!r}")
    return rows


def _one_face(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in which the tool saw the face: one a frame, of the face that is seen most, or best."""
    if "success" in rows:
        rows = rows[rows["success"] != 0]
    if "confidence" in rows:
        rows = rows[rows["confidence"] >= LEAST_CONFIDENCE]
    if "face_id" in rows and rows["face_id"].nunique() > 1:
        rows = rows[rows["face_id"] == rows["face_id"].mode()[0]]
    if "FaceScore" in rows:
        rows = rows[rows["FaceScore"].notna()].sort_values("FaceScore", ascending=False, kind="stable")
    return rows


def _tool_of(rows: pd.DataFrame, file: Path) -> tuple[Tool, dict[str, str]]:
    """The tool that wrote the columns, and its column of each unit that the templates know, in numeric order."""
    known = {unit.lstrip("LR") for unit in templates().units}
    for tool in TOOLS:
        found: dict[str, str] = {}
        for column in rows.columns:
            match = re.fullmatch(tool.column, column, re.IGNORECASE)
            if match:
                number = str(int(match[1]))
                found["45" if number == EYES_CLOSED else number] = column
        found = {unit: found[unit] for unit in sorted(found, key=int) if unit in known}
        if found:
            return tool, found
    raise ClipError(
        f"{file}: no intensity column; expected AU01_r (OpenFace, run with -aus), au_1_intensity (LibreFace) or AU01 "
        f"(py-feat), found {', '.join(map(str, rows.columns)) or 'none that is known'}"
    )


def _times(rows: pd.DataFrame, tool: Tool, clip: Clip, video: Path, file: Path) -> NDArray[np.float64]:
    for name in tool.times:
        if name not in rows:
            continue
        values = _numbers(rows, name, file)
        if name in SECONDS and (values.max() > 0 or len(values) == 1):
            return values * SECONDS[name]
        if name not in SECONDS:
            return _frame_times(values - tool.first_frame, clip, video)
    raise ClipError(f"{file}: no column {' or '.join(tool.times)}, which say when each row was seen ({tool.name})")


def _frame_times(frames: NDArray[np.float64], clip: Clip, video: Path) -> NDArray[np.float64]:
    """Seconds of frame numbers, from the index's frame rate, or from the video where the index knows none."""
    if clip.fps is not None:
        return frames / clip.fps
    from emotrain.video.decode import open_clip

    with open_clip(video) as reader:
        return np.interp(frames, np.arange(reader.n_frames), reader.times_s)


def _intensity(rows: pd.DataFrame, column: str, tool: Tool, file: Path) -> Floats:
    values = _numbers(rows, column, file)
    if values.min() < -0.1 * tool.scale or values.max() > 1.1 * tool.scale:
        raise ClipError(
            f"{file}: column {column}: values {values.min():g} to {values.max():g}, expected 0 to {tool.scale:g} "
            f"({tool.name}); was the file rescaled, or written by another tool?"
        )
    return np.clip(values / tool.scale, 0, 1).astype(np.float32)


def _numbers(rows: pd.DataFrame, column: str, file: Path) -> NDArray[np.float64]:
    import pandas as pd

    values = pd.to_numeric(rows[column], errors="coerce").to_numpy(np.float64)
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ClipError(
            f"{file}: column {column}: {rows[column].iloc[place]!r} in row {rows.index[place] + 2} is not a number; "
            "mend the row or take it out"
        )
    return values
