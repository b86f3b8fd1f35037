"""A recipe: one flat YAML file that inherits from others and says everything about a run.

`base: other.yaml` (relative to the file), or a list of such names, is read first; a later value wins; `--key value` on
the command line wins over all. Every fault of a recipe is reported in one go, before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from emotrain.shards import write_text
from emotrain.training.arguments import BalanceArguments, ContextArguments, DataArguments, EvaluationArguments

RESOLVED = "recipe.resolved.yaml"


class RecipeError(ValueError):
    """A recipe cannot be used; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A parsed recipe. `sft` and `model` are TRL's SFTConfig and ModelConfig; `values` is what the files said."""

    data: DataArguments
    context: ContextArguments
    balance: BalanceArguments
    evaluation: EvaluationArguments
    sft: Any
    model: Any
    values: Mapping[str, Any]
    path: Path | None = None

    def save(self, folder: Path) -> None:
        """Write the resolved recipe (inheritance and overrides applied) beside an output."""
        text = "# every value this run was given; anything not named had its default\n"
        write_text(text + yaml.safe_dump(dict(self.values), sort_keys=False, allow_unicode=True), folder / RESOLVED)


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file and `--key value` overrides; raises RecipeError that lists every fault."""
    values = read_values(path)
    values.update(parse_overrides(overrides))
    return parse_recipe(values, path)


def read_values(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The flat key-value pairs of a recipe with its bases merged in."""
    path = path.resolve()
    if path in seen:
        raise RecipeError(f"{path}: `base:` leads back to itself through {' -> '.join(p.name for p in (*seen, path))}")
    if not path.exists():
        raise RecipeError(f"{path}: no such recipe{_beside(path)}")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path}: expected `key: value` lines, found a {type(values).__name__}")
    merged: dict[str, Any] = {}
    for base in _bases(values.pop("base", []), path):
        merged |= read_values(path.parent / base, (*seen, path))
    return merged | values


def _bases(base: Any, path: Path) -> list[str]:
    """The recipes that a recipe inherits from: `base` is one file name or a list of them, the last of which wins."""
    names = [base] if isinstance(base, str) else base
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecipeError(f"{path}: base: expected a recipe's file name or a list of them, found {base!r}")
    return names


