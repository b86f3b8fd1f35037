"""Checkpoints of a run: which one to go on from, and what each must carry to be understood later."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from emotrain.atomic_files import open_to_all, write_json
from emotrain.context.summarize import summaries_folder
from emotrain.digests import DIGESTS
from emotrain.examples.base_model import base_name, weights_digest
from emotrain.examples.summaries import summaries_name
from emotrain.job_notes import kept
from emotrain.json_files import read_object
from emotrain.launched import from_first
from emotrain.recipe.recipe import Recipe
from emotrain.training.whole import (
    PROVENANCE,
    VOUCHED_BY,
    WEIGHTS,
    checkpoint_faults,
    has_list,
    result_faults,
    vouch_checkpoint,
    vouch_result,
)
from emotrain.training.world import World

__all__ = ["PROVENANCE", "WEIGHTS", "CarryProvenance", "Found", "look_at", "provenance_of", "rotate"]


LIBRARIES = ("emotrain", "torch", "transformers", "peft", "trl", "accelerate", "datasets")


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier run left in an output folder.

    `finished`: it is all there. `last` is the newest whole checkpoint, `said` a line about what is not used and why,
    None where all is well.
    """

    finished: bool
    last: Path | None
    said: str | None


def look_at(output: Path) -> Found:
    """Read what lies in `output`; whole files are read from the newest checkpoint backwards until one is whole.

    Raises ValueError for a finished run whose files changed and that has no checkpoint to be made again from.
    """
    faults = _result_faults(output)
    if faults == []:
        return Found(True, None, None)
    last: Path | None = None
    said: list[str] = []
    for folder in reversed(_checkpoints(output)):
        found = checkpoint_faults(folder, content=last is None)
        if found:
            said.insert(0, f"{folder.name}: {_listed(found)}")
        elif last is None:
            last = folder
    weightless = not any((output / name).is_file() for name in WEIGHTS)
    if faults and last is None and not weightless:
        raise ValueError(
            f"{output}: {_listed(faults)}; put it back, or accept what was changed on purpose with `emotrain check "
            f"{output} --renew`, or delete {output / PROVENANCE} to train again from step 0"
        )
    said += [f"neither {' nor '.join(WEIGHTS)} beside {PROVENANCE}"] if faults and weightless else faults or []
    if last is not None and not has_list(last):
        said.append(f"{last.name}: of a version that kept no list of digests; what its own formats vouch for is whole")
    if not said:
        return Found(False, last, None)
    goes_on = (
        "nothing to go on from, training starts at step 0" if last is None else f"training goes on from {last.name}"
    )
    return Found(False, last, f"{output}: {'; '.join(said)}; {goes_on}")


def last_checkpoint(output: Path) -> Path | None:
    """The newest whole checkpoint; one that a kill left half written, or that was damaged since, is passed over."""
    folders = reversed(_checkpoints(output))
    return next((folder for folder in folders if not checkpoint_faults(folder, content=True)), None)


def is_finished(output: Path) -> bool:
    """Whether the run wrote its adapter (a classifier: its weights), and what it wrote is still what lies there."""
    return _result_faults(output) == []


def rotate(output: Path, keep: int | None, best: str | None) -> None:
    """Remove the oldest complete checkpoints until `keep` are left (None: all), never the newest nor the `best` one.

    Incomplete ones neither count nor go: they are nothing to fall back on, and the newest complete one must be.
    """
    if keep is None:
        return
    complete = [folder for folder in _checkpoints(output) if not checkpoint_faults(folder, content=False)]
    may_go = [folder for folder in complete[:-1] if best is None or folder.name != Path(best).name]
    for folder in may_go[: max(len(complete) - keep, 0)]:
        # First what vouches for the rest: a kill in between must not leave half a checkpoint that looks whole.
        for name in (DIGESTS, PROVENANCE):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def check_goes_on(checkpoint: Path, world: World) -> None:
    """Raise ValueError when this world cannot load the checkpoint's optimiser state, or would silently start a new one.

    One process and plain data parallelism share a format; FSDP2 loads its checkpoints at any number of processes;
    DeepSpeed's are cut for the number of processes that wrote them.
    """
    stated = read_object(checkpoint / PROVENANCE, "delete this checkpoint").get("world")
    if stated is not None and not world.compatible(World(**stated)):
        raise ValueError(
            f"{checkpoint} was written by {stated['processes']} process(es) under {stated['strategy']}, and this run "
            f"is {world.processes} under {world.strategy}; launch it as before, or train again in another output_dir"
        )


