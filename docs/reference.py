"""Writes the pages that are made from the code: recipe-keys.md, cli.md, api.md.

    python docs/reference.py

A test compares the pages with what this writes today: a new key, verb or public function is documented, or it fails.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, fields
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

DOCS = Path(__file__).parent
MADE = "<!-- Made by `make reference` from the code; do not edit. -->"

FIRST = "0.1.0"
SINCE: dict[str, str] = {}
"""The release that brought a recipe key, where it was not the first one."""

PUBLIC = (
    "emotrain.load",
    "emotrain.inference.recogniser.Recogniser.predict",
    "emotrain.inference.reading.Reading",
    "emotrain.inference.chat.chat_messages",
    "emotrain.recipe.recipe.load_recipe",
    "emotrain.recipe.recipe.Recipe",
    "emotrain.datasets.clips.read_index",
    "emotrain.datasets.clips.ClipIndex",
    "emotrain.records.Clip",
    "emotrain.emotions.label_set",
    "emotrain.video.decode.open_clip",
    "emotrain.context.gaps.gaps_of",
    "emotrain.balance.manifest.Manifest",
    "emotrain.balance.losses.build_loss",
    "emotrain.modeling.label_scoring.label_logits",
    "emotrain.metrics.predictions.read_predictions",
    "emotrain.metrics.summary.summarise",
    "emotrain.training.train.train",
    "emotrain.evaluation.evaluate.evaluate",
)
"""What notebooks and other programs call; everything else may move without a word."""


def pages() -> dict[str, str]:
    """The text of each generated page by file name."""
    return {"recipe-keys.md": recipe_keys(), "cli.md": commands(), "api.md": functions()}


def recipe_keys() -> str:
    """Every key that a recipe may set: type, default, meaning, and what would have no effect."""
    from trl import ModelConfig, SFTConfig

    from emotrain.recipe import arguments
    from emotrain.recipe.trl_keys import _HONOURED, DEFAULTS, REFUSED

    lines = [
        "# Recipe keys",
        MADE,
        "",
        "A recipe is flat YAML; every key may also follow a command as `--key value`. An unknown key is an error that",
        "names the nearest, and all faults are told at once. *Since* is the version that brought a key.",
    ]
    for title, kind in (
        ("Data", arguments.DataArguments),
        ("Context", arguments.ContextArguments),
        ("Balance", arguments.BalanceArguments),
        ("Evaluation", arguments.EvaluationArguments),
    ):
        hints = get_type_hints(kind)
        lines += [
            "",
            f"## {title}",
            "",
            _sentence(kind),
            "",
            "| key | type | default | meaning | since |",
            "|-|-|-|-|-|",
        ]
        for field in fields(kind):
            since = SINCE.get(field.name, FIRST)
            cells = (_type(hints[field.name]), _value(_default(field)), field.metadata["help"], since)
            lines.append(_row(f"`{field.name}`", *cells))
    lines += ["", "## Of TRL and transformers", ""]
    lines += ["Keys of `ModelConfig` and `SFTConfig` that have an effect here, with the defaults in force here."]
    theirs = {field.name: field for kind in (SFTConfig, ModelConfig) for field in fields(kind)}
    for group, names in _HONOURED.items():
        lines += ["", f"### {group[0].upper()}{group[1:]}", "", "| key | default | meaning |", "|-|-|-|"]
        for name in names.split():
            field = theirs[name]
            default = DEFAULTS.get(name, _default(field))
            lines.append(_row(f"`{name}`", _value(default), _first_sentence(field.metadata.get("help", ""))))
    lines += [
        "",
        "## Refused",
        "",
        "What would have no effect, and what to do instead.",
        "",
        "| key | instead |",
        "|-|-|",
    ]
    lines += [_row(f"`{name}`", why) for name, why in sorted(REFUSED.items())]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every verb with its arguments and options, as typer knows them."""
    import typer

    from emotrain.cli import app

    lines = [
        "# Commands",
        MADE,
        "",
        "Verbs that take a RECIPE or STUDY also take any of its keys as `--key value`.",
        "",
    ]
    for name, verb in _verbs(typer.main.get_command(app)):
        required = [p.metavar or p.name.upper() for p in verb.params if p.param_type_name == "argument"]
        lines += [
            f"## emotrain {name}",
            "",
            str(verb.help).strip(),
            "",
            f"    emotrain {' '.join([name, *required])}",
            "",
        ]
        options = [p for p in verb.params if p.name != "help"]
        if options:
            lines += ["| | default | meaning |", "|-|-|-|"]
            for option in options:
                words = ", ".join([*option.opts, *option.secondary_opts])
                shown = words if option.param_type_name == "option" else option.metavar or option.name.upper()
                default = "required" if option.required else _value(option.default)
                lines.append(_row(f"`{shown}`", default, option.help or ""))
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def functions() -> str:
    """The functions and classes of PUBLIC: signature and docstring."""
    lines = ["# Python", MADE, "", "What notebooks and other programs may rely on. Everything else may move.", ""]
    for name in PUBLIC:
        found = _object(name)
        signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(found)))
        lines += [f"## `{name}`", "", "```python", f"{name.rpartition('.')[2]}{signature}", "```", ""]
        lines += [inspect.cleandoc(found.__doc__), ""]
    return "\n".join(lines).rstrip() + "\n"


def _verbs(group: Any, above: str = "") -> Iterable[tuple[str, Any]]:
    for name, verb in group.commands.items():
        if hasattr(verb, "commands"):
            yield from _verbs(verb, f"{above}{name} ")
        else:
            yield f"{above}{name}", verb


def _object(name: str) -> Any:
    parts = name.split(".")
    for split in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            found = getattr(found, part)
        return found
    raise ImportError(name)


def _sentence(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`\[])", " ".join(text.split()), maxsplit=1)[0]


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _type(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    return text.replace("typing.", "").replace(" | None", ", null")


def _value(value: Any) -> str:
    if value is None or value is MISSING:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list, tuple)) and not value:
        return "`{}`" if isinstance(value, dict) else "`[]`"
    return f"`{getattr(value, 'value', value)}`"


def _row(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main(folder: Path = DOCS, only: Sequence[str] = ()) -> None:
    """Write the pages into a folder."""
    for name, text in pages().items():
        if not only or name in only:
            (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
