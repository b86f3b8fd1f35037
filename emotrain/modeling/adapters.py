"""Where an adapter lies: a folder, or `org/name` and `org/name@revision` on the Hugging Face Hub."""

from __future__ import annotations

import warnings
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.hub_errors import explained
from emotrain.load_result import check_adapter, held_tensors
from emotrain.modeling.adapter_config import CONFIG, read_config

WEIGHTS = "adapter_model.safetensors"
PARTS = (CONFIG, WEIGHTS, "emotrain.json", "recipe.resolved.yaml", "provenance.json")
"""Files of an adapter that are fetched from the Hub; never a pickle."""


def adapter_folder(adapter: str | Path) -> Path:
    """The folder of an adapter, fetched from the Hub (into its cache) when it is no folder on this machine.

    Raises FileNotFoundError for a folder without a safetensors adapter (of an unfinished run it names the checkpoints),
    HubError when the Hub has none or is out of reach.
    """
    folder, adapter = Path(adapter).expanduser(), str(adapter)
    if not folder.is_dir():
        if adapter.startswith((".", "/", "~")) or adapter.count("/") != 1:
            raise FileNotFoundError(
                f"adapter {adapter!r}: no such folder; give the output folder of a training run, or "
                "org/name[@revision] on the Hub"
            )
        folder = _fetched(adapter)
    lacking = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    checkpoints = sorted(path.parent.name for path in folder.glob(f"checkpoint-*/{CONFIG}"))
    if lacking and checkpoints:
        raise FileNotFoundError(
            f"adapter {adapter!r}: an unfinished run with checkpoints {', '.join(checkpoints)}; name one"
        )
    if lacking:
        raise FileNotFoundError(f"adapter {adapter!r}: no {' and no '.join(lacking)} there; is it a PEFT adapter?")
    return folder


def _fetched(adapter: str) -> Path:
    from huggingface_hub import snapshot_download

    name, _, revision = adapter.partition("@")
    with explained(f"fetch adapter {adapter}"):
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(PARTS)))


def adapter_digest(folder: Path) -> str:
    """128 hex digits of the adapter's weights: what tells one adapter from another, wherever it lies."""
    return blake2b((folder / WEIGHTS).read_bytes()).hexdigest()


def load_adapter(model: Any, adapter: str | Path) -> Any:
    """Put a PEFT adapter on its base: a folder, a Hub id, or `id@revision`.

    Raises what `adapter_folder` raises, ValueError for a configuration that asks PEFT for more than a LoRA, for other
    shapes than the base's, and unless every tensor of the file found a place and every adapter weight got one.
    """
    from peft import PeftModel

    folder = adapter_folder(adapter)
    read_config(folder)
    held = held_tensors(folder / WEIGHTS)
    try:
        with warnings.catch_warnings():
            # PEFT warns of what does not fit and goes on; check_adapter stops.
            warnings.filterwarnings("ignore", message="Found missing adapter keys")
            loaded = PeftModel.from_pretrained(model, str(folder))
    except RuntimeError as error:
        if "size mismatch" not in str(error):
            raise
        raise ValueError(
            f"adapter {adapter} does not fit this base model: its tensors have other shapes; name its own base (--base)"
        ) from error
    check_adapter(loaded, held, f"adapter {adapter}: {WEIGHTS}")
    return loaded.eval()
