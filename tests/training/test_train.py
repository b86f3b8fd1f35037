"""Training: what it writes, what it refuses, and that its steps do not depend on how they are cut up."""

from __future__ import annotations

import json
import shutil
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

    output, history = trained(epochs=20)
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
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.train import train

    with pytest.raises(FileNotFoundError, match="manifest"):
        train(load_recipe(bench.recipe(tmp_path, sampling="square_root", sampling_seed=99)))


TWO_STEPS: dict[str, Any] = {"epochs": 1, "epoch_size": 8}


def test_bfloat16_trains_near_float32_and_not_in_it(trained: Trained) -> None:
    exact, rounded = (losses(trained(name, bf16=bf16, **TWO_STEPS)[1]) for name, bf16 in (("f", False), ("b", True)))
    assert rounded == pytest.approx(exact, rel=0.05)
    assert rounded != pytest.approx(exact, rel=1e-6)


def test_dora_and_rslora_reach_the_adapter_and_train_its_magnitudes(trained: Trained, bench: Any) -> None:
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    output, history = trained("dora", use_dora=True, use_rslora=True, **TWO_STEPS)
    config = json.loads((output / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["use_dora"], config["use_rslora"]) == (True, True)
    assert len(losses(history)) == 2
    base = AutoModelForImageTextToText.from_pretrained(bench.base)
    layer = (
        PeftModel.from_pretrained(base, str(output)).get_base_model().model.language_model.layers[0].self_attn.q_proj
    )
    # A magnitude starts as the norm of its row of the base's weight (Liu et al. 2024, equation 5).
    norms = layer.base_layer.weight.detach().norm(dim=1)
    moved = (layer.lora_magnitude_vector["default"].weight.detach() - norms).abs()
    assert 1e-3 < moved.max() < 0.1
    plain = load_file(trained("plain", **TWO_STEPS)[0] / "adapter_model.safetensors")
    assert not any("magnitude" in name for name in plain)


@pytest.mark.parametrize("tracker", ["tensorboard", "trackio"])
def test_a_tracker_logs_or_its_absence_is_found_before_the_model_is_loaded(
    trained: Trained, bench: Any, tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.integrations import get_available_reporting_integrations

    for variable in ("TENSORBOARD_LOGGING_DIR", "TRACKIO_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "tracked"))
    if tracker in get_available_reporting_integrations():
        trained("tracked", report_to=tracker, **TWO_STEPS)
        assert any(path.is_file() for path in (tmp_path / "tracked").rglob("*"))
        return
    weightless = tmp_path / "base"
    shutil.copytree(bench.base, weightless, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(ValueError, match=rf"{tracker} is not installed here; pip install 'emotrain\[tracking\]'"):
        trained("tracked", report_to=tracker, model_name_or_path=str(weightless), **TWO_STEPS)


def test_a_tracker_that_is_none_is_named_with_the_nearest(trained: Trained) -> None:
    with pytest.raises(ValueError, match=r"report_to: 'tensorbord' is no tracker; did you mean 'tensorboard'"):
        trained("tracked", report_to="tensorbord", **TWO_STEPS)


@pytest.mark.parametrize("loss", [{"loss": "balanced_softmax"}, {"class_weights": "inverse_frequency"}])
def test_balancing_the_loss_of_balanced_draws_stops_before_the_model_is_loaded(
    trained: Trained, loss: dict[str, str], tmp_path: Path
) -> None:
    key, value = next(iter(loss.items()))
    with pytest.raises(ValueError, match=f"{key}: {value} would change nothing: sampling: class_balanced"):
        trained("even", sampling="class_balanced", model_name_or_path=str(tmp_path / "no such model"), **loss)


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
