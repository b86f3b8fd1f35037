"""The base model that a published adapter names: an id that whoever downloads the adapter can load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotrain.examples.contract_schema import HUB_ID, REVISION
from emotrain.hub_errors import HubError, explained
from emotrain.modeling.tiny_base_path import SHIPPED, tiny_base_path

TINY = "tiny"


@dataclass(frozen=True, slots=True)
class Base:
    """`name` is what the published files say; `source` what transformers loads; `revision` the pinned one, if any."""

    name: str
    source: str
    revision: str | None = None

    @property
    def on_hub(self) -> bool:
        """Whether the name is a Hub id. The base that ships with emotrain is not: it is loaded as `tiny`."""
        return self.name != TINY


def declared_base(
    config: Mapping[str, Any], values: Mapping[str, Any], base_model: str | None, commit: object = None
) -> Base:
    """The base of an adapter with this adapter_config.json and (perhaps empty) recipe.

    `base_model`, a Hub id, comes first. Without it a recipe on `tiny` names `tiny`, which ships with the package, and a
    base in a folder is refused: nobody else has that folder. `commit` is what the run's provenance says of its base; it
    pins a base whose revision is not named. Raises ValueError that says what to pass.
    """
    given = values.get("model_name_or_path") or config.get("base_model_name_or_path")
    trained_on = TINY if given is not None and _is_shipped(str(given)) else given
    if base_model is not None:
        if _is_path(base_model) or base_model == TINY:
            raise ValueError(f"--base-model {base_model!r}: expected the id of a model on the Hub, org/name")
        if HUB_ID(base_model) is not None:
            raise ValueError(f"--base-model {base_model!r:.100}: expected the id of a model on the Hub, org/name")
        revision = _revision(config, values, commit) if base_model == trained_on else None
        return Base(base_model, base_model, revision)
    if trained_on is None:
        raise ValueError("neither the recipe nor adapter_config.json names a base model; pass --base-model ORG/NAME")
    if trained_on == TINY:
        return Base(TINY, str(tiny_base_path()))
    if _is_path(str(trained_on)):
        raise ValueError(
            f"the base model is a folder on this machine ({Path(str(trained_on)).name}), which nobody else can load; "
            "pass --base-model ORG/NAME, the same model on the Hub"
        )
    if HUB_ID(trained_on) is not None:
        raise ValueError(f"the base model {trained_on!r:.100} is no id on the Hub; pass --base-model ORG/NAME")
    return Base(str(trained_on), str(trained_on), _revision(config, values, commit))


def unresolved(base: Base) -> list[str]:
    """Why the base cannot be found on the Hub; empty when it can, when it is `tiny`, and when HF_HUB_OFFLINE is set."""
    from huggingface_hub import HfApi, constants

    if not base.on_hub or constants.HF_HUB_OFFLINE:
        return []
    try:
        with explained(f"look up base model {base.name}"):
            HfApi().model_info(base.name, revision=base.revision)
    except HubError as error:
        return [str(error)]
    return []


def _revision(config: Mapping[str, Any], values: Mapping[str, Any], commit: object) -> str | None:
    if isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit):
        return commit
    revision = values.get("model_revision") or config.get("revision")
    if revision is not None and REVISION(revision) is not None:
        raise ValueError(f"revision {revision!r:.80} of the base model is no commit, branch or tag")
    return None if revision in (None, "main") else str(revision)


def _is_shipped(name: str) -> bool:
    return name == TINY or (_is_path(name) and Path(name).expanduser().resolve() == SHIPPED.resolve())


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or (Path(name) / "config.json").is_file()
