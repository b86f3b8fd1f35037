"""A manifest is walked as the trainer walks it, and the longest batch is found."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.manifest import Manifest, build_manifest
from emotrain.planning.batches import walk
from emotrain.planning.classes import class_rows
from emotrain.planning.flops import ClipTokens
from emotrain.records import Clip
from emotrain.training.steps import steps_of

CLIPS = [Clip(f"clip{i:03d}", "", "anger" if i % 5 else "fear") for i in range(60)]
LENGTHS = dict(zip([clip.clip_id for clip in CLIPS], np.random.default_rng(1).integers(50, 400, 60).tolist()))
TOKENS = {clip_id: ClipTokens(length, 0, 5, 6, ()) for clip_id, length in LENGTHS.items()}


def manifest(size: int = 50) -> Manifest:
    return build_manifest(CLIPS, DrawSettings("class_balanced", epochs=2, seed=3, epoch_size=size))


@pytest.mark.parametrize("gpus", [1, 2])
def test_the_worst_batch_and_the_padding_are_those_of_the_draws(gpus: int) -> None:
    drawn = manifest()
    lengths = [LENGTHS[draw.clip_id] for draw in drawn.draws]
    each = 8 * 2 * gpus
    usable = 100 // each * each
    chunks = np.asarray(lengths[:usable]).reshape(-1, 8)
    found = walk(drawn, TOKENS, lambda clip, padded: padded, batch=8, accumulation=2, gpus=gpus)
    assert found.longest == chunks.max()
    assert LENGTHS[found.clip_id] == found.longest
    assert found.clip_id in [draw.clip_id for draw in drawn.draws[found.at : found.at + 8]]
    assert found.flops == 8 * chunks.max(axis=1).sum(), "every clip costs what its batch is padded to"
    assert found.padding == pytest.approx(1 - chunks.sum() / (8 * chunks.max(axis=1).sum()))
    assert found.optimizer_steps == 100 // each


@pytest.mark.parametrize(("draws", "max_steps", "steps"), [(50, -1, 6), (50, 4, 4), (5, -1, None), (50, 7, None)])
def test_the_steps_are_those_that_training_makes_or_refuses(draws: int, max_steps: int, steps: int | None) -> None:
    def planned() -> int:
        drawn = manifest(draws)  # in each of two epochs
        cost = {"batch": 4, "accumulation": 4, "gpus": 1, "max_steps": max_steps}
        found = walk(drawn, TOKENS, lambda clip, padded: 1.0, **cost)
        assert found.count == 4 * found.optimizer_steps
        return found.optimizer_steps

    if steps is not None:
        assert planned() == steps_of(2 * draws, 16, max_steps) == steps
    else:
        for refused in (planned, lambda: steps_of(2 * draws, 16, max_steps)):
            with pytest.raises(ValueError, match=r"do not fill one step|max_steps: 7, but the manifest has 6 steps"):
                refused()


def test_too_few_draws_and_a_clip_without_a_prompt_say_so() -> None:
    with pytest.raises(ValueError, match="do not fill one step"):
        walk(manifest(), TOKENS, lambda clip, padded: 1.0, batch=101, accumulation=1, gpus=1)
    some = {clip_id: tokens for clip_id, tokens in TOKENS.items() if clip_id != manifest().draws[0].clip_id}
    with pytest.raises(ValueError, match="has no frames"):
        walk(manifest(), some, lambda clip, padded: 1.0, batch=4, accumulation=1, gpus=1)


def test_class_rows_are_the_manifest_counted() -> None:
    drawn = manifest()
    rows = {row.label: row for row in class_rows(drawn, {"calm": 0, "fear": 12, "anger": 48})}
    assert list(rows) == ["anger", "fear", "calm"], "most frequent first, and a label without clips is still one"
    empty = rows.pop("calm")
    assert (empty.group, empty.drawn_share, empty.draws_per_clip, empty.distinct) == ("tail", 0.0, 0.0, (0, 0))
    for label, row in rows.items():
        draws = [draw for draw in drawn.draws if draw.label == label]
        assert row.clips == sum(clip.label == label for clip in CLIPS)
        assert row.drawn_share == len(draws) / 100
        assert row.draws_per_clip == len(draws) / 2 / row.clips
        assert row.distinct == tuple(len({d.clip_id for d in draws if d.epoch == epoch}) for epoch in range(2))
    # Among three labels fear has 12 * 3 / 60 = 0.6 of a uniform share; among two it would be the tail.
    assert (rows["fear"].group, rows["anger"].group) == ("medium", "head")
