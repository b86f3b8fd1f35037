"""The model that a recipe starts from, and whether this machine can run it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.gpu_driver import card_fault, why_no_gpu
from emotrain.hub_errors import explained
from emotrain.modeling.loading import load_model, load_processor, resolve_name
from emotrain.modeling.quantised import quantisation
from emotrain.recipe.recipe import Recipe


def check_device(recipe: Recipe) -> None:
    """Raise ValueError when the recipe expects a GPU that is not there or cannot run it.

    Nobody wants to find out after a night.
    """
    import torch

    if recipe.sft.use_cpu:
        return
    if not torch.cuda.is_available():
        raise ValueError(
            f"the recipe runs its model on a GPU and none is visible here: {why_no_gpu()}; or add `use_cpu: true` to "
            "run on the CPU"
        )
    bf16 = bool(recipe.sft.bf16) or recipe.model.dtype == "bfloat16"
    named, kernels = torch.cuda.get_device_name(), torch.cuda.get_arch_list()
    fault = card_fault(named, torch.cuda.get_device_capability(), kernels, bf16=bf16)
    if fault is not None:
        raise ValueError(fault)


def load_base(recipe: Recipe) -> tuple[Any, Any]:
    """The recipe's base model and its processor, every image at `image_size` when the recipe names one."""
    model = load_model(
        base_name(recipe),
        recipe.model.dtype or "auto",
        revision=recipe.model.model_revision,
        attn_implementation=recipe.model.attn_implementation,
        vision_attention=recipe.data.vision_attention,
        quantization=quantisation(recipe.model),
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

    Raises HubError for a Hub id that is neither in the cache here nor in reach.
    """
    folder = Path(resolve_name(name))
    if not folder.is_dir():
        return hub_commit(name, revision)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors"))
    return _digest(tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files))


def hub_commit(name: str, revision: str) -> str:
    """The commit that a revision of a Hub id stands for now, by the cache alone where the Hub is out of reach.

    A file of a model lies in the Hub's cache under `snapshots/<commit>`, which is a part of its documented layout.
    Raises HubError for a model that is in neither.
    """
    from huggingface_hub import hf_hub_download

    with explained(f"model_name_or_path {name!r}"):
        file = Path(hf_hub_download(name, "config.json", revision=revision))
    return file.parent.name


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
