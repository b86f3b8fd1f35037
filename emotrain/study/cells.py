"""The grid of a study: one cell for every arm, fold and seed, each with folders of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields

import yaml

from emotrain.study.arms import Arm
from emotrain.study.settings import Study, StudyArm, slug
from emotrain.training.arguments import DataArguments
from emotrain.training.recipe import Recipe, load_recipe
from emotrain.video.frame_settings import FrameSettings


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a study: an arm on a fold with a seed."""

    arm: StudyArm
    fold: int | None
    seed: int
    run: Arm

    def recipe(self) -> Recipe:
        """The recipe that the cell runs."""
        return load_recipe(self.run.recipe, self.run.overrides)


def cells(study: Study) -> list[Cell]:
    """Every cell of the grid, in a fixed order: seeds within folds within arms."""
    return [_cell(study, arm, fold, seed) for arm in study.arms for fold in study.folds for seed in study.seeds]


def groups(study: Study) -> list[list[Cell]]:
    """Cells that must run one after the other: a trained cell first, then those that are scored with its adapter.

    The groups are independent of one another; an array job takes one, or several, a task.
    """
    by_source: dict[tuple[str, int | None, int], list[Cell]] = {}
    ordered = sorted(cells(study), key=lambda cell: cell.arm.adapter_of is not None)
    for cell in ordered:
        by_source.setdefault((cell.arm.adapter_of or cell.arm.name, cell.fold, cell.seed), []).append(cell)
    return list(by_source.values())


def _cell(study: Study, arm: StudyArm, fold: int | None, seed: int) -> Cell:
    place = "-".join(([] if fold is None else [f"fold{fold}"]) + [f"seed{seed}"])
    folder = study.out / "arms" / slug(arm.name) / place
    overrides = _overrides(study, arm, fold, seed)
    source = None if arm.adapter_of is None else study.out / "arms" / slug(arm.adapter_of) / place / "adapter"
    run = Arm(
        name=arm.name,
        recipe=study.recipe,
        overrides=tuple(overrides),
        output=folder / "adapter",
        scores=folder / "scores",
        trained=arm.trained,
        adapter=source,
        baseline=arm.baseline,
    )
    return Cell(arm, fold, seed, run)


def _overrides(study: Study, arm: StudyArm, fold: int | None, seed: int) -> list[str]:
    keys = {**study.keys, **arm.keys, "seed": seed, "sampling_seed": seed}
    if fold is not None:
        keys["fold"] = fold
    if study.clips is not None:
        keys["root"] = str(study.out / "clips")
    words = [word for key, value in keys.items() for word in (f"--{key}", yaml_word(value))]
    data = load_recipe(study.recipe, words).data
    return [*words, "--data", str(study.out / "data" / frames_name(data.frame_settings()))]


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


def shard_of_groups(study: Study, shard: int, shards: int) -> list[list[Cell]]:
    """The groups of one array task: every `shards`-th from `shard` on."""
    return groups(study)[shard::shards]
