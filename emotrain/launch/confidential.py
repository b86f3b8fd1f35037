"""Keeping tokens out of job scripts and records: both are files that others on a cluster may read.

A job inherits the environment of the shell that submitted it, so a token in HF_TOKEN, or in the file that `hf auth
login` writes under the home folder, reaches the job without being written down.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from emotrain.secret_words import assigned_in, secrets_of, shapes_in

_RECIPE_KEYS = ("hub_token", "push_to_hub_token")  # eos_token and its kind are words, not secrets
REMEDY = (
    "remove it, and export HF_TOKEN and its like in the shell you submit from, whose environment jobs inherit, or log "
    "in with `hf auth login`"
)


class ConfidentialText(ValueError):
    """Something that is to be written down holds a token."""


def check_value(text: str) -> None:
    """Raise ConfidentialText when one value of a profile holds a token by its shape, or gives one to a variable."""
    name = assigned_in(text)
    if name is not None:
        raise ConfidentialText(f"{name} looks like a secret, and a profile ends up in job scripts; {REMEDY}")
    shapes = shapes_in(text)
    if shapes:
        raise ConfidentialText(f"what looks like {shapes[0]}, and a profile ends up in job scripts; {REMEDY}")


def check_text(text: str, where: str, environment: Mapping[str, str] | None = None) -> None:
    """Raise ConfidentialText when `text` holds a token by its shape or the value of a secret variable."""
    shapes = shapes_in(text)
    if shapes:
        raise ConfidentialText(f"{where} holds what looks like {shapes[0]}; {REMEDY}")
    for name, value in secrets_of(os.environ if environment is None else environment).items():
        if value in text:
            raise ConfidentialText(f"{where} holds the value of ${name}; {REMEDY}")


def check_recipe(values: Mapping[str, object], where: str) -> None:
    """Raise ConfidentialText when a recipe gives a value to a key that holds a secret, or holds a token anywhere."""
    for key in _RECIPE_KEYS:
        if values.get(key) is not None:
            raise ConfidentialText(f"{where}: {key} would be written into job scripts; {REMEDY}")
    check_text(json.dumps(values, ensure_ascii=False, default=str), where)
