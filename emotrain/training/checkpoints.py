"""Checkpoints of a run: which one to go on from, and what each must carry to be understood later."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from transformers import TrainerCallback

from emotrain.context.summarize import summaries_folder
from emotrain.modeling.loading import resolve_name
from emotrain.shards import write_json
from emotrain.training.recipe import RESOLVED, Recipe

PROVENANCE = "provenance.json"
LIBRARIES = ("emotrain", "torch", "transformers", "peft", "trl", "accelerate", "datasets")


def last_checkpoint(output: Path) -> Path | None:
    """The newest complete checkpoint; one that a kill left half written is passed over and will be written again."""
    found = [folder for folder in output.glob("checkpoint-*") if _step(folder) >= 0 and _complete(folder)]
    return max(found, key=_step, default=None)


def is_finished(output: Path) -> bool:
    """Whether the run wrote its adapter and, as its last act, the provenance beside it."""
    return (output / PROVENANCE).is_file()


def check_same_run(output: Path, recipe: Recipe, provenance: Mapping[str, Any]) -> None:
    """Raise ValueError when what lies in `output` was made from another recipe, manifest, base or set of frames.

    Keys that say how a step is computed, not what it is, may differ: a run may go on with another number of processes.
    """
    for folder in [output, *sorted(output.glob("checkpoint-*"))]:
        if not (folder / PROVENANCE).is_file():
            continue
        before = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        known = {**before["made_from"], **yaml.safe_load((folder / RESOLVED).read_text(encoding="utf-8"))}
        now = {**provenance["made_from"], **recipe.values}
        odd = sorted(
            key for key in known.keys() | now.keys() if known.get(key) != now.get(key) and key not in _MAY_DIFFER
        )
        if odd:
            differing = "; ".join(f"{key}: {known.get(key)!r} there, {now.get(key)!r} now" for key in odd)
            raise ValueError(f"{folder} holds another run ({differing}); choose another output_dir or delete {output}")


_MAY_DIFFER = {
    "output_dir",
    "data",
    "root",
    "arm",
    "split",
    "resamples",
    "logging_steps",
    "save_steps",
    "save_total_limit",
    "report_to",
    "disable_tqdm",
    "dataloader_num_workers",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
}


def provenance_of(recipe: Recipe, manifest_digest: str) -> dict[str, Any]:
    """What a run depends on beyond its recipe: data order, frames, summaries, base weights, library versions."""
    data = Path(recipe.data.data)
    made_from = {
        "manifest": manifest_digest,
        "frames": _digest(data / "frames" / "frames.json"),
        "base": _digest(Path(resolve_name(recipe.model.model_name_or_path)) / "model.safetensors"),
    }
    if recipe.context.context != "none":
        made_from["summaries"] = summaries_folder(data, recipe.context.summarizer).name
    return {
        "made_from": made_from,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _digest(file: Path) -> str | None:
    """Sixteen hex digits of a file's content; None where there is no such file (a base on the Hub, say)."""
    return blake2b(file.read_bytes(), digest_size=8).hexdigest() if file.is_file() else None


class CarryProvenance(TrainerCallback):
    """Puts the resolved recipe and the provenance into every checkpoint."""

    def __init__(self, recipe: Recipe, provenance: dict[str, Any]) -> None:
        self.recipe = recipe
        self.provenance = provenance

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self.recipe.save(folder)
            write_json(self.provenance, folder / PROVENANCE)


def _step(folder: Path) -> int:
    match = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(match[1]) if match else -1


def _complete(folder: Path) -> bool:
    # The callback's file is written after everything else, so its presence vouches for the rest.
    return (folder / PROVENANCE).is_file() and (folder / "trainer_state.json").is_file()
