"""A plan on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from emotrain.planning.arms import LIMIT
from emotrain.planning.machine import Machine
from emotrain.planning.memory import GIB
from emotrain.planning.plan import Plan
from emotrain.video.miss import APEX_S, EVENT_S


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """Print every table of a plan, then what was assumed."""
    out = Console() if console is None else console
    out.print(f"[bold]{plan.recipe}[/bold]", highlight=False)
    out.print(
        f"{plan.model}: {scaled(plan.parameters)} parameters ({plan.shapes_from}) "
        f"and {scaled(plan.adapter_parameters)} of LoRA",
        highlight=False,
    )
    for table in (_classes(plan), _miss(plan), _arms(plan), _memory(plan)):
        if table is not None:
            out.print(table)
    for line in _lines(plan):
        out.print(line, highlight=False)
    out.print("[bold]Assumed[/bold]")
    for said in plan.assumptions:
        out.print(f"  - {said}", highlight=False)


def head(plan: Plan) -> str:
    """The comment that heads a shipped recipe: what a run is expected to need, and where that figure comes from.

    Raises ValueError for a plan of another machine than one H100, and for one without a time.
    """
    if plan.machine != Machine():
        raise ValueError(
            "--head: recipes state what they need of one H100; leave out the options that name another GPU"
        )
    if plan.train_s is None:
        raise ValueError(f"--head: {plan.recipe}: nothing is known of its clips, so no time can be stated")
    return (
        f"# Computed by `emotrain plan {plan.recipe}`, not measured: {plan.memory[0].total / GIB:.0f} GiB and "
        f"{duration(plan.train_s)} of training on one H100\n"
        f"# at {100 * plan.machine.mfu:.0f} % of its peak; docs/cost.md says what that rests on."
    )


def duration(seconds: float) -> str:
    """Hours, minutes or seconds, whatever reads best."""
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def scaled(value: float) -> str:
    """Three digits and a prefix: 3.75 G."""
    for prefix, unit in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= unit:
            return f"{value / unit:.3g} {prefix}"
    return f"{value:.3g} "


def _lines(plan: Plan) -> list[str]:
    limit = plan.arms
    lines = [
        f"Enriched training reaches {LIMIT} x sparse at {limit.summary_tokens_at_limit:.0f} summary tokens a clip; "
        f"here it has {limit.summary_tokens:.0f}."
    ]
    if plan.batches is not None:
        b = plan.batches
        lines.append(
            f"Worst batch: prompts of {plan.worst_prompt} tokens (draws {b.at} to {b.at + plan.batch - 1}, clip "
            f"{b.clip_id}); padding is {b.padding:.1%} of all prompt positions."
            if plan.prompts_counted
            else f"Worst batch: prompts of {plan.worst_prompt} tokens, if one long clip is assumed in it."
        )
    if plan.train_s is not None and plan.train_flops is not None and plan.batches is not None:
        m = plan.machine
        lines.append(
            f"Time: {scaled(plan.train_flops)}FLOP in {plan.batches.optimizer_steps:,} steps, "
            f"{duration(plan.train_s)} on {m.gpus} GPU(s) at {m.mfu:.0%} of {m.peak_tflops:g} TFLOP/s; "
            "validation and loading come on top."
        )
    return [*lines, *plan.detectable]


def _classes(plan: Plan) -> Table | None:
    if not plan.classes:
        return None
    table = Table(
        title="Training clips a class; draws and distinct clips are those of an epoch",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for name in ("class", "group", "clips", "share", "drawn", "draws/clip", "distinct"):
        table.add_column(name, justify="left" if name in ("class", "group") else "right")
    for row in plan.classes:
        low, high = min(row.distinct), max(row.distinct)
        table.add_row(
            row.label,
            row.group,
            f"{row.clips}",
            f"{row.natural_share:.1%}",
            f"{row.drawn_share:.1%}",
            f"{row.draws_per_clip:.2f}",
            f"{low}" if low == high else f"{low}-{high}",
        )
    return table


def _miss(plan: Plan) -> Table | None:
    if plan.miss is None or plan.miss_apex is None:
        return None
    title = f"P(miss): no keyframe inside an event / inside the {APEX_S:g} s of its apex, for events of"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("keyframe policy")
    for event in EVENT_S:
        table.add_column(f"{event:.2f} s", justify="right")
    for policy, row in plan.miss.items():
        mark = " (this recipe)" if policy == plan.keyframe_policy else ""
        table.add_row(policy + mark, *miss_cells(row, plan.miss_apex[policy]))
    return table


def miss_cells(row: Mapping[float, float], apex: Mapping[float, float]) -> list[str]:
    """P(miss) of any part and of the apex, a cell an event length; one figure where the event is its own apex."""
    both = [(f"{row[event]:.2f}", f"{apex[event]:.2f}") for event in EVENT_S]
    return [any_part if event <= APEX_S else f"{any_part} / {at}" for event, (any_part, at) in zip(EVENT_S, both)]


def _arms(plan: Plan) -> Table:
    table = Table(
        title="Tokens and operations of one clip in training, by arm", title_justify="left", box=box.SIMPLE_HEAD
    )
    for name in ("arm", "frames", "visual", "text", "labels", "FLOP", "x sparse"):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for arm in plan.arms.arms:
        table.add_row(
            arm.name,
            f"{arm.frames:.0f}",
            f"{arm.visual:.0f}",
            f"{arm.text:.0f}",
            f"{arm.tree}",
            scaled(arm.flops),
            f"{arm.ratio:.2f}",
        )
    return table


def _memory(plan: Plan) -> Table:
    title = (
        f"GiB a GPU at {plan.batch} clips of {plan.worst_prompt} prompt tokens; largest: clips a GPU that fit into "
        f"{plan.machine.gpu_memory_gib:g}"
    )
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    parts = ("weights", "training", "activations", "tower", "pixels", "logits", "rest")
    heads = ("weights", "LoRA", "layers", "tower", "pixels", "logits", "rest")
    for name in ("strategy", *heads, "total", "largest"):
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in plan.memory:
        values = [getattr(row.step, part) for part in parts]
        table.add_row(row.strategy, *(f"{value / GIB:.2f}" for value in (*values, row.total)), f"{row.largest_batch}")
    return table
