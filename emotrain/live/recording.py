"""A recorded session: the video, and every line beside it, so that `emotrain predict FOLDER` reads it again.

The video is MPEG-TS, H.264 without frames that wait for later ones, written out packet by packet: a kill loses nothing
that was encoded. Lines are written out one by one. A session that is started again into the same folder goes on in the
next part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import IO, Any

from emotrain.live.records import Said
from emotrain.live.sources import Taken

LINES = "session.jsonl"
PART_S = 3600.0
"""Seconds of a part, below the four hours that `emotrain predict` reads of one video."""

CLOCK = 90_000
"""Ticks a second of MPEG-TS."""

QUALITY = "20"


@dataclass
class Recording:
    """Writes one stream into `folder`. `frame` is called by the capturing thread, `line` by the others."""

    folder: Path
    frames: int = 0
    _part: _Part | None = None
    _number: int = 0
    _lines: IO[str] | None = None
    _lock: Any = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._number = max((int(path.stem) for path in self.folder.glob("[0-9]*.ts")), default=0)
        self._lines = (self.folder / LINES).open("a", encoding="utf-8")

    def frame(self, time_s: float, taken: Taken) -> None:
        """Keep a frame; another size, an hour and a clock that steps back begin another part."""
        part = self._part
        size = _even(taken.frame.width), _even(taken.frame.height)
        if part is not None and (part.size != size or time_s <= part.last_s or time_s - part.first_s > PART_S):
            part.close()
            part = None
        if part is None:
            self._number += 1
            name = f"{self._number:04d}.ts"
            part = self._part = _Part(self.folder / name, size, time_s)
            self.write(
                {"kind": "video", "file": name, "begins_s": round(time_s, 3), "width": size[0], "height": size[1]}
            )
        part.add(time_s, taken.frame)
        self.frames += 1

    def line(self, stream: str, said: Said) -> None:
        """Keep a line; its time is on the stream's time line, as `begins_s` of the parts is."""
        self.write({"stream": stream, **said.as_json()})

    def write(self, row: dict[str, Any]) -> None:
        """A row of the session's lines."""
        with self._lock:
            if self._lines is not None:
                self._lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                self._lines.flush()

    def close(self) -> None:
        """End the video and the lines."""
        if self._part is not None:
            self._part.close()
            self._part = None
        with self._lock:
            if self._lines is not None:
                self._lines.close()
                self._lines = None


class _Part:
    def __init__(self, path: Path, size: tuple[int, int], first_s: float) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        if "libx264" not in av.codecs_available:
            raise ValueError("this build of PyAV has no libx264 encoder, which --record needs: pip install av")
        self.size, self.first_s, self.last_s = size, first_s, first_s - 1.0
        self._container = av.open(str(path), "w", format="mpegts", options={"flush_packets": "1"})
        self._stream: Any = self._container.add_stream("libx264", rate=Fraction(1000))
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.thread_count = 1
        self._stream.time_base = Fraction(1, CLOCK)
        self._stream.options = {"crf": QUALITY, "preset": "ultrafast", "tune": "zerolatency", "g": "60"}
        self._scaler = VideoReformatter()

    def add(self, time_s: float, frame: Any) -> None:
        image = self._scaler.reformat(frame, width=self.size[0], height=self.size[1], format="yuv420p", threads=1)
        if image is frame:  # its time stamp is the camera's, and others read it
            image = self._scaler.reformat(frame, format="yuv444p", threads=1)
            image = self._scaler.reformat(image, format="yuv420p", threads=1)
        image.pts, image.time_base = round((time_s - self.first_s) * CLOCK), Fraction(1, CLOCK)
        image.pict_type = 0
        self._container.mux(self._stream.encode(image))
        self.last_s = time_s

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _even(side: int) -> int:
    return side - side % 2
