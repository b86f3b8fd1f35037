"""Whether a checkpoint, or what a finished run left, is whole: what its list vouches for, and of the step it names.

A checkpoint of a version that kept no list is read all the same: its archives have checksums of their own, and what it
must have is known. Only a changed number in a JSON or safetensors file of such a one cannot be found.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emotrain.damaged_files import DamagedFile
from emotrain.digests import DIGESTS, faults, read_digests, write_digests
from emotrain.json_files import read_object
from emotrain.recipe.recipe import RESOLVED
from emotrain.yaml_files import read_mapping

PROVENANCE = "provenance.json"
STATE = "trainer_state.json"
WEIGHTS = ("adapter_model.safetensors", "model.safetensors")
"""What a run leaves: the weights of an adapter, or those of a classifier."""

RESULT = (*WEIGHTS, "adapter_config.json", "config.json", "emotrain.json", RESOLVED, STATE, PROVENANCE)
"""Files of a finished run that its list vouches for; what else lies in its folder may change."""

VOUCHED_BY = "vouched_by"
"""Key of a provenance that names the list which was written after it."""

_READ = (".json", ".pt", ".pth", ".bin", ".safetensors")
_REMEDY = "nothing is lost while another checkpoint is whole; delete this one"
_RESULT_REMEDY = "put the file back, or delete {} to have it made again"


def vouch_checkpoint(folder: Path) -> None:
    """Write the list of a checkpoint that has everything else: all files below its folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != DIGESTS and path.name[0] != "."]
    write_digests(files, folder / DIGESTS)


def vouch_result(output: Path) -> None:
    """Write the list of what a finished run left beside its checkpoints."""
    write_digests([output / name for name in RESULT if (output / name).is_file()], output / DIGESTS)


def checkpoint_faults(folder: Path, *, content: bool) -> list[str]:
    """Why a checkpoint is not one to go on from; with `content` every byte that its list vouches for is read."""
    listed = folder / DIGESTS
    lacking = [name for name in (PROVENANCE, STATE) if not (folder / name).is_file()]
    if lacking:
        return [f"incomplete (no {' and no '.join(lacking)})"]
    try:
        if not listed.is_file():
            if VOUCHED_BY in read_object(folder / PROVENANCE, _REMEDY):
                return [f"incomplete (no {DIGESTS})"]
            return _faults_without_list(folder) if content else []
        found = [_short(fault, folder) for fault in faults(listed, _REMEDY, content=content)]
        return found or [*_strangers(folder, listed), *(_other_step(folder) if content else [])]
    except DamagedFile as fault:
        return [_short(fault, folder)]


def result_faults(output: Path) -> list[str]:
    """Why what a finished run left is not what it wrote, or (a version that kept no list) cannot be read."""
    listed = output / DIGESTS
    remedy = _RESULT_REMEDY.format(output / PROVENANCE)
    if listed.is_file():
        return [_short(fault, output) for fault in faults(listed, remedy)]
    try:
        if VOUCHED_BY in read_object(output / PROVENANCE, remedy):
            return [f"no {DIGESTS}"]
    except DamagedFile as fault:
        return [_short(fault, output)]
    return [*_unreadable(output, [output / name for name in RESULT if (output / name).is_file()])]


def has_list(folder: Path) -> bool:
    """Whether a list vouches for the folder; those of earlier versions have none."""
    return (folder / DIGESTS).is_file()


def readable_provenance(folder: Path) -> dict[str, Any] | None:
    """The provenance in a folder, None where there is none or where it or the recipe beside it is damaged."""
    path = folder / PROVENANCE
    if not path.is_file():
        return None
    try:
        values = read_object(path, _REMEDY, ["made_from"])
        vouched = [] if not has_list(folder) else faults(folder / DIGESTS, _REMEDY, only=[PROVENANCE, RESOLVED])
        read_mapping(folder / RESOLVED, ValueError)
    except (ValueError, FileNotFoundError):
        return None
    return None if vouched or not isinstance(values["made_from"], dict) else values


def _strangers(folder: Path, listed: Path) -> list[str]:
    """Files that a library would read with the checkpoint and that were not written with it.

    Those of single ranks are left out: the rank that wrote the list may not have seen those of other machines yet.
    """
    known = read_digests(listed, _REMEDY)
    there = [path.name for path in folder.iterdir() if path.suffix in _READ and not path.name.startswith("rng_state_")]
    return [f"{name}: not written with this checkpoint" for name in sorted(there) if name not in {*known, DIGESTS}]


def _other_step(folder: Path) -> list[str]:
    named = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    step = read_object(folder / STATE, _REMEDY, ["global_step"])["global_step"]
    return [] if named is None or step == int(named[1]) else [f"{STATE}: of step {step}"]


def _faults_without_list(folder: Path) -> list[str]:
    provenance = read_object(folder / PROVENANCE, _REMEDY, ["made_from"])
    world = provenance.get("world")
    plain = isinstance(world, dict) and world.get("strategy") in ("single", "ddp")
    needed = ["scheduler.pt", "optimizer.pt"] if plain else []
    lacking = [f"{name}: it is gone" for name in needed if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in WEIGHTS):
        lacking.append(f"neither {' nor '.join(WEIGHTS)}")
    return [*lacking, *_unreadable(folder, sorted(folder.rglob("*"))), *_other_step(folder)]


def _unreadable(folder: Path, files: list[Path]) -> Iterator[str]:
    """What cannot be read, or fails a checksum that its own format has."""
    from safetensors import SafetensorError, safe_open

    for path in files:
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".json":
            try:
                read_object(path, _REMEDY)
            except DamagedFile as fault:
                yield _short(fault, folder)
        elif path.suffix == ".safetensors":
            try:
                with safe_open(path, framework="np"):
                    pass
            except (SafetensorError, OSError) as error:
                yield f"{name}: no whole safetensors file ({error})"
        elif path.suffix in (".pt", ".pth", ".bin") and path.is_file():
            try:
                with zipfile.ZipFile(path) as archive:
                    bad = archive.testzip()
            except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
                yield f"{name}: {path.stat().st_size} bytes that are no archive of torch ({error})"
            else:
                if bad is not None:
                    yield f"{name}: the checksum of {bad} is wrong"


def _short(fault: DamagedFile, folder: Path) -> str:
    """The fault without the folder, which is said once before, and without the remedy, which comes after."""
    return str(fault).replace(f"{folder}/", "").rpartition(": ")[0]
