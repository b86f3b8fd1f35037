"""`emotrain train RECIPE`: frames, summaries, manifest, base model in; adapter, trainer state, resolved recipe out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emotrain.balance.losses import build_loss
from emotrain.balance.manifest import Manifest, check_against, read_manifest
from emotrain.emotions import display_names, label_set
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.records import Draw
from emotrain.shards import write_json
from emotrain.training.checkpoints import (
    PROVENANCE,
    CarryProvenance,
    check_goes_on,
    check_same_run,
    is_finished,
    last_checkpoint,
    provenance_of,
)
from emotrain.training.examples import Collator, Examples
from emotrain.training.input_contract import CarryContract, input_contract
from emotrain.training.live import LiveLine, WriteProgress
from emotrain.training.manifests import manifest_path, usable_clips
from emotrain.training.ownership import owned_by_first
from emotrain.training.preemption import StopWhenAsked, end_if_stopped
from emotrain.training.prepared import check_prepared
from emotrain.training.recipe import Recipe
from emotrain.training.validation import check_choice, early_stopping, validation
from emotrain.training.world import CheckSharding, check_processes, from_first, processes, running_world


def train(recipe: Recipe, callbacks: Sequence[Any] = ()) -> Path:
    """Train the adapter that the recipe describes and return its folder; `callbacks` come after the run's own.

    Goes on from the newest complete checkpoint in `output_dir`; a finished run is left as it is. Raises ValueError when
    `output_dir` holds another run or another process writes there, when the frames on disk are not those that the
    recipe names, or when the processes and the strategy are not those that were asked for (see world.py),
    FloatingPointError when the loss is not finite, and TrainingStopped when a signal or a stop file asked for a stop
    (see preemption.py).
    """
    output = Path(recipe.sft.output_dir)
    check_prepared(recipe)
    check_processes(processes(), recipe.sft.n_gpu)
    manifest = _manifest(recipe)
    provenance = provenance_of(recipe, manifest.digest, clips_per_step(recipe))
    check_same_run(output, recipe, provenance)
    if from_first(is_finished(output)):
        return output
    check_device(recipe)
    check_choice(recipe)
    with owned_by_first(output):
        return _train(recipe, manifest, provenance, output, callbacks)


def _train(
    recipe: Recipe, manifest: Manifest, provenance: dict[str, Any], output: Path, callbacks: Sequence[Any]
) -> Path:
    trainer = build_trainer(recipe, manifest)
    world = running_world(trainer.accelerator)
    provenance["world"] = asdict(world)
    checkpoint = from_first(last_checkpoint(output))
    if checkpoint is not None:
        check_goes_on(checkpoint, world)
    contract = input_contract(recipe, manifest.label_counts(label_set(recipe.data.label_set).labels))
    trainer.add_callback(CarryContract(contract))
    stop = StopWhenAsked()
    for callback in (
        *early_stopping(recipe),
        stop,
        CheckSharding(world, provenance),
        CarryProvenance(recipe, provenance),
        WriteProgress(),
        LiveLine(clips_per_step(recipe)),
        *callbacks,
    ):
        trainer.add_callback(callback)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    end_if_stopped(trainer, stop)
    trainer.save_model()
    trainer.save_state()
    if trainer.is_world_process_zero():
        recipe.save(output)
        contract.save(output)
        write_json(provenance, output / PROVENANCE)
    return output


def clips_per_step(recipe: Recipe) -> int:
    """Clips of one optimiser step over all processes and micro-batches."""
    return int(recipe.sft.per_device_train_batch_size * recipe.sft.gradient_accumulation_steps * processes())


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
    from transformers import set_seed

    from emotrain.training.trainer import LabelTrainer

    set_seed(recipe.sft.seed)  # the adapter's first weights are random
    model, processor = load_base(recipe)
    names = label_set(recipe.data.label_set).labels
    labels = processor_labels(processor, names, display_names(names, recipe.context.language))
    collator = Collator(Examples(recipe.data, recipe.context, names), processor)
    draws = draws_dataset(recipe, manifest)
    return LabelTrainer(
        labels=labels,
        # Counts as drawn: a prior that the sampler has already removed must not be removed again by the loss.
        label_loss=build_loss(recipe.balance.loss_settings(), manifest.label_counts(names)),
        objective=recipe.balance.objective,
        validate=validation(recipe, collator, labels),
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


def draws_dataset(recipe: Recipe, manifest: Manifest) -> Any:
    """The draws of whole steps in the order of the manifest: clip_id, label, weight, draw (place in it) and epoch.

    Raises ValueError for a manifest that cannot be trained on.
    """
    from datasets import Dataset

    walked = _whole_steps(recipe, manifest)
    return Dataset.from_dict(
        {
            "clip_id": [draw.clip_id for draw in walked],
            "label": [draw.label for draw in walked],
            "weight": [draw.weight for draw in walked],
            "draw": list(range(len(walked))),
            "epoch": [draw.epoch for draw in walked],
        }
    )


def load_base(recipe: Recipe) -> tuple[Any, Any]:
    """The recipe's base model and its processor, every image at `image_size` when the recipe names one."""
    from trl import get_quantization_config

    name, revision = recipe.model.model_name_or_path, recipe.model.model_revision
    if name is None:
        raise ValueError("model_name_or_path: the recipe names no base model; give a Hub id, a folder or `tiny`")
    processor = load_processor(
        name,
        revision=revision,
        image_size=recipe.data.image_size,
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


def _whole_steps(recipe: Recipe, manifest: Manifest) -> Sequence[Draw]:
    """The draws that fill whole steps: what is trained on must not depend on how a step is cut up.

    Raises ValueError for a manifest without a whole step, with a weight that is not positive, or with fewer steps than
    `max_steps`.
    """
    each = clips_per_step(recipe)
    steps = len(manifest.draws) // each
    if steps == 0:
        raise ValueError(
            f"{manifest_path(recipe)}: {len(manifest.draws)} draws do not fill one step of {each} clips; lower "
            "per_device_train_batch_size or gradient_accumulation_steps, or raise epochs"
        )
    if recipe.sft.max_steps > steps:
        raise ValueError(
            f"max_steps: {recipe.sft.max_steps}, but the manifest has {steps} steps of {each} clips and is walked "
            "once; raise epochs or lower max_steps"
        )
    walked = manifest.draws[: steps * each]
    for draw in walked:
        if not 0 < draw.weight < math.inf:
            raise ValueError(
                f"{manifest_path(recipe)}: epoch {draw.epoch}, position {draw.position}: clip {draw.clip_id!r} has the "
                f"weight {draw.weight}; expected a positive number, so rebuild the manifest"
            )
    return walked
