"""Paths from annotation files, kept inside the data root: the only place that decides what leaves it."""

from __future__ import annotations

import ntpath
import os.path
from pathlib import Path, PurePosixPath, PureWindowsPath

from emotrain.clip_errors import ClipError


class PathOutsideRoot(ClipError, ValueError):
    """A path of an annotation file points outside the data root."""


def inside(root: Path, path: str) -> Path:
    """`root / path`, normalised; raises PathOutsideRoot for a path that leaves the root, by its text or by a link.

    `a/../b` stays inside and is accepted. Drive letters and backslashes count on every system, so that an index means
    the same on all of them. The root itself may be a link; below it a link must lead to a place below it.
    """
    windows = PureWindowsPath(path)
    climbs = any(
        kind(normal(path)).parts[:1] == ("..",)
        for kind, normal in ((PurePosixPath, os.path.normpath), (PureWindowsPath, ntpath.normpath))
    )
    if not path or "\0" in path or path.startswith("/") or windows.drive or windows.root or climbs:
        raise PathOutsideRoot(
            f"path {path!r} leaves the data root {root}; expected a path relative to the root that stays below it"
        )
    joined = Path(os.path.normpath(root / path))
    real, real_root = os.path.realpath(joined), os.path.realpath(root)
    if not Path(real).is_relative_to(real_root):
        raise PathOutsideRoot(
            f"path {path!r} leaves the data root {root} through a link to {real}; move the files below the root, or "
            "name a root that holds both"
        )
    return joined
