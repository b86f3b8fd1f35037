"""How each trainer is started on the same model, clips and settings: environments, configurations, command lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from other_trainers_inputs import DATA_SET

LLAMA_FACTORY, MS_SWIFT = "LLaMA-Factory", "ms-swift"

PACKAGES = {
    LLAMA_FACTORY: (
        "llamafactory==0.9.5",
        "torch==2.14.1",
        "torchvision==0.29.1",
        "transformers==5.6.0",
        "tokenizers==0.22.2",
        "peft==0.18.1",
        "trl==0.24.0",
        "accelerate==1.11.0",
        "datasets==4.0.0",
        "numpy==2.4.6",
        "pillow==11.3.0",
    ),
    MS_SWIFT: (
        "ms-swift==4.6.0",
        "qwen-vl-utils==0.0.14",
        "decord==0.6.0",
        "torch==2.14.1",
        "torchvision==0.29.1",
        "transformers==5.19.0",
        "tokenizers==0.23.3",
        "peft==0.20.0",
        "trl==0.29.1",
        "accelerate==1.15.0",
        "datasets==4.8.4",
        "numpy==2.4.6",
        "pillow==13.0.0",
    ),
}
"""What each environment is built of: the newest release that installs, emotrain's torch, what that release pulls in."""

SHARED = (
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "max_grad_norm",
    "optim",
    "logging_steps",
    "seed",
)
"""Keys of transformers' TrainingArguments that all trainers take, and get from the recipe."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def make_environment(framework: str, folder: Path) -> Path:
    """A virtual environment of the framework under `folder`; returns its Python."""
    python = folder / framework.lower() / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[framework]], check=True)
    return python


def versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """The installed versions of these packages in the environment of a Python."""
    code = "import json, sys; from importlib.metadata import version as v; "
    code += "print(json.dumps({name: v(name) for name in sys.argv[1:]}))"
    done = subprocess.run([str(python), "-c", code, *packages], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def surroundings(folder: Path) -> dict[str, str]:
    """The environment variables of every trainer: one thread, no network, caches in `folder`."""
    quiet = {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", "CUDA_VISIBLE_DEVICES": ""}
    caches = {name: str(folder / "cache") for name in ("HF_HOME", "MODELSCOPE_CACHE")}
    return dict(os.environ) | ONE_THREAD | quiet | caches


def emotrain_command(recipe_file: Path, output: Path, objective: str) -> list[str]:
    """emotrain on its own recipe."""
    command = str(Path(sys.executable).with_name("emotrain"))
    return [command, "train", str(recipe_file), "--output_dir", str(output), "--objective", objective]


def llama_factory_command(python: Path, recipe: Any, data_set: Path, output: Path) -> list[str]:
    """LLaMA-Factory's `train` on a configuration that says what the recipe says."""
    values = shared(recipe) | {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": recipe.model.model_name_or_path,
        "template": "qwen2_vl",
        "finetuning_type": "lora",
        "lora_rank": recipe.model.lora_r,
        "lora_alpha": recipe.model.lora_alpha,
        "lora_dropout": recipe.model.lora_dropout,
        "lora_target": "all",
        "freeze_vision_tower": True,
        "freeze_multi_modal_projector": True,
        "dataset_dir": str(data_set.parent),
        "dataset": DATA_SET,
        "cutoff_len": 4096,
        "disable_shuffling": True,
        "flash_attn": "sdpa",
        "disable_gradient_checkpointing": True,
        "bf16": False,
        "num_train_epochs": 1,
        "dataloader_num_workers": 0,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "output_dir": str(output),
    }
    output.mkdir(parents=True)
    file = output / "llama_factory.json.yaml"
    file.write_text(json.dumps(values, indent=1), encoding="utf-8")  # JSON is YAML
    return [str(python.parent / "llamafactory-cli"), "train", str(file)]


def ms_swift_command(python: Path, recipe: Any, data_set: Path, output: Path) -> list[str]:
    """ms-swift's `sft` with options that say what the recipe says."""
    values = shared(recipe) | {
        "model": recipe.model.model_name_or_path,
        "model_type": "qwen2_5_vl",
        "template": "qwen2_5_vl_own_tokens",
        "external_plugins": Path(__file__).with_name("other_trainers_swift_template.py"),
        "max_pixels": recipe.data.image_size**2,
        "tuner_type": "lora",
        "lora_rank": recipe.model.lora_r,
        "lora_alpha": recipe.model.lora_alpha,
        "lora_dropout": recipe.model.lora_dropout,
        "target_modules": "all-linear",
        "freeze_vit": True,
        "freeze_aligner": True,
        "dataset": data_set,
        "dataset_shuffle": False,
        "train_dataloader_shuffle": False,
        "split_dataset_ratio": 0,
        "max_length": 4096,
        "torch_dtype": "float32",
        "attn_impl": "sdpa",
        "gradient_checkpointing": False,
        "bf16": False,
        "fp16": False,
        "num_train_epochs": 1,
        "dataloader_num_workers": 0,
        "use_cpu": True,
        "use_hf": True,
        "check_model": False,
        "save_strategy": "steps",  # with "no" the adapter is not saved at the end either
        "save_steps": 1_000_000,
        "save_only_model": True,
        "report_to": "none",
        "output_dir": output,
    }
    return [str(python.parent / "swift"), "sft", *options(values)]


def shared(recipe: Any) -> dict[str, Any]:
    """The recipe's values of the keys that every trainer takes."""
    values = {key: getattr(recipe.sft, key) for key in SHARED}
    return {key: getattr(value, "value", value) for key, value in values.items()}


def options(values: Mapping[str, Any]) -> list[str]:
    """Command-line words of `--key value`."""
    return [word for key, value in values.items() for word in (f"--{key}", str(value))]
