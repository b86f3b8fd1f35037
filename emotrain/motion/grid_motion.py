"""What moves in any scene: optical flow less the camera's, gathered over the regions of a 3 x 3 grid.

Between two frames the camera's movement is the median of the flow, a translation; what is left over a threshold moves
by itself. Frames in a row in which enough does are one event: where it begins and ends, which way and how fast it goes,
or that it shakes to and fro. A rise or fall of the light over most of the picture is an event of its own, and the flow
of such frames is not trusted. One pass, a frame held at a time; the light is judged afterwards from nine means a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotrain.records import Event

SIZE = 96
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
DIRECTIONS = ("left", "right", "up", "down")
SPEEDS = ("slowly", "at medium speed", "fast")
SHAKES, BRIGHTER, DARKER = "shakes", "brighter", "darker"
EVERYWHERE = "everywhere"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GridSettings:
    """`least_px`: flow of a pixel of a frame of 96 that counts as movement of its own; `least_share`: of the picture
    that must move; `pause_s`: a shorter rest does not end an event; `light`: change of brightness, in grey levels."""

    least_px: float = 0.45
    least_share: float = 0.003
    pause_s: float = 0.14
    light: float = 9.0
    least_path: float = 0.03


@dataclass(slots=True)
class _Seen:
    times_s: list[float] = field(default_factory=list)
    moved: list[tuple[float, float]] = field(default_factory=list)
    at: list[tuple[float, float]] = field(default_factory=list)
    light: list[Floats] = field(default_factory=list)


def grid_events(frames: Iterable[tuple[float, NDArray[np.uint8]]], settings: GridSettings) -> list[Event]:
    """The events of (time in seconds, (96, 96) grey) frames, in order of onset; times increasing.

    An event's `regions` are the place where it begins and, where it is another, where it ends; its `action_units` are
    DIRECTIONS and one of SPEEDS, or SHAKES, BRIGHTER or DARKER alone; its `strength` is its way, or its change of
    light, in percent of the picture's side or of full brightness.
    """
    seen = _look(frames, settings)
    events = [*_light(seen, settings), *_movement(seen, settings)]
    return sorted(events, key=lambda event: (event.onset_s, event.apex_s))


def _look(frames: Iterable[tuple[float, NDArray[np.uint8]]], settings: GridSettings) -> _Seen:
    import cv2

    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    dis.setFinestScale(0)
    seen, before = _Seen(), None
    for time_s, grey in frames:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.8)
        light = grey.reshape(3, SIZE // 3, 3, SIZE // 3).mean((1, 3)).ravel().astype(np.float64)
        moved, at = (0.0, 0.0), (0.5, 0.5)
        if before is not None and abs(light.mean() - seen.light[-1].mean()) < settings.light / 3:
            flow = dis.calc(before, grey, None)
            flow = flow - np.median(flow.reshape(-1, 2), axis=0)
            own = np.hypot(flow[..., 0], flow[..., 1]) > settings.least_px
            own[:2], own[-2:], own[:, :2], own[:, -2:] = False, False, False, False
            if own.mean() >= settings.least_share:
                x, y = np.mean(np.nonzero(own)[1]), np.mean(np.nonzero(own)[0])
                mean = flow[own].mean(0) / SIZE
                moved, at = (float(mean[0]), float(mean[1])), (float(x) / SIZE, float(y) / SIZE)
        seen.times_s.append(float(time_s))
        seen.moved.append(moved)
        seen.at.append(at)
        seen.light.append(light)
        before = grey
    return seen


def _movement(seen: _Seen, settings: GridSettings) -> list[Event]:
    steps = np.array(seen.moved)
    moving = np.flatnonzero(np.abs(steps).sum(1) > 0)
    events = []
    for run in _runs(moving, np.array(seen.times_s), settings.pause_s):
        way = steps[run]
        lengths = np.hypot(way[:, 0], way[:, 1])
        path, net = float(lengths.sum()), way.sum(0)
        if len(run) < 2 or path < settings.least_path:
            continue
        onset, offset = seen.times_s[max(run[0] - 1, 0)], seen.times_s[run[-1]]
        # An object that is gone to another place leaves two moving spots behind; its own are at the ends of the way.
        places = [_place(*np.mean([seen.at[t] for t in part], axis=0)) for part in (run[:2], run[-2:])]
        told = (SHAKES,) if np.hypot(*net) < 0.4 * path else (*_directions(net), _speed(path / (offset - onset)))
        regions = tuple(dict.fromkeys(places[:1] if told == (SHAKES,) else places))
        apex = seen.times_s[run[int(lengths.argmax())]]
        events.append(Event(onset, apex, offset, regions, told, 100 * path))
    return events


def _light(seen: _Seen, settings: GridSettings) -> list[Event]:
    """Stretches in which most of the picture is brighter, or darker, than half a second around."""
    levels, times = np.array(seen.light), np.array(seen.times_s)
    if not len(levels):
        return []
    usual = np.array([np.median(levels[np.abs(times - time) <= 0.5], axis=0) for time in times])
    change = levels - usual
    events = []
    for word, sign in ((BRIGHTER, 1.0), (DARKER, -1.0)):
        over = (sign * change > settings.light).sum(1) >= 5
        for run in _runs(np.flatnonzero(over), times, settings.pause_s):
            height = np.abs(change[run]).mean(1)
            onset, offset = times[max(run[0] - 1, 0)], times[min(run[-1] + 1, len(times) - 1)]
            apex, strength = times[run[int(height.argmax())]], 100 * float(height.max()) / 255
            events.append(Event(float(onset), float(apex), float(offset), (EVERYWHERE,), (word,), strength))
    return events


def _runs(found: NDArray[np.int64], times: Floats, pause_s: float) -> list[list[int]]:
    runs: list[list[int]] = []
    for t in found.tolist():
        if runs and times[t] - times[runs[-1][-1]] <= pause_s:
            runs[-1].append(t)
        else:
            runs.append([t])
    return runs


def _place(x: float, y: float) -> str:
    row, column = ROWS[min(int(3 * y), 2)], COLUMNS[min(int(3 * x), 2)]
    return "centre" if (row, column) == ("middle", "centre") else f"{row} {column}"


def _directions(net: Floats) -> tuple[str, ...]:
    x, y = abs(net[0]), abs(net[1])
    found = [DIRECTIONS[int(net[0] > 0)]] if x > 0.5 * y else []
    found += [DIRECTIONS[2 + int(net[1] > 0)]] if y > 0.5 * x else []
    return tuple(found)


def _speed(sides_a_second: float) -> str:
    return SPEEDS[0 if sides_a_second < 0.25 else 1 if sides_a_second < 0.8 else 2]
