"""Writes a synthetic clip set: rendered videos, the truth beside them, and their annotation.

    root/annotations.parquet    the columns of records.CLIPS and `events`, written last: it marks a complete set
    root/videos/<clip_id>.mp4   H.264, 30 frames a second
    root/truth/<clip_id>.npz    units (T, 19) float16 in order AUS, time_s (T,), events (N, 3) seconds, pose: the fields
                                of Pose (T, 7), in styled clips of HeadPose (T, 9)
    root/clip_set.json          the arguments; a set is resumed only with the same ones

With a `style` people are drawn in that manner (styles) and filmed under the disturbances of a `grade` (grades); KNOWN
as a style gives each person one of the known styles.

With `scenes` the same clips, under the same names, are also filmed in scenes (`scene_set`).

A clip appears by a rename, so a write that was killed goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache, partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emotrain.atomic_files import replacing, write_json, write_table
from emotrain.emotions import DRAWN_SETS
from emotrain.json_files import read_object
from emotrain.progress import track
from emotrain.records import CLIPS, EVENT, to_table
from emotrain.records import Clip as ClipRecord
from emotrain.stages.workers import Died, spread
from emotrain.synthetic.clip_plan import ClipPlan, plan_clips
from emotrain.synthetic.face import Face
from emotrain.synthetic.grades import GRADES, STRENGTHS, GradeName
from emotrain.synthetic.h264 import write_mp4
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.objects import OBJECT_RENDERER, draw_objects
from emotrain.synthetic.objects import SETS as OBJECT_SETS
from emotrain.synthetic.performance import FPS, MACRO_STRENGTH, MICRO_STRENGTH, Level, Performance, perform
from emotrain.synthetic.scene_plan import SceneSettings
from emotrain.synthetic.scene_set import SCENE_RENDERER, SCENE_TRUTH, SCENES, film_batch, scene_path
from emotrain.synthetic.sensor import Sensor
from emotrain.synthetic.styled_set import STYLE_RENDERER, draw_batch, write_truth
from emotrain.synthetic.styles import KNOWN, STYLES, known_style

RENDERER = 1
"""Raised whenever the same seed would give other pictures, so that old and new clips never mix in one set."""

ANNOTATIONS = pa.schema([*CLIPS, ("events", pa.list_(EVENT))])


def write_clip_set(
    root: Path,
    *,
    label_set: str = "mafw",
    train: int = 1500,
    validation: int = 110,
    test: int = 440,
    seed: int = 0,
    size: int = 128,
    micro_share: float = 0.4,
    level: Level = "moderate",
    workers: int | None = None,
    scenes: SceneSettings | None = None,
    aligned: bool = True,
    style: str | None = None,
    grade: GradeName = "mixed",
) -> None:
    """Render the clips of `plan_clips` under `root`; finished clips are kept, and all is a pure function of the seed.

    With `scenes` each clip is filmed in a scene besides; without `aligned` only there. Raises ValueError when `root`
    holds a set that was written with other arguments, and for an unknown style.
    """
    counts = {"train": train, "validation": validation, "test": test}
    settings: dict[str, Any] = {"label_set": label_set, **counts, "seed": seed, "size": size}
    settings |= {"micro_share": micro_share, "level": level, "renderer": RENDERER}
    strengths = (MICRO_STRENGTH, MACRO_STRENGTH)
    draw: Callable[[list[ClipPlan]], int] = partial(_render_batch, root=root, size=size, level=level)
    if style is not None:
        if scenes is not None:
            raise ValueError(
                f"style {style!r} with scenes: scenes are filmed in the classic style alone; drop one of them"
            )
        styles = KNOWN if style == "known" else (known_style(style),)
        settings |= {"style": style, "grade": grade, "style_renderer": STYLE_RENDERER}
        strengths = STRENGTHS
        draw = partial(draw_batch, root=root, size=size, styles=styles, grade=grade)
    if label_set in OBJECT_SETS:
        if style is not None or scenes is not None:
            raise ValueError(f"label set {label_set!r}: objects are drawn in no style and no scene; drop the two")
        settings |= {"object_renderer": OBJECT_RENDERER}
        draw = partial(draw_objects, root=root, size=size)
    plans = plan_clips(label_set_name=label_set, **counts, seed=seed, micro_share=micro_share, strengths=strengths)
    _claim(root, settings, "clip_set.json", "videos")
    if aligned:
        todo = [plan for plan in plans if not (root / plan.clip.path).exists()]
        for folder in ("videos", "truth"):
            (root / folder).mkdir(exist_ok=True)
        _render("render", root, todo, draw, workers)
    if scenes is not None:
        filmed = {**settings, **asdict(scenes), "scene_renderer": SCENE_RENDERER}
        _claim(root, filmed, "scene_set.json", SCENES)
        for folder in (SCENES, SCENE_TRUTH):
            (root / folder).mkdir(exist_ok=True)
        todo = [plan for plan in plans if not scene_path(root, plan.clip_id).exists()]
        _render("film scenes", root, todo, partial(film_batch, root=root, settings=scenes, level=level), workers)
    write_table(annotation_table(plans, label_set), root / "annotations.parquet")


def _render(
    said: str, root: Path, todo: list[ClipPlan], work: Callable[[list[ClipPlan]], int], workers: int | None
) -> None:
    """Spread clips over processes, those of one person in one batch: a person is painted once."""
    todo.sort(key=attrgetter("subject"))
    batches = [list(group) for _, group in groupby(todo, key=attrgetter("subject"))]
    with (
        spread(workers if workers is not None else len(os.sched_getaffinity(0)), len(batches)) as run,
        track(said, len(todo)) as advance,
    ):
        for batch, done in zip(batches, run(work, batches)):
            if isinstance(done, Died):
                raise RuntimeError(
                    f"{root}: the process that rendered {batch[0].subject} {done.reason}; run again to go on"
                )
            advance(done)


def annotation_table(plans: list[ClipPlan], label_set: str) -> pa.Table:
    """The annotation of planned clips: the columns of records.CLIPS and `events`; the metadata name the label set."""
    table = to_table((plan.clip for plan in plans), ClipRecord, {"label_set": label_set})
    events = [[asdict(event) for event in plan.events] for plan in plans]
    column = pa.array(events, pa.list_(EVENT))
    return table.append_column("events", column).cast(ANNOTATIONS.with_metadata(table.schema.metadata))


def render_clip(
    plan: ClipPlan, size: int, level: Level = "moderate"
) -> tuple[Performance, Iterator[NDArray[np.uint8]]]:
    """What happens in a planned clip, and its frames: (size, size, 3) uint8 RGB each."""
    performance = perform(plan.script, level, np.random.default_rng([plan.seed, 1]))
    sensor = Sensor(size, performance.noise, np.random.default_rng([plan.seed, 2]))
    face = _face(plan.person_seed, plan.subject, size)
    shots = zip(performance.units, performance.poses, performance.lights)
    return performance, (sensor(face.render(units, pose, light)) for units, pose, light in shots)


def _claim(root: Path, settings: dict[str, Any], name: str, folder: str) -> None:
    note, settings = root / name, json.loads(json.dumps(settings))
    if note.exists():
        found = read_object(note, "render the clip set again into an empty folder")
        other = [
            f"{key} {found.get(key)!r}, now {settings.get(key)!r}"
            for key in {**settings, **found}
            if found.get(key) != settings.get(key)
        ]
        if other:
            raise ValueError(
                f"{note}: this set was written with {'; '.join(other)}; use those arguments or another folder"
            )
        return
    if (root / folder).exists() or ((root / "annotations.parquet").exists() and name == "clip_set.json"):
        raise ValueError(f"{root}: holds clips but no {name}, so they are not ours to resume; use an empty folder")
    write_json(settings, note)


def _render_batch(plans: list[ClipPlan], *, root: Path, size: int, level: Level) -> int:
    for plan in plans:
        performance, frames = render_clip(plan, size, level)
        write_truth(root, plan, performance.units, performance.time_s, performance.poses)
        # The video lands last: a video that exists always has its truth beside it.
        with replacing(root / plan.clip.path) as temporary:
            write_mp4(frames, temporary, size, FPS)
    return len(plans)


@lru_cache(maxsize=4)
def _face(person_seed: int, name: str, size: int) -> Face:
    return Face(sample_identity(np.random.default_rng(person_seed), name), size)


def main() -> None:
    """Write a set from the command line."""
    parser = argparse.ArgumentParser(
        description="Draw a synthetic clip set: aligned faces, and with --scenes the same clips filmed in scenes."
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--label-set", default="mafw", choices=("mafw", "dfew", *DRAWN_SETS))
    for name, clips in (("train", 1500), ("validation", 110), ("test", 440)):
        parser.add_argument(f"--{name}", type=int, default=clips, metavar="CLIPS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--level", default="moderate", choices=("none", "moderate", "hard"), help="disturbances")
    parser.add_argument(
        "--style", choices=("known", *STYLES), help="another manner of drawing; known: all but the last"
    )
    parser.add_argument("--grade", default="mixed", choices=GRADES, help="disturbances of styled clips")
    parser.add_argument("--scenes", type=int, metavar="WIDTH", help="film scenes too, so many pixels wide (960)")
    parser.add_argument("--only-scenes", action="store_true", help="leave the aligned clips out")
    parser.add_argument("--workers", type=int, help="processes; one a core by default")
    given = vars(parser.parse_args())
    width, only = given.pop("scenes"), given.pop("only_scenes")
    if only and width is None:
        parser.error("--only-scenes needs --scenes WIDTH")
    scenes = SceneSettings(width=width) if width is not None else None
    write_clip_set(given.pop("root"), **given, scenes=scenes, aligned=not only)


if __name__ == "__main__":
    main()
