"""Faces that people have found already, by detectors of `detectors.DETECTORS` that look at no picture.

| detector | `tracks` | what is read, points in pixels |
|-|-|-|
| openface | CSV, or a folder of them | x_0..x_67, y_0..y_67, frame from 1 or timestamp, success, confidence, face_id |
| py-feat | CSV, or a folder of them | x_0..x_67, y_0..y_67, frame from 0, FaceScore |
| landmarks68 | a folder | CLIP/*.txt, one a frame, of 68 lines "x y"; or CLIP.txt, CLIP.csv with 136 numbers a frame |
| boxes | parquet or CSV | clip_id, left, top, right, bottom in fractions of the frame; time_s where there are several |

A folder holds <clip_id>.csv or a file named as the video; a file of many clips names them in a column clip_id or input.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrain.clip_errors import ClipError
from emotrain.faces.detectors import Detected
from emotrain.faces.track_files import clip_file, numbers, rows_of, table_of
from emotrain.records import Clip
from emotrain.video.reader import Times

if TYPE_CHECKING:
    import pandas as pd

SURE = 1.0
"""Score of a face that its source vouches for: scores of other programs mean other things."""

LEAST_CONFIDENCE = 0.5
POINTS = 68
RIGHT_EYE, LEFT_EYE, NOSE, MOUTH = slice(36, 42), slice(42, 48), 30, (48, 54)
"""The subject's right eye is on the left of the picture (the order of iBUG 300-W, which all these programs use)."""

BOX_LOOKS_S = 0.2
"""A box that holds for the whole clip is told at this distance in time."""

EYES_IN_BOX, NOSE_IN_BOX, MOUTH_IN_BOX = 0.39, 0.57, 0.75
EYE_X, MOUTH_X = 0.27, 0.33
"""Where eyes, nose and mouth lie in a detector's box of a frontal face; measured with YuNet on real faces."""

Looks = list[tuple[int, list[Detected]]]


@dataclass(frozen=True, slots=True)
class PointTracks:
    """The 68 points that OpenFace or py-feat wrote; `first_frame` is the number that the program gives the first."""

    path: Path
    first_frame: int

    def digest(self) -> str:
        """Hash of the CSV files."""
        return digest_of(self.path, "*.csv")

    def known(self, clip: Clip, video: Path, times_s: Times, width: int, height: int) -> Looks:
        """A look for each row, with the faces that the program saw in it."""
        table = rows_of(table_of(clip_file(self.path, clip, video, (".csv",))), self.path, clip, video)
        lacking = [name for name in ("x_0", "y_67") if name not in table]
        if lacking:
            raise ClipError(
                f"{self.path}: no column {' or '.join(lacking)}; the 68 landmark points must be in the file"
            )
        frames = _frames(table, self.path, times_s, self.first_frame)
        x, y = (numbers(table, [f"{axis}_{k}" for k in range(POINTS)], self.path) for axis in "xy")
        seen = _vouched(table) & np.isfinite(x).all(1) & np.isfinite(y).all(1)
        points = np.stack([x, y], axis=2) / (width, height)
        persons = table["face_id"].to_numpy() if "face_id" in table else None
        looks: dict[int, list[Detected]] = {}
        for row, frame in enumerate(frames.tolist()):
            faces = looks.setdefault(frame, [])
            if seen[row]:
                faces.append(face_of_68(points[row], None if persons is None else int(persons[row])))
        return sorted(looks.items())


@dataclass(frozen=True, slots=True)
class PointFolder:
    """68 points a frame as plain text, in the order of the frames."""

    path: Path

    def digest(self) -> str:
        """Hash of the text files."""
        return digest_of(self.path, "*")

    def known(self, clip: Clip, video: Path, times_s: Times, width: int, height: int) -> Looks:
        """A look a frame; a frame without a file, or whose points are all 0, shows no face."""
        folder = next((self.path / n for n in (clip.clip_id, video.stem) if (self.path / n).is_dir()), None)
        if folder is not None:
            files = sorted(folder.glob("*.txt"))
            rows = {_number(file): _plain(file).reshape(-1) for file in files}
            first = min(rows, default=0)
            frames = {number - first: row for number, row in rows.items()}
        else:
            frames = dict(enumerate(_plain(clip_file(self.path, clip, video, (".txt", ".csv")))))
        looks: Looks = [(frame, []) for frame in range(len(times_s))]
        for frame, row in frames.items():
            if row.size != 2 * POINTS:
                raise ClipError(f"{self.path}: frame {frame} of {clip.clip_id!r} has {row.size} numbers, expected 136")
            if frame < len(looks) and row.any():
                looks[frame][1].append(face_of_68(row.reshape(POINTS, 2) / (width, height), None))
        return looks


