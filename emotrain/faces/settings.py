"""What decides which faces are found and whom a clip is about."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from hashlib import blake2b

from emotrain.emotions import nearest

PERSONS = ("largest", "central", "left", "right", "all")
"""Whom a clip is about; a number N takes the N-th face from the left, counted from 1."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """`detector` is a name of `detectors.DETECTORS`, `size` the longer side in pixels at which whole frames are looked
    at, `face` whom the clip is about, `tracks` the file or folder of a detector that reads what people already have.
    """

    detector: str = "yunet"
    size: int = 640
    face: str = "largest"
    tracks: str | None = None
    decoder: str = "auto"

    def __post_init__(self) -> None:
        from emotrain.faces.detectors import DETECTORS
        from emotrain.video.decode import DECODERS

        if self.detector not in DETECTORS:
            raise ValueError(f"unknown face detector {self.detector!r}; {nearest(self.detector, DETECTORS)}")
        if self.decoder not in DECODERS:
            raise ValueError(f"unknown decoder {self.decoder!r}; {nearest(self.decoder, DECODERS)}")
        if self.face not in PERSONS and not re.fullmatch(r"[1-9]\d?", self.face):
            raise ValueError(f"face {self.face!r}: expected {', '.join(PERSONS)}, or a number: 1 for the leftmost face")
        if self.tracks is not None and self.detector == "yunet":
            raise ValueError(f"tracks {self.tracks!r}: yunet finds the faces itself; name the detector that reads them")
        if not 160 <= self.size <= 4096:
            raise ValueError(f"face detection size {self.size}: expected 160 to 4096 pixels")

    def fingerprint(self) -> str:
        """Twelve hex digits that change with any setting."""
        return blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=6).hexdigest()
