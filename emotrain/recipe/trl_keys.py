"""Which keys of TRL's `SFTConfig` and `ModelConfig` a recipe may set, and which would have no effect here.

Every field of the two classes is in one of the two lists; a test compares them with the installed version, so a key
that TRL adds is looked at before anybody relies on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_HONOURED = {
    "the model and its adapter": """
        model_name_or_path model_revision trust_remote_code dtype attn_implementation
        load_in_8bit load_in_4bit bnb_4bit_quant_type use_bnb_nested_quant bnb_4bit_quant_storage
        lora_r lora_alpha lora_dropout lora_target_modules use_rslora use_dora
        """,
    "the steps": """
        output_dir seed full_determinism max_steps per_device_train_batch_size gradient_accumulation_steps
        learning_rate lr_scheduler_type lr_scheduler_kwargs warmup_steps max_grad_norm weight_decay
        optim optim_args optim_target_modules adam_beta1 adam_beta2 adam_epsilon neftune_noise_alpha
        """,
    "precision, memory, speed": """
        use_cpu bf16 fp16 tf32 gradient_checkpointing gradient_checkpointing_kwargs activation_checkpointing
        activation_checkpointing_kwargs activation_offloading torch_compile torch_empty_cache_steps skip_memory_metrics
        debug pad_to_multiple_of dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers
        dataloader_prefetch_factor dataloader_multiprocessing_context
        """,
    "many processes (launchers of old append --local_rank)": """
        ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend ddp_timeout
        fsdp fsdp_config deepspeed local_rank
        """,
    "what is told, scored, saved and uploaded": """
        logging_strategy logging_steps logging_first_step log_on_each_node log_level log_level_replica disable_tqdm
        include_num_input_tokens_seen report_to run_name project trackio_space_id trackio_bucket_id
        trackio_static_space_id eval_strategy eval_steps eval_delay eval_on_start per_device_eval_batch_size
        load_best_model_at_end metric_for_best_model greater_is_better restore_callback_states_from_checkpoint
        save_strategy save_steps save_total_limit save_on_each_node
        push_to_hub hub_model_id hub_strategy hub_private_repo hub_revision
        """,
}
HONOURED = frozenset(key for keys in _HONOURED.values() for key in keys.split())

_ANSWER = "labels are scored, no text is tokenised for training; remove it"
_SCORED = "the validation part is scored by label scoring, without the trainer's evaluation loop; remove it"

REFUSED: dict[str, str] = {
    "use_peft": "adapters are what is trained here; remove it",
    "lora_modules_to_save": "adapters touch nothing but LoRA layers; remove it",
    "lora_target_parameters": "name linear layers in lora_target_modules instead",
    "lora_task_type": "the base model is a generative one; remove it",
    "model_init_kwargs": "say dtype, attn_implementation, model_revision and the like as keys of their own",
    "chat_template_path": "prompts are in the chat template of the base model; remove it",
    "eos_token": "an answer ends with the end of turn of the base model's chat template; remove it",
    "pad_token": "prompts are padded with the base model's own token; remove it",
    "use_cache": "training keeps no keys and values; remove it",
    "use_liger_kernel": "its fused loss is of answer tokens and labels are scored; remove it",
    "liger_kernel_config": "its fused loss is of answer tokens and labels are scored; remove it",
    "router_aux_loss_coef": "the loss is that of `loss`, without a router's part; remove it",
    "label_smoothing_factor": "say `smoothing`",
    "loss_type": "say `loss`, or `objective: tokens` for the likelihood of the answer's tokens",
    "completion_only_loss": "the loss is of the answer alone, always; remove it",
    "assistant_only_loss": "the loss is of the answer alone, always; remove it",
    "average_tokens_across_devices": "a step is a weighted mean over all processes, always; remove it",
    "num_train_epochs": "the manifest is walked once; say `epochs`",
    "train_sampling_strategy": "the manifest is the data order; remove it",
    "shuffle_dataset": "the manifest is the data order; remove it",
    "data_seed": "the manifest is the data order; say `sampling_seed`",
    "dataloader_in_order": "the manifest is the data order; remove it",
    "dataloader_drop_last": "every step is whole; remove it",
    "auto_find_batch_size": "a step must keep its clips; lower per_device_train_batch_size instead",
    "accelerator_config": "processes share the clips of a step in one way only; remove it",
    "parallelism_config": "say it in the file that accelerate_configs/ has for it",
    "length_column_name": _ANSWER,
    "remove_unused_columns": "the collator needs all columns of a draw; remove it",
    "label_names": "the label set is label_set; remove it",
    "max_length": "prompts are never cut; remove it",
    "truncation_mode": "prompts are never cut; remove it",
    "packing": "prompts with images are not packed; remove it",
    "packing_strategy": "prompts with images are not packed; remove it",
    "eval_packing": "prompts with images are not packed; remove it",
    "padding_free": "prompts with images are not packed; remove it",
    "dataset_text_field": _ANSWER,
    "dataset_kwargs": _ANSWER,
    "dataset_num_proc": _ANSWER,
    "do_train": "the verb says what is done: emotrain train; remove it",
    "do_eval": "the verb says what is done: emotrain evaluate, or eval_strategy while training; remove it",
    "do_predict": "the verb says what is done: emotrain evaluate; remove it",
    "prediction_loss_only": _SCORED,
    "bf16_full_eval": _SCORED,
    "fp16_full_eval": _SCORED,
    "eval_accumulation_steps": _SCORED,
    "eval_do_concat_batches": _SCORED,
    "eval_use_gather_object": _SCORED,
    "include_for_metrics": _SCORED,
    "batch_eval_metrics": _SCORED,
    "logging_nan_inf_filter": "a loss that is not finite stops the run; remove it",
    "ignore_data_skip": "a run that goes on would see its first draws again; remove it",
    "save_only_model": "no run could go on from such a checkpoint; remove it",
    "resume_from_checkpoint": "training goes on from the newest checkpoint in output_dir; remove it",
    "enable_jit_checkpoint": "a signal saves a checkpoint as it is; remove it",
    "torch_compile_backend": "inductor compiles the language model's blocks; say torch_compile: true",
    "torch_compile_mode": "blocks are compiled in one mode only; say torch_compile: true",
    "hub_token": "tokens stand in no recipe and no command line; export HF_TOKEN or run `hf auth login`",
    "hub_always_push": "an upload is finished before the next begins; remove it",
}
"""What would have no effect, and what to do instead. A key may still say what happens anyway (`packing: false`)."""

# The manifest is the data order: one pass over all its epochs, never reshuffled, nothing padded. Only a last step that
# the draws do not fill is left out, for every rank must have the same number of batches.
DEFAULTS: dict[str, Any] = {
    "num_train_epochs": 1,
    "dataloader_drop_last": True,
    "remove_unused_columns": False,
    "max_length": None,
    "dataset_kwargs": {"skip_prepare_dataset": True},
    "report_to": "none",
    "save_only_model": False,
    "gradient_checkpointing": False,
    "bf16": False,
    "ddp_find_unused_parameters": False,  # TRL looks for some in every VLM; all of a LoRA is used in every step
    "accelerator_config": {"split_batches": False, "dispatch_batches": False, "even_batches": False},
}
"""Where SFTConfig's own default does not fit."""

_ANYWAY: dict[str, Any] = {**DEFAULTS, "use_peft": True, "logging_nan_inf_filter": False, "completion_only_loss": True}


def refused(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    """A line for each of the values that would be ignored; `defaults` are those of the fields of TRL's classes."""
    for key, found in values.items():
        if key in REFUSED and found is not None and found != _ANYWAY.get(key, defaults.get(key)):
            said = key if key.endswith("_token") else f"{key}: {found!r}"  # a secret is never repeated
            yield f"{said} would have no effect: {REFUSED[key]}"
