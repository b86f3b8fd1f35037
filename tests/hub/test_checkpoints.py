"""Publishing from inside a run: which keys can be followed, which checkpoints go, and what a fault does to the run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from emotrain.hub.checkpoints import PublishCheckpoints, checkpoint_publisher
from emotrain.hub.lint import AdapterFaults
from emotrain.hub_errors import HubError, explained

torch.set_num_threads(1)


def recipe(**values: Any) -> Any:
    from emotrain.recipe.recipe import parse_recipe

    return parse_recipe({"model_name_or_path": "tiny", "use_cpu": True, "push_to_hub": True, **values})


@pytest.fixture
def diverged(tmp_path: Path) -> Path:
    """A checkpoint whose adapter is not a number: lint stops it before any connection is made."""
    from peft import get_peft_model
    from safetensors.torch import load_file, save_file

    from emotrain.modeling.loading import load_model
    from emotrain.modeling.lora import lora_config

    folder = tmp_path / "checkpoint-4"
    model = load_model("tiny", "float32")
    get_peft_model(model, lora_config(model, r=2)).save_pretrained(folder)
    held = load_file(folder / "adapter_model.safetensors")
    save_file({name: value * float("nan") for name, value in held.items()}, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "name the repository too"),
        ({"hub_model_id": "name"}, "expected org/name"),
        ({"hub_model_id": "org/name", "hub_strategy": "checkpoint"}, "optimizer state"),
        ({"hub_model_id": "org/name", "model_name_or_path": "/models/qwen"}, "pass --base-model"),
    ],
)
def test_keys_that_cannot_be_followed_stop_the_run_before_it_begins(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checkpoint_publisher(recipe(**values))


def test_a_recipe_without_push_to_hub_publishes_nothing() -> None:
    assert checkpoint_publisher(recipe(push_to_hub=False, hub_model_id="org/name")) is None
    publisher = checkpoint_publisher(recipe(hub_model_id="org/name", hub_revision="dev", hub_private_repo=False))
    assert publisher is not None
    assert (publisher.repo_id, publisher.strategy, publisher.revision) == ("org/name", "every_save", "dev")
    assert publisher.public, "hub_private_repo: false asks for it"


@pytest.mark.parametrize(
    ("strategy", "best", "tried"),
    [
        ("end", None, 0),
        ("every_save", None, 1),
        ("every_save", "checkpoint-4", 1),
        ("every_save", "checkpoint-2", 0),
        ("all_checkpoints", None, 2),
        ("all_checkpoints", "checkpoint-2", 1),
    ],
)
def test_a_fault_in_the_middle_is_said_and_one_at_the_end_is_raised(
    diverged: Path, capsys: pytest.CaptureFixture[str], strategy: str, best: str | None, tried: int
) -> None:
    publisher = PublishCheckpoints("org/name", strategy, None, public=False)
    state = SimpleNamespace(
        is_world_process_zero=True,
        global_step=4,
        best_model_checkpoint=None if best is None else str(diverged.parent / best),
    )
    publisher.on_save(SimpleNamespace(output_dir=str(diverged.parent)), state, None)
    assert capsys.readouterr().err.count("checkpoint-4 was not published") == tried
    if strategy == "end":
        with pytest.raises(AdapterFaults, match="NaN or infinity"):
            publisher.publish_final(diverged)


def test_a_checkpoint_that_is_gone_does_not_end_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publisher = PublishCheckpoints("org/name", "every_save", None, public=False)
    state = SimpleNamespace(is_world_process_zero=True, global_step=9, best_model_checkpoint=None)
    publisher.on_save(SimpleNamespace(output_dir=str(tmp_path)), state, None)
    assert "checkpoint-9 was not published" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError):
        publisher.publish_final(tmp_path)


def test_a_hub_out_of_reach_stops_a_run_at_its_beginning_and_not_one_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    publisher = PublishCheckpoints("org/name", "every_save", None, public=False)
    for step, stops in ((0, True), (40, False)):
        state = SimpleNamespace(is_world_process_zero=True, global_step=step, best_model_checkpoint=None)
        if stops:
            with pytest.raises(HubError):
                publisher.on_train_begin(None, state, None)
        else:
            publisher.on_train_begin(None, state, None)
            assert "checkpoints may not be published" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("Error while uploading 'adapter_model.safetensors' to the Hub."), "adapter_model.safetensors"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (TimeoutError("timed out"), "HTTPS_PROXY"),
    ],
)
def test_what_the_client_raises_of_its_own_is_explained(error: Exception, said: str) -> None:
    with pytest.raises(HubError, match=f"^upload to org/name: .*{said}"), explained("upload to org/name"):
        raise error
    with pytest.raises(NotImplementedError), explained("upload to org/name"):
        raise NotImplementedError("a fault of ours")
