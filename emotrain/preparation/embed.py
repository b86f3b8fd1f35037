"""The embeddings stage: keyframes in, what the frozen vision side makes of them out, once for all epochs and runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.clip_errors import ClipError, LeftOutBefore
from emotrain.datasets.clips import CLIPS_FILE, ClipIndex
from emotrain.emotions import label_set
from emotrain.examples.base_model import check_device, load_base
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.vision_embeddings import SCHEMA, SETTINGS, embedding_settings, embeddings_folder, row_of
from emotrain.modeling.image_features import image_features
from emotrain.modeling.prompt_layout import layout_of
from emotrain.recipe.arguments import ContextArguments
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip
from emotrain.stages.clip_parts import Quarantined
from emotrain.stages.report import StageReport
from emotrain.stages.run_shards import run_shards


def embed_keyframes(recipe: Recipe, *, only: tuple[int, int] | None = None, max_bad_share: float = 0.01) -> StageReport:
    """Write the features of every clip's keyframes; finished parts are kept, and no model is loaded for them.

    Without `only`, processes of `accelerate launch` share the shards. Raises ValueError when the recipe needs a GPU and
    none is visible, TooManyBadClips past `max_bad_share`.
    """
    settings = embedding_settings(recipe)
    out = embeddings_folder(recipe, settings)
    clips = ClipIndex(Path(recipe.data.data) / CLIPS_FILE)
    write_json(settings, out / SETTINGS)
    work = EmbedClip(recipe)
    return run_shards(
        "embeddings",
        clips,
        lambda part, shard, shards: work,
        SCHEMA,
        out,
        shards=recipe.data.prep_shards,
        only=only,
        max_bad_share=max_bad_share,
    )


@dataclass(slots=True)
class EmbedClip:
    """The stage's work on one clip, in this process; the model is loaded for the first."""

    recipe: Recipe
    _loaded: tuple[Any, Collator] | None = None

    def __call__(self, clip: Clip) -> list[dict[str, Any]]:
        model, collator = self._load()
        try:
            frames = collator.examples.keyframes(clip.clip_id)
        except Quarantined as error:
            raise LeftOutBefore(str(error.args[0])) from error
        except KeyError as error:
            raise ClipError(f"no keyframes to embed: {error.args[0]}") from error
        return [row_of(clip.clip_id, frames, image_features(model, collator.inputs([clip.clip_id])))]

    def _load(self) -> tuple[Any, Collator]:
        if self._loaded is None:
            check_device(self.recipe)
            model, processor = load_base(self.recipe)
            if not self.recipe.sft.use_cpu:
                from accelerate import PartialState

                model = model.to(PartialState().device)
            wordless = ContextArguments(context="none")  # features do not depend on words
            names = label_set(self.recipe.data.label_set).labels
            self._loaded = (
                model,
                Collator(Examples(self.recipe.data, wordless, names), processor, layout=layout_of(model)),
            )
        return self._loaded
