"""What tokens, keys and passwords look like: the names that hold them, and the shapes of those that can be told.

Job scripts, records of a launch and published files are searched for them. None of this repeats a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES = re.compile(
    r"(?:(?:^|_)(?:TOKEN|KEY|CREDENTIALS?|PAT|PASS)|_PWD|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|API_?KEYS?)(?:_?\d+)?\Z",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"([A-Za-z_][\w-]*)=(?=[^\s=])")
_HEX = r"""["']?\s*[=:]\s*["']?[0-9a-f]{40}(?![0-9A-Za-z])"""
_SHORTEST = 8
"""Characters; a shorter value, such as 1 or true, stands in any text."""

SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a Hugging Face token", re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{16,}")),
    ("an OpenAI key", re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")),
    ("a GitHub token", re.compile(r"\b(?:gh[opsru]_|github_pat_)[A-Za-z0-9_]{20,}")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    ("an AWS key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a Weights & Biases key", re.compile(rf"\b\w*(?:key|token|secret|wandb){_HEX}", re.IGNORECASE)),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a password in an address", re.compile(r"://[^\s/:@\"']+:[^\s/@\"']+@")),
)


def is_secret_name(name: str) -> bool:
    """Whether a variable or flag of this name holds a secret: HF_TOKEN, WANDB_API_KEY, MY_PAT, --api-key."""
    return _NAMES.search(name.replace("-", "_")) is not None


def secrets_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that hold a secret by their names, with their values."""
    return {name: value for name, value in environment.items() if is_secret_name(name) and len(value) >= _SHORTEST}


def shapes_in(text: str) -> list[str]:
    """Kinds of secret that a text holds by their shape, each with the first five characters at most."""
    return [f"{kind} ({match[0][:5]}...)" for kind, pattern in SHAPES if (match := pattern.search(text))]


def assigned_in(text: str) -> str | None:
    """The first name of a secret that a text gives a value to, as in `--export=ALL,WANDB_API_KEY=...`."""
    return next((match[1] for match in _ASSIGNMENT.finditer(text) if is_secret_name(match[1])), None)
