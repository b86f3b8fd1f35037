"""`emotrain diagnose RECIPE --adapter A --out E`: every diagnosis of a model, as figures, as JSON and in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json, write_text
from emotrain.evaluation.diagnostics.attention import attention_share
from emotrain.evaluation.diagnostics.durations import by_duration
from emotrain.evaluation.diagnostics.frame_counts import by_frame_count
from emotrain.evaluation.diagnostics.orders import by_option_order
from emotrain.evaluation.diagnostics.page import in_words
from emotrain.evaluation.diagnostics.picture import write_picture
from emotrain.evaluation.diagnostics.prior import label_prior
from emotrain.evaluation.scorer import load_scorer, score_split
from emotrain.examples.examples import Examples
from emotrain.examples.manifests import usable_clips
from emotrain.examples.prepared import check_prepared
from emotrain.modeling.adapters import adapter_folder
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip
from emotrain.stable_hash import stable_hash

CLIPS = 200
NAME = "diagnose"


def diagnose(
    recipe: Recipe, out: Path, adapter: str | None = None, *, clips: int = CLIPS, words: Path | None = None
) -> Path:
    """Write diagnose.json, diagnose.md and diagnose.{png,svg} into `out` and return the page.

    `adapter` is a folder or Hub id, None for the base model as it stands. Clips are `clips` of the recipe's split, as
    many of each label as there are. `words` is a CSV of word frequencies instead of the shipped one. Nothing here is
    for choosing a model: that is what the validation part is for (`--split validation` diagnoses on it).
    """
    if clips < 1:
        raise ValueError(f"--clips {clips}: at least one clip is needed")
    check_prepared(recipe)
    usable = usable_clips(recipe, recipe.evaluation.split)[0]  # type: ignore[arg-type]
    if not usable:
        raise ValueError(f"{recipe.data.data}: no usable clip in split {recipe.evaluation.split!r}")
    chosen = some_of_each(usable, clips)
    scorer = load_scorer(recipe, None if adapter is None else adapter_folder(adapter))
    logits = score_split(recipe, scorer, chosen)
    examples = Examples(recipe.data, recipe.context, scorer.labels.labels, scorer.processor.tokenizer)
    found: dict[str, Any] = {
        "arm": recipe.evaluation.arm,
        "adapter": adapter,
        "split": recipe.evaluation.split,
        "clips": len(chosen),
        "label_prior": label_prior(recipe, scorer, words),
        "by_frame_count": by_frame_count(recipe, scorer, chosen) if examples.prompt.images else None,
        "keyframes": recipe.data.keyframes,
        "keyframe_policy": recipe.data.keyframe_policy,
        "by_duration": by_duration(examples, chosen, logits),
        "option_order": by_option_order(recipe, scorer, chosen),
        "attention": attention_share(recipe, scorer, chosen),
    }
    write_json(found, out / f"{NAME}.json")
    write_picture(found, out / NAME)
    write_text(in_words(found), out / f"{NAME}.md")
    recipe.save(out)
    return out / f"{NAME}.md"


def some_of_each(clips: Sequence[Clip], count: int) -> list[Clip]:
    """`count` clips, one of each label in turn, all of them when there are fewer; which ones hangs on the ids alone."""
    by_label: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: stable_hash(clip.clip_id)):
        by_label[clip.label].append(clip)
    rounds = [
        clips_of[place]
        for place in range(max(map(len, by_label.values())))
        for _, clips_of in sorted(by_label.items())
        if place < len(clips_of)
    ]
    return rounds[:count]
