"""What watching a camera costs and how late it is: markdown tables, every ratio from one run.

    python benchmarks/stream.py --seconds 20 --minutes 10 --soak 30

Frames are those of a drawn person in a room, 640 x 360, decoded ahead and given to the watcher as a camera gives them:
stream time is that of their stamps, so a figure of 0.2 means that a core is busy a fifth of the time. Faster cameras
show the same frames at closer stamps. `--minutes` looks at memory, `--soak` plays a day's faults on a simulated clock.
"""

from __future__ import annotations

import argparse
import gc
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

import emotrain
from emotrain.inference.face_view import FaceView
from emotrain.live.capture import Capture
from emotrain.live.clock import StreamClock
from emotrain.live.features import KeyframeFeatures, WithReuse
from emotrain.live.keyframe_grid import Grid
from emotrain.live.reader import Reader
from emotrain.live.recording import Recording
from emotrain.live.records import LiveReading, Notice, ToldEvent
from emotrain.live.ring import Grabbed, Ring
from emotrain.live.sources import Opened, SourceLost, Taken
from emotrain.live.stream import Pace, live_stream
from emotrain.live.watcher import Watcher
from emotrain.motion.spotting import SpotSettings
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.synthetic.h264 import write_mp4
from emotrain.video.decode import open_clip

RATES = (30, 60, 120, 200)
FACE = 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the stream at each rate")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the stream after which memory is looked at")
    parser.add_argument("--soak", type=float, default=30.0, help="simulated minutes with faults; 0: none")
    parser.add_argument("--without-face", action="store_true", help="only the room: needs no weights of a detector")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        person, room = drawn(Path(folder) / "person.mp4", True), drawn(Path(folder) / "room.mp4", False)
        detector = Nobody() if arguments.without_face else None
        costs(person, room, arguments.seconds, detector)
        if not arguments.without_face:
            latencies(person, arguments.seconds)
        memory(person, arguments.minutes, detector)
        if arguments.soak > 0:
            soak(person, arguments.soak, Path(folder) / "kept", detector)


class Nobody:
    """A detector that sees nobody, where there are no weights."""

    def faces_in(self, picture: np.ndarray) -> list:
        return []

    def digest(self) -> str:
        return "nobody"


def drawn(path: Path, somebody: bool) -> Path:
    """A video of a room, 640 x 360, with or without a person in it."""
    coarse = np.random.default_rng(0).integers(40, 200, (9, 16, 3)).astype(np.uint8)
    room = cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC)
    plan = next(plan for plan in plan_clips(train=0, validation=0, test=44, seed=31) if plan.script.kind == "micro")

    def frames() -> Iterator[np.ndarray]:
        for face in render_clip(plan, FACE)[1]:
            frame = room.copy()
            if somebody:
                frame[60 : 60 + FACE, 208 : 208 + FACE] = face
            yield frame

    write_mp4(frames(), path, 640, 30, 360)
    return path


def watching(detector: object | None) -> Watcher:
    view = FaceView(SimpleNamespace(faces={}, frames={"crop": "face", "view": "face"}))
    if detector is not None:
        view.__dict__["detector"] = detector
    return Watcher(view, Grid(8, 4.0, 224), SpotSettings())


def playing(frames: list[Taken], fps: float, seconds: float) -> Iterator[tuple[float, Taken]]:
    """The frames to and fro, at any rate."""
    both = [*frames, *frames[-2:0:-1]]
    for number in range(round(seconds * fps)):
        yield number / fps, both[number % len(both)]


def costs(person: Path, room: Path, seconds: float, detector: object | None) -> None:
    print(f"\nCPU seconds a second of the stream (two threads: by the clock), {seconds:g} s each\n")
    print("| camera | one thread | two threads | nobody in view |\n|-|-|-|-|")
    somebody, nobody = (list(Opened(path.name, path, {}, False).frames()) for path in (person, room))
    least = 1.0
    for fps in RATES:
        cells = []
        for frames, threads in ((somebody, 1), (somebody, 2), (nobody, 1)):
            cv2.setNumThreads(threads)
            watcher = watching(detector)
            begun, cpu = time.perf_counter(), time.process_time()
            for time_s, taken in playing(frames, fps, seconds):
                watcher.see(time_s, taken.picture)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
            cells.append(f"{(cpu if threads == 1 else wall) / seconds:.3f}")
            least = cpu / seconds if (fps, threads) == (30, 1) and frames is somebody else least
        print(f"| {fps} frames/s | {' | '.join(cells)} |")
    cv2.setNumThreads(1)
    begun = time.process_time()
    with open_clip(person) as clip:
        count = sum(1 for _ in clip.grey_frames(128))
    bare = (time.process_time() - begun) / count * 30
    print(f"\nDecoding alone takes {bare:.3f} at 30 frames/s. Streams a core at 30 frames/s: {1 / (least + bare):.1f}.")


