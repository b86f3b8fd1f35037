"""Whether the value of a recipe's key is of the key's type: `keyframes: 8.5` is no number of keyframes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

# Numbers whose least value the classes that hold them do not check.
_AT_LEAST: dict[str, float] = {
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "lora_r": 1,
    "lora_alpha": 1,
    "image_size": 1,
    "resamples": 1,
    "save_total_limit": 1,
    "warmup_steps": 0,
    "dataloader_num_workers": 0,
    "learning_rate": 0,
}

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list of words",
    dict: "a mapping",
    NoneType: "null",
}


def typed(key: str, value: Any, hint: Any, default: Any) -> Any:
    """The value as a field of the type `hint` holds it: a whole number becomes a float, `1e-4` (text to YAML) a number.

    Raises ValueError that names the key, what was found and what is expected, also for a number that is not finite or
    too small.
    """
    kinds = {_plain(kind) for kind in _options(hint)}
    found = _number(value, kinds) if isinstance(value, str) and str not in kinds else value
    if not any(_is(found, kind) for kind in kinds):
        expected = " or ".join(words for kind, words in _WORDS.items() if kind in kinds)
        raise ValueError(f"{key}: {_written(value)} found, expected {expected}{_remedy(value, kinds, default)}")
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError(f"{key}: {value!r} found, expected a finite number")
    if key in _AT_LEAST and isinstance(found, (int, float)) and found < _AT_LEAST[key]:
        raise ValueError(f"{key}: {value!r} found, expected {_AT_LEAST[key]} or more")
    return float(found) if float in kinds and type(found) is int and int not in kinds else found


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _plain(kind: Any) -> Any:
    """A type without its parameters; the words of a Literal are told apart by its dataclass."""
    origin = get_origin(kind)
    if origin is Literal:
        return type(get_args(kind)[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict
    return kind if origin is None else origin


def _is(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, (int, float))
    if kind is list:
        return isinstance(value, str) or (isinstance(value, list) and all(isinstance(word, str) for word in value))
    return isinstance(value, kind)


def _number(text: str, kinds: set[Any]) -> Any:
    """What a text says that stands for a number or for true and false; the text itself when it says neither."""
    if bool in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def _written(value: Any) -> str:
    """A value as YAML has it where Python has another word."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _remedy(value: Any, kinds: set[Any], default: Any) -> str:
    if value is None:
        return f"; remove the line for the default ({_written(default)})"
    if str in kinds and isinstance(value, (bool, int, float)):
        return f"; put it in quotes: '{_written(value)}'"
    return ""
