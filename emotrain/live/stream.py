"""One camera's way: frames from the ring to the watcher, windows to the reader, and every line to those who listen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from emotrain.context.motion_backend import MotionSummarizer
from emotrain.inference.face_view import FaceView
from emotrain.inference.input_settings import frame_settings, summarizer_of
from emotrain.inference.reading import Reading
from emotrain.live.clock import StreamClock
from emotrain.live.keyframe_grid import Grid
from emotrain.live.reader import Reader
from emotrain.live.records import LiveReading, Notice, Said, ToldEvent
from emotrain.live.ring import Grabbed, Ring
from emotrain.live.steadying import Steadied
from emotrain.live.watcher import Watcher
from emotrain.live.window import window_clip
from emotrain.motion.spotting import SpotSettings
from emotrain.video.keyframes import parse_policy

Listener = Callable[[str, Said], Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """A reading every `hop_s`, and whenever an event was told where `on_events`, of the last `window_s` seconds."""

    window_s: float = 4.0
    hop_s: float = 1.0
    on_events: bool = True

    def __post_init__(self) -> None:
        if not 0.5 <= self.window_s <= 60:
            raise ValueError(f"--window {self.window_s:g}: expected 0.5 to 60 seconds")
        if not 0.05 <= self.hop_s <= 3600:
            raise ValueError(f"--hop {self.hop_s:g}: expected 0.05 to 3600 seconds")


@dataclass
class LiveStream:
    """Give it what a ring holds by `step`, and say `end` at last. Lines go to `listeners`, from two threads in turn."""

    name: str
    reader: Reader
    pace: Pace
    watcher: Watcher
    summarizer: MotionSummarizer | None
    labels: Sequence[str]
    ring: Ring
    clock: StreamClock
    steadied: Steadied = field(default_factory=Steadied)
    listeners: list[Listener] = field(default_factory=list)
    now: Callable[[], float] = time.monotonic
    _since: list[ToldEvent] = field(default_factory=list)
    _asked: int = -1
    _dropped: int = 0
    _shape: tuple[int, int] | None = None
    _lock: Any = field(default_factory=Lock)

    def step(self, one: Grabbed) -> None:
        """A frame, or news of the camera."""
        if one.picture is None:
            what, words = one.why
            self._say([*self.watcher.pause(), Notice(one.time_s, what, words)])
            return
        said: list[Said] = []
        shape = one.picture.shape()
        if self._shape is not None and shape != self._shape:
            said += self.watcher.pause()
            was, now = self._shape, shape
            said.append(Notice(one.time_s, "size", f"{was[1]}x{was[0]} before, {now[1]}x{now[0]} now"))
        self._shape = shape
        if self.ring.dropped > self._dropped:
            said.append(Notice(one.time_s, "dropped", f"{self.ring.dropped - self._dropped} frames came too fast"))
            self._dropped = self.ring.dropped
        said += self.watcher.see(one.time_s, one.picture)
        self._say(said)
        self._ask(any(isinstance(line, ToldEvent) and not line.blink for line in said))

    def quiet(self, notice: Notice) -> None:
        """No frame comes: what is held is told, and nothing is told across."""
        self._say([*self.watcher.pause(), notice])

    def end(self) -> None:
        """The camera has ended: what is held is told."""
        self._say([*self.watcher.pause(), Notice(self.watcher.now_s, "ended", f"{self.watcher.frames} frames seen")])
        self._ask(True)

    def _ask(self, event: bool) -> None:
        grid = self.watcher.grid
        hop = max(1, round(self.pace.hop_s / grid.step_s))
        cell = grid.closed
        if cell <= self._asked or (cell - self._asked < hop and not (event and self.pace.on_events)):
            return
        self._asked = cell
        made = window_clip(self.name, grid, cell, self.watcher.known(), self.summarizer)
        if made is None:
            return
        clip, start_s = made
        face = dict(self.watcher.state)

        def tell(reading: Reading, skipped: int) -> None:
            self._tell(reading, start_s, face, skipped)

        self.reader.ask(self.name, clip, tell)

    def _tell(self, reading: Reading, start_s: float, face: dict[str, Any], skipped: int) -> None:
        to_s = start_s + reading.duration_s
        with self._lock:
            events, self._since = tuple(self._since), []
        raw = dict(reading.probabilities)
        scores = np.log(np.maximum([raw[name] for name in self.labels], 1e-12))
        shares = dict(zip(self.labels, self.steadied.steady(to_s, scores).tolist(), strict=True))
        changed = self.steadied.follow or self.steadied.smooth_s > 0
        newest = self.ring.newest_s
        line = LiveReading(
            start_s,
            to_s,
            max(shares, key=shares.__getitem__),
            shares,
            reading.label_mass,
            face,
            events,
            self.clock.age_s(newest, self.now()),
            max(newest - to_s, 0.0),
            self.ring.dropped,
            skipped,
            tuple(frame.time_s + start_s for frame in reading.keyframes),
            raw if changed else {},
        )
        self._say([line])

    def _say(self, lines: Sequence[Said]) -> None:
        with self._lock:
            for line in lines:
                if isinstance(line, ToldEvent):
                    self._since.append(line)
                if isinstance(line, Notice) and line.what == "no face":
                    self.steadied.forget()
                for listener in self.listeners:
                    listener(self.name, line)


def live_stream(
    name: str,
    recogniser: Any,
    reader: Reader,
    pace: Pace,
    ring: Ring,
    clock: StreamClock,
    *,
    view: FaceView | None = None,
    steadied: Steadied | None = None,
    listeners: Sequence[Listener] = (),
    now: Callable[[], float] = time.monotonic,
) -> LiveStream:
    """The stream of a camera for a loaded recogniser, read as its training was.

    Raises ValueError where the summaries of training were written by a model, which no stream can wait for.
    """
    contract = recogniser.contract
    settings = frame_settings(contract)
    summarizer = summarizer_of(contract)
    if summarizer is not None and not (isinstance(summarizer, MotionSummarizer) and summarizer.evidence == "flow"):
        raise ValueError(
            "this adapter was trained with summaries that are not read from motion alone, which a stream cannot wait "
            "for; take an adapter with `summarizer: motion`, or --context none"
        )
    rate = parse_policy(settings.policy).rate
    count = settings.keyframes if rate is None else max(1, round(rate * pace.window_s))
    grid = Grid(count, pace.window_s, settings.size, settings.quality)
    spotting = summarizer.spotting if summarizer is not None else SpotSettings()
    assert isinstance(spotting, SpotSettings)
    watcher = Watcher(view if view is not None else FaceView(contract), grid, spotting)
    return LiveStream(
        name,
        reader,
        pace,
        watcher,
        summarizer,
        contract.labels,
        ring,
        clock,
        steadied if steadied is not None else Steadied(),
        list(listeners),
        now,
    )
