"""What of a model lies on this machine: planning never downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emotrain.modeling.loading import load_processor, resolve_name


def local_folder(name: str, revision: str = "main") -> Path | None:
    """The folder with a model's files: the tiny base, a given folder, or its snapshot in the Hub cache; else None."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    local = Path(resolve_name(name))
    if local.is_dir():
        return local
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def local_processor(name: str, *, revision: str = "main", image_size: int | None, trust_remote_code: bool) -> Any:
    """The model's processor, set as training sets it, or None where its files are not on this machine."""
    folder = local_folder(name, revision)
    needed = ("preprocessor_config.json", "processor_config.json")
    if folder is None or not any((folder / file).is_file() for file in needed):
        return None
    if not (folder / "tokenizer_config.json").is_file():
        return None
    return load_processor(str(folder.resolve()), image_size=image_size, trust_remote_code=trust_remote_code)
