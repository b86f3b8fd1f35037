"""Keeping tokens out of job scripts and records: both are files that others on a cluster may read.

A job inherits the environment of the shell that submitted it, so a token in HF_TOKEN, or in the file that `hf auth
login` writes under the home folder, reaches the job without being written down.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_NAMES = re.compile(r"(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|KEY|APIKEY|CREDENTIALS?)$", re.IGNORECASE)
_VALUES = re.compile(r"\b(hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{20,})\b")
_SHORTEST = 8
_RECIPE_KEYS = ("hub_token", "push_to_hub_token")  # eos_token and its kind are words, not secrets


class ConfidentialText(ValueError):
    """Something that is to be written down holds a token."""


def confidential_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: HF_TOKEN, WANDB_API_KEY."""
    return _NAMES.search(name) is not None


def check_text(text: str, where: str, environment: Mapping[str, str] | None = None) -> None:
    """Raise ConfidentialText when `text` holds a token of the Hub's form or the value of a secret variable."""
    environment = os.environ if environment is None else environment
    if _VALUES.search(text):
        raise ConfidentialText(f"{where} holds what looks like a token; {_REMEDY}")
    for name, value in environment.items():
        if confidential_name(name) and len(value) >= _SHORTEST and value in text:
            raise ConfidentialText(f"{where} holds the value of ${name}; {_REMEDY}")


def check_keys(values: Mapping[str, object], where: str) -> None:
    """Raise ConfidentialText when a recipe gives a value to a key that holds a secret."""
    for key in _RECIPE_KEYS:
        if values.get(key) is not None:
            raise ConfidentialText(f"{where}: {key} would be written into job scripts; {_REMEDY}")


_REMEDY = "remove it, and export HF_TOKEN in the shell you submit from or log in with `hf auth login`"
