"""Where the time of one training step goes: CPU milliseconds a clip and shares of the step, as a table.

    python benchmarks/training_step.py --repeats 8
    python benchmarks/training_step.py --repeats 2 --batch 2 --frame-size 224 --image-size 224 --keyframes 8

The collator's and the model's own parts, called one after the other on one thread as training calls them.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from training_set_up import SHAPES, VOCABULARIES, in_words, set_up

Times = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", choices=SHAPES, default="wide")
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default="1k")
    parser.add_argument("--repeats", type=int, default=8, help="the least CPU time of so many steps is reported")
    parser.add_argument("--batch", type=int, default=4, help="clips a step")
    parser.add_argument("--frame-size", type=int, default=128, help="pixels of stored frames")
    parser.add_argument("--image-size", type=int, default=84, help="pixels that the model sees")
    parser.add_argument("--keyframes", type=int, default=4)
    parser.add_argument("--folder", type=Path, help="where clips and base are kept; default: a temporary folder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder if arguments.folder is not None else Path(temporary)
        sizes = {key: getattr(arguments, key) for key in ("frame_size", "image_size", "keyframes")}
        steps = profile(
            set_up(folder, arguments.shapes, arguments.vocabulary, arguments.batch, arguments.repeats + 1, **sizes)
        )[1:]
    least = {part: min(step[part] for step in steps) / arguments.batch for part in steps[0]}
    whole = sum(least.values())
    print(
        f"{in_words(arguments.shapes)}, vocabulary {VOCABULARIES[arguments.vocabulary]}, {arguments.keyframes} "
        f"keyframes of {arguments.frame_size} pixels seen at {arguments.image_size}, {arguments.batch} clips a step, "
        f"least of {arguments.repeats} steps, float32, one thread\n"
    )
    print("| part of a step | CPU ms a clip | share |\n|-|-|-|")
    for part, seconds in least.items():
        print(f"| {part} | {1000 * seconds:.2f} | {seconds / whole:.1%} |")
    print(f"| together | {1000 * whole:.2f} | |")


def profile(recipe: Any) -> list[Times]:
    """CPU seconds of every part, for each step of the recipe."""
    from peft import get_peft_model

    from emotrain.balance.losses import build_loss
    from emotrain.balance.manifest import read_manifest
    from emotrain.emotions import label_set
    from emotrain.examples.base_model import load_base
    from emotrain.examples.examples import Examples
    from emotrain.examples.manifests import manifest_path
    from emotrain.modeling.label_scoring import label_logits
    from emotrain.modeling.label_tokens import processor_labels
    from emotrain.modeling.lora import lora_config

    model, processor = load_base(recipe)
    manifest, names = read_manifest(manifest_path(recipe)), label_set(recipe.data.label_set).labels
    labels = processor_labels(processor, names)
    loss_of = build_loss(recipe.balance.loss_settings(), manifest.label_counts(names))
    examples = Examples(recipe.data, recipe.context, names, processor.tokenizer)
    inner: Times = {}
    for name, module in (("vision tower", model.model.visual), ("language model", model.model.language_model)):
        watch(module, name, inner)
    watch(model.get_output_embeddings(), "head on label positions", inner)
    adapted = get_peft_model(model, lora_config(model, recipe.model.lora_r, recipe.model.lora_alpha, 0.0)).train()
    trained = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.sft.learning_rate, fused=True)
    size = recipe.sft.per_device_train_batch_size
    steps = []
    for start in range(0, len(manifest.draws), size):
        draws, spent = manifest.draws[start : start + size], {}
        batch = collated(examples, processor, [draw.clip_id for draw in draws], spent)
        target = torch.tensor([names.index(draw.label) for draw in draws])
        with clock(spent, "transfer"):
            batch = {key: value.to(adapted.device) for key, value in batch.items()}
        inner.clear()
        with clock(spent, "masks, positions, merging, loss"):
            loss = loss_of(label_logits(adapted, batch, labels), target, 0.0).per_sample.mean()
        spent["masks, positions, merging, loss"] -= sum(inner.values())
        spent |= inner
        with clock(spent, "backward"):
            loss.backward()
        with clock(spent, "clipping and optimiser"):
            torch.nn.utils.clip_grad_norm_(trained, recipe.sft.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        steps.append(spent)
    return steps


def collated(examples: Any, processor: Any, clip_ids: list[str], spent: Times) -> dict[str, torch.Tensor]:
    """What the collator does, part by part; checked against the collator itself."""
    from emotrain.context.prompt import build_messages
    from emotrain.examples.examples import Collator
    from emotrain.modeling.chats import encode_chats

    with clock(spent, "frames from parquet"):
        frames = [examples.keyframes(clip_id) for clip_id in clip_ids]
    with clock(spent, "JPEG"):
        images = [[Image.open(io.BytesIO(frame.image)).convert("RGB") for frame in clip] for clip in frames]
    with clock(spent, "summaries and prompt"):
        told = [examples.summaries(clip_id) for clip_id in clip_ids]
        messages = [
            build_messages(shown, words, examples.names, examples.prompt)
            for shown, words in zip(frames, told, strict=True)
        ]
    inside: Times = {}
    with timed_images(processor, inside), clock(spent, "chat template and tokenizer"):
        batch = encode_chats(processor, messages, images)
    spent["chat template and tokenizer"] -= inside["image processor"]
    spent |= inside
    own = Collator(examples, processor).inputs(clip_ids)
    if any(not torch.equal(batch[key], own[key]) for key in own):
        raise SystemExit("the parts of the collator do not give the collator's batch")
    return batch


@contextmanager
def timed_images(processor: Any, spent: Times) -> Iterator[None]:
    """Within it, the CPU seconds of the image processor that the processor calls are put into `spent`."""
    real = processor.image_processor

    class Timed(type(real)):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with clock(spent, "image processor"):
                return super().__call__(*args, **kwargs)

    real.__class__ = Timed
    yield
    real.__class__ = Timed.__base__


@contextmanager
def clock(spent: Times, part: str) -> Iterator[None]:
    started = time.process_time()
    yield
    spent[part] = time.process_time() - started


def watch(module: torch.nn.Module, part: str, spent: Times) -> None:
    """Add the CPU seconds of every forward call of the module to `spent[part]`."""
    started: list[float] = []
    module.register_forward_pre_hook(lambda *_: started.append(time.process_time()))

    def stop(*_: Any) -> None:
        spent[part] = spent.get(part, 0.0) + time.process_time() - started.pop()

    module.register_forward_hook(stop)


if __name__ == "__main__":
    main()
