"""A load that did not do all it was to do stops, counts what is missing and says what to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from emotrain.modeling.adapters import WEIGHTS, load_adapter
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import lora_config
from emotrain.modeling.tiny import random_tiny

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiny, path = random_tiny(seed=5), tmp_path_factory.mktemp("base")
    tiny.model.save_pretrained(path)
    tiny.processor.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from peft import get_peft_model

    path, model = tmp_path_factory.mktemp("adapter"), load_model(str(base), "float32")
    get_peft_model(model, lora_config(model, r=2, dora=True)).save_pretrained(path)
    return path


def changed(source: Path, name: str, out: Path, change: Callable[[Tensors], Tensors]) -> Path:
    shutil.copytree(source, out)
    save_file(change(load_file(source / name)), out / name, metadata={"format": "pt"})
    return out


def test_an_adapter_that_fits_loads_without_a_word(base: Path, adapter: Path, recwarn: pytest.WarningsRecorder) -> None:
    load_adapter(load_model(str(base), "float32"), adapter)
    assert not [str(warning.message) for warning in recwarn if "adapter" in str(warning.message)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda held: {name.replace("model.language_model.layers", "model.layers"): t for name, t in held.items()},
            r"42 of 42 tensors of the file find no place .*42 of 42 adapter weights .*all fit once 'model.layers' in "
            r"their names reads 'model.language_model.layers'",
        ),
        (
            lambda held: {name: held[name] for name in sorted(held)[::2]},
            r"adapter_model.safetensors: 21 of 42 adapter weights of the model are not in the file",
        ),
        (
            lambda held: {**held, "base_model.model.visual.proj.lora_A.weight": torch.zeros(2, 2)},
            r"1 of 43 tensors of the file find no place in the model \(base_model.model.visual.proj",
        ),
        (lambda held: {name: torch.cat([t, t]) for name, t in held.items()}, "other shapes"),
    ],
    ids=["older names", "half is missing", "one too many", "other shapes"],
)
def test_an_adapter_of_which_something_finds_no_place_is_refused(
    base: Path, adapter: Path, tmp_path: Path, change: Callable[[Tensors], Tensors], message: str
) -> None:
    odd = changed(adapter, WEIGHTS, tmp_path / "odd", change)
    with pytest.raises(ValueError, match=message):
        load_adapter(load_model(str(base), "float32"), odd)


def test_a_cut_adapter_is_named(base: Path, adapter: Path, tmp_path: Path) -> None:
    odd = Path(shutil.copytree(adapter, tmp_path / "odd"))
    (odd / WEIGHTS).write_bytes((odd / WEIGHTS).read_bytes()[:300])
    with pytest.raises(ValueError, match=f"{WEIGHTS}: not a whole safetensors file"):
        load_adapter(load_model(str(base), "float32"), odd)


def test_a_base_with_weights_that_were_not_in_its_checkpoint_is_refused(base: Path, tmp_path: Path) -> None:
    name = "model.safetensors"
    half = changed(base, name, tmp_path / "half", lambda held: {key: held[key] for key in sorted(held)[::2]})
    with pytest.raises(ValueError, match=rf"{re.escape(str(half))}: \d+ of \d+ weights got no value"):
        load_model(str(half))
    wide = changed(base, name, tmp_path / "more", lambda held: {**held, "extra.weight": torch.zeros(2)})
    assert load_model(str(wide)) is not None, "what is left over changes no score, and is a warning"


def test_a_processor_of_another_model_is_refused(base: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(base, tmp_path / "mixed"))
    processor = load_processor(str(folder))
    processor.tokenizer.add_tokens([f"word{number}" for number in range(5000)])
    processor.save_pretrained(folder)
    with pytest.raises(ValueError, match=r"tokenizer has a token \d+, but the model has embeddings for \d+"):
        load_processor(str(folder))
