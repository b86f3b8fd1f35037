"""Which clips a synthetic set holds: classes, kinds, people, splits and scripts, known before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from emotrain.emotions import DRAWN_SETS, PUBLISHED_COUNTS, label_set
from emotrain.records import Clip, Event, Kind, Split
from emotrain.synthetic.action_units import PROTOTYPES, regions_of, visible_units
from emotrain.synthetic.muscles import peak_motion
from emotrain.synthetic.objects import LABELS as OBJECT_LABELS
from emotrain.synthetic.objects import write_object
from emotrain.synthetic.performance import FPS, MACRO_STRENGTH, MICRO_STRENGTH, Script, Strengths, write_script
from emotrain.synthetic.trajectories import COURSES, write_trajectory

CLIPS_PER_PERSON = 12
SOURCE = "synthetic"


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip to render. `person_seed` draws the identity, `seed` everything that happens in the clip."""

    clip_id: str
    split: Split
    subject: str
    person_seed: int
    seed: int
    script: Script

    @property
    def events(self) -> tuple[Event, ...]:
        """The expressions of the clip as events, in order; none in a neutral clip."""
        found = []
        for move in self.script.moves:
            peak = np.asarray(move.peak)
            names = visible_units(peak)
            regions = regions_of(names)
            found.append(Event(move.onset_s, move.apex_s, move.offset_s, regions, names, peak_motion(peak)))
        return tuple(found)

    @property
    def clip(self) -> Clip:
        """The clip as a row of clips.parquet; of several events the row tells the first."""
        script, events = self.script, self.events
        return Clip(
            clip_id=self.clip_id,
            path=f"videos/{self.clip_id}.mp4",
            label=script.label,
            split=self.split,
            subject=self.subject,
            source=SOURCE,
            kind=script.kind,
            fps=float(FPS),
            n_frames=script.n_frames,
            duration_s=script.duration_s,
            onset_s=script.onset_s,
            apex_s=script.apex_s,
            offset_s=script.offset_s,
            action_units=tuple(dict.fromkeys(name for event in events for name in event.action_units)),
        )


def plan_clips(
    *,
    label_set_name: str = "mafw",
    train: int = 1500,
    validation: int = 110,
    test: int = 440,
    seed: int = 0,
    micro_share: float = 0.4,
    strengths: Strengths = (MICRO_STRENGTH, MACRO_STRENGTH),
) -> list[ClipPlan]:
    """All clips of a set, a pure function of the arguments.

    Train and validation follow the published class counts of the label set (at least 2 a class); test is balanced. In
    every class but neutral, `micro_share` of the clips are micro-expressions. The classes of DRAWN_SETS (trajectories,
    actions, events) are equally many everywhere and have no kinds. No person is in two splits. Raises ValueError for a
    label set that cannot be drawn and for a share outside 0..1.
    """
    labels = label_set(label_set_name).labels
    drawable = [name for name in PUBLISHED_COUNTS if set(PUBLISHED_COUNTS[name]) <= set(PROTOTYPES)]
    even = dict.fromkeys(labels, 1.0)
    if label_set_name in DRAWN_SETS:
        weights, micro_share = even, 0.0
    elif label_set_name in drawable:
        weights = {label: float(PUBLISHED_COUNTS[label_set_name][label]) for label in labels}
    else:
        known = " or ".join([*drawable, *DRAWN_SETS])
        raise ValueError(f"label set {label_set_name!r} has no published class counts; choose {known}")
    if not 0 <= micro_share <= 1:
        raise ValueError(f"micro_share {micro_share}: expected a share between 0 and 1")
    parts: tuple[tuple[Split, int, Mapping[str, float]], ...] = (
        ("train", train, weights),
        ("validation", validation, weights),
        ("test", test, even),
    )
    plans: list[ClipPlan] = []
    people = 0
    for split, n, shares in parts:
        if n == 0:
            continue
        scenes = _scenes(apportion(shares, n), micro_share)
        cast = max(2, round(n / CLIPS_PER_PERSON))
        plans += _cast(scenes, split, range(people, people + cast), seed, strengths)
        people += cast
    return plans


def apportion(weights: Mapping[str, float], n: int, least: int = 2) -> dict[str, int]:
    """Split `n` clips over classes in proportion to `weights`, at least `least` each, by largest remainders."""
    if n < least * len(weights):
        raise ValueError(f"{n} clips are too few for {len(weights)} classes; ask for at least {least * len(weights)}")
    total = sum(weights.values())
    ideal = {label: max(float(least), weight * n / total) for label, weight in weights.items()}
    counts = {label: int(value) for label, value in ideal.items()}
    by_remainder = sorted(weights, key=lambda label: (counts[label] - ideal[label], label))
    while sum(counts.values()) < n:
        for label in by_remainder[: n - sum(counts.values())]:
            counts[label] += 1
    while sum(counts.values()) > n:
        counts[max(counts, key=lambda label: counts[label])] -= 1
    return counts


def stable_seed(*parts: object) -> int:
    """A 63-bit seed from names and numbers, equal in every process and version of Python."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def _scenes(counts: Mapping[str, int], micro_share: float) -> list[tuple[str, Kind | None]]:
    scenes: list[tuple[str, Kind | None]] = []
    for label, n in counts.items():
        micro = 0 if label == "neutral" else round(n * micro_share)
        rest: Kind | None = None if label == "neutral" else "macro"
        scenes += [(label, "micro" if i < micro else rest) for i in range(n)]
    return scenes


def _cast(
    scenes: Sequence[tuple[str, Kind | None]], split: Split, people: range, seed: int, strengths: Strengths
) -> list[ClipPlan]:
    order = np.random.default_rng(stable_seed(seed, split, "order")).permutation(len(scenes))
    plans = []
    for number, at in enumerate(order):
        label, kind = scenes[at]
        clip_id = f"{stable_seed(seed, split, number):016x}"[-12:]
        person = people[number % len(people)]
        clip_seed = stable_seed(seed, clip_id)
        rng = np.random.default_rng([clip_seed, 0])
        if label in COURSES:
            script = write_trajectory(label, rng)
        elif label in OBJECT_LABELS:
            script = write_object(label, rng)
        else:
            script = write_script(label, kind, rng, strengths)
        person_seed = stable_seed(seed, "person", person)
        plans.append(ClipPlan(clip_id, split, f"person-{person:04d}", person_seed, clip_seed, script))
    return plans
