"""Counted prompts have the tokens that training will see; closed forms of frames are those of the real processors."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from family_checkpoints import MADE, save
from PIL import Image

from emotrain.examples.examples import Collator, Examples
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.frame_side import interpolated_side
from emotrain.modeling.loading import load_processor
from emotrain.planning.chats import chat, prepared_clips
from emotrain.planning.frame_tokens import frame_tokens
from emotrain.planning.plan import _counter
from emotrain.planning.prompts import Estimated, make_counter
from emotrain.planning.shapes import Shapes, read_shapes
from emotrain.recipe.recipe import load_recipe


@pytest.mark.parametrize(
    "values",
    [
        {"context": "none"},
        {"context": "summaries"},
        {"context": "summaries", "image_size": None},
        {"context": "summaries", "show_images": False, "trajectory": True},
        {"context": "summaries", "context_control": "static"},
    ],
    ids=lambda values: "-".join(map(str, values.values())),
)
def test_a_prompt_has_as_many_tokens_as_the_collator_makes(
    prepared: Any, tmp_path: Path, values: dict[str, Any]
) -> None:
    recipe = load_recipe(prepared.recipe(tmp_path, **values))
    processor = load_processor("tiny", image_size=recipe.data.image_size)
    names = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
    examples = Examples(recipe.data, recipe.context, names)
    collator = Collator(examples, processor)
    clips = prepared_clips(recipe, processor.tokenizer)
    assert clips is not None
    counter = _counter(recipe, read_shapes("tiny"), processor, clips)
    for clip_id in ("clip00", "clip01", "clip07"):
        real = collator.inputs([clip_id])
        told = chat(recipe, clips.times_s[clip_id], clips.summaries[clip_id], recipe.context.prompt_settings())
        tokens = counter.count(told)
        assert tokens.prompt == real["input_ids"].shape[1]
        assert tokens.patches == (len(real["pixel_values"]) if recipe.context.show_images else 0)


@pytest.mark.parametrize("size", [(84, 84), (128, 128), (70, 190), (300, 224)])
@pytest.mark.parametrize("image_size", [84, 112])
def test_the_closed_form_of_qwen_frames_is_the_processors(size: tuple[int, int], image_size: int) -> None:
    processor = load_processor("tiny", image_size=image_size)
    grid = processor.image_processor(Image.new("RGB", size[::-1]), return_tensors="pt")["image_grid_thw"][0].tolist()
    closed = frame_tokens(read_shapes("tiny"), *size, image_size)
    assert closed.grids == ((grid[1], grid[2]),)
    assert closed.visual == grid[1] * grid[2] // 4


@pytest.mark.parametrize("image_size", [None, 512, 256])
def test_the_closed_form_of_smolvlm_tiles_is_the_processors(image_size: int | None) -> None:
    from transformers import SmolVLMImageProcessor

    side = 2048 if image_size is None else image_size
    processor = SmolVLMImageProcessor(
        size={"longest_edge": side}, max_image_size={"longest_edge": min(side, 512)}, do_image_splitting=side > 512
    )
    pixels = processor(Image.new("RGB", (224, 224)), return_tensors="pt")["pixel_values"]
    closed = frame_tokens(_shapes("HuggingFaceTB/SmolVLM2-500M-Video-Instruct"), 224, 224, image_size)
    assert len(closed.grids) == pixels.shape[1]
    assert closed.grids[0] == (pixels.shape[-2] // 16, pixels.shape[-1] // 16)
    assert closed.visual == len(closed.grids) * (closed.grids[0][0] // 4) ** 2


def test_the_closed_form_of_internvl_is_the_length_that_training_sets() -> None:
    shapes = _shapes("OpenGVLab/InternVL3-1B-hf")
    knobs = SimpleNamespace(image_processor=SimpleNamespace())
    interpolated_side(knobs, shapes.config, 224)
    assert frame_tokens(shapes, 224, 224, 224).visual == knobs.image_seq_length == 64
    assert frame_tokens(shapes, 224, 224, None).visual == 256, "448 pixels, as published"


def test_gemma_reads_256_tokens_whatever_the_frame() -> None:
    closed = frame_tokens(_shapes("google/gemma-3-4b-it"), 224, 224, None)
    assert (closed.visual, closed.grids) == (256, ((64, 64),))


@pytest.mark.parametrize("kind", MADE)
def test_closed_forms_and_counts_hold_for_every_family(kind: str, tmp_path: Path) -> None:
    """A tiny checkpoint of each real architecture, its own processor: three frames and a sentence."""
    made = MADE[kind]
    save(made, tmp_path)
    shapes, processor = read_shapes(str(tmp_path)), load_processor(str(tmp_path), image_size=made.side)
    labels = ("anger", "fear")
    size = {"height": made.side, "width": made.side, "image_size": made.side}
    counter = make_counter(shapes, processor, keyframes=3, labels=labels, names=labels, **size)
    part = {"type": "text", "text": "brows lower"}
    chats = [[{"role": "user", "content": [part, {"type": "image"}] * n + [part]}] for n in (2, 3)]
    for told, images in zip(chats, (2, 3)):
        blank = Image.new("RGB", (made.side, made.side))
        batch = encode_chats(processor, [told], [[blank] * images])
        tokens = counter.count(told)
        assert tokens.prompt == batch["input_ids"].shape[1]
        assert tokens.visual == images * made.frame_tokens
    closed = frame_tokens(shapes, **size)
    assert (closed.visual, closed.grids) == (counter.frame.visual, counter.frame.grids)


def test_an_estimate_counts_images_and_says_that_it_is_one() -> None:
    frame = frame_tokens(_shapes("Qwen/Qwen2.5-VL-3B-Instruct"), 224, 224, 224)
    counter = Estimated("qwen2_5_vl", frame, 7)
    part = {"type": "text", "text": "[0.25 s] inner brows rise (brief, peak 0.67 s)."}
    one = counter.count([{"role": "user", "content": [part, {"type": "image"}]}])
    two = counter.count([{"role": "user", "content": [part, {"type": "image"}, {"type": "image"}]}])
    assert (one.visual, two.visual, two.text - one.text) == (64, 128, 2)
    # 22 tokens by Qwen's own vocabulary, and 19 of its chat template.
    assert one.text - 19 - 2 == pytest.approx(22, rel=0.1)
    assert counter.assumption is not None


def _shapes(name: str) -> Shapes:
    return read_shapes(name)
