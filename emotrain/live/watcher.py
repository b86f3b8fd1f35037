"""The causal pass: frames in, and out of them crops, events, keyframes and what happened to camera and face.

Every frame goes by the face tracker. Motion is read from all frames up to `clip_events.MOST_FPS` a second, from every
second or third of a faster camera, as offline. `LAG_S` after a frame its place in the face's path is final; its crop
then goes to the moving window, and the nearest one to each tick of the keyframe grid is kept as a keyframe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from emotrain.face_layout import ALIGNED_CROP
from emotrain.faces.detectors import Detector
from emotrain.faces.find import FoundFaces
from emotrain.inference.face_view import FaceView
from emotrain.live.followed_face import LAG_S, FollowedFace
from emotrain.live.keyframe_grid import Grid
from emotrain.live.records import Notice, Said, What
from emotrain.live.telling import Telling
from emotrain.motion.clip_events import MOST_FPS
from emotrain.motion.face_motion import SIZE
from emotrain.motion.moving_window import MovingWindow
from emotrain.motion.readable import readable, unread
from emotrain.motion.spotting import SpotSettings
from emotrain.records import Event, Unread
from emotrain.video.crop import WHOLE, centre_square
from emotrain.video.decoders.array_picture import ArrayPicture
from emotrain.video.followed import FollowedPicture
from emotrain.video.framing import Followed, Look
from emotrain.video.reader import Picture
from emotrain.video.shots import BLANK

LOOK_S = 0.5
"""Seconds of the stream between two looks at what is held."""

GAP_S = 0.45
"""A longer time without a frame is a stall: nothing is told across it (`faces.stretches` misses faces no longer)."""

COVERED_S = 0.5
FINEST = 1280
"""Longer side in pixels at which frames wait for their place to be final."""

PACED = 31
"""Frames whose median distance says how fast the camera is."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the face and what was told, up to `until_s`, where the face was last read."""

    until_s: float
    events: tuple[Event, ...]
    blinks: tuple[Event, ...]
    unread: tuple[Unread, ...]


