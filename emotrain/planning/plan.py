"""`emotrain plan RECIPE`: what a run will cost and what it can see, before any GPU hour.

Everything is computed, nothing measured, and every value that is not read off the recipe, the prepared data or the
model's own files is named in `assumptions`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from emotrain.balance.manifest import Manifest
from emotrain.balance.priors import class_counts
from emotrain.emotions import display_names, frequency_groups, label_set
from emotrain.examples.base_model import base_name
from emotrain.metrics.detectable import in_words
from emotrain.planning.arms import ArmTable, compare
from emotrain.planning.batches import Batches, walk
from emotrain.planning.chats import Clips, chat, imagined_clips, prepared_clips, stored_keyframes
from emotrain.planning.classes import ClassRow, class_rows, plan_manifest
from emotrain.planning.clips import known_clips, test_counts
from emotrain.planning.flops import ClipTokens, StepFlops, step_flops, vision_flops
from emotrain.planning.local_files import local_processor
from emotrain.planning.machine import ASSUMED_MFU, H100_BF16_TFLOPS, Machine
from emotrain.planning.memory import STRATEGIES, MemorySettings, StepMemory, Strategy, largest_batch, step_memory
from emotrain.planning.prompts import Counter, make_counter
from emotrain.planning.shapes import Shapes, read_shapes
from emotrain.recipe.recipe import Recipe
from emotrain.video.miss import APEX_S, EVENT_S, miss_table

POLICIES = (
    "segment_centres",
    "endpoints",
    "fps:1",
    "fps:2",
    "fps:5",
    "stratified",
    "motion",
    "onset_apex_offset",
)
ASSUMED_DURATION_S = 3.0
EVERY_N = "every_n_layers"
"""transformers' word for checkpointing some of the blocks only."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one device under one strategy, for the worst batch, and the largest batch that fits."""

    strategy: Strategy
    step: StepMemory
    total: float
    largest_batch: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that `emotrain plan` prints; None where nothing is known yet. Bytes, seconds, single operations.

    `clip` is the clip of median length in the recipe's own arm. `prompts_counted` says whether prompts are those of the
    prepared clips; otherwise `batches` holds one typical clip and `worst_prompt` an assumed long one.
    """

    recipe: str
    model: str
    shapes_from: str
    parameters: int
    adapter_parameters: int
    keyframe_policy: str
    batch: int
    machine: Machine
    classes: tuple[ClassRow, ...]
    miss: dict[str, dict[float, float]] | None
    miss_apex: dict[str, dict[float, float]] | None
    arms: ArmTable
    clip: ClipTokens
    clip_flops: StepFlops
    prompts_counted: bool
    batches: Batches | None
    worst_prompt: int
    memory: tuple[Memory, ...]
    train_flops: float | None
    train_s: float | None
    detectable: tuple[str, ...]
    assumptions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The plan as plain values, totals included."""
        plain = asdict(self)
        plain["clip_flops"]["total"] = self.clip_flops.total
        for name, found in (("miss", self.miss), ("miss_apex", self.miss_apex)):
            if found is not None:
                plain[name] = {policy: {f"{d:g}": p for d, p in row.items()} for policy, row in found.items()}
        return plain


