"""What an `adapter_config.json` may ask of PEFT: a LoRA and nothing beyond it.

PEFT itself does more than add matrices when the file says so: it imports the module that `megatron_core` names, loads
the files of `corda_config` and the other adapters of X-LoRA, copies layers any number of times. Adapters come from
anybody, so the file is checked before PEFT sees it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emotrain.foreign_values import (
    Table,
    either,
    faults,
    flag,
    listed,
    mapped,
    number,
    optional,
    printable,
    read_foreign,
    text,
    told,
    whole,
    word,
)
from emotrain.modeling.module_patterns import module_pattern, quick_pattern

CONFIG = "adapter_config.json"

MOST_RANK = 4096
_NAME = text(r"[\w.-]+", "the name of a module")

_MODULES = either(module_pattern, listed(_NAME, 0, 2000))
_EACH = quick_pattern(repeats=1, ways=1)
"""A key of a table: PEFT tries thousands of them on every module, each behind a repeat of its own."""

LORA: Table = {
    "peft_type": word("LORA"),
    "task_type": optional(text(r"[A-Z_0-9]+", "a task")),
    "peft_version": text(r"[\w.+@-]+", "a version"),
    "base_model_name_or_path": optional(printable(4096)),
    "revision": optional(printable(200)),
    "auto_mapping": optional(mapped(printable(200), optional(printable(500)), 10)),
    "inference_mode": flag,
    "r": whole(1, MOST_RANK),
    "lora_alpha": number(0, 1_000_000),
    "lora_dropout": number(0, 1),
    "lora_bias": flag,
    "bias": word("none", "all", "lora_only"),
    "fan_in_fan_out": flag,
    "use_rslora": flag,
    "use_dora": flag,
    "init_lora_weights": either(flag, text(r"gaussian|orthogonal|olora|pissa(_niter_\d{1,3})?", "a way to begin")),
    "target_modules": optional(_MODULES),
    "exclude_modules": optional(_MODULES),
    "modules_to_save": optional(listed(_NAME, 0, 100)),
    "layers_to_transform": optional(either(whole(0, 10_000), listed(whole(0, 10_000), 0, 10_000))),
    "layers_pattern": optional(either(_NAME, listed(_NAME, 0, 100))),
    "rank_pattern": mapped(_EACH, whole(1, MOST_RANK), 2000),
    "alpha_pattern": mapped(_EACH, number(0, 1_000_000), 2000),
    "megatron_core": word("megatron.core"),  # what PEFT writes into every file, and imports with a megatron_config only
    "qalora_group_size": whole(1, 4096),
}
"""Keys that make a LoRA. Any other key must hold nothing: null, false, an empty list or mapping."""


def read_config(folder: Path) -> dict[str, Any]:
    """The adapter_config.json of a folder; raises ValueError, with every reason, for what is more than a LoRA."""
    path = folder / CONFIG
    values = read_foreign(path)
    found = config_faults(values)
    if found:
        raise ValueError(f"{path}: {len(found)} fault(s) in the adapter's configuration\n{told(found)}")
    return values


def config_faults(values: dict[str, Any]) -> list[str]:
    """Everything in an adapter_config.json that is more than a LoRA, a line each."""
    lacking = [f"{key}: missing" for key in ("peft_type", "r", "target_modules") if key not in values]
    asked = {key: value for key, value in values.items() if key in LORA or value not in (None, False, [], {}, 0)}
    return lacking + faults(asked, LORA, lambda key: "more than a LoRA; only plain LoRA adapters are loaded")
