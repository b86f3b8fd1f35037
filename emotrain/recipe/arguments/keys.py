"""How a recipe's keys are declared: a help text, a default, a vocabulary."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from emotrain.emotions import nearest


def recipe_key(text: str, **more: Any) -> Any:
    """A dataclass field with a help text; `more` goes to `dataclasses.field`."""
    return field(metadata={"help": text}, **more)


def check_word(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise ValueError, naming the nearest word, when the value of a key is none of the `known` ones."""
    if value not in known:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(known)}; {nearest(value, known)}")
