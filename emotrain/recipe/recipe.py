"""A recipe: one flat YAML file that inherits from others and says everything about a run.

`base: other.yaml` (relative to the file), or a list of such names, is read first; a later value wins; `--key value` on
the command line wins over all. `base: emotrain:tiny/base.yaml` names a recipe that ships with the package, from any
folder. Every fault of a recipe is reported in one go, before a model is loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from emotrain.atomic_files import write_text
from emotrain.context.carriers import PICTURES
from emotrain.recipe.arguments import BalanceArguments, ContextArguments, DataArguments, EvaluationArguments
from emotrain.recipe.trl_keys import DEFAULTS, HONOURED, REFUSED, refused
from emotrain.recipe.value_types import typed
from emotrain.recipes_folder import shipped_recipe
from emotrain.yaml_files import read_mapping

RESOLVED = "recipe.resolved.yaml"
SHIPPED = "emotrain:"


class RecipeError(ValueError):
    """A recipe cannot be used; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A parsed recipe. `sft` and `model` are TRL's SFTConfig and ModelConfig; `values` is what the files said."""

    data: DataArguments
    context: ContextArguments
    balance: BalanceArguments
    evaluation: EvaluationArguments
    sft: Any
    model: Any
    values: Mapping[str, Any]
    path: Path | None = None

    def save(self, folder: Path) -> None:
        """Write the resolved recipe (inheritance and overrides applied) beside an output."""
        text = "# every value this run was given; anything not named had its default\n"
        write_text(text + yaml.safe_dump(dict(self.values), sort_keys=False, allow_unicode=True), folder / RESOLVED)


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file and `--key value` overrides; raises RecipeError that lists every fault."""
    values = read_values(path)
    values.update(parse_overrides(overrides))
    return parse_recipe(values, path)


def read_values(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The flat key-value pairs of a recipe with its bases merged in."""
    path = path.resolve()
    if path in seen:
        raise RecipeError(f"{path}: `base:` leads back to itself through {' -> '.join(p.name for p in (*seen, path))}")
    if not path.exists():
        raise RecipeError(f"{path}: no such recipe{_beside(path)}")
    values = read_mapping(path, RecipeError)
    merged: dict[str, Any] = {}
    for base in _bases(values.pop("base", []), path):
        merged |= read_values(_base_file(base, path), (*seen, path))
    return merged | values


def _bases(base: Any, path: Path) -> list[str]:
    """The recipes that a recipe inherits from: `base` is one file name or a list of them, the last of which wins."""
    names = [base] if isinstance(base, str) else base
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecipeError(f"{path}: base: expected a recipe's file name or a list of them, found {base!r}")
    return names


def _base_file(base: str, path: Path) -> Path:
    """The file that a `base` names: beside the recipe, or with SHIPPED in front the package's own."""
    if not base.startswith(SHIPPED):
        return path.parent / base
    try:
        return shipped_recipe(base.removeprefix(SHIPPED))
    except FileNotFoundError as error:
        raise RecipeError(f"{path}: base: {base}: {error}") from error


def parse_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Turn `--key value`, `--key=value` and `--flag` into key-value pairs; values are read as YAML."""
    values: dict[str, Any] = {}
    pending: str | None = None
    for word in words:
        if word.startswith("--") and len(word) > 2:
            if pending is not None:
                values[pending] = True
            key, equals, value = word[2:].partition("=")
            key = key.replace("-", "_")
            pending = None if equals else key
            if equals:
                values[key] = _given(key, value)
        elif pending is not None:
            values[pending] = _given(pending, word)
            pending = None
        else:
            raise RecipeError(f"command line: {word!r} belongs to no --key")
    if pending is not None:
        values[pending] = True
    return values


def _given(key: str, text: str) -> Any:
    """The value of a key on the command line, read as YAML."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise RecipeError(f"command line: --{key} {text!r} is no YAML value ({reason}); put it into quotes") from error