def make_plan(recipe: Recipe, machine: Machine) -> Plan:
    """Compute the plan of a recipe. Raises ValueError where the recipe, its model or its data cannot be planned."""
    shapes = recipe_shapes(recipe)
    processor = local_processor(
        base_name(recipe),
        revision=recipe.model.model_revision,
        image_size=recipe.data.image_size,
        trust_remote_code=recipe.sft.trust_remote_code,
    )
    known = known_clips(recipe)
    duration_s = float(np.median(known.durations_s)) if known.durations_s.size else ASSUMED_DURATION_S
    clips = prepared_clips(recipe, None if processor is None else processor.tokenizer)
    stored = clips is not None
    if clips is None:
        clips = imagined_clips(recipe, duration_s)
    counter = _counter(recipe, shapes, processor, clips)
    settings = memory_settings(recipe)
    cost = partial(
        step_flops,
        shapes,
        rank=settings.rank,
        checkpointing=settings.checkpointing,
        every=settings.every,
        stored_vision=recipe.data.vision_embeddings == "stored",
    )
    manifest, drawn = plan_manifest(recipe, known)
    labels = label_set(recipe.data.label_set).labels

    tokens = _count(recipe, clips, counter, manifest if stored else None)
    compared = sorted(tokens) if stored else ["typical"]
    typical = sorted((tokens[clip_id] for clip_id in compared), key=lambda clip: clip.prompt)[len(compared) // 2]
    batches = None
    if manifest is not None:
        batches = walk(
            manifest,
            tokens if stored else {draw.clip_id: tokens["typical"] for draw in manifest.draws},
            lambda clip, padded: cost(tokens=clip, padded_to=padded).total,
            batch=recipe.sft.per_device_train_batch_size,
            accumulation=recipe.sft.gradient_accumulation_steps,
            gpus=machine.gpus,
            max_steps=recipe.sft.max_steps,
        )
    counted = stored and batches is not None
    worst = batches.longest if batches is not None and counted else max(clip.prompt for clip in tokens.values())
    flops = None if batches is None else batches.flops
    return Plan(
        recipe=str(recipe.path),
        model=shapes.name,
        shapes_from=shapes.source,
        parameters=shapes.parameters,
        adapter_parameters=shapes.language.adapter_parameters(settings.rank),
        keyframe_policy=recipe.data.keyframe_policy,
        batch=recipe.sft.per_device_train_batch_size,
        machine=machine,
        classes=() if manifest is None else class_rows(manifest, class_counts(known.train, labels)),
        miss=_miss(recipe, known.durations_s, None),
        miss_apex=_miss(recipe, known.durations_s, APEX_S),
        arms=compare(recipe, clips, counter, lambda clip: cost(tokens=clip), compared),
        clip=typical,
        clip_flops=cost(tokens=typical),
        prompts_counted=counted,
        batches=batches,
        worst_prompt=worst,
        memory=_memory(recipe, shapes, typical, settings, worst, machine),
        train_flops=flops,
        train_s=None if flops is None else flops / (machine.gpus * machine.peak_tflops * 1e12 * machine.mfu),
        detectable=_detectable(test_counts(recipe), class_counts(known.train, labels)),
        assumptions=(
            *_assumptions(recipe, machine, known.assumptions, drawn, clips.assumptions, counter),
            *_on_disk(recipe, shapes, typical),
        ),
    )


def _detectable(tested: dict[str, int], trained: dict[str, int]) -> tuple[str, ...]:
    """What a fold's test clips can show, in words; nothing where they are not known."""
    if not any(tested.values()) or not any(trained.values()):
        return ()
    groups = frequency_groups(trained)
    return tuple(in_words(tested, [label for label in tested if groups[label] == "tail"]))


def memory_settings(recipe: Recipe) -> MemorySettings:
    """What a recipe says that memory hangs on."""
    model, sft = recipe.model, recipe.sft
    dtype = model.dtype if isinstance(model.dtype, str) and model.dtype != "auto" else "bfloat16"
    return MemorySettings(
        dtype=dtype,
        bf16=bool(sft.bf16),
        bits=4 if model.load_in_4bit else 8 if model.load_in_8bit else None,
        rank=model.lora_r,
        dropout=model.lora_dropout > 0,
        checkpointing=bool(sft.gradient_checkpointing or sft.activation_checkpointing),
        every=int(((sft.activation_checkpointing_kwargs or sft.gradient_checkpointing_kwargs) or {}).get(EVERY_N, 1)),
        eager=model.attn_implementation == "eager",
    )


def _count(recipe: Recipe, clips: Clips, counter: Counter, manifest: Manifest | None) -> dict[str, ClipTokens]:
    """Tokens of the recipe's own prompts: of every clip that the manifest draws, of all clips without one."""
    own = recipe.context.prompt_settings()
    drawn = clips.times_s if manifest is None else {draw.clip_id for draw in manifest.draws} & clips.times_s.keys()
    return {
        clip_id: counter.count(chat(recipe, clips.times_s[clip_id], clips.summaries[clip_id], own))
        for clip_id in sorted(drawn)
    }


def recipe_shapes(recipe: Recipe) -> Shapes:
    """The shapes of a recipe's model, with the adapters that it asks for."""
    return read_shapes(
        base_name(recipe),
        revision=recipe.model.model_revision,
        trust_remote_code=recipe.sft.trust_remote_code,
        target_modules=recipe.model.lora_target_modules,
    )


def _counter(recipe: Recipe, shapes: Shapes, processor: Any, clips: Clips) -> Counter:
    labels = label_set(recipe.data.label_set).labels
    return make_counter(
        shapes,
        processor,
        height=clips.size[0],
        width=clips.size[1],
        image_size=recipe.data.image_size,
        keyframes=recipe.data.keyframes,
        labels=labels,
        names=display_names(labels, recipe.context.language),
    )


def _miss(recipe: Recipe, durations_s: Any, apex_s: float | None) -> dict[str, dict[float, float]] | None:
    if not durations_s.size:
        return None
    policies = dict.fromkeys([recipe.data.keyframe_policy, *POLICIES])
    table = miss_table(durations_s, list(policies), EVENT_S, recipe.data.keyframes, apex_s=apex_s)
    # Sums of coverage that reach the whole clip leave a remainder of either sign.
    return {policy: {event: max(p, 0.0) + 0.0 for event, p in row.items()} for policy, row in table.items()}


def _memory(
    recipe: Recipe, shapes: Shapes, clip: ClipTokens, settings: MemorySettings, worst: int, machine: Machine
) -> tuple[Memory, ...]:
    rows = []
    for strategy in STRATEGIES if machine.gpus > 1 else STRATEGIES[:1]:
        more: dict[str, Any] = {"padded_to": worst, "strategy": strategy, "gpus": machine.gpus}
        more |= {"accumulation": recipe.sft.gradient_accumulation_steps}
        more |= {"stored_vision": recipe.data.vision_embeddings == "stored"}
        step = step_memory(shapes, clip, settings, batch=recipe.sft.per_device_train_batch_size, **more)
        rows.append(
            Memory(strategy, step, step.total, largest_batch(shapes, clip, settings, machine.gpu_memory_gib, **more))
        )
    return tuple(rows)


def _on_disk(recipe: Recipe, shapes: Shapes, clip: ClipTokens) -> tuple[str, ...]:
    """What stored vision embeddings save and take; nothing for a recipe without."""
    if recipe.data.vision_embeddings == "computed":
        return ()
    size = clip.visual * shapes.language.hidden * (4 if recipe.model.dtype == "float32" else 2) / 2**20
    once = vision_flops(shapes.vision, clip.grids, clip.visual) / 1e12
    return (
        f"vision_embeddings: stored: {size:.2f} MiB a clip on disk (times the layers that are given features of their "
        f"own: Qwen3-VL); {once:.2f} TFLOP a clip are computed once, by `emotrain prep`, and stand in no figure here",
    )


def _assumptions(
    recipe: Recipe,
    machine: Machine,
    known: tuple[str, ...],
    drawn: tuple[str, ...],
    clips: tuple[str, ...],
    counter: Counter,
) -> tuple[str, ...]:
    said = [*known, *drawn, *clips]
    if counter.assumption is not None:
        said.append(counter.assumption)
    if machine.mfu == ASSUMED_MFU:
        said.append(
            f"time: {ASSUMED_MFU:.0%} of the peak (model FLOPs utilisation), not measured; state yours with --mfu"
        )
    if machine.peak_tflops == H100_BF16_TFLOPS:
        said.append(f"time: {H100_BF16_TFLOPS:g} TFLOP/s, one H100 in bf16; state yours with --peak-tflops")
    said.append("memory: computed as an upper estimate (emotrain/planning/memory.py has the formula), not measured")
    stored = stored_keyframes(recipe)
    if stored is not None and stored != recipe.data.keyframes:
        said.append(f"frames: {stored} keyframes a clip on disk are counted, the recipe names {recipe.data.keyframes}")
    if recipe.sft.use_cpu:
        said.append("machine: the recipe trains on the CPU; time and memory are those of the same run on a GPU")
    if recipe.model.use_dora:
        said.append("DoRA: its norms are not counted, neither in operations nor in memory")
    if recipe.sft.optim not in ("adamw_torch", "adamw_torch_fused", "adamw_hf"):
        said.append(f"memory: the optimiser's state is AdamW's in float32, the recipe names {recipe.sft.optim}")
    return tuple(said)
