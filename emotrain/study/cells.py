"""The grid of a study: one cell for every arm, fold and seed, each with folders of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import yaml

from emotrain.balance.score_prior import leaves_a_prior
from emotrain.recipe.arguments import DataArguments
from emotrain.recipe.recipe import RecipeError, load_recipe
from emotrain.study.arms import Arm
from emotrain.study.settings import Study, StudyArm, StudyError, slug
from emotrain.video.frame_settings import FrameSettings


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a study: an arm on a fold with a seed; `run` has its recipe, parsed once for all that follows."""

    arm: StudyArm
    fold: int | None
    seed: int
    run: Arm


def cells(study: Study) -> list[Cell]:
    """Every cell of the grid, in a fixed order: seeds within folds within arms.

    Parses a recipe for each; raises StudyError that names the faults of all, with the arms that have them.
    """
    every: list[Cell] = []
    arms_of: dict[str, list[str]] = {}
    for arm in study.arms:
        try:
            mine = [_cell(study, arm, fold, seed) for fold in study.folds for seed in study.seeds]
            _check_posthoc(mine[0])
            every += mine
        except RecipeError as error:
            message = str(error)
            for fault in message.split("\n  - ")[1:] or [message]:
                arms_of.setdefault(fault, []).append(arm.name)
    if arms_of:
        faults = "".join(f"\n  - {_said_of(names, study)}: {fault}" for fault, names in arms_of.items())
        raise StudyError(f"{study.path}: {len(arms_of)} fault(s) in {study.recipe} with the keys of the arms{faults}")
    return every


def _check_posthoc(cell: Cell) -> None:
    """Raise RecipeError when the arm takes the prior of training off scores that do not carry it."""
    recipe, arm = cell.run.recipe, cell.arm
    if recipe.evaluation.posthoc != "training_prior":
        return
    trained = arm.trained or arm.adapter_of is not None
    if trained and leaves_a_prior(recipe.balance.loss_settings(), recipe.balance.draw_settings()):
        return
    why = (
        f"sampling: {recipe.balance.sampling} with loss: {recipe.balance.loss} and class_weights: "
        f"{recipe.balance.class_weights} leaves none in the scores"
        if trained
        else "the arm is not trained (posthoc: own_prior takes off the base's own)"
    )
    raise RecipeError(f"posthoc: training_prior takes off the prior of training, and {why}; remove it")


def _said_of(names: Sequence[str], study: Study) -> str:
    return "every arm" if len(names) == len(study.arms) else f"arms: {', '.join(names)}"


def group_count(study: Study) -> int:
    """How many `groups` the cells of a study make, told without parsing a recipe."""
    sources = {arm.adapter_of or arm.name for arm in study.arms}
    return len(sources) * len(study.folds) * len(study.seeds)


def groups(every: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that must run one after the other: a trained cell first, then those that are scored with its adapter.

    The groups are independent of one another; an array job takes one, or several, a task.
    """
    by_source: dict[tuple[str, int | None, int], list[Cell]] = {}
    ordered = sorted(every, key=lambda cell: cell.arm.adapter_of is not None)
    for cell in ordered:
        by_source.setdefault((cell.arm.adapter_of or cell.arm.name, cell.fold, cell.seed), []).append(cell)
    return list(by_source.values())


def _cell(study: Study, arm: StudyArm, fold: int | None, seed: int) -> Cell:
    place = "-".join(([] if fold is None else [f"fold{fold}"]) + [f"seed{seed}"])
    folder = study.out / "arms" / slug(arm.name) / place
    keys = {**study.keys, **arm.keys, "seed": seed, "sampling_seed": seed}
    if fold is not None:
        keys["fold"] = fold
    if study.clips is not None:
        keys["root"] = str(study.out / "clips")
    keys |= {"arm": arm.name, "output_dir": str(folder / "adapter")}
    recipe = load_recipe(study.recipe, _words(keys))
    # Which frames an arm needs is known once its recipe is parsed; parsing it again would double the time.
    form = "" if recipe.data.media is None else f"_{slug(recipe.data.media)}"
    faces, usual = recipe.data.face_settings(), DataArguments(decoder=recipe.data.decoder).face_settings()
    form += "" if faces == usual else f"_faces-{faces.fingerprint()}"
    data = str(study.out / "data" / (frames_name(recipe.data.frame_settings()) + form))
    recipe = replace(recipe, data=replace(recipe.data, data=data), values={**recipe.values, "data": data})
    run = Arm(
        recipe,
        overrides=tuple(_words({**keys, "data": data})),
        scores=folder / "scores",
        trained=arm.trained,
        adapter=None if arm.adapter_of is None else study.out / "arms" / slug(arm.adapter_of) / place / "adapter",
        baseline=arm.baseline,
        server=arm.server,
    )
    return Cell(arm, fold, seed, run)


def frames_name(settings: FrameSettings) -> str:
    """Folder of the data that these frames are prepared in: arms with other frames must not share one."""
    usual = DataArguments().frame_settings()
    more = [
        f"_{f.name}-{slug(str(getattr(settings, f.name)))}"
        for f in fields(settings)
        if f.name not in ("policy", "keyframes", "size") and getattr(settings, f.name) != getattr(usual, f.name)
    ]
    return f"{slug(settings.policy)}-{settings.keyframes}x{settings.size}" + "".join(more)


def yaml_word(value: object) -> str:
    """A value as one word of a command line, which is read back as YAML."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).removesuffix("\n...\n").strip()
    )


def _words(keys: Mapping[str, object]) -> list[str]:
    """Recipe keys as the words of a command line."""
    return [word for key, value in keys.items() for word in (f"--{key}", yaml_word(value))]
