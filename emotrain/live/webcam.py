"""The page's webcam: pictures that a browser sends, some ten a second, watched and read like those of a camera.

One visitor has one stream, which ends with their visit. Nothing is kept. Ten pictures a second show no fleeting
expression: for those, `emotrain stream` looks at the camera itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrain.live.clock import StreamClock
from emotrain.live.outlets import said_line
from emotrain.live.reader import Reader
from emotrain.live.records import LiveReading, Said
from emotrain.live.ring import Grabbed, Ring
from emotrain.live.stream import LiveStream, Pace, live_stream
from emotrain.video.decoders.array_picture import ArrayPicture

WAITING = '<div class="empty">Start the camera. Every second the last four are read; nothing is kept.</div>'
EVERY_S = 0.1
LONGEST_S = 1800
"""Seconds after which a visitor has to start again."""

LINES = 6


@dataclass
class Visit:
    """One visitor's stream; `see` takes a picture (H, W, 3) uint8 RGB and gives what the page shows."""

    recogniser: Any
    now: Callable[[], float] = time.monotonic
    reading: LiveReading | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))

    def __post_init__(self) -> None:
        self._reader, self._ring, self._clock = Reader(self.recogniser), Ring(), StreamClock()
        self._stream: LiveStream = live_stream(
            "webcam",
            self.recogniser,
            self._reader,
            Pace(),
            self._ring,
            self._clock,
            listeners=[self._hear],
            now=self.now,
        )

    def see(self, image: NDArray[np.uint8]) -> str:
        """The page after this picture."""
        arrived = self.now()
        time_s, _ = self._clock.at(None, arrived)
        self._ring.newest_s = time_s
        picture = ArrayPicture(time_s, image.shape[0], image.shape[1], lambda: image)
        self._stream.step(Grabbed(time_s, arrived, picture, image.nbytes))
        self._reader.turn()
        return self.shown()

    def shown(self) -> str:
        """Label bars, and the last events and notices."""
        if self.reading is None and not self.lines:
            return WAITING
        bars = ""
        if self.reading is not None:
            ranked = sorted(self.reading.probabilities.items(), key=lambda entry: -entry[1])[:5]
            bars = "".join(
                f"<tr><td>{escape(name)}</td><td>{share:.0%}</td><td><meter value={share:.3f}></meter></td></tr>"
                for name, share in ranked
            )
            bars = f"<table>{bars}</table><p>of {self.reading.from_s:.1f} to {self.reading.to_s:.1f} s</p>"
        said = "".join(f"<li>{escape(line)}</li>" for line in self.lines)
        return f'<div id="live">{bars}<ul>{said}</ul></div>'

    def _hear(self, _: str, said: Said) -> None:
        if isinstance(said, LiveReading):
            self.reading = said
        else:
            self.lines.appendleft(said_line(said))


def webcam_tab(gradio: Any, recogniser: Any) -> None:
    """A tab of the page with the visitor's camera and what is read in it."""

    def look(image: Any, visit: Visit | None) -> tuple[str, Visit | None]:
        if image is None:
            return WAITING, visit
        visit = visit if visit is not None else Visit(recogniser)
        return visit.see(np.asarray(image, np.uint8)), visit

    with gradio.Tab("Webcam", elem_id="webcam-tab"), gradio.Row():
        with gradio.Column(scale=2, min_width=300):
            camera = gradio.Image(
                label="Camera", sources=["webcam"], streaming=True, type="numpy", elem_id="camera", buttons=[]
            )
        with gradio.Column(scale=3, min_width=320):
            shown = gradio.HTML(WAITING, elem_id="watched")
        visit = gradio.State(None)
        camera.stream(
            look,
            [camera, visit],
            [shown, visit],
            stream_every=EVERY_S,
            time_limit=LONGEST_S,
            show_progress="hidden",
            api_visibility="private",
            concurrency_limit=1,
            concurrency_id="model",
        )
