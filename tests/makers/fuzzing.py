"""Damage valid clips at random and read them: frames or a reason must come out, never a crash, a hang or another error.

`tests/fuzz.py` runs thousands of cases, the test suite some hundred. Each case is a pure function of its number, so a
failure can be looked at again with --first N --cases 1.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotrain.clip_errors import ClipError
from emotrain.stages.workers import Died, Pool
from emotrain.video.decode import open_clip

LIMIT_S = 30.0


@dataclass(frozen=True)
class Case:
    """Damage number `number` of the file `source`, read with `decoder`."""

    number: int
    source: Path
    decoder: str = "auto"


def damaged(data: bytes, number: int) -> bytes:
    """`data` with flipped bits, an overwritten, removed or doubled stretch, or without its end."""
    rng = np.random.default_rng(number)
    out = bytearray(data)
    kind = rng.integers(5)
    start = int(rng.integers(len(out)))
    stop = min(len(out), start + int(rng.integers(1, 1 + len(out) // 4)))
    if kind == 0:
        for place in rng.integers(len(out), size=int(rng.integers(1, 40))):
            out[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        out[start:stop] = rng.integers(0, 256, stop - start, np.uint8).tobytes()
    elif kind == 2:
        del out[start:stop]
    elif kind == 3:
        out[start:start] = out[start:stop]
    else:
        del out[start:]
    return bytes(out)


def read_case(case: Case) -> str:
    """Reads the damaged clip in one full pass, and every other time as the frames stage does, too.

    The outcome is `frames` or `reason`; any other exception passes through.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"damaged{case.source.suffix}"
        path.write_bytes(damaged(case.source.read_bytes(), case.number))
        try:
            with open_clip(path, case.decoder) as clip:
                sweep = clip.sweep(32, four, 32)
            if case.number // 7 % 2:
                check_few(path, case)
        except ClipError as error:
            if len(str(error)) <= len(str(path)) + 2:
                raise AssertionError(f"case {case.number}: no reason given") from error
            return "reason"
        times_s = sweep.times_s
        if not (len(times_s) == len(sweep.grey) > 0 and times_s[0] == 0 and np.all(np.diff(times_s) > 0)):
            raise AssertionError(f"case {case.number}: times {times_s} for {len(sweep.grey)} frames")
        return "frames"


def four(times_s: np.ndarray) -> np.ndarray:
    """Four frames of the clip, evenly spaced."""
    return np.unique(np.linspace(0, len(times_s) - 1, 4).astype(int))


def check_few(path: Path, case: Case) -> None:
    """The way that leaves out frames nobody asked for gives the same pixels at the same times as the full pass."""
    with open_clip(path, case.decoder) as clip:
        indices, few = clip.encoded(four, 32, lambda image: image.tobytes())
        times_s = clip.times_s[indices]
    with open_clip(path, case.decoder) as clip:
        every = clip.sweep(32, lambda times_s: np.arange(len(times_s)), 32)
    whole = {round(float(time_s), 6): image.tobytes() for time_s, image in zip(every.times_s, every.colour)}
    if len(whole) < len(every.times_s):
        return  # time stamps that occur twice: which frame is meant cannot be told by its time
    for time_s, image in zip(times_s, few):
        if whole.get(round(float(time_s), 6), image) != image:
            raise AssertionError(f"{case}: the frame at {time_s} s differs from that of a full pass")


def outcomes(cases: list[Case], workers: int) -> Counter[str]:
    """How often each outcome came; RuntimeError names the case on which a child hung or crashed."""
    counts: Counter[str] = Counter()
    with Pool(workers, LIMIT_S) as pool:
        for case, outcome in zip(cases, pool.run(read_case, cases)):
            if isinstance(outcome, Died):
                raise RuntimeError(f"{case} {outcome.reason}")
            counts[f"{case.source.suffix} {outcome}"] += 1
    return counts


def valid_files(folder: Path) -> list[Path]:
    """One small valid clip of each container and codec that clips commonly have."""
    from odd_files import b_frames, gif, hevc, transport_stream, turned, vp9

    return [make(folder) for make in (turned, transport_stream, vp9, gif, hevc, b_frames)]