def parse_recipe(values: Mapping[str, Any], path: Path | None = None) -> Recipe:
    """Sort the values into their dataclasses and check them; raises RecipeError that lists every fault."""
    kinds = _kinds()
    # To YAML `no` is false; as a strategy it is a word.
    values = {k: "no" if v is False and k.endswith("_strategy") else v for k, v in values.items()}
    known = {name: {f.name: _default(f) for f in fields(kind) if f.init} for name, kind in kinds.items()}
    for name in ("sft", "model"):
        known[name] = {key: default for key, default in known[name].items() if key in HONOURED or key in REFUSED}
    every = sorted(set().union(*known.values()))
    faults = [_unknown(key, every) for key in values if key not in every]
    faults += refused(values, known["sft"] | known["model"])
    parsed: dict[str, Any] = {}
    for name, kind in kinds.items():
        mine = {key: value for key, value in values.items() if key in known[name] and key not in REFUSED}
        hints, odd = get_type_hints(kind), len(faults)
        for key, value in mine.items():
            try:
                mine[key] = typed(key, value, hints[key], known[name][key])
            except ValueError as error:
                faults.append(str(error))
        if len(faults) > odd:
            continue  # what a value of another type does to the rest is nothing to tell
        if name == "sft":
            mine = DEFAULTS | mine
        try:
            parsed[name] = _parse_anywhere(kind, mine) if name == "sft" else _parse(kind, mine)
        except (ValueError, TypeError) as error:
            faults.append(str(error))
    faults += _together(parsed) if not faults else []
    if faults:
        where = str(path) if path else "recipe"
        raise RecipeError(f"{where}: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults))
    # The trainer would upload its whole output folder; `values` keeps the wish, and hub/checkpoints.py follows it.
    parsed["sft"].push_to_hub = False
    # The trainer would compile the model as one; train.py compiles its blocks instead (see modeling/compiled.py).
    parsed["sft"].torch_compile_backend = None
    return Recipe(**parsed, values=dict(values), path=path)


def _together(parsed: Mapping[str, Any]) -> list[str]:
    """Keys that are sound one by one and end in an error together, after the model is loaded."""
    views, between = parsed["evaluation"].test_views, parsed["data"].between
    if "phase" in views and between != -1:
        return [f"test_views: {views} moves keyframes and needs all frames, found between: {between}; say between: -1"]
    attention, sft = parsed["model"].attn_implementation, parsed["sft"]
    if attention is not None and "flash" in attention and (sft.gradient_checkpointing or sft.activation_checkpointing):
        return [
            f"attn_implementation: {attention} takes no tree of labels, which are then read on a key-value cache, and "
            "gradient_checkpointing: true turns that off; say attn_implementation: sdpa (vision_attention: "
            "flash_attention_2 is for the tower alone), or gradient_checkpointing: false"
        ]
    data, carrier = parsed["data"], parsed["context"].carrier
    if carrier in PICTURES and (data.vision_embeddings == "stored" or data.redraw_keyframes or data.between == 0):
        return [
            f"carrier: {carrier} makes a picture of the frames between the keyframes, and neither vision_embeddings: "
            "stored nor redraw_keyframes knows it; remove them, and say between: 4 where it is 0"
        ]
    return []


def effective(values: Mapping[str, Any]) -> dict[str, Any]:
    """The value in force of every key that a recipe may set, for two recipes to be compared however they are written.

    `1e-4` is a number and a key that is left out has its default. Nothing is parsed, for a second SFTConfig would take
    the place of the first in what DeepSpeed knows. A value that is none for its key, or a key that another version
    knew, stays as it is.
    """
    found = dict(values)
    for name, kind in _kinds().items():
        hints = get_type_hints(kind)
        for field in fields(kind):
            if not field.init or (name in ("sft", "model") and field.name not in HONOURED):
                continue
            default = DEFAULTS.get(field.name, _default(field)) if name == "sft" else _default(field)
            value = values.get(field.name, default)
            if value is False and field.name.endswith("_strategy"):
                value = "no"
            try:
                found[field.name] = typed(field.name, value, hints[field.name], default)
            except ValueError:
                found[field.name] = value
    return found


def _kinds() -> dict[str, Any]:
    """The dataclasses of a recipe, by the field of `Recipe` that holds each."""
    from trl import ModelConfig, SFTConfig

    return {
        "data": DataArguments,
        "context": ContextArguments,
        "balance": BalanceArguments,
        "evaluation": EvaluationArguments,
        "sft": SFTConfig,
        "model": ModelConfig,
    }


def _parse_anywhere(kind: Any, values: Mapping[str, Any]) -> Any:
    """SFTConfig of a GPU recipe on a machine without one: login nodes plan and submit what they cannot run.

    transformers refuses `bf16` there while parsing; `train` makes the same check when it matters.
    """
    import torch

    if values.get("use_cpu") or torch.cuda.is_available():
        return _parse(kind, values)
    parsed = _parse(kind, {**values, "use_cpu": True})
    parsed.use_cpu = False
    return parsed


def _parse(kind: Any, values: Mapping[str, Any]) -> Any:
    """Build one dataclass through TRL's parser, which reads what a mapping or an enumeration may be written as."""
    from trl import TrlParser

    class Parser(TrlParser):
        def error(self, message: str) -> Any:
            raise ValueError(message.replace("argument --", ""))

    parser = Parser([kind])
    parser.set_defaults_with_config(**values)
    with warnings.catch_warnings():
        # The pinned versions know both names of a key; which one a recipe uses is no news to whoever runs a command.
        warnings.filterwarnings("ignore", message=".* is deprecated and will be removed", category=FutureWarning)
        return parser.parse_args_into_dataclasses(args=[])[0]


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _unknown(key: str, every: Sequence[str]) -> str:
    close = get_close_matches(key, every, n=1, cutoff=0.6)
    return f"unknown key {key!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _beside(path: Path) -> str:
    names = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.exists() else []
    return f"; beside it: {', '.join(names)}" if names else f" ({path.parent} holds no .yaml file)"
