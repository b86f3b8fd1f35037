"""One real `emotrain train` of random weights of a published shape: its rate, memory against plan, scoring, latency.

    python benchmarks/first_gpu_train.py --shape 3b --out runs/first_gpu
    python benchmarks/first_gpu_train.py --shape tiny --device cpu --steps 2 --clips 8 --out runs/first_gpu

Nothing is downloaded: base, clips and prompts are made here. The base has the published shape and the tiny base's
tokenizer; clips are pictures of noise of 8 keyframes. Printed are the clips a second of the live line over the second
half of the steps, the peak of memory beside what `emotrain plan` says, clips a second of `emotrain evaluate`, and the
median seconds of one `predict`.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import yaml

NAMES = {"3b": "Qwen/Qwen2.5-VL-3B-Instruct", "7b": "Qwen/Qwen2.5-VL-7B-Instruct"}
LABELS = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
KEYFRAMES = 8
TRAIN = """
import sys, torch
from pathlib import Path
from emotrain.recipe.recipe import load_recipe
from emotrain.training.train import train
train(load_recipe(Path(sys.argv[1])))
print("PEAK", torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=("3b", "7b", "tiny"), default="3b")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--accumulation", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("runs/first_gpu"))
    arguments = parser.parse_args()
    base = "tiny" if arguments.shape == "tiny" else str(write_base(arguments.shape, arguments.device, arguments.out))
    recipe = write_recipe(arguments, base)
    write_clips(arguments.out / "data", arguments.clips)

    from emotrain.examples.manifests import ensure_manifest
    from emotrain.recipe.recipe import load_recipe

    ensure_manifest(load_recipe(recipe))
    said, seconds = run([sys.executable, "-c", TRAIN, str(recipe)])
    rates = [float(rate) for rate in re.findall(r"([\d.]+) clips/s", said)]
    late = rates[len(rates) // 2 :]
    print(f"train: {arguments.steps} steps in {seconds:.0f} s with the start; clips/s of the live line, second half:")
    print(f"  median {statistics.median(late):.2f}, from {min(late):.2f} to {max(late):.2f}")
    peak = int(re.findall(r"PEAK (\d+)", said)[-1])
    print(f"memory: peak of allocated {peak / 2**30:.1f} GiB; emotrain plan says {planned_gib(recipe):.1f} GiB")
    from emotrain.evaluation.scorer import load_scorer, score_split
    from emotrain.examples.manifests import usable_clips

    loaded = load_recipe(recipe)
    scorer, clips = load_scorer(loaded, arguments.out / "run"), usable_clips(loaded, "test")[0]
    score_split(loaded, scorer, clips[: arguments.batch])  # the first pass
    started = time.perf_counter()
    score_split(loaded, scorer, clips)
    print(f"score: {len(clips) / (time.perf_counter() - started):.2f} clips/s of {len(clips)} clips")
    one = []
    for clip in clips[:5]:
        started = time.perf_counter()
        score_split(loaded, scorer, [clip])
        one.append(time.perf_counter() - started)
    print(f"one clip at a time: median {statistics.median(one):.3f} s, workers started each time")


def write_base(shape: str, device: str, out: Path) -> Path:
    """A checkpoint of random weights, bfloat16, with the tiny base's processor."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    from emotrain.modeling.loading import load_processor
    from emotrain.modeling.tiny_architecture import tiny_config
    from emotrain.planning.published import published

    folder = out / f"base-{shape}"
    if (folder / "config.json").is_file():
        return folder
    processor = load_processor("tiny")
    ids = {
        key: value
        for key, value in tiny_config(processor.tokenizer).to_dict().items()
        if key.endswith("_token_id") and value is not None
    }
    values = {**published()[NAMES[shape]]["config"], **ids}
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    model.to("cpu").save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def write_clips(data: Path, count: int) -> None:
    """An index, and keyframes of noise at 224 pixels, for `count` training clips, as many to score and 7 between."""
    import pyarrow.parquet as pq
    from PIL import Image

    from emotrain.atomic_files import write_json, write_table
    from emotrain.records import CLIPS, FRAMES, Clip, Frame, Split, to_table
    from emotrain.stages.parts import part_path

    counts: dict[Split, int] = {"train": count, "validation": len(LABELS), "test": count}
    clips = [
        Clip(f"{split}{i:04d}", f"{split}{i}.mp4", LABELS[i % len(LABELS)], split=split, duration_s=3.0)
        for split, many in counts.items()
        for i in range(many)
    ]
    metadata = {"root": str(data), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), data / "clips.parquet")
    (data / "frames").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    with pq.ParquetWriter(part_path(data / "frames", 0, 1), FRAMES) as writer:
        for clip in clips:
            frames = []
            for k in range(KEYFRAMES):
                file = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (224, 224, 3), dtype=np.uint8)).save(file, "jpeg", quality=80)
                frames.append(Frame(clip.clip_id, k, 0.2 + k / 3, "keyframe", None, file.getvalue()))
            writer.write_table(to_table(frames, Frame).cast(FRAMES))
    settings = {"policy": "segment_centres", "keyframes": KEYFRAMES, "size": 224, "decoder": "auto"}
    write_json({"settings": settings}, data / "frames" / "frames.json")


def write_recipe(arguments: argparse.Namespace, base: str) -> Path:
    """As parts/lora.yaml trains, on these clips."""
    on_cpu = arguments.device == "cpu"
    clips = arguments.steps * arguments.batch * arguments.accumulation
    values: dict[str, Any] = {
        "model_name_or_path": base,
        "dtype": "float32" if on_cpu else "bfloat16",
        "attn_implementation": "sdpa",
        "data": str(arguments.out / "data"),
        "label_set": "dfew",
        "keyframes": KEYFRAMES,
        "image_size": 84 if base == "tiny" else 224,
        "context": "none",
        "sampling": "natural",
        "epochs": 1,
        "epoch_size": clips,
        "lora_r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "learning_rate": 1e-4,
        "per_device_train_batch_size": arguments.batch,
        "gradient_accumulation_steps": arguments.accumulation,
        "pad_to_multiple_of": 32,
        "bf16": not on_cpu,
        "gradient_checkpointing": True,
        "dataloader_num_workers": 0 if on_cpu else 8,
        "logging_steps": max(1, arguments.steps // 10),
        "save_strategy": "no",
        "use_cpu": on_cpu,
        "output_dir": str(arguments.out / "run"),
    }
    path = arguments.out / "recipe.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def planned_gib(recipe: Path) -> float:
    """What `emotrain plan` says that a step of the recipe takes on one device."""
    from emotrain.planning.machine import Machine
    from emotrain.planning.memory import GIB
    from emotrain.planning.plan import make_plan
    from emotrain.recipe.recipe import load_recipe

    return make_plan(load_recipe(recipe), Machine()).memory[0].total / GIB


def run(command: list[str]) -> tuple[str, float]:
    """Both streams of a command that must succeed, and its seconds."""
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[:4]} ended with status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout, time.perf_counter() - started


if __name__ == "__main__":
    main()
