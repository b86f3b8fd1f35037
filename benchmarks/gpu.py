"""Training steps of real model shapes with random weights on a GPU: clips/s, tokens/s, MFU and peak memory by batch.

    python benchmarks/gpu.py --shapes 3b 7b
    python benchmarks/gpu.py --shapes 7b --batches 4 8 16 32 --no-checkpointing --dropout 0
    python benchmarks/gpu.py --shapes 3b --batches 4 --also="--tower loop" --also="--lora peft" --also=--cudnn
    python benchmarks/gpu.py --shapes tiny --device cpu --batches 1 2

Nothing is downloaded: models are built from published configs. A clip is 8 keyframes of 224 pixels (64 visual tokens
each), the text of an enriched prompt and a label tree of seven labels. The step is that of `emotrain train`: another
length drawn for each batch and padded as recipes pad it, the batch laid out on the host and sent from pinned memory,
`label_logits`, loss with mass term, backward through LoRA of rank 16 with the recipes' dropout in every linear layer of
the language model, clipping, AdamW. What the loader's workers do, benchmarks/training_step.py says.

MFU is the operations that the model needs (`emotrain.planning.flops`, without what checkpointing runs twice) over time
and the GPU's peak; HFU counts what runs twice as well. Operations are printed by part. With --cudnn, where torch takes
cuDNN's attention, first-seen lengths are timed apart: a plan is made for each.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shlex
import sys
import time
from dataclasses import asdict
from typing import Any

import torch

from emotrain.balance.losses import LossSettings, build_loss
from emotrain.modeling.compiled import compile_blocks
from emotrain.modeling.image_features import with_features
from emotrain.modeling.in_batches import on_device
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.modeling.loading import attend, freeze_vision, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.modeling.prompt_layout import layout_of
from emotrain.modeling.tiny_architecture import tiny_config
from emotrain.modeling.tower_first import ask_tower_first
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
    parser.add_argument("--text", type=int, default=272, help="text tokens a clip, at most")
    parser.add_argument("--spread", type=int, default=64, help="the longest clip of a batch has so many less, at most")
    parser.add_argument("--multiple", type=int, default=32, help="pad_to_multiple_of of the recipe")
    parser.add_argument("--dropout", type=float, default=0.05, help="lora_dropout of the recipe")
    parser.add_argument("--tower", choices=("windows", "loop"), default="windows", help="vision_attention")
    parser.add_argument("--lora", choices=("fused", "peft"), default="fused", help="the adapter's layers")
    parser.add_argument("--compile", action="store_true", help="torch_compile of the recipe")
    parser.add_argument("--stored", action="store_true", help="vision_embeddings: stored")
    parser.add_argument("--cudnn", action="store_true", help="let torch choose cuDNN's attention")
    parser.add_argument("--checkpointing", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--peak-tflops", type=float, default=H100_BF16_TFLOPS, help="of one GPU; default: H100 in bf16")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="FLAGS",
        help='another table with more flags, as in --also="--cudnn"',
    )
    arguments = parser.parse_args()
    on_gpu = torch.device(arguments.device).type == "cuda"
    print(f"{torch.cuda.get_device_name(arguments.device) if on_gpu else 'CPU'}, torch {torch.__version__}\n")
    failed = 0
    for more in ("", *arguments.also):
        chosen = parser.parse_args([*sys.argv[1:], *shlex.split(more)])
        for name in chosen.shapes:
            try:
                measure(name, chosen, on_gpu)
            except Exception as error:
                failed += 1
                print(f"{name} {more}: {type(error).__name__}: {str(error).strip().splitlines()[0]}\n", flush=True)
            gc.collect()
            if on_gpu:
                torch.cuda.empty_cache()
    sys.exit(min(failed, 1))


def measure(name: str, arguments: argparse.Namespace, on_gpu: bool) -> None:
    """One table: all batch sizes of one model, until one does not fit."""
    dtype = torch.bfloat16 if on_gpu else torch.float32
    os.environ["EMOTRAIN_CUDNN_ATTENTION"] = str(int(arguments.cudnn))
    os.environ["TRANSFORMERS_DISABLE_TORCH_CHECK"] = "1"  # as in training
    shapes, side = shapes_named(name)
    tokens = clip_tokens(shapes, arguments, side)
    model = build(shapes, arguments, dtype)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    length = mean_prompt(arguments, tokens)
    more = {"stored_vision": arguments.stored, "padded_to": length}
    flops = step_flops(shapes, tokens, RANK, checkpointing=arguments.checkpointing, **more)
    needed = step_flops(shapes, tokens, RANK, **more).total
    parts = ", ".join(f"{part.replace('_', ' ')} {value / 1e12:.3g}" for part, value in asdict(flops).items())
    print(f"{NAMES[name]}: {length} prompt tokens and {tokens.tree} of the label tree a clip, ", end="")
    print(
        f"checkpointing {'on' if arguments.checkpointing else 'off'}\nTFLOP a clip: {parts}; without recomputing ",
        end="",
    )
    print(f"{needed / 1e12:.3g}\n{settings_line(arguments)}\n")
    print("| clips a step | clips/s | first-seen lengths | tokens/s | MFU | HFU | peak GiB | planned GiB |")
    print("|-|-|-|-|-|-|-|-|")
    bf16 = dtype == torch.bfloat16
    settings = MemorySettings(
        dtype=str(dtype).removeprefix("torch."),
        bf16=bf16,
        dropout=arguments.dropout > 0,
        checkpointing=arguments.checkpointing,
    )
    for batch in arguments.batches:
        planned = step_memory(shapes, tokens, settings, batch=batch, stored_vision=arguments.stored).total / GIB
        try:
            seconds, first, peak = timed(model, optimizer, shapes, tokens, batch, arguments)
        except torch.cuda.OutOfMemoryError:
            print(f"| {batch} | out of memory | | | | | | {planned:.1f} |\n")
            break
        rate = batch / seconds
        mfu, hfu = (rate * count / 1e12 / arguments.peak_tflops for count in (needed, flops.total))
        shares = f"{mfu:.2f} | {hfu:.2f} | {peak / GIB:.1f}" if on_gpu else "- | - | -"
        told = f"{batch} | {rate:.2f} | {batch / first:.2f} | {rate * (length + tokens.tree):.0f} | {shares}"
        print(f"| {told} | {planned:.1f} |")
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
    attend(model, "windows" if arguments.tower == "windows" else "sdpa")
    if arguments.tower == "windows":
        ask_tower_first(model)
    freeze_vision(model)
    if arguments.compile:
        compile_blocks(model)
    config = lora_config(model, RANK, 2 * RANK, arguments.dropout)
    if arguments.lora == "peft":
        config._custom_modules = None
    model = get_peft_model(model, config)
    if arguments.checkpointing:
        model.enable_input_require_grads()
        model.activation_checkpointing_enable()
    return model.train()


def random_batch(shapes: Shapes, tokens: ClipTokens, batch: int, words: int) -> dict[str, torch.Tensor]:
    """Prompts on the host, as a collator makes them: text, and every keyframe's tokens between the marks of an image.

    Of the clips only the first has all of its `words` tokens of text; the others are padded on the left.
    """
    config = shapes.config
    frame = tokens.visual // len(tokens.grids)
    image = [config.vision_start_token_id, *[config.image_token_id] * frame, config.vision_end_token_id]
    prompt = image * len(tokens.grids) + plain_ids(config, words - 2 * len(tokens.grids))
    ids = torch.tensor([prompt] * batch)
    mask = torch.ones_like(ids)
    for row in range(1, batch):
        shorter = min(7 * row, words - 2 * len(tokens.grids) - 1)
        ids[row] = torch.tensor([prompt[-1]] * shorter + prompt[: len(prompt) - shorter])
        mask[row, :shorter] = 0
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "pixel_values": torch.randn(batch * tokens.patches, shapes.vision.pixels),
        "image_grid_thw": torch.tensor([(1, *grid) for grid in tokens.grids] * batch),
    }


def plain_ids(config: Any, count: int) -> list[int]:
    """Token ids that stand for words: none of an image's or a video's."""
    marks = {value for key, value in config.to_dict().items() if key.endswith("token_id")}
    return [index for index in range(count + len(marks)) if index not in marks][:count]


def timed(
    model: Any, optimizer: Any, shapes: Shapes, tokens: ClipTokens, batch: int, arguments: argparse.Namespace
) -> tuple[float, float, float]:
    """Seconds a step on lengths seen before and on new ones, and the peak of allocated bytes."""
    on_gpu = model.device.type == "cuda"
    end = shapes.config.get_text_config().vocab_size - 1
    words = plain_ids(shapes.config, LABEL_TOKENS * len(LABELS))
    spelled = ((*words[LABEL_TOKENS * i : LABEL_TOKENS * (i + 1)], end) for i in range(len(LABELS)))
    labels = LabelTokens(LABELS, tuple(spelled))
    layout = layout_of(model, multiple=arguments.multiple, behind=tokens.tree)
    loss_of = build_loss(LossSettings(), dict.fromkeys(LABELS, 1))
    target = torch.arange(batch, device=model.device) % len(LABELS)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    lengths = drawn_lengths(arguments)

    def prepared(length: int) -> dict[str, Any]:
        """What a worker would do meanwhile, so it is done before the clock starts."""
        made = random_batch(shapes, tokens, batch, length)
        if arguments.stored:
            each = tokens.visual * batch
            kept = torch.randn(1, each, shapes.language.hidden, dtype=model.dtype)
            made = with_features(made, [kept])
        laid = layout(made)
        pin = {name: value.pin_memory() for name, value in laid.items() if torch.is_tensor(value)} if on_gpu else {}
        return laid | pin

    def step(laid: dict[str, Any]) -> float:
        if on_gpu:
            torch.cuda.synchronize(model.device)
        started = time.perf_counter()
        inputs = on_device(model, laid)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=on_gpu):  # as transformers trains with bf16
            loss = loss_of(label_logits(model, inputs, labels), target, 0.0).per_sample.mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if on_gpu:
            torch.cuda.synchronize(model.device)
        return time.perf_counter() - started

    for _ in range(2):  # compiles, fills caches; a length that is not drawn
        step(prepared(arguments.text + arguments.multiple))
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(model.device)
    batches = [prepared(length) for length in lengths]
    seen: set[int] = set()
    first, again = [], []
    for laid in [*batches, *batches]:
        length = laid["input_ids"].shape[1]
        (again if length in seen else first).append(step(laid))
        seen.add(length)
    peak = float(torch.cuda.max_memory_allocated(model.device)) if on_gpu else 0.0
    return sum(again) / len(again), sum(first) / len(first), peak


def drawn_lengths(arguments: argparse.Namespace) -> list[int]:
    """Text tokens of the longest clip of each step's batch."""
    drawn = random.Random(0)
    return [arguments.text - drawn.randint(0, arguments.spread) for _ in range(arguments.steps)]


def mean_prompt(arguments: argparse.Namespace, tokens: ClipTokens) -> int:
    """Prompt tokens of a clip with its padding, mean over the steps: what is computed."""
    prompts = [tokens.visual + length for length in drawn_lengths(arguments)]
    padded = [-(-(prompt + tokens.tree) // arguments.multiple) * arguments.multiple - tokens.tree for prompt in prompts]
    return round(sum(padded) / len(padded))


def settings_line(arguments: argparse.Namespace) -> str:
    """What was chosen, in words."""
    said = [f"dropout {arguments.dropout:g}", f"tower {arguments.tower}", f"LoRA {arguments.lora}"]
    said += [f"lengths {arguments.text - arguments.spread}-{arguments.text} of text padded to {arguments.multiple}"]
    said += [word for word in ("compile", "stored", "cudnn") if getattr(arguments, word)]
    return ", ".join(said)


if __name__ == "__main__":
    main()
