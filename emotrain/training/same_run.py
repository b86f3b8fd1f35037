"""Whether what lies in an output folder was made by the run that is about to go on there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotrain.recipe.recipe import RESOLVED, Recipe, effective
from emotrain.training.whole import readable_provenance
from emotrain.yaml_files import read_mapping

_KEYS = """
    output_dir data root prep_shards arm split resamples option_orders head head_l2 head_tau posthoc posthoc_tau
    baseline_model baseline_trains vision_embeddings vision_attention torch_compile pad_to_multiple_of
    per_device_train_batch_size per_device_eval_batch_size gradient_accumulation_steps
    gradient_checkpointing gradient_checkpointing_kwargs
    activation_checkpointing activation_checkpointing_kwargs activation_offloading torch_empty_cache_steps
    dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers dataloader_prefetch_factor
    dataloader_multiprocessing_context
    ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend ddp_timeout
    local_rank debug skip_memory_metrics
    logging_strategy logging_steps logging_first_step log_on_each_node log_level log_level_replica disable_tqdm
    include_num_input_tokens_seen report_to run_name project trackio_space_id trackio_bucket_id
    trackio_static_space_id save_steps save_total_limit save_on_each_node
    push_to_hub hub_model_id hub_strategy hub_revision hub_private_repo
"""
MAY_DIFFER = frozenset(_KEYS.split())
"""Keys that say how a step is computed, told, kept or scored later, not what it is."""


def check_same_run(output: Path, recipe: Recipe, provenance: Mapping[str, Any]) -> None:
    """Raise ValueError when what lies in `output` was made from another recipe, manifest, base or set of frames.

    Recipes are compared by the values in force, however they are written (`effective`), and without the keys of
    `MAY_DIFFER`: a run may go on with another number of processes.
    """
    now = effective(recipe.values)
    for folder in [output, *sorted(output.glob("checkpoint-*"))]:
        there = readable_provenance(folder)
        if there is None:  # nothing there, or damaged: then nothing of it is used
            continue
        made_from = there["made_from"]
        before = effective(read_mapping(folder / RESOLVED, ValueError))
        # What an earlier version, or a machine that the Hub is out of reach of, did not state cannot be compared.
        stated = [key for key, value in provenance["made_from"].items() if None not in (value, made_from.get(key))]
        odd = [
            *(_differs(key, made_from[key], provenance["made_from"][key]) for key in stated),
            *(_differs(key, before.get(key), now.get(key)) for key in sorted((before | now).keys() - MAY_DIFFER)),
        ]
        differing = "; ".join(found for found in odd if found is not None)
        if differing:
            raise ValueError(
                f"{folder} holds another run ({differing}); choose another output_dir for this one, or put back what "
                "differs to go on with that one"
            )


def _differs(key: str, there: Any, now: Any) -> str | None:
    return None if there == now else f"{key}: {there!r} there, {now!r} now"
