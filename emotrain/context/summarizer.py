"""What a summariser is: gaps of one clip in, one label-free summary a gap out, and a fingerprint of what matters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from emotrain.records import Clip, Gap, Summary


class Summarizer(Protocol):
    """A back end of the summarise stage. It travels to worker processes, so it must pickle."""

    @property
    def name(self) -> str:
        """The name that recipes and folders know the back end by."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Everything that determines the output, as plain JSON values: options, versions, prompt texts."""
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
    text = json.dumps({"name": backend.name, **backend.settings(), **more}, sort_keys=True, ensure_ascii=False)
    return blake2b(text.encode(), digest_size=4).hexdigest()
