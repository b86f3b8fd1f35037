"""The model that a recipe starts from, and whether this machine can run it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.modeling.loading import load_model, load_processor, resolve_name
from emotrain.recipe.recipe import Recipe


def check_device(recipe: Recipe) -> None:
    """Raise ValueError when the recipe expects a GPU and none is visible: nobody wants to find out after a night."""
    import torch

    if not recipe.sft.use_cpu and not torch.cuda.is_available():
        raise ValueError(
            "the recipe runs its model on a GPU and none is visible here; run it where `nvidia-smi` lists one, or add "
            "`use_cpu: true` to run on the CPU"
        )


def load_base(recipe: Recipe) -> tuple[Any, Any]:
    """The recipe's base model and its processor, every image at `image_size` when the recipe names one."""
    from trl import get_quantization_config

    model = load_model(
        base_name(recipe),
        recipe.model.dtype or "auto",
        revision=recipe.model.model_revision,
        attn_implementation=recipe.model.attn_implementation,
        quantization_config=get_quantization_config(recipe.model),
        trust_remote_code=recipe.sft.trust_remote_code,
    )
    return model, load_own_processor(recipe)


def load_own_processor(recipe: Recipe) -> Any:
    """The processor of the recipe's base model."""
    return load_processor(
        base_name(recipe),
        revision=recipe.model.model_revision,
        image_size=recipe.data.image_size,
        trust_remote_code=recipe.sft.trust_remote_code,
    )


def base_name(recipe: Recipe) -> str:
    """The base model as the recipe names it; raises ValueError when it names none."""
    name = recipe.model.model_name_or_path
    if name is None:
        raise ValueError("model_name_or_path: the recipe names no base model; give a Hub id, a folder or `tiny`")
    return str(name)


def weights_digest(name: str, revision: str) -> str:
    """What a model name stands for now: the commit of a Hub id, a hash of the files of a folder.

    Raises ValueError for a Hub id whose commit cannot be told, OSError for one that cannot be reached.
    """
    from transformers import AutoConfig

    folder = Path(resolve_name(name))
    if not folder.is_dir():
        commit = getattr(
            AutoConfig.from_pretrained(str(folder), revision=revision, trust_remote_code=False), "_commit_hash", None
        )
        if commit is None:
            raise ValueError(
                f"model_name_or_path {name!r}: its commit on the Hub is unknown; download it into a folder"
            )
        return str(commit)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors"))
    return _digest(tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=4)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    """Hash of the names and contents of files; 15 GB are read once a process, as long as sizes and times stay."""
    digest = blake2b(digest_size=16)
    for file, _, _ in files:
        digest.update(file.name.encode())
        with file.open("rb") as opened:
            while block := opened.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()
