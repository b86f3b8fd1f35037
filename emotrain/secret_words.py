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


_OTHERS = re.compile(
    r"(?:AWS|GCP|HF|GH|GL|CI|UV|PIP|DB|PG|S3|SSH|GPG|NPM|API_ORG|GOOGLE_APPLICATION|AZURE(?!_OPENAI)|"
    r"(?:HUGGING|GITHUB|GITLAB|BITBUCKET|WANDB|COMET|NEPTUNE|CLEARML|MLFLOW|TRACKIO|SLACK|DISCORD|TELEGRAM|PYPI|TWINE|"
    r"CONDA|DOCKER|KUBE|VAULT|SENTRY|STRIPE|TWILIO|SENDGRID|DATABASE|POSTGRES|MYSQL|REDIS|MONGO|DJANGO|FLASK|SECRET|"
    r"JWT|SESSION|ENCRYPTION|MINIO|CLOUDFLARE|DIGITALOCEAN|HEROKU|NETLIFY|VERCEL)[A-Z]*)_"
)
"""How variables of other services begin: clouds, forges, registries, trackers, chats, data bases, web frameworks."""

_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*_(API_)?(KEY|TOKEN)(_\d+)?")


def check_key_variable(name: object) -> None:
    """Raise ValueError unless a variable's name is that of the key of a model server, such as OPENAI_API_KEY.

    What it holds is sent to that server, so a variable of another service (AWS, the Hub, GitHub) is never one.
    """
    if not isinstance(name, str) or _KEY_NAME.fullmatch(name) is None:
        raise ValueError(
            f"key_variable {name!r:.60}: not the name of a server's key; export the key as OPENAI_API_KEY, or name a "
            "variable of your own such as MY_SERVER_API_KEY"
        )
    if _OTHERS.match(name) is not None:
        raise ValueError(
            f"key_variable {name!r:.60}: the secret of another service, and what it holds would be sent to the server; "
            "export the server's own key as OPENAI_API_KEY or MY_SERVER_API_KEY"
        )


def check_address(url: object) -> None:
    """Raise ValueError unless an address is that of a server, http:// or https://, without a password in it."""
    if not isinstance(url, str) or re.fullmatch(r"https?://[\w.:\[\]-]+(?:/[\w./~-]*)?", url) is None:
        shown = re.sub(r"//[^/]*@", "//...@", str(url))
        raise ValueError(f"base_url {shown!r:.80}: expected http(s)://HOST[:PORT]/v1, without user, password or query")


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
