"""A cluster profile: one YAML file with every fact about a SLURM cluster that a job needs.

`slurm/profiles/*.yaml` are commented examples, docs/clusters.md lists the keys. Every fault of a profile is reported in
one go. `$NAME` in a path or a value is filled in from the environment of the submitting shell.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from emotrain.emotions import nearest
from emotrain.launch.confidential import REMEDY, check_value
from emotrain.launch.names import control_character
from emotrain.secret_words import is_secret_name
from emotrain.yaml_files import read_mapping

STAGES = ("prep", "train", "evaluate", "publish")
SECTIONS = (*STAGES, "summaries", "embeddings")
"""What `stages:` of a profile may name: the stages, and the parts of prep that run a model on a GPU."""
TIME = re.compile(r"\d+(:\d+){0,2}|\d+-\d+(:\d+){0,2}|unlimited|infinite", re.IGNORECASE | re.ASCII)
MEMORY = re.compile(r"\d+([KMGT]B?)?", re.IGNORECASE | re.ASCII)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ProfileError(ValueError):
    """A profile cannot be used; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What SLURM is asked for and how python is reached on a node. None leaves a choice to the cluster."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    nodes: int = 1
    gpus_per_node: int = 0
    gpu_type: str | None = None
    processes_per_node: int | None = None
    cpus_per_node: int | None = None
    memory: str | None = None
    time_limit: str | None = None
    signal_lead_s: int = 180
    max_restarts: int = 100
    array_limit: int | None = None
    modules: tuple[str, ...] = ()
    venv: str | None = None
    container: str | None = None
    srun_flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    scratch: str | None = None
    accelerate: str = "ddp"
    sanity_check: bool = False
    mail_user: str | None = None
    mail_type: tuple[str, ...] = ()
    sbatch_flags: tuple[str, ...] = ()
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of_stage(self, stage: str) -> Profile:
        """The profile with what `stages:` says about one of SECTIONS; all but train are at home on one node.

        Preparation and publishing need no GPU, evaluation and what runs a model need one, unless the profile says so
        for the stage. `summaries` and `embeddings` take nothing from `prep`, whose partition may have no GPU.
        """
        modest: dict[str, Any] = {} if stage == "train" else {"nodes": 1, "processes_per_node": None}
        if stage in ("evaluate", "summaries", "embeddings"):
            modest["gpus_per_node"] = min(self.gpus_per_node, 1)
        elif stage != "train":
            modest["gpus_per_node"] = 0
        return replace(self, **{**modest, **self.stages.get(stage, {})})


_PER_STAGE = {f.name for f in fields(Profile)} - {"stages", "max_restarts", "accelerate", "sanity_check"}
_COUNTS = {"nodes": 1, "gpus_per_node": 0, "processes_per_node": 1, "cpus_per_node": 1, "array_limit": 1}
_COUNTS |= {"signal_lead_s": 0, "max_restarts": 0}
_LISTS = {"modules", "srun_flags", "mail_type", "sbatch_flags"}
_MAIL = (
    "NONE",
    "BEGIN",
    "END",
    "FAIL",
    "REQUEUE",
    "ALL",
    "TIME_LIMIT",
    "TIME_LIMIT_80",
    "TIME_LIMIT_90",
    "ARRAY_TASKS",
)


