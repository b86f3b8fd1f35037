"""Video files and frame folders of a data set: is a clip there, and how long is it where that is known?

One directory listing per folder instead of one `stat` per clip: that is what a network file system is fast at.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from emotrain.clip_errors import ClipError
from emotrain.datasets.first_bytes import no_video
from emotrain.datasets.frame_folder import ABSENT, FrameFolder, frame_folder
from emotrain.datasets.ignored import is_ignored
from emotrain.datasets.paths import inside
from emotrain.datasets.reading import Reading
from emotrain.datasets.times import is_timed
from emotrain.progress import track
from emotrain.records import Clip
from emotrain.stages.workers import Died, spread

VIDEO_SUFFIXES = frozenset(
    (
        ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".gif", ".mts",
        ".m2ts", ".3gp", ".3g2", ".ogv", ".vob", ".asf", ".f4v", ".mxf",
    )
)  # fmt: skip

Probe = Callable[[Path], tuple[float | None, int | None, float | None]]
"""Opens a video and answers (fps, number of frames, duration in seconds), None for what it cannot tell.

A video that cannot be opened raises `emotrain.clip_errors.ClipError`.
"""


@dataclass(slots=True)
class Listing:
    """Directory listings below a data root, each read once; frame folders are read but not kept."""

    root: Path
    _folders: dict[Path, dict[str, bool]] = field(default_factory=dict)
    _spellings: dict[Path, dict[str, str]] = field(default_factory=dict)

    def folder(self, path: Path) -> dict[str, bool]:
        """Names in a folder, with True for folders and without what systems leave there; empty where there is none."""
        if path not in self._folders:
            self._folders[path] = _entries(path)
        return self._folders[path]

    def spelled(self, folder: str, name: str) -> str:
        """`name` as it is really spelled in `folder` (relative to the root), whatever its case; else as given."""
        path = inside(self.root, folder) if folder else self.root
        names = self.folder(path)
        if name in names:
            return name
        if path not in self._spellings:
            self._spellings[path] = {other.lower(): other for other in sorted(names, reverse=True)}
        return self._spellings[path].get(name.lower(), name)

    def located(self, path: str) -> str:
        """`path` (relative to the root) as the disk spells it, else as given, backslashes read as folders.

        Tables come from other systems: with backslashes, or with letters composed in another way (macOS).
        """
        plain = self._found(path)
        if plain is None:
            path = path.replace("\\", "/")
            plain = self._found(path)
        return path if plain is None else plain

    def has(self, path: str) -> bool:
        """True where something is at `path`, in whatever spelling `located` knows."""
        return self._found(path) is not None or self._found(path.replace("\\", "/")) is not None

    def _found(self, path: str) -> str | None:
        if PurePosixPath(path).is_absolute() or ".." in path:
            return None
        folder, parts = self.root, []
        for part in PurePosixPath(path).parts:
            names = self.folder(folder)
            same = part if part in names else next((n for n in names if _composed(n) == _composed(part)), None)
            if same is None:
                return None
            parts.append(same)
            folder = folder / same
        return "/".join(parts)

    def frames(self, path: str) -> FrameFolder:
        """The images of a folder (relative to the root); raises ClipError for one that leaves the root or is locked."""
        return frame_folder(inside(self.root, path))


def check_media(
    reading: Reading,
    listing: Listing,
    probe: Probe | None = None,
    assume_fps: float | None = None,
    *,
    timed: Probe | None = None,
    workers: int = 1,
    limit_s: float | None = None,
) -> None:
    """Move clips whose file is missing or empty into quarantine; fill `n_frames`, `fps` and `duration_s` of the others.

    Frame folders are counted and timed, their rate is `assume_fps` where the annotation names none. Videos are opened
    only with `probe`, those with annotated times also with `timed`, in `workers` processes; one that takes longer than
    `limit_s` or crashes there is quarantined.
    What an annotation already says is kept.
    """
    usable: list[Clip] = []
    with track("checking clip files", len(reading.clips)) as advance:
        for clip in reading.clips:
            try:
                usable.append(_checked(clip, listing, assume_fps, reading))
            except ClipError as error:
                reading.quarantine(clip.clip_id, clip.label, clip.path, str(error))
            advance(1)
    if probe is not None:
        usable = _probed(usable, reading, listing, probe, workers, limit_s)
    elif timed is not None:
        usable = _probed(usable, reading, listing, timed, workers, limit_s, is_timed)
    reading.clips = [_completed(clip, None, None, None) for clip in usable]


def _probed(
    clips: list[Clip],
    reading: Reading,
    listing: Listing,
    probe: Probe,
    workers: int,
    limit_s: float | None,
    wanted: Callable[[Clip], bool] = lambda clip: True,
) -> list[Clip]:
    """The `wanted` clips with what their videos tell; frame folders and others are passed on, in the same order."""
    asked = (clip for clip in clips if wanted(clip) and not _is_folder(clip, listing))
    paths = {clip.clip_id: inside(listing.root, clip.path) for clip in asked}
    if not paths:
        return clips
    usable: list[Clip] = []
    with spread(workers, len(paths), limit_s) as run, track("probing videos", len(paths)) as advance:
        answers = iter(run(_Probed(probe), paths.values()))
        for clip in clips:
            if clip.clip_id not in paths:
                usable.append(clip)
                continue
            answer = next(answers)
            advance(1)
            if isinstance(answer, Died):
                answer = f"{paths[clip.clip_id]} {answer.reason}"
            if isinstance(answer, str):
                reading.quarantine(clip.clip_id, clip.label, clip.path, answer)
            else:
                usable.append(_completed(clip, *answer))
    return usable


@dataclass(frozen=True, slots=True)
class _Probed:
    """The probe, with the reason for an unusable video carried home as text; picklable where the probe is."""

    probe: Probe

    def __call__(self, path: Path) -> tuple[float | None, int | None, float | None] | str:
        try:
            return self.probe(path)
        except ClipError as error:
            return str(error)
        except OSError as error:
            return f"unreadable video: {path}: {error}"


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _entries(path: Path) -> dict[str, bool]:
    try:
        with os.scandir(path) as entries:
            # A link that leads to itself has no kind: DirEntry would raise, os.path says that it is no folder.
            return {
                entry.name: os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()
                for entry in entries
                if not is_ignored(entry.name)
            }
    except OSError as error:
        if error.errno in ABSENT:
            return {}
        raise


def _is_folder(clip: Clip, listing: Listing) -> bool:
    path = inside(listing.root, clip.path)
    return listing.folder(path.parent)[path.name]


def _checked(clip: Clip, listing: Listing, assume_fps: float | None, reading: Reading) -> Clip:
    path = inside(listing.root, clip.path)
    siblings = listing.folder(path.parent)
    if is_ignored(path.name):
        raise ClipError(f"hidden: {path} has a name that systems give to files of their own; rename it")
    if path.name not in siblings:
        other = listing.spelled(os.path.dirname(clip.path), path.name)
        hint = f"; {other!r} does: spell it as the disk does" if other != path.name else ""
        raise ClipError(f"missing: {path} does not exist{hint}")
    if siblings[path.name]:
        folder = listing.frames(clip.path)
        if not folder.names:
            raise ClipError(f"empty frame folder: {path} holds no image")
        fps = clip.fps if clip.fps is not None else assume_fps
        for note in folder.notes:
            reading.warn("frame order", f"{clip.path}: {note}")
        if (hole := folder.hole(fps)) is not None:
            reading.warn("holes", f"{clip.path}: {hole}")
        duration_s = folder.duration_s(fps) if clip.duration_s is None and fps is not None else clip.duration_s
        return replace(clip, n_frames=len(folder.names), fps=fps, duration_s=duration_s)
    if not path.exists():
        annex = ".git/annex/" in os.readlink(path) if path.is_symlink() else False
        remedy = ": it was not fetched; run `git annex get` in its repository" if annex else ""
        raise ClipError(f"missing: {path} is a link to a file that does not exist{remedy}")
    if path.stat().st_size == 0:
        raise ClipError(f"empty file: {path} has 0 bytes")
    try:
        instead = no_video(path) if path.is_file() else None
    except OSError as error:
        raise ClipError(f"locked: {path} cannot be read ({error.strerror})") from error
    if instead is not None:
        raise ClipError(f"no video: {path} is {instead}")
    return clip


def _completed(clip: Clip, fps: float | None, n_frames: int | None, duration_s: float | None) -> Clip:
    """The clip with what its annotation leaves open; a length follows from rate and number of frames."""
    fps = clip.fps if clip.fps is not None else fps
    n_frames = clip.n_frames if clip.n_frames is not None else n_frames
    duration_s = clip.duration_s if clip.duration_s is not None else duration_s
    if duration_s is None and n_frames is not None and fps is not None:
        duration_s = n_frames / fps
    return replace(clip, fps=fps, n_frames=n_frames, duration_s=duration_s)
