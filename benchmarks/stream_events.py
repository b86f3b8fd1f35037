"""Does a stream tell what the whole file would have told? The same drawn faces, read at once and as they come.

    python benchmarks/stream_events.py --clips 88 --seed 505

An event of one is that of the other when kind and both edges agree within two frames. Window, look-ahead and anchors of
the stream were chosen on seed 77; any other seed says what carries over.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np

from emotrain.live.telling import Telling
from emotrain.motion.clip_events import clip_events
from emotrain.motion.moving_window import MovingWindow
from emotrain.progress import track
from emotrain.records import Event
from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.clip_set import render_clip
from emotrain.synthetic.performance import FPS

LOOK_S = 0.5
NEAR_S = 2.1 / FPS

Kinds = list[tuple[bool, Event]]
"""Whether it is a blink, and the event."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=88)
    parser.add_argument("--seed", type=int, default=505)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    whole = told = agree = 0
    late: list[float] = []
    plans = plan_clips(train=0, validation=0, test=options.clips, seed=options.seed)
    with track("clips", len(plans)) as advance:
        for plan in plans:
            _, frames = render_clip(plan, 128)
            grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
            times_s = np.arange(len(grey)) / FPS
            found = clip_events(grey, times_s)
            offline = [*((False, event) for event in found.events), *((True, blink) for blink in found.blinks)]
            stream = list(streamed(grey, times_s))
            late += [told_s - event.offset_s for told_s, (_, event) in stream]
            whole, told = whole + len(offline), told + len(stream)
            agree += shared(offline, [one for _, one in stream])
            advance(1)
    print(
        "| clips | offline events | told by the stream | the same | of the offline | of the stream's |\n|-|-|-|-|-|-|"
    )
    print(f"| {len(plans)} | {whole} | {told} | {agree} | {agree / max(whole, 1):.1%} | {agree / max(told, 1):.1%} |")
    if late:
        print(f"\ntold after their end: median {np.median(late):.2f} s, 95 % within {np.quantile(late, 0.95):.2f} s")


def streamed(grey: np.ndarray, times_s: np.ndarray) -> Iterator[tuple[float, tuple[bool, Event]]]:
    """When each event is told, and the event."""
    window, telling, next_s = MovingWindow(), Telling(), LOOK_S
    for time_s, crop in zip(times_s.tolist(), grey):
        window.add(time_s, crop)
        if time_s >= next_s:
            next_s += LOOK_S
            yield from ((one.told_s, (one.blink, one.event)) for one in telling.tell(*window.look(), time_s))
    last = telling.tell(*window.look(), float(times_s[-1]), over=True)
    yield from ((one.told_s, (one.blink, one.event)) for one in last)


def shared(offline: Kinds, stream: Kinds) -> int:
    """How many are in both, each counted once."""
    left, found = list(stream), 0
    for blink, event in offline:
        for i, (other_blink, other) in enumerate(left):
            edges = abs(event.onset_s - other.onset_s), abs(event.offset_s - other.offset_s)
            if blink == other_blink and max(edges) <= NEAR_S:
                del left[i]
                found += 1
                break
    return found


if __name__ == "__main__":
    main()
