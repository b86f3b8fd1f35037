"""What the training benchmarks share: rendered clips, a base with random weights, a recipe on both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SHAPES = {"tiny": (96, 4), "wide": (528, 8)}
"""Width and layers of the language model: those of the base that ships with the package, and a wider one."""

VOCABULARIES = {"1k": 1024, "152k": 152_064}
RECIPE = Path(__file__).parents[1] / "recipes" / "tiny" / "enriched_balanced.yaml"


def set_up(
    folder: Path,
    shapes: str,
    vocabulary: str,
    batch: int,
    steps: int,
    *,
    frame_size: int = 128,
    image_size: int = 84,
    keyframes: int = 4,
) -> Any:
    """A recipe under `folder` with everything prepared that it names; what is there already is used again.

    The model is a Qwen2.5-VL of these shapes with random weights.
    """
    from emotrain.preparation.prepare import prepare
    from emotrain.recipe.recipe import load_recipe
    from emotrain.synthetic.clip_set import write_clip_set

    base = folder / f"base_{shapes}_{vocabulary}"
    if not (base / "config.json").exists():
        _save_base(base, *SHAPES[shapes], VOCABULARIES[vocabulary])
    clips = folder / f"clips_{frame_size}"
    write_clip_set(clips, train=22, validation=22, test=22, seed=0, size=frame_size)
    values = {
        "model_name_or_path": base,
        "data": folder / f"data_{frame_size}_{keyframes}",
        "root": clips,
        "frame_size": frame_size,
        "image_size": image_size,
        "keyframes": keyframes,
        "output_dir": folder / "run",
        "attn_implementation": "sdpa",
        "per_device_train_batch_size": batch,
        "epoch_size": batch * steps,
        "epochs": 1,
        "prep_shards": 2,
        "save_strategy": "no",
    }
    recipe = load_recipe(RECIPE, [word for key, value in values.items() for word in (f"--{key}", str(value))])
    prepare(recipe, max_bad_share=0.0)
    return recipe


def in_words(shapes: str) -> str:
    """The shapes as the head of a table says them."""
    width, layers = SHAPES[shapes]
    return f"width {width}, {layers} layers"


def _save_base(folder: Path, width: int, layers: int, vocabulary: int) -> None:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from emotrain.modeling.loading import load_processor
    from emotrain.modeling.tiny_architecture import tiny_config

    processor = load_processor("tiny")
    config = tiny_config(processor.tokenizer, width=width, text_layers=layers)
    config.text_config.vocab_size = vocabulary
    torch.manual_seed(0)
    processor.save_pretrained(folder)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