@dataclass(frozen=True, slots=True)
class OwnBoxes:
    """Boxes around faces, one a clip or one for each of several times, by anybody."""

    path: Path

    def digest(self) -> str:
        """Hash of the file."""
        return digest_of(self.path, "*")

    def known(self, clip: Clip, video: Path, times_s: Times, width: int, height: int) -> Looks:
        """A look for each time with a box; with one box a clip, one every `BOX_LOOKS_S`."""
        table = rows_of(table_of(self.path), self.path, clip, video)
        sides = numbers(table, ["left", "top", "right", "bottom"], self.path)
        odd = ~((sides[:, 0] < sides[:, 2]) & (sides[:, 1] < sides[:, 3]) & (np.abs(sides - 0.5) <= 1.5).all(1))
        if odd.any():
            raise ClipError(
                f"{self.path}: the box {sides[odd][0].tolist()} of {clip.clip_id!r} is not one; expected left < right "
                "and top < bottom, in fractions of the frame's width and height"
            )
        faces = [Detected(SURE, side, _in_box(side)) for side in sides]
        if "time_s" not in table:
            if len(faces) > 1:
                raise ClipError(f"{self.path}: {len(faces)} boxes for {clip.clip_id!r}; a column time_s must tell when")
            every = np.unique(np.searchsorted(times_s, np.arange(0, times_s[-1] + 1e-9, BOX_LOOKS_S)))
            return [(frame, [faces[0]]) for frame in every.tolist()]
        looks: dict[int, list[Detected]] = {}
        for time_s, face in zip(numbers(table, ["time_s"], self.path)[:, 0].tolist(), faces):
            looks.setdefault(int(np.abs(times_s - time_s).argmin()), []).append(face)
        return sorted(looks.items())


def face_of_68(points: NDArray[np.float64], person: int | None) -> Detected:
    """A face from 68 points (68, 2) in fractions of the frame, in the order of iBUG 300-W."""
    right, left = points[RIGHT_EYE].mean(0), points[LEFT_EYE].mean(0)
    low, high = points.min(0), points.max(0)
    # The points end at the brows; a detector's box reaches up to the hairline.
    low = low - (0.0, 0.25 * (high[1] - low[1]))
    landmarks = np.stack([right, left, points[NOSE], points[MOUTH[0]], points[MOUTH[1]]])
    return Detected(SURE, np.concatenate([low, high]), landmarks, person)


def digest_of(path: Path, pattern: str) -> str:
    """Hash of a file, or of the files of a folder with their names; FileNotFoundError when there is none."""
    files = sorted(file for file in path.rglob(pattern) if file.is_file()) if path.is_dir() else [path]
    if not files or not files[0].exists():
        raise FileNotFoundError(f"{path}: no face tracks there; `tracks` names the file or folder that holds them")
    digest = blake2b(digest_size=16)
    for file in files:
        digest.update(f"{file.relative_to(path) if path.is_dir() else file.name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _in_box(box: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.array(
        [
            (EYE_X, EYES_IN_BOX),
            (1 - EYE_X, EYES_IN_BOX),
            (0.5, NOSE_IN_BOX),
            (MOUTH_X, MOUTH_IN_BOX),
            (1 - MOUTH_X, MOUTH_IN_BOX),
        ]
    )
    return box[:2] + places * (box[2:] - box[:2])


def _vouched(table: pd.DataFrame) -> NDArray[np.bool_]:
    vouched = np.ones(len(table), bool)
    if "success" in table:
        vouched &= table["success"].to_numpy() != 0
    for name in ("confidence", "FaceScore"):
        if name in table:
            vouched &= table[name].fillna(0).to_numpy() >= LEAST_CONFIDENCE
    return vouched


def _frames(table: pd.DataFrame, path: Path, times_s: Times, first_frame: int) -> NDArray[np.intp]:
    if "timestamp" in table and table["timestamp"].max() > 0:
        stamps = numbers(table, ["timestamp"], path)[:, 0]
        return np.abs(times_s[None, :] - stamps[:, None]).argmin(1)
    if "frame" not in table:
        raise ClipError(f"{path}: no column frame or timestamp, which say when each row was seen")
    frames = numbers(table, ["frame"], path)[:, 0].astype(np.intp) - first_frame
    if frames.min() < 0 or frames.max() >= len(times_s):
        raise ClipError(
            f"{path}: frames {frames.min() + first_frame} to {frames.max() + first_frame}, but the video has "
            f"{len(times_s)}, counted from {first_frame}; was the file made from another video?"
        )
    return frames


def _number(file: Path) -> int:
    digits = "".join(letter for letter in file.stem if letter.isdigit())
    if not digits:
        raise ClipError(f"{file}: the name must hold the number of the frame")
    return int(digits)


def _plain(file: Path) -> NDArray[np.float64]:
    try:
        return np.atleast_2d(np.loadtxt(file, delimiter="," if "," in file.read_text(encoding="utf-8") else None))
    except (OSError, ValueError) as error:
        raise ClipError(f"{file}: cannot be read as rows of numbers: {error}") from error
