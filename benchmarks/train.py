"""Training against TRL's own SFTTrainer and against bare loops: clips a second and peak memory, as a table.

    python benchmarks/train.py --shapes wide --vocabulary 1k
    python benchmarks/train.py --shapes wide --vocabulary 152k --steps 3
    python benchmarks/train.py --shapes wide --vocabulary 1k --keyframes 8 --image-size 224 --frame-size 224 --batch 2

Same weights, clips, batch, dtype, attention, LoRA and optimiser; one thread; each contestant in a process of its own,
rounds going through all of them, the least CPU time of a contestant's rounds counted. The first step is not.

* emotrain: `emotrain.training.train.train` of a recipe, with everything that it does: frames from parquet, JPEG,
  prompt, processor, label tree, loss, optimiser, checks, live line, log
* emotrain, stored embeddings: the same with `vision_embeddings: stored`; writing them is not timed
* emotrain, gradient checkpointing: the same with `gradient_checkpointing: true`
* bare loop: the same batches collated beforehand, `label_logits`, the same loss, backward, clipping, optimiser
* bare loop, answer tokens: the same pixels and prompts, cross-entropy of the answer's tokens, the head on those alone
* bare loop without the vision tower: its output is in the collated batch; what storing it could gain at most
* TRL: SFTTrainer on prompt and completion with images as a data set of JPEG bytes, its default loss
* TRL as it comes: the same with gradient checkpointing, which is its default and is off for all others
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from training_set_up import SHAPES, VOCABULARIES, in_words, set_up

from emotrain.preparation.embed import embed_keyframes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", choices=SHAPES, default="wide")
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default="1k")
    parser.add_argument("--repeats", type=int, default=3, help="the least CPU time of so many is reported")
    parser.add_argument("--batch", type=int, default=4, help="clips a step")
    parser.add_argument("--steps", type=int, default=6, help="steps, the first of which is not counted")
    parser.add_argument("--keyframes", type=int, default=4)
    parser.add_argument("--image-size", type=int, default=84, help="side in pixels that the model sees")
    parser.add_argument("--frame-size", type=int, default=128, help="side in pixels of stored frames")
    parser.add_argument("--folder", type=Path, help="where clips and base are kept; default: a temporary folder")
    parser.add_argument("--contestant", choices=CONTESTANTS, help="run this one alone and print its figures as JSON")
    arguments = parser.parse_args()
    keys = ("shapes", "vocabulary", "batch", "steps", "keyframes", "image_size", "frame_size")
    given = {key: getattr(arguments, key) for key in keys}
    if arguments.contestant is not None:
        recipe = set_up(arguments.folder, **given)
        print(json.dumps(CONTESTANTS[arguments.contestant](recipe)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder if arguments.folder is not None else Path(temporary)
        embed_keyframes(set_up(folder, **given))
        options = [word for key, value in given.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
        for _ in range(arguments.repeats):
            for name, done in runs.items():
                done.append(alone(name, folder, *options))
                print(f"{name}: {done[-1]}", file=sys.stderr, flush=True)
    check(runs["bare loop"][0]["first_loss"], runs["bare loop without the vision tower"][0]["first_loss"])
    print_table(runs, arguments)


def check(with_tower: float, without: float) -> None:
    """What is timed must be the same figures."""
    if abs(with_tower - without) > 1e-4:
        raise SystemExit(f"the first loss is {with_tower} with the vision tower and {without} with its output given")


def alone(name: str, folder: Path, *options: str) -> dict[str, float]:
    """One contestant's figures, from a process of its own."""
    command = [sys.executable, __file__, "--contestant", name, "--folder", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def print_table(runs: dict[str, list[dict[str, float]]], arguments: argparse.Namespace) -> None:
    best = {name: min(done, key=lambda figures: figures["cpu_s"]) for name, done in runs.items()}
    rate = {name: figures["clips"] / figures["cpu_s"] for name, figures in best.items()}
    print(
        f"{in_words(arguments.shapes)}, vocabulary {VOCABULARIES[arguments.vocabulary]}, {arguments.batch} clips a "
        f"step, {arguments.keyframes} keyframes of {arguments.image_size} px, {arguments.steps - 1} steps, least of "
        f"{arguments.repeats}, float32, LoRA 16, one thread\n"
    )
    print("| contestant | clips/s, CPU (wall) | emotrain is faster by | with stored embeddings by | peak memory, MiB |")
    print("|-|-|-|-|-|")
    for name in best:
        wall = max(f["clips"] / f["wall_s"] for f in runs[name])
        peak = min(f["peak_mib"] for f in runs[name])
        ours, stored = (rate[own] / rate[name] for own in ("emotrain", "emotrain, stored embeddings"))
        print(f"| {name} | {rate[name]:.2f} ({wall:.2f}) | {ours:.2f} | {stored:.2f} | {peak:.0f} |")


class Meter:
    """CPU and wall seconds from the end of the first step to the end of the last, and the process's peak memory."""

    def __init__(self) -> None:
        self.at: list[tuple[float, float]] = []

    def step(self) -> None:
        self.at.append((time.process_time(), time.monotonic()))

    def figures(self, batch: int) -> dict[str, float]:
        (cpu, wall), (cpu_end, wall_end) = self.at[0], self.at[-1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        clips = batch * (len(self.at) - 1)
        return {"clips": clips, "cpu_s": cpu_end - cpu, "wall_s": wall_end - wall, "peak_mib": peak}


def callback(meter: Meter) -> Any:
    from transformers import TrainerCallback

    class EveryStep(TrainerCallback):
        def on_step_end(self, *unused: Any, **unused_too: Any) -> None:
            meter.step()

    return EveryStep()


def emotrain(recipe: Any, embeddings: str = "computed", checkpointing: bool = False) -> dict[str, float]:
    from emotrain.training.train import train

    recipe.data.vision_embeddings = embeddings
    recipe.sft.activation_checkpointing = recipe.sft.gradient_checkpointing = checkpointing
    meter = Meter()
    with tempfile.TemporaryDirectory() as output:
        recipe.sft.output_dir = output
        train(recipe, [callback(meter)])
    return meter.figures(recipe.sft.per_device_train_batch_size)


def bare_labels(recipe: Any, tower: bool = True) -> dict[str, float]:
    from emotrain.balance.losses import build_loss
    from emotrain.emotions import label_set
    from emotrain.modeling.label_scoring import label_logits
    from emotrain.modeling.label_tokens import processor_labels

    model, processor, manifest = loaded(recipe)
    names = label_set(recipe.data.label_set).labels
    labels = processor_labels(processor, names)
    loss_of = build_loss(recipe.balance.loss_settings(), manifest.label_counts(names))

    def loss(batch: dict[str, Any]) -> Any:
        target = batch.pop("target")
        batch.pop("weight")
        return loss_of(label_logits(model, batch, labels), target, 0.0).per_sample.mean()

    collated = batches(recipe, processor, manifest)
    return bare(recipe, model, collated if tower else without_tower(model, collated), loss)


def without_tower(model: Any, collated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The batches with the tower's output in place of pixels."""
    from emotrain.modeling.image_features import image_features, with_features

    return [with_features(batch, [image_features(model, batch)]) for batch in collated]


def bare_tokens(recipe: Any) -> dict[str, float]:
    import torch

    from emotrain.emotions import label_set
    from emotrain.modeling.label_tokens import processor_labels

    model, processor, manifest = loaded(recipe)
    tokens = processor_labels(processor, label_set(recipe.data.label_set).labels).tokens
    longest, pad = max(map(len, tokens)), processor.tokenizer.pad_token_id

    def answered(batch: dict[str, Any]) -> dict[str, Any]:
        answers = [tokens[int(index)] for index in batch.pop("target")]
        batch.pop("weight")
        ids = torch.tensor([[*answer, *[pad] * (longest - len(answer))] for answer in answers])
        real = torch.tensor([[1] * len(answer) + [0] * (longest - len(answer)) for answer in answers])
        batch["input_ids"] = torch.cat([batch["input_ids"], ids], dim=1)
        batch["attention_mask"] = torch.cat([batch["attention_mask"], real], dim=1)
        batch["mm_token_type_ids"] = torch.cat([batch["mm_token_type_ids"], torch.zeros_like(ids)], dim=1)
        return batch | {"answer": ids.masked_fill(real == 0, -100)}

    def loss(batch: dict[str, Any]) -> Any:
        answer = batch.pop("answer")
        logits = model(**batch, logits_to_keep=longest + 1, use_cache=False).logits[:, :-1]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), answer.flatten())

    return bare(recipe, model, [answered(batch) for batch in batches(recipe, processor, manifest)], loss)


def trl(recipe: Any, **more: Any) -> dict[str, float]:
    from datasets import Dataset, Image, List
    from trl import SFTConfig, SFTTrainer

    from emotrain.emotions import label_set
    from emotrain.examples.base_model import load_base
    from emotrain.examples.examples import Examples
    from emotrain.modeling.lora import lora_config

    model, processor = load_base(recipe)
    examples = Examples(recipe.data, recipe.context, label_set(recipe.data.label_set).labels, processor.tokenizer)
    rows = [
        {
            "images": [{"bytes": frame.image, "path": None} for frame in examples.keyframes(draw.clip_id)],
            "prompt": examples.messages(draw.clip_id)[0],
            "completion": [{"role": "assistant", "content": [{"type": "text", "text": draw.label}]}],
        }
        for draw in read(recipe).draws
    ]
    meter = Meter()
    with tempfile.TemporaryDirectory() as output:
        config = SFTConfig(
            output_dir=output,
            per_device_train_batch_size=recipe.sft.per_device_train_batch_size,
            num_train_epochs=1,
            learning_rate=recipe.sft.learning_rate,
            max_length=None,
            **more,
            bf16=False,
            use_cpu=True,
            logging_steps=recipe.sft.logging_steps,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        SFTTrainer(
            model=model,
            args=config,
            train_dataset=Dataset.from_list(rows).cast_column("images", List(Image())),
            processing_class=processor,
            peft_config=lora_config(model, recipe.model.lora_r, recipe.model.lora_alpha, recipe.model.lora_dropout),
            callbacks=[callback(meter)],
        ).train()
    return meter.figures(config.per_device_train_batch_size)


def read(recipe: Any) -> Any:
    from emotrain.balance.manifest import read_manifest
    from emotrain.examples.manifests import manifest_path

    return read_manifest(manifest_path(recipe))


def loaded(recipe: Any) -> tuple[Any, Any, Any]:
    """The base with its LoRA in training mode, the processor and the manifest."""
    from peft import get_peft_model

    from emotrain.examples.base_model import load_base
    from emotrain.modeling.lora import lora_config

    model, processor = load_base(recipe)
    config = lora_config(model, recipe.model.lora_r, recipe.model.lora_alpha, recipe.model.lora_dropout)
    return get_peft_model(model, config).train(), processor, read(recipe)


def batches(recipe: Any, processor: Any, manifest: Any) -> list[dict[str, Any]]:
    """Every batch of the run, collated."""
    from emotrain.emotions import label_set
    from emotrain.examples.examples import Collator, Examples

    collate = Collator(Examples(recipe.data, recipe.context, label_set(recipe.data.label_set).labels), processor)
    rows = [
        {"clip_id": d.clip_id, "label": d.label, "weight": d.weight, "draw": i} for i, d in enumerate(manifest.draws)
    ]
    size = recipe.sft.per_device_train_batch_size
    return [collate(rows[start : start + size]) for start in range(0, len(rows), size)]


def bare(
    recipe: Any, model: Any, collated: list[dict[str, Any]], loss_of: Callable[[dict[str, Any]], Any]
) -> dict[str, float]:
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.sft.learning_rate, fused=True)
    meter, losses = Meter(), []
    for batch in collated:
        loss = loss_of(dict(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, recipe.sft.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        meter.step()
    return meter.figures(recipe.sft.per_device_train_batch_size) | {"first_loss": losses[0]}


CONTESTANTS: dict[str, Callable[[Any], dict[str, float]]] = {
    "emotrain": emotrain,
    "emotrain, stored embeddings": partial(emotrain, embeddings="stored"),
    "emotrain, gradient checkpointing": partial(emotrain, checkpointing=True),
    "bare loop": bare_labels,
    "bare loop, answer tokens": bare_tokens,
    "bare loop without the vision tower": partial(bare_labels, tower=False),
    "TRL": partial(trl, gradient_checkpointing=False),
    "TRL as it comes": trl,
}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    main()
