"""The class histogram of a plan: natural counts, what the sampling makes of them, distinct clips a class and epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from emotrain.balance.manifest import Manifest, build_manifest, check_against
from emotrain.emotions import Group, frequency_groups
from emotrain.examples.manifests import manifest_path, stored_manifest
from emotrain.planning.clips import KnownClips
from emotrain.recipe.recipe import Recipe


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
    if manifest_path(recipe).is_file():
        manifest = stored_manifest(recipe)
        check_against(manifest, known.train)
        return manifest, ()
    if not known.train:
        return None, ()
    settings = recipe.balance.draw_settings()
    said: tuple[str, ...] = ()
    if settings.group_by is not None and not known.prepared:
        said = (f"sampling: group_by: {settings.group_by} is left out, for groups are known to the index only",)
        settings = replace(settings, group_by=None, group_cap=None)
    return build_manifest(known.train, settings), said


def class_rows(manifest: Manifest, counts: Mapping[str, int]) -> tuple[ClassRow, ...]:
    """One row a label, most frequent first; `counts` are the training clips of every label of the set, none left out.

    Head, medium and tail are then those of training and of the report. A label is the clip's own, whatever a clip with
    several counts as when it is drawn.
    """
    draws = Counter(draw.label for draw in manifest.draws)
    epochs = [manifest.epoch(epoch) for epoch in range(manifest.epochs)]
    distinct = [Counter(label for _, label in {(draw.clip_id, draw.label) for draw in epoch}) for epoch in epochs]
    groups = frequency_groups(counts)
    clips, total = sum(counts.values()), len(manifest.draws)
    rows = [
        ClassRow(
            label=label,
            clips=count,
            group=groups[label],
            natural_share=count / clips,
            drawn_share=draws[label] / total,
            draws_per_clip=draws[label] / manifest.epochs / count if count else 0.0,
            distinct=tuple(seen[label] for seen in distinct),
        )
        for label, count in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.clips, row.label)))
