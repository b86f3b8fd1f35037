"""What a summariser is: gaps of one clip in, one label-free summary a gap out, and a fingerprint of what matters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from emotrain.damaged_files import DamagedFile
from emotrain.json_files import read_object
from emotrain.records import Clip, Gap, Summary
from emotrain.video.framing import Framing

BACKEND_FILE = "backend.json"


@runtime_checkable
class Summarizer(Protocol):
    """A back end that reads the video itself. It travels to worker processes, so it must pickle."""

    @property
    def name(self) -> str:
        """The name that recipes and folders know the back end by."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Everything that determines the output, as plain JSON values: options, versions, prompt texts."""
        ...

    def cropped_as(self, data: Path) -> Summarizer:
        """This summariser looking at the part of the frame that the frames in `data` were cut to."""
        ...

    def looking(self, framing: Framing) -> Summarizer:
        """This summariser looking at what `framing` says of each clip."""
        ...

    def summarize(self, clip: Clip, video: Path, gaps: Sequence[Gap]) -> list[Summary]:
        """One summary a gap, in order. Raises ClipError when the clip cannot be read."""
        ...


class Named(Protocol):
    """What has a name and settings: every back end."""

    @property
    def name(self) -> str: ...

    def settings(self) -> Mapping[str, Any]: ...


def fingerprint(backend: Named, more: Mapping[str, Any]) -> str:
    """Eight hex digits over the back end's settings and `more` (the keyframe policy): equal means the same output."""
    return _digest({"name": backend.name, **backend.settings(), **more})


def read_settings(folder: Path) -> dict[str, Any]:
    """What `backend.json` of a summaries folder says, `backend` being the back end's name.

    Raises DamagedFile unless, for motion, it is what the fingerprint in the folder's name stands for.
    """
    path = folder / BACKEND_FILE
    remedy = f"run `emotrain prep RECIPE --stage summaries`, which writes {path.name} again"
    found = read_object(path, remedy)
    stated = folder.name.rpartition("-")[2]
    named = {"name": found.get("backend"), **{key: value for key, value in found.items() if key != "backend"}}
    if re.fullmatch(r"motion-[0-9a-f]{8}", folder.name) and _digest(named) != stated:
        raise DamagedFile(path, f"settings of fingerprint {_digest(named)}", f"those of {folder.name}", remedy)
    return found


def _digest(settings: Mapping[str, Any]) -> str:
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
    return blake2b(text.encode(), digest_size=4).hexdigest()
