"""The class histogram of a plan: natural counts, what the sampling makes of them, distinct clips a class and epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emotrain.balance.manifest import Manifest, build_manifest, check_against, read_manifest
from emotrain.emotions import Group, frequency_groups
from emotrain.planning.clips import KnownClips
from emotrain.training.manifests import drawing, manifest_path
from emotrain.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: training clips, its natural and drawn share, and how many distinct clips each epoch sees."""

    label: str
    clips: int
    group: Group
    natural_share: float
    drawn_share: float
    draws_per_clip: float
    distinct: tuple[int, ...]


def plan_manifest(recipe: Recipe, known: KnownClips) -> tuple[Manifest | None, tuple[str, ...]]:
    """The manifest on disk, else the one that `emotrain prep` would draw; with what had to be assumed."""
    path = manifest_path(recipe)
    if path.is_file():
        manifest = read_manifest(path)
        check_against(manifest, known.train)
        return manifest, ()
    if not known.train:
        return None, ()
    settings = drawing(recipe)
    said: tuple[str, ...] = ()
    if settings["group_by"] is not None and not known.prepared:
        said = (f"sampling: group_by: {settings['group_by']} is left out, for groups are known to the index only",)
        settings = settings | {"group_by": None, "group_cap": None}
    return build_manifest(known.train, recipe.balance.sampling, **settings), said


def class_rows(manifest: Manifest) -> tuple[ClassRow, ...]:
    """One row a class of the manifest, most frequent first."""
    counts: dict[str, int] = dict(manifest.header["clips_per_class"])
    draws: dict[str, Sequence[int]] = manifest.header["draws_per_class"]
    distinct: dict[str, Sequence[int]] = manifest.header["distinct_clips_per_class"]
    groups = frequency_groups(counts)
    clips, total = sum(counts.values()), len(manifest.draws)
    rows = [
        ClassRow(
            label=label,
            clips=count,
            group=groups[label],
            natural_share=count / clips,
            drawn_share=sum(draws[label]) / total,
            draws_per_clip=sum(draws[label]) / manifest.epochs / count if count else 0.0,
            distinct=tuple(distinct[label]),
        )
        for label, count in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.clips, row.label)))
