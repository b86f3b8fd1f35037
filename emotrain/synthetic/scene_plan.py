"""What happens around a planned clip when it is put into a scene: set-ups of the camera, cuts, company, absence.

A scene is the clip's own performance (same frames, same events, same person) seen by a camera. It is planned in
*widths* of the picture (see `placement`), so it does not depend on the size that it is rendered in. Nothing hides the
clip's event: cuts and absences keep away from it, and a clip without room for them has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from emotrain.synthetic.clip_plan import ClipPlan, stable_seed
from emotrain.synthetic.identity import Identity, sample_identity
from emotrain.synthetic.performance import FPS, Script

Happening = Literal["none", "returns", "enters", "leaves", "cut", "cutaway"]

KEEP_AWAY_S = 0.25
"""Nothing happens to the view so shortly before an event begins or after it ends."""

_EDGE_S, _SLIDE_S, _AWAY_S, _CUTAWAY_S, _SHOT_S = 0.10, (0.50, 0.80), (0.40, 1.2), (0.50, 1.2), 0.6


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What scenes look like. `face` bounds the face's share of the width; the rest are shares of clips, 0..1.

    `width` is in pixels, `aspect` width over height. `happenings` is the share of clips whose person leaves or whose
    camera cuts, as far as they have room for it beside their event; `rolled` the share that is tilted by 8-25 degrees.
    """

    width: int = 960
    aspect: float = 16 / 9
    face: tuple[float, float] = (0.08, 0.60)
    company: float = 0.35
    happenings: float = 0.6
    rolled: float = 0.2
    props: float = 0.7

    def __post_init__(self) -> None:
        if not 128 <= self.width <= 7680 or self.width % 2:
            raise ValueError(f"scene width {self.width}: expected an even number of pixels from 128 to 7680")
        if not 0 < self.face[0] <= self.face[1] <= 0.75:
            raise ValueError(f"scene face {self.face}: expected 0 < smallest <= largest <= 0.75 of the width")
        if not 0.4 <= self.aspect <= 3:
            raise ValueError(f"scene aspect {self.aspect}: expected width over height between 0.4 and 3")
        for name in ("company", "happenings", "rolled", "props"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"scene {name} {getattr(self, name)}: expected a share between 0 and 1")

    @property
    def height(self) -> int:
        """Pixels, an even number."""
        return 2 * round(self.width / self.aspect / 2)


@dataclass(frozen=True, slots=True)
class Company:
    """A second person: at most four fifths as large as the main one, sits beside it or walks past behind it."""

    person_seed: int
    script: Script
    share: float
    side: int
    passes: bool


@dataclass(frozen=True, slots=True)
class SetUp:
    """One set-up of the camera. `face` is the face's share of the picture's width; angles are in degrees.

    `handheld` is how far the hand strays (widths), `pan` what the camera turns in widths a second.
    """

    seed: int
    faceless: bool
    face: float
    roll: float
    handheld: float
    pan: tuple[float, float]
    zoom: float
    company: Company | None = None


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """A clip in a scene. `shots` are (first frame, frame behind the last, number of the set-up).

    `away` are the times in seconds at which the person begins to leave, is gone, begins to return and is back; infinite
    where that lies outside the clip.
    """

    clip: ClipPlan
    settings: SceneSettings
    happening: Happening
    set_ups: tuple[SetUp, ...]
    shots: tuple[tuple[int, int, int], ...]
    away: tuple[float, float, float, float] | None = None
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        person = sample_identity(np.random.default_rng(self.clip.person_seed), self.clip.subject)
        object.__setattr__(self, "identity", person)

    @property
    def cuts_s(self) -> tuple[float, ...]:
        """Times of the first frame after each cut."""
        return tuple(start / FPS for start, _, _ in self.shots[1:])


def plan_scene(clip: ClipPlan, settings: SceneSettings = SceneSettings()) -> ScenePlan:
    """The scene of a clip: a pure function of the plan and the settings."""
    rng = np.random.default_rng([clip.seed, 3])
    n, script = clip.script.n_frames, clip.script
    happening, window = _happening(script, settings, rng)
    first = _set_up(clip, settings, rng, 0)
    set_ups, shots, away = [first], [(0, n, 0)], None
    if happening == "cut":
        at = round(_between(rng, max(window[0], _SHOT_S), min(window[1], script.duration_s - _SHOT_S)) * FPS)
        set_ups.append(_set_up(clip, settings, rng, 1, first))
        shots = [(0, at, 0), (at, n, 1)]
    elif happening == "cutaway":
        long = min(float(rng.uniform(*_CUTAWAY_S)), window[1] - window[0] - 2 * _EDGE_S)
        begin = _between(rng, window[0] + _EDGE_S, window[1] - _EDGE_S - long)
        at, back = round(begin * FPS), round((begin + long) * FPS)
        set_ups.append(_set_up(clip, settings, rng, 1, faceless=True))
        shots = [(0, at, 0), (at, back, 1), (back, n, 0)]
    elif happening != "none":
        away = _absence(happening, window, script, rng)
    return ScenePlan(clip, settings, happening, tuple(set_ups), tuple(shots), away)


