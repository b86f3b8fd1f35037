"""`emotrain merge`: base and adapter as one plain checkpoint that transformers and servers load without PEFT.

The folder holds safetensors weights, the processor (every image at the training size), the chat template, the
generation configuration, and the input contract, so `emotrain predict --base FOLDER` reads clips with it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emotrain.atomic_files import open_to_all, replacing_folder
from emotrain.examples.input_contract import read_contract
from emotrain.inference.recogniser import declared_base
from emotrain.modeling.adapters import adapter_folder, load_adapter
from emotrain.modeling.loading import load_model, load_processor


def merge(adapter: str | Path, out: Path, *, base_model: str | None = None, dtype: str | None = None) -> Path:
    """Add the adapter's update to the weights of its base and write the result to `out`, which must not exist.

    `dtype` defaults to the dtype the adapter was trained in. The folder appears whole or not at all. Raises ValueError
    when `out` is there, FileNotFoundError when adapter or base is not, and PEFT's own error for a merge that is not
    finite.
    """
    if out.exists():
        raise ValueError(f"{out} exists; choose another --out or delete it")
    folder = adapter_folder(adapter)
    contract = read_contract(folder)
    name, revision = declared_base(folder, contract, base_model)
    wanted = dtype if dtype is not None else contract.dtype if contract is not None else "auto"
    processor = load_processor(
        name, revision=revision, image_size=contract.image_size if contract is not None else None
    )
    merged = load_adapter(load_model(name, wanted, revision=revision), folder).merge_and_unload(safe_merge=True)
    with replacing_folder(out) as temporary:
        merged.save_pretrained(temporary)
        open_to_all(temporary.glob("*.safetensors"))
        processor.save_pretrained(temporary)
        if contract is not None:
            replace(contract, base_model=None, base_revision="main", dtype=wanted).save(temporary)
    return out
