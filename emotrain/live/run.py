"""`emotrain stream`: cameras, one model, and every line to where it was asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from emotrain.live.capture import Capture
from emotrain.live.clock import StreamClock
from emotrain.live.features import KeyframeFeatures, WithReuse
from emotrain.live.outlets import JsonLines, Terminal
from emotrain.live.reader import Reader
from emotrain.live.recording import Recording
from emotrain.live.records import Notice
from emotrain.live.ring import Ring
from emotrain.live.served import Served
from emotrain.live.sources import source_of
from emotrain.live.steadying import Steadied
from emotrain.live.stream import Listener, LiveStream, Pace, live_stream

QUIET_S = 1.0
"""Seconds without a frame after which a stall is said while it lasts."""

PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command line asks for. `json` is a file, or "-" for stdout alone; `serve` a port, 0 for any."""

    raw: str | None = None
    json: str | None = None
    record: Path | None = None
    serve: int | None = None
    smooth_s: float = 0.0
    follow_prior: bool = False
    ring_s: float = 2.0
    ring_mb: int = 256


def run_streams(recogniser: Any, named: Sequence[str], pace: Pace, wanted: Wanted) -> int:
    """Watch the cameras until they end or until interrupted; the number of lines that were written.

    Raises ValueError for what is no source, SourceLost for a file that cannot be read.
    """
    if len(set(named)) < len(named):
        raise ValueError(f"{', '.join(named)}: a camera is named twice")
    # Beside other cameras raw frames are those of "-" alone; without one there, whoever is named is told so.
    sources = [source_of(name, wanted.raw if name == "-" or "-" not in named else None) for name in named]
    names = [source.name if _once(source.name, sources) else str(n) for n, source in enumerate(sources)]
    count = _Count()
    with ExitStack() as open_things:
        listeners: list[Listener] = [count]
        if wanted.json == "-":
            listeners.append(JsonLines(sys.stdout))
        elif wanted.json is not None:
            listeners.append(JsonLines(open_things.enter_context(open(wanted.json, "a", encoding="utf-8"))))
        if wanted.json != "-":
            listeners.append(Terminal(sys.stdout, len(sources) > 1))
        if wanted.serve is not None:
            served = Served(port=wanted.serve)
            print(f"emotrain: lines as server-sent events at {served.start()}", file=sys.stderr, flush=True)
            open_things.callback(served.close)
            listeners.append(served)
        features = KeyframeFeatures(recogniser.model, recogniser.processor)
        reader = Reader(WithReuse(recogniser, features))
        running = []
        for name, source in zip(names, sources, strict=True):
            ring, clock = Ring(wanted.ring_s, wanted.ring_mb << 20), StreamClock()
            mine, keep = list(listeners), None
            if wanted.record is not None:
                folder = wanted.record if len(sources) == 1 else wanted.record / f"{names.index(name)}"
                recording = Recording(folder)
                open_things.callback(recording.close)
                mine.append(recording.line)
                keep = recording.frame
            steadied = Steadied(wanted.smooth_s, wanted.follow_prior)
            stream = live_stream(name, recogniser, reader, pace, ring, clock, steadied=steadied, listeners=mine)
            running.append((stream, Capture(source, ring, keep, clock=clock)))
        _watch(running, reader)
    return count.lines


def _watch(running: Sequence[tuple[LiveStream, Capture]], reader: Reader) -> None:
    """Each camera has a thread that empties it and one that looks at its frames; the model has one for all."""
    faults: list[BaseException] = []

    def follow(stream: LiveStream, capture: Capture) -> None:
        try:
            _follow(stream, capture)
        except BaseException as fault:
            faults.append(fault)
            capture.stop()

    reader.start()
    threads = [Thread(target=follow, args=pair, name=f"watch {pair[0].name}", daemon=True) for pair in running]
    for (_, capture), thread in zip(running, threads):
        capture.start()
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(0.2)
    except KeyboardInterrupt:
        for _, capture in running:
            capture.stop()
        for thread in threads:
            thread.join(PATIENCE_S)
    for _, capture in running:
        capture.join(PATIENCE_S)
    reader.close()
    for fault in [*(capture.fault for _, capture in running), *faults]:
        if fault is not None:
            raise fault


def _follow(stream: LiveStream, capture: Capture) -> None:
    stalled = False
    while not capture.ring.ended:
        one = capture.ring.get(QUIET_S)
        if one is not None:
            stalled = stalled and one.picture is None
            stream.step(one)
        elif not stalled and not capture.ring.ended:
            stalled = True
            stream.quiet(Notice(capture.ring.newest_s, "stalled", f"no frame for {QUIET_S:g} s"))
    stream.end()


@dataclass
class _Count:
    lines: int = 0

    def __call__(self, stream: str, said: Any) -> None:
        self.lines += 1


def _once(name: str, sources: Sequence[Any]) -> bool:
    return sum(source.name == name for source in sources) == 1
