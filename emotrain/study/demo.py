"""`emotrain demo`: the whole way on synthetic clips, on a CPU, in minutes.

Renders faces, prepares them, trains four arms of the paper's comparison at equal steps and equal keyframes, scores
them, the controls that cost no training and the untrained base on a class-balanced test part, and writes one report.
Every step skips what is there already, so a second run takes seconds and a killed one goes on.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from rich.console import Console

from emotrain.datasets.clips import read_index
from emotrain.metrics.verdict import Contrast
from emotrain.modeling.tiny_architecture import TOKENS_PER_FRAME
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.recipes_folder import shipped_recipe
from emotrain.study.arms import Arm, run_arms
from emotrain.synthetic.clip_set import write_clip_set

TRAIN, VALIDATION, TEST = 1500, 110, 440
LEAST = 22  # two clips a class
CLIP_SEED = 0
ARMS: tuple[tuple[str, str, bool], ...] = (
    ("sparse + natural", "tiny/sparse_natural.yaml", True),
    ("sparse + balanced", "tiny/sparse_balanced.yaml", True),
    ("enriched + natural", "tiny/enriched_natural.yaml", True),
    ("enriched + balanced", "tiny/enriched_balanced.yaml", True),
    ("zero-shot", "tiny/sparse_natural.yaml", False),
)
"""Name, recipe, trained or not; the first is what the others are compared with. All see the same keyframes."""
FREE = (("less prior", ("--posthoc", "training_prior")), ("crt head", ("--head", "crt")))
"""What is done to the arms of natural draws without another training: the controls of balanced training."""
NATURAL = ("sparse + natural", "enriched + natural")
CONTRASTS = (
    Contrast("sparse + balanced", "enriched + balanced", "micro_accuracy"),
    Contrast("sparse + natural", "sparse + balanced", "tail_f1"),
    Contrast("sparse + natural, less prior", "sparse + balanced", "tail_f1"),
    Contrast("sparse + natural, crt head", "sparse + balanced", "tail_f1"),
    Contrast("enriched + natural, less prior", "enriched + balanced", margin=0.03),
)
"""What the demo tests: do words show what flickers, and what does balanced training add to a threshold?"""


def run_demo(out: Path, *, workers: int | None = None, scale: float = 1.0, split: str = "test") -> Path:
    """Run or finish the demo in `out` and return the path of its report.

    `scale` shrinks clips and epochs together (for a quick look); `split` is the part that is scored: test, or
    validation while something is being chosen.
    """
    from emotrain.evaluation.run_report import report_runs

    console = Console(stderr=True)
    started = time.monotonic()
    cores = workers if workers is not None else len(os.sched_getaffinity(0))
    write_clip_set(
        out / "clips",
        train=max(round(TRAIN * scale), LEAST),
        validation=max(round(VALIDATION * scale), LEAST),
        test=max(round(TEST * scale), LEAST),
        seed=CLIP_SEED,
        workers=cores,
    )
    groups = [_with_free(out, _arm(out, name, recipe, trained, scale, split)) for name, recipe, trained in ARMS]
    arms = [arm for group in groups for arm in group]
    for group in groups:
        prepare(group[0].recipe, workers=cores)
    run_arms(groups, parallel=cores)
    report = report_runs(
        next(arm.recipe for arm in arms if arm.name == "enriched + balanced"),
        {arm.name: arm.scores for arm in arms},
        out / "report",
        title="Balanced training and context enrichment on synthetic faces",
        notes=_notes(arms[0].recipe),
        contrasts=CONTRASTS,
    )
    index = read_index(out / "data")
    console.print(
        f"[bold]{report}[/bold]\n{len(index)} clips in {out / 'clips'}, adapters in {out / 'arms'}; "
        f"{time.monotonic() - started:.0f} s"
    )
    return report


def _notes(recipe: Recipe) -> list[str]:
    """What a reader of the report must know to read it rightly."""
    keyframes = recipe.data.keyframes
    return [
        f"Every arm sees the same {keyframes} keyframes, {keyframes * TOKENS_PER_FRAME} visual tokens a clip, and "
        "takes the same number of steps; enriched arms read the gap summaries besides.",
        "Arms called less prior and crt head are natural arms without another training: their own scores less the log "
        "prior of the draws, and a class-balanced linear classifier on their embeddings.",
        "The test part is class-balanced and holds people that no other part has; WAR therefore equals UAR.",
        "Faces are drawn and the motion summariser was tuned on drawn faces: the figures show that the parts work, not "
        "how well they do on real faces.",
    ]


def _arm(out: Path, name: str, recipe: str, trained: bool, scale: float, split: str) -> Arm:
    folder, file = name.replace(" + ", "_"), shipped_recipe(recipe)
    words = ["--data", str(out / "data"), "--root", str(out / "clips"), "--split", split]
    words += ["--arm", name, "--output_dir", str(out / "arms" / folder)]
    if trained and split == "test":
        words += ["--calibrate", "true"]  # the adapter can then say that it does not know: predict --coverage
    if scale != 1.0:
        words += ["--epochs", str(max(1, round(load_recipe(file).balance.epochs * scale)))]
    return Arm(load_recipe(file, words), tuple(words), out / "scores" / f"{folder}-{split}", trained=trained)


def _with_free(out: Path, arm: Arm) -> list[Arm]:
    """An arm, followed by those that take its adapter and cost no training."""
    if arm.name not in NATURAL:
        return [arm]
    more = []
    for name, words in FREE:
        overrides = (*arm.overrides, "--calibrate", "false", *words, "--arm", f"{arm.name}, {name}")
        scores = arm.scores.with_name(f"{arm.scores.name}-{name.replace(' ', '_')}")
        recipe = load_recipe(arm.recipe.path, overrides)  # type: ignore[arg-type]
        more.append(Arm(recipe, overrides, scores, trained=False, adapter=arm.output))
    return [arm, *more]
