"""Where everything in a scene is at every frame: the camera, the people, and the truth that a face finder must meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.face import CENTRE
from emotrain.synthetic.identity import Identity, sample_identity
from emotrain.synthetic.performance import FPS, Performance, drift, perform
from emotrain.synthetic.placement import Doubles, after, apply, head_motion, landmarks, similarity
from emotrain.synthetic.scene_plan import Company, ScenePlan, SetUp
from emotrain.synthetic.skin import head_outline

PLATE = 1.5
"""The backdrop is painted so many times larger than the picture, for the camera to move over it."""

_FACE_IN_CROP = 2 * 0.398
_KEPT = np.array([(0.12, 0.30), (0.88, 0.30), (0.20, 0.97), (0.80, 0.97)])
"""Brows to chin: what stays inside the picture as long as the person does not leave."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person in one set-up: `head` and `body` (T, 2, 3) lead from crop fractions to the picture, in widths."""

    identity: Identity
    seed: int
    performance: Performance
    head: Doubles
    body: Doubles


@dataclass(frozen=True, slots=True)
class Tracks:
    """A set-up over the whole clip: people from back to front, the main one last; the backdrop (T, 2, 3) in widths."""

    people: tuple[Person, ...]
    backdrop: Doubles


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """What a scene shows, frame by frame; places are fractions of the picture's width and height.

    `landmarks` (T, 5, 2) and `box` (T, 4: left, top, right, bottom, not cut at the picture's edge) of the main person,
    NaN in faceless shots; `other_box` (T, 4) of the second person, NaN without one; `seen` (T,) bool: all five
    landmarks of the main person lie inside the picture; `cuts_s` (K,) times of the first frame after each cut.
    """

    time_s: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    box: NDArray[np.float32]
    other_box: NDArray[np.float32]
    seen: NDArray[np.bool_]
    cuts_s: NDArray[np.float32]

    def spans_s(self) -> list[tuple[float, float]]:
        """Stretches of time in which the main person's face is seen: first and last frame of each."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.seen, [False]]).astype(int)))
        return [(float(self.time_s[a]), float(self.time_s[b - 1])) for a, b in zip(edges[::2], edges[1::2])]


def set_up_tracks(scene: ScenePlan, set_up: SetUp, performance: Performance) -> Tracks:
    """Camera and people of one set-up; the main person plays `performance`. A pure function of its arguments."""
    rng, n, height = np.random.default_rng([set_up.seed, 1]), len(performance.time_s), 1 / scene.settings.aspect
    time = np.asarray(performance.time_s, np.float64)
    tremor = 0.08 * np.stack([drift(rng, n, 0.04) for _ in range(2)], -1)
    hand = set_up.handheld * (np.stack([drift(rng, n, 0.35) for _ in range(2)], -1) + tremor)
    pan = (time - time.mean())[:, None] * set_up.pan + 0.0
    roll = set_up.roll + set_up.handheld * 60 * drift(rng, n, 0.5)
    zoom = 1 + set_up.zoom * (time / time[-1] - 0.5) + 0.5 * set_up.handheld * drift(rng, n, 0.8)
    middle = (0.5, height / 2)
    camera = similarity(zoom, roll, middle, hand + middle)
    backdrop = after(camera, similarity(np.ones(n), np.zeros(n), (0.0, 0.0), -pan))
    if set_up.faceless:
        return Tracks((), backdrop)
    people: list[Person] = []
    follow = float(rng.uniform(0.6, 1.0))
    main = _main(scene, set_up, performance, camera, -(1 - follow) * pan, rng)
    if set_up.company is not None:
        people.append(_second(scene, set_up, set_up.company, camera, main, rng))
    return Tracks((*people, main), backdrop)


def scene_truth(scene: ScenePlan, tracks: tuple[Tracks, ...], performance: Performance) -> SceneTruth:
    """The truth of a scene from its tracks, one for each set-up; nothing is rendered."""
    n, height = len(performance.time_s), 1 / scene.settings.aspect
    points, box, other = np.full((n, 5, 2), np.nan), np.full((n, 4), np.nan), np.full((n, 4), np.nan)
    still = landmarks(scene.identity, performance.units, np.array([pose.yaw for pose in performance.poses]))
    for start, stop, number in scene.shots:
        shot = slice(start, stop)
        for person in tracks[number].people:
            outline = apply(person.head[shot], head_outline(person.identity).astype(np.float64))
            bounds = np.concatenate([outline.min(1), outline.max(1)], -1) / (1, height, 1, height)
            if person is tracks[number].people[-1]:
                points[shot] = apply(person.head[shot], still[shot]) / (1, height)
                box[shot] = bounds
            else:
                other[shot] = bounds
    with np.errstate(invalid="ignore"):
        seen = np.all((points > 0) & (points < 1), axis=(1, 2))
    cuts = np.asarray(scene.cuts_s, np.float32)
    places = [np.asarray(part, np.float32) for part in (points, box, other)]
    return SceneTruth(performance.time_s, places[0], places[1], places[2], np.asarray(seen), cuts)


def _main(
    scene: ScenePlan, set_up: SetUp, performance: Performance, camera: Doubles, slip: Doubles, rng: np.random.Generator
) -> Person:
    n, height = len(performance.time_s), 1 / scene.settings.aspect
    scale = set_up.face / (_FACE_IN_CROP * scene.identity.face_width)
    lean = float(rng.normal(0, 3.0))
    sway = 0.12 * set_up.face * np.stack([drift(rng, n, 0.6), 0.4 * drift(rng, n, 0.6)], -1)
    # Anywhere in the picture; faces of people who stand are rather in its upper half.
    at = np.array([rng.uniform(0.15, 0.85), rng.uniform(0.25, 0.6) * height])
    moving = at + slip + sway
    motion = head_motion(performance.poses)
    head = after(camera, after(similarity(scale, lean, CENTRE, moving), motion))
    at_rest = _inside(head, height)
    # The camera turns about the middle of the picture: what it must move by is turned back.
    turn = camera[:, :, :2].mean(0)
    moving = moving + np.linalg.solve(turn, at_rest)
    moving = moving + _absence(scene, set_up, float(moving[:, 0].mean()))
    body = after(camera, similarity(scale, lean, CENTRE, moving))
    return Person(scene.identity, scene.clip.person_seed, performance, after(body, motion), body)


def _inside(head: Doubles, height: float) -> Doubles:
    """The shift (2,) that keeps brows and chin inside the picture at all times, in its middle if they are too big."""
    kept = apply(head, _KEPT)
    low, high = kept.min((0, 1)), kept.max((0, 1))
    edge, room = 0.015, np.array([1.0, height])
    inward = np.clip(0.0, edge - low, None) + np.clip(room - edge - high, None, 0.0)
    return np.asarray(np.where(high - low > room - 2 * edge, room / 2 - (low + high) / 2, inward), np.float64)


def _absence(scene: ScenePlan, set_up: SetUp, x: float) -> Doubles:
    """How far aside the person is at every frame, (T, 2): far enough to be gone while `away`."""
    n = scene.clip.script.n_frames
    if scene.away is None:
        return np.zeros((n, 2))
    begin, gone, back, there = scene.away
    time = np.arange(n) / FPS
    out = np.clip((time - begin) / (gone - begin), 0, 1) if np.isfinite(begin) else np.ones(n)
    home = np.clip((time - back) / (there - back), 0, 1) if np.isfinite(back) else np.zeros(n)
    share = np.where(time < min(back, np.inf), out, 1 - home)
    eased = share * share * (3 - 2 * share)
    # Over the nearer edge, until hardly a shoulder is left.
    side = 1.0 if x > 0.5 else -1.0
    far = (1 - x if side > 0 else x) + 1.2 * set_up.face + 0.05
    return np.stack([side * far * eased, np.zeros(n)], -1)


def _second(
    scene: ScenePlan, set_up: SetUp, company: Company, camera: Doubles, main: Person, rng: np.random.Generator
) -> Person:
    identity = sample_identity(np.random.default_rng(company.person_seed))
    performance = perform(company.script, "moderate", np.random.default_rng([company.person_seed, 1]))
    n, height = scene.clip.script.n_frames, 1 / scene.settings.aspect
    face = company.share * set_up.face
    scale = face / (_FACE_IN_CROP * identity.face_width)
    chin = np.median(main.body[:, 1, :2] @ np.array(CENTRE) + main.body[:, 1, 2])
    x = float(np.median(apply(main.body, np.array([CENTRE]))[:, 0, 0]))
    side = company.side if 0.25 < x < 0.75 else (1 if x < 0.5 else -1)
    beside = x + side * float(rng.uniform(1.25, 1.7)) * set_up.face
    y = float(np.clip(chin + rng.uniform(-0.2, 0.4) * set_up.face, 0.6 * face, height - 0.5 * face))
    if company.passes:
        across = np.linspace(-0.2 - face, 1.2 + face, n)[:: -side or 1]
        at = np.stack([across, np.full(n, y)], -1)
    else:
        sway = 0.10 * face * np.stack([drift(rng, n, 0.7) for _ in range(2)], -1)
        at = np.array([np.clip(beside, 0.6 * face, 1 - 0.6 * face), y]) + sway
    body = after(camera, similarity(scale, float(rng.normal(0, 3)), CENTRE, at))
    return Person(identity, company.person_seed, performance, after(body, head_motion(performance.poses)), body)