def provenance_of(recipe: Recipe, manifest_digest: str, clips_per_step: int) -> dict[str, Any]:
    """What a run depends on beyond its recipe: data order, clips of a step, frames, summaries, base weights, versions.

    A step has the same clips on any number of processes, so a run that goes on with another number must keep
    `clips_per_step`. All processes call this together; the first one reads.
    """
    from accelerate import PartialState

    data = Path(recipe.data.data)
    made_from = {
        "manifest": manifest_digest,
        "clips_per_step": clips_per_step,
        "frames": _digest(data / "frames" / "frames.json"),
        "base": from_first(_base_digest(recipe) if PartialState().is_main_process else None),
    }
    if recipe.context.context != "none":
        made_from["summaries"] = summaries_folder(data, summaries_name(data, recipe.context)).name
    return {
        "made_from": made_from,
        "data": str(data.absolute()),  # stays on this machine: the check before publishing reads the clips' names there
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _base_digest(recipe: Recipe) -> str | None:
    """What the base's name stands for; None for one that is not here any more, as in front of a finished run.

    Its name and revision are compared as keys of the recipe all the same.
    """
    try:
        return weights_digest(base_name(recipe), recipe.model.model_revision)
    except (OSError, ValueError):
        return None


def _digest(file: Path) -> str | None:
    """Sixteen hex digits of a file's content; None where there is no such file."""
    return blake2b(file.read_bytes(), digest_size=8).hexdigest() if file.is_file() else None


class CarryProvenance(TrainerCallback):
    """Puts the resolved recipe, the provenance and what `beside` writes into every checkpoint; keeps `keep` of them.

    Older checkpoints go when the new one is complete. The trainer's own rotation removes them before, and a full disk
    or a kill in between would leave none to go on from: it must be off (`save_total_limit` None).
    """

    def __init__(
        self,
        recipe: Recipe,
        provenance: Mapping[str, Any],
        beside: Callable[[Path], None] | None = None,
        keep: int | None = None,
    ) -> None:
        self.recipe = recipe
        self.provenance = provenance
        self.beside = beside
        self.keep = keep

    def write(self, folder: Path) -> None:
        """Write them into a folder that has everything else. The list of digests comes last and vouches for it all."""
        (folder / DIGESTS).unlink(missing_ok=True)
        if self.beside is not None:
            self.beside(folder)
        open_to_all(folder.glob("*.safetensors"))
        self.recipe.save(folder)
        write_json({**self.provenance, VOUCHED_BY: DIGESTS}, folder / PROVENANCE)
        if folder == Path(self.recipe.sft.output_dir):
            vouch_result(folder)
        else:
            vouch_checkpoint(folder)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # The loss of steps between the last log and a checkpoint is not in the checkpoint: log it before.
        control.should_log = control.should_log or control.should_save

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        from accelerate import PartialState

        PartialState().wait_for_everyone()  # every rank writes a part, and this file vouches for all of them
        if args.should_save:
            self.write(Path(args.output_dir) / f"checkpoint-{state.global_step}")
            kept(f"checkpoint-{state.global_step}")
            rotate(Path(args.output_dir), self.keep, state.best_model_checkpoint)


def _checkpoints(output: Path) -> list[Path]:
    """The checkpoint folders of a run, complete or not, by step."""
    return sorted((folder for folder in output.glob("checkpoint-*") if _step(folder) >= 0), key=_step)


def _step(folder: Path) -> int:
    match = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(match[1]) if match else -1


def _result_faults(output: Path) -> list[str] | None:
    """What is wrong with the result of a finished run; None for a run that has not finished."""
    if not (output / PROVENANCE).is_file():
        return None
    if not any((output / name).is_file() for name in WEIGHTS):
        return ["no weights"]
    return result_faults(output)


def _listed(faults: Sequence[str]) -> str:
    """The first two faults and how many more there are."""
    more = f" and {len(faults) - 2} more" if len(faults) > 2 else ""
    return ", ".join(faults[:2]) + more
