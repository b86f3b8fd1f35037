"""Which summaries a recipe reads: those of its own settings and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emotrain.context.summarize import BACKENDS, plan_summaries, reads_video
from emotrain.recipe.arguments import ContextArguments


def summary_options(context: ContextArguments) -> dict[str, Any]:
    """The options of the summarise stage that a recipe names, `leakage` among them for text back ends."""
    options: dict[str, Any] = {"language": context.language, **context.summarizer_options}
    if not reads_video(context.summarizer):
        return options | {"leakage": context.leakage}
    return options if context.cues is None else options | {"cues": context.cues}


def is_written_by_recipe(context: ContextArguments) -> bool:
    """Whether the recipe says how its summaries are made, as against naming a folder or having none."""
    written = reads_video(context.summarizer) or (context.summarizer in BACKENDS and bool(context.summarizer_options))
    return context.context != "none" and written


def summaries_name(data: Path, context: ContextArguments) -> str:
    """The folder under `data/summaries` that a recipe reads.

    Where the recipe says how summaries are made, it is the folder of exactly those settings: FileNotFoundError names
    what is there instead, for words of another language or model must not be read in their place. Otherwise it is what
    `summarizer` names.
    """
    if not is_written_by_recipe(context):
        return context.summarizer
    options = summary_options(context)
    leakage = options.pop("leakage", None)
    name = plan_summaries(data, context.summarizer, leakage, options).name
    home = data / "summaries"
    if not (home / name).is_dir():
        found = ", ".join(sorted(path.name for path in home.glob("*") if path.is_dir())) or "nothing"
        raise FileNotFoundError(
            f"{home}: no summaries of the recipe's settings ({name}), found {found}; run `emotrain prep` with this "
            "recipe, or name the folder to read as `summarizer`"
        )
    return name
