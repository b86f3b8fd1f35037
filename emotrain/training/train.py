"""`emotrain train RECIPE`: frames, summaries, manifest, base model in; adapter, trainer state, resolved recipe out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.balance.losses import build_loss
from emotrain.balance.manifest import Manifest, check_against, read_manifest
from emotrain.emotions import frequency_groups, label_set
from emotrain.modeling.label_tokens import LabelTokens, processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.records import Prediction
from emotrain.shards import write_json
from emotrain.training.checkpoints import (
    PROVENANCE,
    CarryProvenance,
    check_same_run,
    is_finished,
    last_checkpoint,
    provenance_of,
)
from emotrain.training.examples import Collator, Examples
from emotrain.training.live import WriteProgress
from emotrain.training.manifests import manifest_path, train_counts, usable_clips
from emotrain.training.prepared import check_prepared
from emotrain.training.recipe import Recipe
from emotrain.training.scoring import score_clips


def train(recipe: Recipe) -> Path:
    """Train the adapter that the recipe describes and return its folder.

    Goes on from the newest complete checkpoint in `output_dir`; a finished run is left as it is. Raises ValueError when
    `output_dir` holds another run, or when the frames on disk are not those that the recipe names.
    """
    output = Path(recipe.sft.output_dir)
    check_prepared(recipe)
    manifest = _manifest(recipe)
    provenance = provenance_of(recipe, manifest.digest)
    check_same_run(output, recipe, provenance)
    if is_finished(output):
        return output
    check_device(recipe)
    trainer = build_trainer(recipe, manifest)
    trainer.add_callback(CarryProvenance(recipe, provenance))
    trainer.add_callback(WriteProgress())
    checkpoint = last_checkpoint(output)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.save_model()
    trainer.save_state()
    if trainer.is_world_process_zero():
        recipe.save(output)
        write_json(provenance, output / PROVENANCE)
    return output


def check_device(recipe: Recipe) -> None:
    """Raise ValueError when the recipe expects a GPU and none is visible: nobody wants to find out after a night."""
    import torch

    if not recipe.sft.use_cpu and not torch.cuda.is_available():
        raise ValueError(
            "the recipe trains on a GPU and none is visible here; run it where `nvidia-smi` lists one, or add "
            "`use_cpu: true` to train on the CPU"
        )


def build_trainer(recipe: Recipe, manifest: Manifest) -> Any:
    """The trainer of a recipe, ready to run."""
    from datasets import Dataset
    from transformers import set_seed

    from emotrain.training.trainer import LabelTrainer

    set_seed(recipe.sft.seed)  # the adapter's first weights are random
    model, processor = load_base(recipe)
    names = label_set(recipe.data.label_set).labels
    labels = processor_labels(processor, names)
    collator = Collator(Examples(recipe.data, recipe.context, names), processor)
    draws = Dataset.from_dict(
        {
            "clip_id": [draw.clip_id for draw in manifest.draws],
            "label": [draw.label for draw in manifest.draws],
            "weight": [draw.weight for draw in manifest.draws],
        }
    )
    return LabelTrainer(
        labels=labels,
        # Counts as drawn: a prior that the sampler has already removed must not be removed again by the loss.
        label_loss=build_loss(recipe.balance.loss_settings(), manifest.label_counts(names)),
        objective=recipe.balance.objective,
        validate=_validation(recipe, collator, labels),
        model=model,
        args=recipe.sft,
        train_dataset=draws,
        eval_dataset=draws.select([]) if recipe.sft.eval_strategy != "no" else None,
        data_collator=collator,
        processing_class=processor,
        peft_config=lora_config(
            model,
            recipe.model.lora_r,
            recipe.model.lora_alpha,
            recipe.model.lora_dropout,
            rslora=recipe.model.use_rslora,
            dora=recipe.model.use_dora,
            target_modules=recipe.model.lora_target_modules,
        ),
    )


def load_base(recipe: Recipe) -> tuple[Any, Any]:
    """The recipe's base model and its processor, every image at `image_size` when the recipe names one."""
    from trl import get_quantization_config

    name, revision = recipe.model.model_name_or_path, recipe.model.model_revision
    if name is None:
        raise ValueError("model_name_or_path: the recipe names no base model; give a Hub id, a folder or `tiny`")
    area = None if recipe.data.image_size is None else recipe.data.image_size**2
    processor = load_processor(
        name,
        revision=revision,
        min_pixels=area,
        max_pixels=area,
        trust_remote_code=recipe.sft.trust_remote_code,
    )
    model = load_model(
        name,
        recipe.model.dtype or "auto",
        revision=revision,
        attn_implementation=recipe.model.attn_implementation,
        quantization_config=get_quantization_config(recipe.model),
        trust_remote_code=recipe.sft.trust_remote_code,
    )
    return model, processor


def _manifest(recipe: Recipe) -> Manifest:
    manifest = read_manifest(manifest_path(recipe))
    check_against(manifest, usable_clips(recipe, "train")[0])
    return manifest


def _validation(recipe: Recipe, collator: Collator, labels: LabelTokens) -> Any:
    clips, _ = usable_clips(recipe, "validation")
    if not clips:
        return None
    groups = frequency_groups(train_counts(recipe))

    def validate(model: Any) -> Mapping[str, float]:
        from accelerate import PartialState
        from accelerate.utils import gather_object

        from emotrain.metrics import scores
        from emotrain.metrics.predictions import PredictionTable

        state = PartialState()
        mine = clips[state.process_index :: state.num_processes]
        logits = score_clips(
            model,
            [clip.clip_id for clip in mine],
            collator,
            labels,
            batch_size=recipe.sft.per_device_eval_batch_size,
        )
        rows = [
            Prediction(clip.clip_id, clip.test_fold, clip.label, labels.labels[int(np.argmax(z))], tuple(z.tolist()))
            for clip, z in zip(mine, logits)
        ]
        table = PredictionTable(labels.labels, tuple(gather_object(rows)))
        figures = scores.statistics(scores.table_confusion(table), table.labels, groups)
        return {name: float(value) for name, value in figures.items()}

    return validate
