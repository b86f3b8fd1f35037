"""Training: what it writes, what it refuses, and that its steps do not depend on how they are cut up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

Trained = Callable[..., tuple[Path, list[dict[str, Any]]]]


def losses(history: list[dict[str, Any]]) -> list[float]:
    return [entry["loss"] for entry in history if "loss" in entry]


def test_a_run_learns_and_leaves_a_plain_adapter_with_its_provenance(trained: Trained, bench: Any) -> None:
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    output, history = trained(epochs=16)
    assert losses(history)[-1] < 0.5 * losses(history)[0]
    last = [entry for entry in history if "label_mass" in entry][-1]
    assert last["label_mass"] > 0.9
    for name in ("adapter_model.safetensors", "recipe.resolved.yaml", "provenance.json", "trainer_state.json"):
        assert (output / name).is_file()
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(bench.base), str(output))
    touched = {name for name, _ in model.named_parameters() if "lora_" in name}
    assert touched
    assert not any("visual" in name for name in touched)


def test_batch_8_equals_accumulation_of_8_batches_of_1(trained: Trained) -> None:
    weights = []
    for name, size, accumulation in (("whole", 8, 1), ("cut", 1, 8)):
        output, _ = trained(
            name,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=accumulation,
            class_weights="inverse_frequency",
            epochs=1,
            epoch_size=8,
            optim="sgd",
            learning_rate=0.01,
        )
        weights.append(load_file(output / "adapter_model.safetensors"))
    assert any(value.abs().max() > 0 for name, value in weights[0].items() if "lora_B" in name)
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name], atol=1e-6, rtol=1e-4)


def test_a_finished_run_is_left_alone_and_an_interrupted_one_goes_on(trained: Trained, tmp_path: Path) -> None:
    whole, history = trained("whole", epochs=1)
    cut, _ = trained("cut", epochs=1)
    before = (whole / "adapter_model.safetensors").read_bytes()
    kept = (cut / "checkpoint-2" / "optimizer.pt").stat().st_mtime_ns
    assert trained("whole", epochs=1)[0] == whole
    assert (whole / "adapter_model.safetensors").read_bytes() == before
    # As after a kill between two saves: no final files, and a newest checkpoint without its last file.
    for name in ("provenance.json", "adapter_model.safetensors", "checkpoint-4/provenance.json"):
        (cut / name).unlink()
    again, resumed = trained("cut", epochs=1)
    assert losses(resumed) == losses(history)
    assert (cut / "checkpoint-2" / "optimizer.pt").stat().st_mtime_ns == kept, "it went on, it did not start again"
    assert (again / "adapter_model.safetensors").read_bytes() == before


@pytest.mark.parametrize("change", [{"sampling": "class_balanced"}, {"learning_rate": 1e-3}, {"loss": "focal"}])
def test_a_folder_of_another_run_is_neither_continued_nor_taken_for_this_one(
    trained: Trained, change: dict[str, Any]
) -> None:
    output, _ = trained("one", epochs=1)
    with pytest.raises(ValueError, match=f"holds another run.*{next(iter(change))}"):
        trained("one", epochs=1, **change)
    (output / "provenance.json").unlink()
    with pytest.raises(ValueError, match=r"checkpoint-.* holds another run"):
        trained("one", epochs=1, **change)


def test_frames_of_other_settings_are_refused(trained: Trained) -> None:
    with pytest.raises(ValueError, match="keyframes 2 on disk, 3 in the recipe"):
        trained("one", epochs=1, keyframes=3)


def test_a_missing_manifest_names_the_command_that_makes_it(bench: Any, tmp_path: Path) -> None:
    from emotrain.training.recipe import load_recipe
    from emotrain.training.train import train

    with pytest.raises(FileNotFoundError, match="manifest"):
        train(load_recipe(bench.recipe(tmp_path, sampling="square_root", sampling_seed=99)))


def test_tokens_objective_is_the_mean_negative_log_likelihood_of_answer_tokens(trained: Trained) -> None:
    _, history = trained("tokens", objective="tokens", epochs=1)
    assert losses(history)[-1] < losses(history)[0]


def test_validation_figures_choose_the_best_checkpoint(trained: Trained) -> None:
    output, history = trained(
        "chosen",
        epochs=3,
        eval_strategy="steps",
        eval_steps=4,
        save_steps=4,
        load_best_model_at_end=True,
        metric_for_best_model="eval_uar",
        greater_is_better=True,
    )
    scored = [entry["eval_uar"] for entry in history if "eval_uar" in entry]
    assert len(scored) == 3
    state = json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))
    assert state["best_metric"] == max(scored) > 0
    best = Path(state["best_model_checkpoint"])
    assert (output / "adapter_model.safetensors").read_bytes() == (best / "adapter_model.safetensors").read_bytes()
