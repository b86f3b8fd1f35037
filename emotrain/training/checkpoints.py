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
from emotrain.training.summaries import summaries_name
from emotrain.training.world import World

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
        # What an earlier version did not state cannot be compared; the recipe's own keys always can.
        stated = {key: value for key, value in provenance["made_from"].items() if key in before["made_from"]}
        known = {**before["made_from"], **yaml.safe_load((folder / RESOLVED).read_text(encoding="utf-8"))}
        now = {**stated, **recipe.values}
        odd = sorted(
            key for key in known.keys() | now.keys() if known.get(key) != now.get(key) and key not in _MAY_DIFFER
        )
        if odd:
            differing = "; ".join(f"{key}: {known.get(key)!r} there, {now.get(key)!r} now" for key in odd)
            raise ValueError(f"{folder} holds another run ({differing}); choose another output_dir or delete {output}")


def check_goes_on(checkpoint: Path, world: World) -> None:
    """Raise ValueError when this world cannot load the checkpoint's optimiser state, or would silently start a new one.

    One process and plain data parallelism share a format; FSDP2 loads its checkpoints at any number of processes;
    DeepSpeed's are cut for the number of processes that wrote them.
    """
    stated = json.loads((checkpoint / PROVENANCE).read_text(encoding="utf-8")).get("world")
    if stated is not None and not world.compatible(World(**stated)):
        raise ValueError(
            f"{checkpoint} was written by {stated['processes']} process(es) under {stated['strategy']}, and this run "
            f"is {world.processes} under {world.strategy}; launch it as before, or train again in another output_dir"
        )


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
    "push_to_hub",
    "hub_model_id",
    "hub_strategy",
    "hub_revision",
    "hub_private_repo",
    "disable_tqdm",
    "dataloader_num_workers",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
}


def provenance_of(recipe: Recipe, manifest_digest: str, clips_per_step: int) -> dict[str, Any]:
    """What a run depends on beyond its recipe: data order, clips of a step, frames, summaries, base weights, versions.

    A step has the same clips on any number of processes, so a run that goes on with another number must keep
    `clips_per_step`.
    """
    data = Path(recipe.data.data)
    made_from = {
        "manifest": manifest_digest,
        "clips_per_step": clips_per_step,
        "frames": _digest(data / "frames" / "frames.json"),
        "base": _digest(Path(resolve_name(recipe.model.model_name_or_path)) / "model.safetensors"),
    }
    if recipe.context.context != "none":
        made_from["summaries"] = summaries_folder(data, summaries_name(data, recipe.context)).name
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

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # The loss of steps between the last log and a checkpoint is not in the checkpoint: log it before.
        control.should_log = control.should_log or control.should_save

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        from accelerate import PartialState

        PartialState().wait_for_everyone()  # every rank writes a part, and this file vouches for all of them
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