class Watcher:
    """Give it every frame by `see`, every break by `pause`; both return what there is to say."""

    def __init__(self, view: FaceView, grid: Grid, spotting: SpotSettings, *, fps: float | None = None) -> None:
        self.view, self.grid, self.spotting = view, grid, spotting
        face = "largest" if view.everybody else view.settings.face
        self.faces = FollowedFace(_looking(view), view.settings.size, face, fps)
        self.state: dict[str, Any] = {"seen": False, "faces": 0}
        self.now_s = 0.0
        self.read_s = 0.0
        self.frames = 0
        self._stamps: deque[float] = deque(maxlen=PACED)
        self._kept_s = -np.inf
        self._pending: deque[tuple[float, Picture]] = deque()
        self._looked_s: float | None = None
        self._window: MovingWindow | None = None
        self._telling = Telling()
        self._last_crop_s = -np.inf
        self._past: deque[tuple[bool, Event]] = deque()
        self._now: tuple[list[Event], list[Event]] = ([], [])
        self._unread: deque[Unread] = deque()
        self._dark_s: float | None = None
        self._covered = False
        self._rate: float | None = None

    def see(self, time_s: float, picture: Picture) -> list[Said]:
        """The next frame, at a later time than the one before."""
        said: list[Said] = []
        if self.frames and time_s - self.now_s > GAP_S:
            said += self.pause()
            said.append(Notice(time_s, "stalled", f"no frame for {time_s - self.now_s:.2f} s"))
        self.now_s = time_s
        self.frames += 1
        picture.time_s = time_s
        self._stamps.append(time_s)
        kept = self._paced(time_s)
        self.faces.see(time_s, picture, kept)
        said += self._light(time_s)
        if kept:
            self._pending.append((time_s, _waiting(picture)))
        if self._looked_s is None:
            self._looked_s = time_s
        if time_s - self._looked_s >= LOOK_S:
            self._looked_s = time_s
            said += self._look(time_s - LAG_S)
            said += self._rate_notice(time_s)
        return said

    def pause(self) -> list[Said]:
        """The run of frames is broken or ends: what is held is told as a clip's end is."""
        said: list[Said] = []
        if self._pending:
            said += self._look(np.inf)
        said += self._end_stretch(self.now_s)
        self.grid.finish()
        self.faces.begin_anew()
        self._stamps.clear()
        self._kept_s, self._looked_s = -np.inf, None
        return said

    def known(self) -> Known:
        """What has been seen of the face, as far as it is known now."""
        past = self._past
        events = [event for blink, event in past if not blink] + self._now[0]
        blinks = [event for blink, event in past if blink] + self._now[1]
        return Known(self.read_s, tuple(events), tuple(blinks), tuple(self._unread))

    def _paced(self, time_s: float) -> bool:
        """Whether motion is read from a frame: `clip_events.pace` on frames as they come."""
        least = 1 / MOST_FPS
        fast = len(self._stamps) > 2 and float(np.median(np.diff(self._stamps))) < least
        if fast and time_s - self._kept_s < least - 1e-3:
            return False
        self._kept_s = time_s
        return True

    def _look(self, until_s: float) -> list[Said]:
        """Read the frames up to `until_s`, whose place is final, and tell what that brings."""
        found, track = self.faces.find()
        said = self._face_notices(found, track)
        path = None if track is None else found.path(track)
        start_s = self.faces.start_s
        look: Look | None = None
        if track is not None and path is not None:
            look, words = self.view.look(found, track)
            self._describe(found, track, path, words)
        seen = [] if path is None else [(a + start_s, b + start_s) for a, b in path.seen]
        fresh_from = self.read_s
        while self._pending and self._pending[0][0] <= until_s:
            time_s, picture = self._pending.popleft()
            self.read_s = time_s
            inside = next((part for part in seen if part[0] - 1e-6 <= time_s <= part[1] + 1e-6), None)
            if inside is None or look is None:
                said += self._end_stretch(time_s)
                self.grid.miss(time_s)
                continue
            if self._window is not None and self._last_crop_s < inside[0] - 1e-6:
                said += self._end_stretch(time_s)
            if self._window is None:
                self._window, self._telling = MovingWindow(self.spotting), Telling()
            self._window.add(time_s, _crop(picture, look, time_s - start_s))
            self._last_crop_s = time_s
            self.grid.offer(time_s, _shown(picture, look, time_s - start_s))
        if path is not None and look is not None:
            self._note_unread(path, start_s, fresh_from)
            if self._window is not None:
                self._window.lay_out(look.path.layout if isinstance(look, Followed) else ALIGNED_CROP)
        return said + self._tell(over=False)

    def _tell(self, *, over: bool) -> list[Said]:
        if self._window is None:
            return []
        events, blinks = self._window.look()
        events, blinks = readable(events, self._unread), readable(blinks, self._unread)
        self._now = (events, blinks)
        return list(self._telling.tell(events, blinks, self._last_crop_s, over=over))

    def _end_stretch(self, time_s: float) -> list[Said]:
        if self._window is None:
            self._hide(time_s)
            return []
        said = self._tell(over=True)
        self._past += [*((False, event) for event in self._now[0]), *((True, blink) for blink in self._now[1])]
        while self._past and self._past[0][1].offset_s < time_s - 60:
            self._past.popleft()
        self._window, self._now = None, ([], [])
        self._hide(self._last_crop_s)
        self._hide(time_s)
        return said

    def _hide(self, time_s: float) -> None:
        """The face was not seen at `time_s`: join that to what was hidden before it."""
        last = self._unread[-1] if self._unread else None
        if last is not None and last.why == "unseen" and last.end_s >= self._last_crop_s:
            self._unread[-1] = Unread(last.start_s, max(time_s, last.end_s), "unseen")
        else:
            self._unread.append(Unread(max(self._last_crop_s, 0.0), time_s, "unseen"))
        self._forget(time_s)

    def _forget(self, time_s: float) -> None:
        """Let go of what no window and no event can ask for any more."""
        while self._unread and self._unread[0].end_s < time_s - 60:
            self._unread.popleft()

    def _note_unread(self, path: Any, start_s: float, from_s: float) -> None:
        """Turned and small stretches of what was read just now."""
        self._forget(from_s)
        for part in unread(path, self.read_s - start_s):
            begin, end = max(part.start_s + start_s, from_s), min(part.end_s + start_s, self.read_s)
            if part.why == "unseen" or end <= begin:
                continue
            last = self._unread[-1] if self._unread else None
            if last is not None and last.why == part.why and last.end_s >= begin - 1e-6:
                self._unread[-1] = Unread(last.start_s, end, part.why)
            else:
                self._unread.append(Unread(begin, end, part.why))

    def _describe(self, found: FoundFaces, track: int, path: Any, words: str) -> None:
        mine = [sighting for sighting in found.sightings if sighting.track == track]
        last = mine[-1]
        fresh = last.time_s + self.faces.start_s
        self.state = {
            "seen": self.now_s - fresh <= GAP_S + LOOK_S,
            "faces": found.clip.faces,
            "width_px": round((last.box[2] - last.box[0]) * found.clip.frame_width, 1),
            "yaw": round(float(path.yaw_deg[-1]), 1),
            "box": [round(float(side), 4) for side in last.box],
            "read": words,
        }

    def _face_notices(self, found: FoundFaces, track: int | None) -> list[Said]:
        was = bool(self.state["seen"])
        if track is None:
            self.state = {"seen": False, "faces": 0}
        else:
            last = max(s.time_s for s in found.sightings if s.track == track) + self.faces.start_s
            self.state = {**self.state, "seen": self.now_s - last <= GAP_S + LOOK_S}
        now = bool(self.state["seen"])
        if now == was:
            return []
        what: What = "face" if now else "no face"
        words = f"{found.clip.faces} in view" if now else str(found.clip.reason or "the face is gone")
        return [Notice(self.now_s, what, words)]

    def _light(self, time_s: float) -> list[Said]:
        """Whether the lens is covered: a picture that shows nothing for half a second."""
        if float(self.faces.newest.std()) >= BLANK:
            self._dark_s = None
            if self._covered:
                self._covered = False
                return [Notice(time_s, "uncovered", "the picture is back")]
            return []
        self._dark_s = time_s if self._dark_s is None else self._dark_s
        if not self._covered and time_s - self._dark_s >= COVERED_S:
            self._covered = True
            return [Notice(time_s, "covered", f"the picture shows nothing since {self._dark_s:.2f} s")]
        return []

    def _rate_notice(self, time_s: float) -> list[Said]:
        if len(self._stamps) < PACED:
            return []
        rate = 1 / max(float(np.median(np.diff(self._stamps))), 1e-6)
        if self._rate is None or abs(rate - self._rate) > 0.2 * self._rate:
            before, self._rate = self._rate, rate
            if before is not None:
                return [Notice(time_s, "rate", f"{before:.0f} frames/s before, {rate:.0f} now")]
        return []


