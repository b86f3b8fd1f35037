"""`emotrain train RECIPE`: frames, summaries, manifest, base model in; adapter, trainer state, resolved recipe out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emotrain.balance.losses import build_loss
from emotrain.balance.manifest import Manifest
from emotrain.emotions import display_names, label_set
from emotrain.examples.base_model import load_base
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.input_contract import input_contract
from emotrain.examples.manifests import checked_manifest, prior_of_training, train_counts
from emotrain.examples.prepared import check_prepared
from emotrain.examples.vision_embeddings import check_sight_is_frozen, stored_embeddings
from emotrain.modeling.compiled import compile_blocks
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.lora import lora_config
from emotrain.modeling.prompt_layout import layout_of
from emotrain.recipe.recipe import Recipe
from emotrain.training.run import run
from emotrain.training.steps import draws_dataset
from emotrain.training.validation import validation


def train(recipe: Recipe, callbacks: Sequence[Any] = ()) -> Path:
    """Train the adapter that the recipe describes and return its folder; `callbacks` come after the run's own.

    Goes on from the newest complete checkpoint in `output_dir`; a finished run is left as it is. Raises ValueError when
    the frames on disk are not those that the recipe names, and whatever `run` raises.
    """
    check_prepared(recipe)
    manifest = checked_manifest(recipe)
    contract = input_contract(recipe, prior_of_training(recipe))
    run(recipe, manifest, lambda: build_trainer(recipe, manifest), beside=contract.save, callbacks=callbacks)
    return Path(recipe.sft.output_dir)


def build_trainer(recipe: Recipe, manifest: Manifest) -> Any:
    """The trainer of a recipe, ready to run."""
    from transformers import set_seed

    from emotrain.training.trainer import LabelTrainer

    # The layout of batches compares places and features where they are made; here the device would be asked for it.
    os.environ.setdefault("TRANSFORMERS_DISABLE_TORCH_CHECK", "1")
    set_seed(recipe.sft.seed)  # the adapter's first weights are random
    model, processor = load_base(recipe)
    if recipe.sft.torch_compile:
        compile_blocks(model)
    names = label_set(recipe.data.label_set).labels
    labels = processor_labels(processor, names, display_names(names, recipe.context.language))
    examples = Examples(recipe.data, recipe.context, names)
    behind = sum(len(tokens) - 1 for tokens in labels.tokens)
    layout = layout_of(model, multiple=recipe.sft.pad_to_multiple_of or 1, behind=behind)
    collator = Collator(examples, processor, stored_embeddings(recipe), layout)
    draws = draws_dataset(recipe, manifest)
    trainer = LabelTrainer(
        labels=labels,
        # Counts as drawn: a prior that the sampler has already removed must not be removed again by the loss.
        label_loss=build_loss(recipe.balance.loss_settings(), manifest.stream_counts(names), train_counts(recipe)),
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
    if collator.embeddings is not None:
        check_sight_is_frozen(trainer.model)
    return trainer