def load_profile(path: Path) -> Profile:
    """Read a profile; raises ProfileError that lists every fault, FileNotFoundError when there is no such file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such cluster profile; slurm/profiles/ holds two examples to copy")
    values = read_mapping(path, ProfileError)
    faults: list[str] = []
    parsed = _parse(values, {f.name for f in fields(Profile)}, "", faults)
    if "stages" in values:
        parsed["stages"] = _stages(values["stages"], faults)
    if parsed.get("container") and parsed.get("venv"):
        faults.append("venv: a container brings its own python; name one of venv and container")
    if faults:
        raise ProfileError(f"{path}: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults))
    return Profile(**parsed)


def _stages(values: Any, faults: list[str]) -> dict[str, dict[str, Any]]:
    if not isinstance(values, dict):
        faults.append(f"stages: expected a mapping of {', '.join(SECTIONS)}, found {values!r}")
        return {}
    parsed = {}
    for stage, mine in values.items():
        if stage not in SECTIONS:
            faults.append(f"stages: {stage!r} is not one of {', '.join(SECTIONS)}; {nearest(str(stage), SECTIONS)}")
        elif not isinstance(mine, dict):
            faults.append(f"stages.{stage}: expected `key: value` lines, found {mine!r}")
        else:
            parsed[stage] = _parse(mine, _PER_STAGE, f"stages.{stage}.", faults)
    return parsed


def _parse(values: Mapping[Any, Any], known: set[str], where: str, faults: list[str]) -> dict[str, Any]:
    parsed = {}
    for key, value in values.items():
        if key not in known:
            faults.append(f"unknown key {where + str(key)!r}; {nearest(str(key), sorted(known))}")
        elif key != "stages" and value is not None:
            try:
                parsed[key] = _value(key, value)
            except ValueError as error:
                faults.append(f"{where}{key}: {error}")
    return parsed


def _value(key: str, value: Any) -> Any:
    """One value, checked and with `$NAME` filled in; raises ValueError that says what was expected."""
    if key in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < _COUNTS[key]:
            raise ValueError(f"expected a whole number from {_COUNTS[key]}, found {value!r}")
        return value
    if key == "sanity_check":
        if not isinstance(value, bool):
            raise ValueError(f"expected true or false, found {value!r}")
        return value
    if key == "environment":
        return _environment(value)
    if key in _LISTS:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"expected a list of words, found {value!r}")
        return tuple(_checked_item(key, _text(item)) for item in value)
    if key == "time_limit" and isinstance(value, int):
        # YAML reads 12:30:00 as a number in base 60, and 30 could be meant as minutes or hours.
        raise ValueError(
            f'YAML made the number {value} of it; put the time into quotes, as in "12:00:00" or "2-00:00:00"'
        )
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise ValueError(f"expected text, found {value!r}")
    return _checked_text(key, _text(str(value)))


def _checked_item(key: str, item: str) -> str:
    if key in ("srun_flags", "sbatch_flags") and not item.startswith("-"):
        raise ValueError(f"{item!r} is no flag; write it as one word, --name=value")
    if key == "mail_type" and item not in _MAIL:
        raise ValueError(f"{item!r} is not one of {', '.join(_MAIL)}; {nearest(item, _MAIL)}")
    return item


def _checked_text(key: str, text: str) -> str:
    if key == "time_limit" and not TIME.fullmatch(text):
        raise ValueError(
            f"{text!r} is no time of SLURM's; write minutes, hours:minutes:seconds, days-hours:minutes:seconds or "
            "UNLIMITED"
        )
    if key == "memory" and not MEMORY.fullmatch(text):
        raise ValueError(f'{text!r} is no size of SLURM\'s; write a number with K, M, G or T, as in "240G"')
    if key == "container":
        try:
            shlex.split(text)
        except ValueError as error:
            raise ValueError(
                f"{text!r} is no command of a shell ({error}); put a word with a quote or blank in it into quotes, as "
                'in --bind "/data/o\'brien:/d"'
            ) from error
    if key == "accelerate" and not NAME.fullmatch(text):
        raise ValueError(f"{text!r}: expected the name of a file in accelerate_configs/ without .yaml, as in ddp")
    return text


def _environment(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"expected `NAME: value` lines, found {value!r}")
    filled = {}
    for name, text in value.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable")
        if is_secret_name(name):
            raise ValueError(f"{name} looks like a secret, and a profile ends up in job scripts; {REMEDY}")
        if isinstance(text, (dict, list)) or text is None:
            raise ValueError(f"{name}: expected text, found {text!r}")
        try:
            # YAML reads bare true, yes and on as one thing; a variable gets the word that programs look for.
            filled[name] = _text(str(text).lower() if isinstance(text, bool) else str(text))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return filled


def _text(text: str) -> str:
    if control_character(text) is not None:
        raise ValueError(f"{text!r} holds a line break or another control character")
    used = re.findall(r"\$\{?(\w+)\}?", text)
    unset = [name for name in used if name not in os.environ]
    if unset:
        raise ValueError(f"${unset[0]} is not set in this shell")
    for name in used:
        if is_secret_name(name):
            raise ValueError(f"${name} looks like a secret, and a profile ends up in job scripts; {REMEDY}")
    filled = os.path.expanduser(os.path.expandvars(text))
    if control_character(filled) is not None:
        raise ValueError(f"{text!r} is {filled!r} here, which holds a line break or another control character")
    check_value(filled)
    return filled