def _happening(
    script: Script, settings: SceneSettings, rng: np.random.Generator
) -> tuple[Happening, tuple[float, float]]:
    """What happens to the view, and the time beside the event in which it may."""
    free = [(0.0, script.duration_s)]
    if script.onset_s is not None and script.offset_s is not None:
        free = [(0.0, script.onset_s - KEEP_AWAY_S), (script.offset_s + KEEP_AWAY_S, script.duration_s)]
    fits: list[tuple[Happening, tuple[float, float]]] = []
    for low, high in free:
        room = high - low
        if room >= 2 * _SLIDE_S[1] + _AWAY_S[0] + 2 * _EDGE_S:
            fits.append(("returns", (low, high)))
        if low == 0.0 and room >= _AWAY_S[0] + _SLIDE_S[1] + _EDGE_S:
            fits.append(("enters", (low, high)))
        if high == script.duration_s and room >= _AWAY_S[0] + _SLIDE_S[1] + _EDGE_S:
            fits.append(("leaves", (low, high)))
        if min(high, script.duration_s - _SHOT_S) > max(low, _SHOT_S):
            fits.append(("cut", (low, high)))
        if room >= _CUTAWAY_S[0] + 2 * _EDGE_S:
            fits.append(("cutaway", (low, high)))
    wanted = rng.random() < settings.happenings
    if not wanted or not fits:
        return "none", (0.0, script.duration_s)
    kinds = sorted({kind for kind, _ in fits})
    kind = kinds[int(rng.integers(len(kinds)))]
    windows = [window for name, window in fits if name == kind]
    return kind, windows[int(rng.integers(len(windows)))]


def _absence(
    happening: Happening, window: tuple[float, float], script: Script, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    low, high = window
    slide = float(rng.uniform(*_SLIDE_S))
    if happening == "enters":
        back = min(high - _EDGE_S, float(rng.uniform(*_AWAY_S)) + slide)
        return -np.inf, -np.inf, back - slide, back
    if happening == "leaves":
        begin = max(low + _EDGE_S, script.duration_s - float(rng.uniform(*_AWAY_S)) - slide)
        return begin, begin + slide, np.inf, np.inf
    gone = min(float(rng.uniform(*_AWAY_S)), high - low - 2 * slide - 2 * _EDGE_S)
    begin = _between(rng, low + _EDGE_S, high - _EDGE_S - gone - 2 * slide)
    return begin, begin + slide, begin + slide + gone, begin + 2 * slide + gone


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """A time from low to high, which rounding may have swapped where there is no room at all."""
    return low + max(high - low, 0.0) * float(rng.random())


def _set_up(
    clip: ClipPlan,
    settings: SceneSettings,
    rng: np.random.Generator,
    number: int,
    other: SetUp | None = None,
    faceless: bool = False,
) -> SetUp:
    low, high = np.log(settings.face)
    face = float(np.exp(rng.uniform(low, high)))
    if other is not None and 0.7 < face / other.face < 1.4:
        # A cut changes the view, or nobody would make it.
        face = other.face * (0.6 if other.face * 0.6 > settings.face[0] else 1.7)
        face = float(np.clip(face, *settings.face))
    roll = float(rng.choice([-1, 1]) * (rng.uniform(8, 25) if rng.random() < settings.rolled else rng.uniform(0, 3)))
    handheld = float(rng.choice([0.0004, 0.003, 0.008], p=[0.3, 0.5, 0.2]))
    pan = tuple(float(v) for v in rng.uniform(-1, 1, 2) * (0.10, 0.02) * (rng.random() < 0.5))
    zoom = float(rng.uniform(-0.06, 0.10) if rng.random() < 0.3 else 0.0)
    company = None
    if not faceless and face < 0.36 and rng.random() < settings.company / _SHARE_SMALL:
        company = _company(clip, rng)
    seed = stable_seed(clip.seed, "set-up", number)
    return SetUp(seed, faceless, face, roll, handheld, pan, zoom, company)  # type: ignore[arg-type]


_SHARE_SMALL = 0.75
"""About so many faces are small enough for company, so that `company` holds for all clips."""


def _company(clip: ClipPlan, rng: np.random.Generator) -> Company:
    duration, n_units = clip.script.duration_s, len(clip.script.peak)
    script = Script("neutral", None, duration, None, None, None, 0.0, (0.0,) * n_units)
    if rng.random() < 0.5:
        # It does something of its own, at its own time: the units of the clip in another order.
        onset = float(rng.uniform(0.1, 0.5)) * duration
        peak = (*(0.8 * float(v < 0.15) for v in rng.random(n_units - 1)), 0.0)
        script = Script("neutral", "macro", duration, onset, onset + 0.5, onset + 1.0, 0.2, peak)
    share, side = float(rng.uniform(0.45, 0.8)), int(rng.choice([-1, 1]))
    return Company(
        stable_seed(clip.seed, "company", int(rng.integers(1 << 30))), script, share, side, bool(rng.random() < 0.3)
    )