def parse_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Turn `--key value`, `--key=value` and `--flag` into key-value pairs; values are read as YAML."""
    values: dict[str, Any] = {}
    pending: str | None = None
    for word in words:
        if word.startswith("--") and len(word) > 2:
            if pending is not None:
                values[pending] = True
            key, equals, value = word[2:].partition("=")
            key = key.replace("-", "_")
            pending = None if equals else key
            if equals:
                values[key] = yaml.safe_load(value)
        elif pending is not None:
            values[pending] = yaml.safe_load(word)
            pending = None
        else:
            raise RecipeError(f"command line: {word!r} belongs to no --key")
    if pending is not None:
        values[pending] = True
    return values


def parse_recipe(values: Mapping[str, Any], path: Path | None = None) -> Recipe:
    """Sort the values into their dataclasses and check them; raises RecipeError that lists every fault."""
    from trl import ModelConfig, SFTConfig

    kinds = {
        "data": DataArguments,
        "context": ContextArguments,
        "balance": BalanceArguments,
        "evaluation": EvaluationArguments,
        "sft": SFTConfig,
        "model": ModelConfig,
    }
    # To YAML `no` is false; as a strategy it is a word.
    values = {k: "no" if v is False and k.endswith("_strategy") else v for k, v in values.items()}
    keys = {name: {f.name for f in fields(kind) if f.init} for name, kind in kinds.items()}
    every = sorted(set().union(*keys.values()))
    faults = [_unknown(key, every) for key in values if key not in every]
    faults += [f"{key}: {why}" for key, (kept, why) in _REFUSED.items() if values.get(key, kept) not in (kept, None)]
    parsed: dict[str, Any] = {}
    for name, kind in kinds.items():
        mine = {key: value for key, value in values.items() if key in keys[name]}
        if name == "sft":
            mine = _DEFAULTS | mine
        try:
            parsed[name] = _parse_anywhere(kind, mine) if name == "sft" else _parse(kind, mine)
        except (ValueError, TypeError) as error:
            faults.append(str(error))
    if faults:
        where = str(path) if path else "recipe"
        raise RecipeError(f"{where}: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults))
    # The trainer would upload its whole output folder; `values` keeps the wish, and hub/checkpoints.py follows it.
    parsed["sft"].push_to_hub = False
    return Recipe(**parsed, values=dict(values), path=path)


# The manifest is the data order: one pass over all its epochs, never reshuffled, nothing padded. Only a last step that
# the draws do not fill is left out, for every rank must have the same number of batches.
_DEFAULTS: dict[str, Any] = {
    "num_train_epochs": 1,
    "dataloader_drop_last": True,
    "remove_unused_columns": False,
    "max_length": None,
    "dataset_kwargs": {"skip_prepare_dataset": True},
    "report_to": "none",
    "save_only_model": False,
    "gradient_checkpointing": False,
    "bf16": False,
    "accelerator_config": {"split_batches": False, "dispatch_batches": False, "even_batches": False},
}


# Keys of TRL's classes that would have no effect here, the value that changes nothing, and what to do instead.
_REFUSED: dict[str, tuple[Any, str]] = {
    "use_peft": (True, "adapters are what is trained here; remove it"),
    "num_train_epochs": (1, "the manifest is walked once; say `epochs`"),
    "packing": (False, "prompts with images are not packed; remove it"),
    "max_length": (None, "prompts are never cut; remove it"),
    "lora_modules_to_save": (None, "adapters touch nothing but LoRA layers; remove it"),
    "lora_target_parameters": (None, "name linear layers in lora_target_modules instead"),
    "train_sampling_strategy": ("random", "the manifest is the data order; remove it"),
    "auto_find_batch_size": (False, "a step must keep its clips; lower per_device_train_batch_size instead"),
    "dataloader_drop_last": (True, "every step is whole; remove it"),
    "accelerator_config": (None, "processes share the clips of a step in one way only; remove it"),
    "ignore_data_skip": (False, "a run that goes on would see its first draws again; remove it"),
    "save_only_model": (False, "no run could go on from such a checkpoint; remove it"),
    "resume_from_checkpoint": (None, "training goes on from the newest checkpoint in output_dir; remove it"),
    "hub_token": (None, "tokens stand in no recipe and no command line; export HF_TOKEN or run `hf auth login`"),
    "hub_always_push": (False, "an upload is finished before the next begins; remove it"),
}


def _parse_anywhere(kind: Any, values: Mapping[str, Any]) -> Any:
    """SFTConfig of a GPU recipe on a machine without one: login nodes plan and submit what they cannot run.

    transformers refuses `bf16` there while parsing; `train` makes the same check when it matters.
    """
    import torch

    if values.get("use_cpu") or torch.cuda.is_available():
        return _parse(kind, values)
    parsed = _parse(kind, {**values, "use_cpu": True})
    parsed.use_cpu = False
    return parsed


def _parse(kind: Any, values: Mapping[str, Any]) -> Any:
    """Build one dataclass through TRL's parser, so that `1e-4` (text to YAML) becomes the number it means."""
    from trl import TrlParser

    class Parser(TrlParser):
        def error(self, message: str) -> Any:
            raise ValueError(message.replace("argument --", ""))

    parser = Parser([kind])
    parser.set_defaults_with_config(**values)
    return parser.parse_args_into_dataclasses(args=[])[0]


def _unknown(key: str, every: Sequence[str]) -> str:
    close = get_close_matches(key, every, n=1, cutoff=0.6)
    return f"unknown key {key!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _beside(path: Path) -> str:
    names = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.exists() else []
    return f"; beside it: {', '.join(names)}" if names else f" ({path.parent} holds no .yaml file)"