def latencies(person: Path, seconds: float) -> None:
    """Frame -> event and frame -> reading of the tiny base, in seconds."""
    recogniser = emotrain.load(None, base_model="tiny", label_set="mafw")
    reader = Reader(WithReuse(recogniser, KeyframeFeatures(recogniser.model, recogniser.processor)))
    events: list[float] = []
    readings: list[float] = []
    ring, spent = Ring(60.0), 0.0

    def heard(_: str, line: object) -> None:
        if isinstance(line, ToldEvent):
            events.append(stream.watcher.now_s - line.event.offset_s)
        if isinstance(line, LiveReading):
            readings.append(stream.watcher.now_s - line.to_s + spent)

    stream = live_stream("bench", recogniser, reader, Pace(4.0, 0.5), ring, StreamClock(), listeners=[heard])
    frames = list(Opened(person.name, person, {}, False).frames())
    for time_s, taken in playing(frames, 30, max(seconds, 5.0)):
        ring.newest_s = time_s
        stream.step(Grabbed(time_s, time_s, taken.picture, taken.bytes))
        begun = time.perf_counter()
        spent = reader.busy_s / max(reader.read, 1)
        reader.turn()
        spent = time.perf_counter() - begun
    for name, told in (("frame -> event", events), ("frame -> reading", readings)):
        if told:
            print(f"* {name}: median {np.median(told):.2f} s, p95 {np.quantile(told, 0.95):.2f} s, {len(told)} told")
    print(f"* a reading of the tiny base: {1000 * reader.busy_s / max(reader.read, 1):.0f} ms")


def memory(person: Path, minutes: float, detector: object | None) -> None:
    """Resident memory when a tenth of the time is over, and at its end."""
    frames, watcher = list(Opened(person.name, person, {}, False).frames()), watching(detector)
    early = 0.0
    for time_s, taken in playing(frames, 30, 60 * minutes):
        watcher.see(time_s, taken.picture)
        if not early and time_s >= 6 * minutes:
            early = resident_mb()
    late = resident_mb()
    print(
        f"* memory after {minutes:g} minutes and a tenth of it: {late:.0f} and {early:.0f} MB, {late / early - 1:+.2%}"
    )


def resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def soak(person: Path, minutes: float, folder: Path, detector: object | None) -> None:
    """Stalls, lost connections, clock jumps and kills of the recording, every ten seconds one of them."""
    frames = list(Opened(person.name, person, {}, False).frames())
    now = [0.0]
    camera = Faulty(frames, now, 60 * minutes)
    ring, clock = Ring(2.0), StreamClock()
    watcher = watching(detector)
    kept = [Recording(folder)]
    given = [0]

    def keep(time_s: float, taken: Taken) -> None:
        given[0] += 1
        kept[0].frame(time_s, taken)
        if given[0] % 2500 == 0:  # a kill: nothing is closed, another process goes on
            killed.append(kept[0])
            kept[0] = Recording(folder)

    killed: list[Recording] = []
    capture = Capture(camera, ring, keep, now=lambda: now[0], wait=camera.pass_time, clock=clock)
    ages: list[float] = []
    notices: list[str] = []
    early = [0.0]

    def drain() -> None:
        while (one := ring.get(0)) is not None:
            if one.picture is None:
                notices.append(one.why[0])
                watcher.pause()
                continue
            notices.extend(line.what for line in watcher.see(one.time_s, one.picture) if isinstance(line, Notice))
            ages.append(clock.age_s(one.time_s, now[0]))
        if not early[0] and now[0] > 6 * minutes:
            early[0] = resident_mb()

    camera.after = drain
    capture.run()
    drain()
    kept[0].close()
    found = sum(frames_in(path) for path in sorted(folder.glob("*.ts")))
    late = resident_mb()
    print(
        f"* soak of {minutes:g} simulated minutes: {capture.frames} frames, {len(killed)} kills, "
        f"{notices.count('reconnecting')} reconnects, {notices.count('stalled')} stalls, {notices.count('clock')} "
        f"clock jumps told of {camera.jumps}; recorded {found} of {given[0]} frames; "
        f"oldest newest frame {max(ages):.3f} s; "
        f"memory {late / early[0] - 1:+.2%}, {ring.dropped} dropped"
    )


def frames_in(path: Path) -> int:
    with open_clip(path) as clip:
        return sum(1 for _ in clip.grey_frames(16))


class Faulty:
    """A camera on a simulated clock that every ten seconds stalls, is lost, or jumps in time."""

    name, paced = "faulty", False

    def __init__(self, frames: list[Taken], now: list[float], end_s: float) -> None:
        self.images, self.now, self.end_s = frames, now, end_s
        self.jumps = 0
        self.lasting = True
        self.shift = 0.0
        self.next_fault = 10.0
        self.faults = 0
        self.after = lambda: None

    def pass_time(self, seconds: float) -> None:
        self.now[0] += seconds

    def frames(self) -> Iterator[Taken]:
        number = 0
        while self.now[0] < self.end_s:
            self.now[0] += 1 / 30
            number += 1
            if self.now[0] > self.next_fault:
                self.next_fault += 10.0
                self.faults += 1
                if self.faults % 3 == 0:
                    raise SourceLost("faulty: the line was dropped")
                if self.faults % 3 == 1:
                    self.now[0] += 3.0  # a stall
                else:
                    self.shift += -500.0 if self.faults % 2 else 40.0
                    self.jumps += 1
            image = self.images[number % len(self.images)]
            yield Taken(self.now[0] + self.shift, image.picture, image.bytes, image.frame)
            self.after()
        self.lasting = False


if __name__ == "__main__":
    main()
