"""Training steps of real model shapes with random weights on a GPU: clips/s, tokens/s, MFU and peak memory by batch.

    python benchmarks/gpu.py --shapes 3b 7b
    python benchmarks/gpu.py --shapes 7b --batches 4 8 16 32 --no-checkpointing
    python benchmarks/gpu.py --shapes tiny --device cpu --batches 1 2

Nothing is downloaded: models are built from published configs. A clip is 8 keyframes of 224 pixels (64 visual tokens
each), the text of an enriched prompt and a label tree of seven labels; the step is `label_logits`, loss with mass term,
backward, AdamW on LoRA of rank 16 in every linear layer of the language model. Frames come from memory: what the data
path costs, benchmarks/training_step.py says.

MFU is the operations that the model needs (`emotrain.planning.flops`, without what checkpointing runs twice) over time
and the GPU's peak; HFU counts what runs twice as well. Operations are printed by part.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from typing import Any

import torch

from emotrain.balance.losses import LossSettings, build_loss
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.modeling.loading import freeze_vision, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.modeling.tiny_architecture import tiny_config
from emotrain.planning.flops import ClipTokens, step_flops
from emotrain.planning.machine import H100_BF16_TFLOPS
from emotrain.planning.memory import GIB, MemorySettings, step_memory
from emotrain.planning.published import published
from emotrain.planning.shapes import Shapes, shapes_of

NAMES = {"3b": "Qwen/Qwen2.5-VL-3B-Instruct", "7b": "Qwen/Qwen2.5-VL-7B-Instruct", "tiny": "tiny"}
LABELS = tuple(f"label {index}" for index in range(7))
LABEL_TOKENS = 2
RANK = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", choices=NAMES, nargs="+", default=["3b", "7b"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32], help="clips a step, ascending")
    parser.add_argument("--steps", type=int, default=10, help="steps timed, after three that are not")
    parser.add_argument("--keyframes", type=int, default=8)
    parser.add_argument("--text", type=int, default=272, help="text tokens a clip")
    parser.add_argument("--checkpointing", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--peak-tflops", type=float, default=H100_BF16_TFLOPS, help="of one GPU; default: H100 in bf16")
    arguments = parser.parse_args()
    on_gpu = torch.device(arguments.device).type == "cuda"
    print(f"{torch.cuda.get_device_name(arguments.device) if on_gpu else 'CPU'}, torch {torch.__version__}\n")
    for name in arguments.shapes:
        measure(name, arguments, on_gpu)


def measure(name: str, arguments: argparse.Namespace, on_gpu: bool) -> None:
    """One table: all batch sizes of one model, until one does not fit."""
    dtype = torch.bfloat16 if on_gpu else torch.float32
    shapes, side = shapes_named(name)
    tokens = clip_tokens(shapes, arguments, side)
    model = build(shapes, arguments, dtype)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    flops = step_flops(shapes, tokens, RANK, checkpointing=arguments.checkpointing)
    needed = step_flops(shapes, tokens, RANK).total
    parts = ", ".join(f"{part.replace('_', ' ')} {value / 1e12:.3g}" for part, value in asdict(flops).items())
    print(f"{NAMES[name]}: {tokens.prompt} prompt tokens and {tokens.tree} of the label tree a clip, ", end="")
    print(
        f"checkpointing {'on' if arguments.checkpointing else 'off'}\nTFLOP a clip: {parts}; without recomputing ",
        end="",
    )
    print(f"{needed / 1e12:.3g}\n\n| clips a step | clips/s | tokens/s | MFU | HFU | peak GiB | planned GiB |")
    print("|-|-|-|-|-|-|-|")
    bf16 = dtype == torch.bfloat16
    settings = MemorySettings(
        dtype=str(dtype).removeprefix("torch."), bf16=bf16, dropout=False, checkpointing=arguments.checkpointing
    )
    for batch in arguments.batches:
        planned = step_memory(shapes, tokens, settings, batch=batch).total / GIB
        try:
            seconds, peak = timed(model, optimizer, shapes, tokens, batch, arguments)
        except torch.cuda.OutOfMemoryError:
            print(f"| {batch} | out of memory | | | | | {planned:.1f} |\n")
            break
        rate = batch / seconds
        mfu, hfu = (rate * count / 1e12 / arguments.peak_tflops for count in (needed, flops.total))
        shares = f"{mfu:.2f} | {hfu:.2f} | {peak / GIB:.1f}" if on_gpu else "- | - | -"
        print(f"| {batch} | {rate:.2f} | {rate * (tokens.prompt + tokens.tree):.0f} | {shares} | {planned:.1f} |")
    print()


def shapes_named(name: str) -> tuple[Shapes, int]:
    """The shapes with their config, and patches along the side of a keyframe."""
    from transformers import AutoConfig

    if name == "tiny":
        return shapes_of(name, tiny_config(load_processor("tiny").tokenizer), "tiny_architecture"), 6
    values = dict(published()[NAMES[name]]["config"])
    return shapes_of(name, AutoConfig.for_model(values.pop("model_type"), **values), "published"), 16


def clip_tokens(shapes: Shapes, arguments: argparse.Namespace, side: int) -> ClipTokens:
    merged = shapes.config.vision_config.spatial_merge_size**2
    tree = len(LABELS) * LABEL_TOKENS
    grids = ((side, side),) * arguments.keyframes
    return ClipTokens(arguments.text, arguments.keyframes * side**2 // merged, tree, tree + 1, grids)


def build(shapes: Shapes, arguments: argparse.Namespace, dtype: torch.dtype) -> Any:
    """Random weights on the device, vision frozen, LoRA on the language model, as training has them."""
    from peft import get_peft_model
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(0)
    with torch.device(arguments.device):
        model = AutoModelForImageTextToText.from_config(shapes.config, dtype=dtype, attn_implementation="sdpa")
    freeze_vision(model)
    model = get_peft_model(model, lora_config(model, RANK, 2 * RANK))
    if arguments.checkpointing:
        model.enable_input_require_grads()
        model.activation_checkpointing_enable()
    return model.train()


def random_batch(model: Any, shapes: Shapes, tokens: ClipTokens, batch: int) -> dict[str, torch.Tensor]:
    """Prompts of equal length: text, and every keyframe's tokens between the marks of an image."""
    config, device = shapes.config, model.device
    frame = tokens.visual // len(tokens.grids)
    image = [config.vision_start_token_id, *[config.image_token_id] * frame, config.vision_end_token_id]
    words = tokens.text - 2 * len(tokens.grids)
    text = torch.tensor(plain_ids(config, words), device=device)
    ids = torch.cat([torch.tensor(image * len(tokens.grids), device=device), text]).expand(batch, -1)
    grid = torch.tensor([(1, *grid) for grid in tokens.grids] * batch, device=device)
    pixels = torch.randn(batch * tokens.patches, shapes.vision.pixels, device=device)
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "pixel_values": pixels,
        "image_grid_thw": grid,
    }