def _looking(view: FaceView) -> Detector:
    """The detector, which must be one that looks; ValueError for files of faces that were found in a video."""
    if not hasattr(view.detector, "faces_in"):
        raise ValueError(f"face detector {view.settings.detector} reads files, and a camera has none; take yunet")
    return cast(Detector, view.detector)


def _waiting(picture: Picture) -> Picture:
    """A picture to hold: very large ones are made smaller, that many of them may wait."""
    height, width = picture.shape()
    if max(height, width) <= FINEST:
        return picture
    small = picture.rgb(FINEST, WHOLE)
    return ArrayPicture(picture.time_s, small.shape[0], small.shape[1], lambda: small)


def _part(picture: Picture, look: Look, at_s: float) -> tuple[Picture, Any]:
    if isinstance(look, Followed):
        return FollowedPicture(picture, look, at_s), WHOLE
    return picture, centre_square(*picture.shape()) if look == "centre" else look


def _crop(picture: Picture, look: Look, at_s: float) -> NDArray[np.uint8]:
    part, box = _part(picture, look, at_s)
    return part.grey(SIZE, box)


def _shown(picture: Picture, look: Look, at_s: float) -> Callable[[int | None], NDArray[np.uint8]]:
    """What a keyframe of this moment shows, made only when it is asked for."""
    part, box = _part(picture, look, at_s)
    return lambda size: part.rgb(size, box)
