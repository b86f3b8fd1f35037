"""What of an adapter's folder is published: a short list of files, each rewritten to say nothing about this machine.

Nothing is taken because it happens to lie there. Optimizer state, training arguments, trainer state, tokenizer copies
and whatever else a training folder holds stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from emotrain.atomic_files import replacing, write_json, write_text
from emotrain.digests import DIGESTS, write_digests
from emotrain.examples.calibration_file import read_calibration, write_calibration
from emotrain.examples.input_contract import CONTRACT, read_contract
from emotrain.hub.base import Base
from emotrain.json_files import entry, read_object
from emotrain.modeling.adapter_config import CONFIG, read_config
from emotrain.modeling.adapters import CALIBRATION, RUN_REMEDY, WEIGHTS, adapter_digest, check_vouched
from emotrain.recipe.machine_values import portable
from emotrain.recipe.recipe import RESOLVED
from emotrain.training.checkpoints import PROVENANCE
from emotrain.yaml_files import read_mapping

CARD = "README.md"
CONFUSION = "figures/confusion.png"
VOUCHED = (CONFIG, WEIGHTS, CONTRACT, CALIBRATION, RESOLVED, PROVENANCE)
"""Files that the list of a published adapter vouches for; the card is its publisher's to change."""

PUBLISHED = (*VOUCHED, DIGESTS, CARD, CONFUSION)
"""Every file that a published adapter can have."""

MADE_WITH = ("made_from", "python", "libraries")
"""What of a run's provenance is published: digests and versions, not the machines it ran on."""

OF_THIS_MACHINE = re.compile(
    r"data|root|output_dir|logging_dir|run_name|project|trackio_.*|push_to_hub|hub_.*|deepspeed"
)
OF_THIS_MACHINE_TOO = re.compile(
    r"fsdp_config|accelerator_config|resume_from_checkpoint|.*token|report_to|disable_tqdm"
)
"""Keys of a recipe that say where a run lay or who ran it, not what it did."""


def stage(adapter: Path, base: Base, out: Path) -> list[str]:
    """Write the published form of an adapter's folder into `out`; returns the names of what was left behind.

    Raises FileNotFoundError for a folder without a safetensors adapter, naming a pickled one where it finds that, and
    ValueError for a configuration or an input contract that no adapter may bring, and for a link out of the folder.
    """
    if not (adapter / WEIGHTS).is_file() or not (adapter / CONFIG).is_file():
        pickled = sorted(path.name for path in adapter.glob("adapter_model.*") if path.name != WEIGHTS)
        found = f", only {', '.join(pickled)}; pickles are never published: save it with safetensors" if pickled else ""
        raise FileNotFoundError(f"{adapter}: no {WEIGHTS} with {CONFIG} here{found}")
    check_own(adapter)
    check_vouched(adapter)
    config = read_config(adapter)
    write_json(published_config(config, base), out / CONFIG)
    with replacing(out / WEIGHTS) as temporary:
        temporary.write_bytes((adapter / WEIGHTS).read_bytes())
    values = recipe_values(adapter)
    if values:
        head = "# The recipe of this adapter, without its folders. Keys that are not named had their defaults.\n"
        text = yaml.safe_dump(published_recipe(values, base), sort_keys=False, allow_unicode=True)
        write_text(head + text, out / RESOLVED)
    contract = read_contract(adapter)
    if contract is not None:
        revision = base.revision if base.revision is not None else "main"
        replace(contract, base_model=base.name, base_revision=revision).save(out)
    calibration = read_calibration(adapter)
    if calibration is not None:
        write_calibration(calibration, out, adapter_digest(out))
    if (adapter / PROVENANCE).is_file():
        provenance = read_object(adapter / PROVENANCE, RUN_REMEDY)
        for key in {"made_from", "libraries"} & provenance.keys():
            entry(provenance, key, dict, adapter / PROVENANCE, RUN_REMEDY)
        write_json({key: provenance[key] for key in MADE_WITH if key in provenance}, out / PROVENANCE)
    write_digests([out / name for name in VOUCHED if (out / name).is_file()], out / DIGESTS)
    return sorted(path.name for path in adapter.iterdir() if path.name not in PUBLISHED)


def check_own(adapter: Path) -> None:
    """Raise ValueError where a file to be published is a link that leaves the adapter's folder.

    A folder of somebody else's (an archive, a clone) may hold a link to any file of this machine under the name of a
    recipe. The cache of the Hub links to its own blobs.
    """
    homes = [adapter.resolve()]
    if homes[0].parent.name == "snapshots":
        homes.append(homes[0].parents[1] / "blobs")
    for name in (*VOUCHED, DIGESTS):
        real = (adapter / name).resolve()
        if not any(real.is_relative_to(home) for home in homes):
            raise ValueError(
                f"{adapter / name}: a link to {real}, which lies outside of the adapter's folder; what is published "
                "must lie in it: copy the file there if it is the adapter's"
            )


def recipe_values(folder: Path) -> dict[str, Any]:
    """The resolved recipe beside an adapter, empty when there is none (an adapter that others trained)."""
    path = folder / RESOLVED
    return read_mapping(path) if path.is_file() else {}


def published_config(config: Mapping[str, Any], base: Base) -> dict[str, Any]:
    """adapter_config.json with the base that others can load in the place of the one on this machine.

    `auto_mapping` goes: it names a library that PEFT's AutoPeftModel would import.
    """
    return {**config, "base_model_name_or_path": base.name, "revision": base.revision, "auto_mapping": None}


def published_recipe(values: Mapping[str, Any], base: Base) -> dict[str, Any]:
    """The recipe without keys and values, at any depth, that are about this machine.

    It still loads, with `data` at its default.
    """
    kept = portable({key: value for key, value in values.items() if not _is_private(key)})
    return {**kept, "model_name_or_path": base.name} if "model_name_or_path" in values else kept


def _is_private(key: str) -> bool:
    return (OF_THIS_MACHINE.fullmatch(key) or OF_THIS_MACHINE_TOO.fullmatch(key)) is not None
