"""What a user means by the videos on a command line: files, folders of videos, folders of frame images, patterns."""

from __future__ import annotations

from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from emotrain.datasets.frame_folder import frame_folder
from emotrain.datasets.frame_names import natural_key
from emotrain.datasets.ignored import is_ignored
from emotrain.datasets.media import VIDEO_SUFFIXES


def clip_paths(words: Iterable[str]) -> list[Path]:
    """The clips that `words` name, in their order, each once; a folder's are sorted, numbers by value.

    A folder stands for the videos in it; one without videos but with images is a clip itself. What does not exist is
    kept, so that reading it tells the reason. Raises ValueError for a folder without either and a pattern that matches
    nothing.
    """
    found: dict[Path, None] = {}
    for word in words:
        path = Path(word).expanduser()
        if path.exists() or not has_magic(word):
            found.update(dict.fromkeys(_of(path)))
            continue
        matches = sorted(Path(match) for match in glob(str(path), recursive=True))
        if not matches:
            raise ValueError(f"{word!r} matches no file; expected a video, a folder of videos or a pattern in quotes")
        for match in matches:
            found.update(dict.fromkeys(_of(match)))
    return list(found)


def _of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = [entry for entry in path.iterdir() if entry.is_file() and not is_ignored(entry.name)]
    videos = [entry for entry in files if entry.suffix.lower() in VIDEO_SUFFIXES]
    if videos:
        return sorted(videos, key=_natural)
    if frame_folder(path).names:
        return [path]
    raise ValueError(f"{path}: no video ({', '.join(sorted(VIDEO_SUFFIXES))}) and no frame images in this folder")


def _natural(path: Path) -> list[tuple[int, int | str]]:
    return natural_key(path.name)
