"""A run always has a complete checkpoint to go on from, and goes on with nothing but itself."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from emotrain.recipe.recipe import effective
from emotrain.training.checkpoints import PROVENANCE, is_finished, last_checkpoint, look_at, rotate
from emotrain.training.same_run import MAY_DIFFER
from emotrain.training.whole import VOUCHED_BY, vouch_checkpoint

Trained = Callable[..., tuple[Path, list[dict[str, Any]]]]


def checkpoints(output: Path) -> list[str]:
    return sorted(folder.name for folder in output.glob("checkpoint-*"))


def losses(history: list[dict[str, Any]]) -> list[float]:
    return [entry["loss"] for entry in history if "loss" in entry]


def test_a_disk_that_fills_up_at_the_last_file_leaves_the_checkpoint_before(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from emotrain import digests as module

    _, history = trained("whole", epochs=1, save_total_limit=1)
    write = module.write_json

    def full(value: Any, path: Path) -> None:
        if path.parent.name == "checkpoint-4":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(value, path)

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        trained("cut", epochs=1, save_total_limit=1)
    output = tmp_path / "cut" / "run"
    assert checkpoints(output) == ["checkpoint-2", "checkpoint-4"]
    assert last_checkpoint(output) == output / "checkpoint-2"
    monkeypatch.setattr(module, "write_json", write)
    capsys.readouterr()
    _, again = trained("cut", epochs=1, save_total_limit=1)
    said = capsys.readouterr().err
    assert f"{output}: checkpoint-4: incomplete (no digests.json); training goes on" in said
    assert "goes on from checkpoint-2" in said
    assert losses(again) == losses(history)
    assert checkpoints(output) == ["checkpoint-4"], "the recipe's number is kept, once the new one is complete"


def test_the_best_checkpoint_stays_until_the_end_and_is_what_is_saved(trained: Trained) -> None:
    output, _ = trained(
        "best",
        epochs=2,
        learning_rate=0.0,  # so the first is the best
        save_total_limit=1,
        eval_strategy="steps",
        eval_steps=2,
        metric_for_best_model="uar",
        load_best_model_at_end=True,
    )
    assert checkpoints(output) == ["checkpoint-2", "checkpoint-8"]


def test_a_loss_that_is_not_finite_ends_the_command_with_its_message(bench: Any, tmp_path: Path) -> None:
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.recipe.recipe import load_recipe

    path = bench.recipe(tmp_path, epochs=1, learning_rate=1e30, warmup_steps=1)
    ensure_manifest(load_recipe(path))
    done = subprocess.run([sys.executable, "-m", "emotrain.cli", "train", str(path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "emotrain: the loss of step 3 is not finite; nothing after the last checkpoint was saved" in done.stderr
    assert "Traceback" not in done.stderr


def folder(output: Path, step: int, *, complete: bool = True) -> None:
    made = output / f"checkpoint-{step}"
    made.mkdir(parents=True)
    for name in ("trainer_state.json", PROVENANCE):
        (made / name).write_text(json.dumps({VOUCHED_BY: "digests.json", "global_step": step}), encoding="utf-8")
    if complete:
        vouch_checkpoint(made)


@pytest.mark.parametrize(
    ("keep", "best", "left"),
    [
        (None, None, [2, 4, 6, 8, 10, 12]),
        (1, None, [4, 8, 12]),
        (2, None, [4, 8, 10, 12]),
        (1, "elsewhere/checkpoint-2", [2, 4, 8, 12]),
        (2, "elsewhere/checkpoint-6", [4, 6, 8, 12]),
        (9, None, [2, 4, 6, 8, 10, 12]),
    ],
)
def test_only_complete_checkpoints_count_and_go(
    tmp_path: Path, keep: int | None, best: str | None, left: list[int]
) -> None:
    for step in (2, 4, 6, 8, 10, 12):
        folder(tmp_path, step, complete=step not in (4, 8))
    rotate(tmp_path, keep, best)
    assert checkpoints(tmp_path) == sorted(f"checkpoint-{step}" for step in left)


def test_a_run_without_its_weights_is_not_finished_and_is_made_whole_again(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    output, _ = trained("one", epochs=1)
    assert is_finished(output)
    assert look_at(output).said is None
    weights = output / "adapter_model.safetensors"
    before = weights.read_bytes()
    weights.unlink()
    assert not is_finished(output)
    capsys.readouterr()
    trained("one", epochs=1)
    assert "neither adapter_model.safetensors nor model.safetensors beside provenance.json" in capsys.readouterr().err
    assert weights.read_bytes() == before


def test_a_recipe_written_differently_that_means_the_same_goes_on(trained: Trained) -> None:
    output, _ = trained("one", epochs=1)
    told = json.loads((output / PROVENANCE).read_text(encoding="utf-8"))
    assert set(told["made_from"]) >= {"manifest", "clips_per_step", "frames", "base"}
    time = (output / PROVENANCE).stat().st_mtime_ns
    same: Mapping[str, Any] = {
        "learning_rate": "1e-2", "tau": 1.0, "lora_alpha": 32, "between": 0, "eval_strategy": False, "run_name": "x",
        "prep_shards": 3, "dataloader_num_workers": 0, "save_total_limit": 3, "lora_dropout": 0,
    }  # fmt: skip
    trained("one", epochs=1, **same)
    assert (output / PROVENANCE).stat().st_mtime_ns == time, "it was found finished"
    with pytest.raises(
        ValueError, match=r"holds another run \(lora_alpha: 32 there, 16 now\); choose another"
    ) as other:
        trained("one", epochs=1, **{**same, "lora_alpha": 16})
    assert "delete" not in str(other.value)


def test_other_weights_of_the_base_are_another_run(trained: Trained, bench: Any, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(bench.base, base)
    # As a larger model lies on disk: in several files, none of which is model.safetensors.
    (base / "model.safetensors").rename(base / "model-00001-of-00001.safetensors")
    from safetensors import safe_open

    with safe_open(base / "model-00001-of-00001.safetensors", "pt") as opened:
        index = {"metadata": {}, "weight_map": dict.fromkeys(opened.keys(), "model-00001-of-00001.safetensors")}
    (base / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    trained("one", epochs=1, epoch_size=8, model_name_or_path=str(base))
    part = base / "model-00001-of-00001.safetensors"
    part.write_bytes(part.read_bytes()[:-4] + b"\x00\x01\x02\x03")
    with pytest.raises(ValueError, match=r"holds another run \(base: '"):
        trained("one", epochs=1, epoch_size=8, model_name_or_path=str(base))


def test_every_key_that_may_differ_is_a_key() -> None:
    assert set(effective({})) >= MAY_DIFFER


def test_values_in_force_are_compared_and_strangers_kept() -> None:
    assert effective({"learning_rate": "1e-2"}) == effective({"learning_rate": 0.01})
    assert effective({"tau": 1}) == effective({})
    assert effective({"save_strategy": False})["save_strategy"] == "no"
    odd = effective({"of_another_version": 3, "keyframes": "many"})
    assert (odd["of_another_version"], odd["keyframes"]) == (3, "many")