def plain_ids(config: Any, count: int) -> list[int]:
    """Token ids that stand for words: none of an image's or a video's."""
    marks = {value for key, value in config.to_dict().items() if key.endswith("token_id")}
    return [index for index in range(count + len(marks)) if index not in marks][:count]


def timed(
    model: Any, optimizer: Any, shapes: Shapes, tokens: ClipTokens, batch: int, arguments: argparse.Namespace
) -> tuple[float, float]:
    """Seconds a step and the peak of allocated bytes."""
    on_gpu = model.device.type == "cuda"
    inputs = random_batch(model, shapes, tokens, batch)
    end = shapes.config.get_text_config().vocab_size - 1
    words = plain_ids(shapes.config, LABEL_TOKENS * len(LABELS))
    spelled = ((*words[LABEL_TOKENS * i : LABEL_TOKENS * (i + 1)], end) for i in range(len(LABELS)))
    labels = LabelTokens(LABELS, tuple(spelled))
    loss_of = build_loss(LossSettings(), dict.fromkeys(LABELS, 1))
    target = torch.arange(batch, device=model.device) % len(LABELS)
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(model.device)
    for step in range(3 + arguments.steps):
        if step == 3:
            if on_gpu:
                torch.cuda.synchronize(model.device)
            started = time.perf_counter()
        with torch.autocast(model.device.type, torch.bfloat16, enabled=on_gpu):  # as transformers trains with bf16
            loss = loss_of(label_logits(model, inputs, labels), target, 0.0).per_sample.mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    if on_gpu:
        torch.cuda.synchronize(model.device)
    seconds = (time.perf_counter() - started) / arguments.steps
    return seconds, float(torch.cuda.max_memory_allocated(model.device)) if on_gpu else 0.0


if __name__ == "__main__":
    main()
