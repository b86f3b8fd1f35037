"""Checkpoints of a run: which one to go on from, and what each must carry to be understood later."""

from __future__ import annotations

import json
import platform
import re
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Any

from transformers import TrainerCallback

from emotrain.shards import write_json
from emotrain.training.recipe import Recipe

PROVENANCE = "provenance.json"
LIBRARIES = ("emotrain", "torch", "transformers", "peft", "trl", "accelerate", "datasets")


def last_checkpoint(output: Path) -> Path | None:
    """The newest complete checkpoint. One that a kill left half written (no readable trainer state) is removed."""
    found = sorted(output.glob("checkpoint-*"), key=_step, reverse=True)
    for folder in found:
        if _complete(folder):
            return folder
        rmtree(folder)
    return None


def is_finished(output: Path) -> bool:
    """Whether the run wrote its adapter and, as its last act, the provenance beside it."""
    return (output / PROVENANCE).is_file()


def check_same_run(output: Path, provenance: dict[str, Any]) -> None:
    """Raise ValueError when checkpoints in `output` belong to another manifest."""
    for file in sorted(output.glob(f"checkpoint-*/{PROVENANCE}")):
        before = json.loads(file.read_text(encoding="utf-8"))["manifest"]
        if before != provenance["manifest"]:
            raise ValueError(
                f"{file}: this checkpoint was trained on manifest {before[:12]}, the recipe now names "
                f"{provenance['manifest'][:12]}; choose another output_dir or delete {output}"
            )


def provenance_of(manifest_digest: str) -> dict[str, Any]:
    """What a checkpoint depends on beyond its recipe: the data order and the library versions."""
    return {
        "manifest": manifest_digest,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


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
