"""Arms: a GPU each, nothing started after a stop, and a score counts only for the recipe that made it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from emotrain.job_notes import STOP_FILE
from emotrain.recipe.recipe import load_recipe
from emotrain.study.arms import Arm, run_arms
from emotrain.study.failures import ArmsFailed, ArmsStopped
from emotrain.study.gather import Gathered, comparable

RECIPE = Path(__file__).parents[2] / "recipes" / "tiny" / "base.yaml"


@dataclass(frozen=True, slots=True)
class Scripted(Arm):
    """An arm whose command is a line of Python; it sees its scores folder as `out`."""

    code: str = ""

    def commands(self) -> list[list[str]]:
        return [
            [sys.executable, "-c", f"import os, time, pathlib; out = pathlib.Path({str(self.scores)!r}); {self.code}"]
        ]


def arm(folder: Path, name: str, code: str) -> Scripted:
    recipe = load_recipe(RECIPE, ["--arm", name, "--output_dir", str(folder / name / "adapter")])
    return Scripted(recipe, (), folder / name / "scores", trained=False, code=code)


def test_every_arm_has_a_gpu_for_itself(tmp_path: Path) -> None:
    code = "(out / os.environ['CUDA_VISIBLE_DEVICES']).touch(); time.sleep(0.3)"
    start = time.monotonic()
    run_arms([[arm(tmp_path, f"a{n}", code)] for n in range(6)], parallel=6, gpus=("3", "GPU-7"))
    assert time.monotonic() - start > 0.9, "two at a time"
    used = [path.name for path in sorted(tmp_path.glob("*/scores/*")) if path.name != "log.txt"]
    assert len(used) == 6
    assert set(used) == {"3", "GPU-7"}


def test_a_failed_arm_ends_its_group_alone(tmp_path: Path) -> None:
    groups = [
        [arm(tmp_path, "bad", "raise SystemExit('no such base')"), arm(tmp_path, "after", "(out / 'ran').touch()")],
        [arm(tmp_path, "good", "(out / 'ran').touch()")],
    ]
    with pytest.raises(ArmsFailed, match=r"(?s)'bad' failed.*no such base.*not run after it: after"):
        run_arms(groups, parallel=1)
    assert (tmp_path / "good" / "scores" / "ran").exists()
    assert not (tmp_path / "after").exists()


def test_after_a_request_to_stop_scoring_ends_and_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = tmp_path / "stop"
    monkeypatch.setenv(STOP_FILE, str(stop))
    groups = [
        [arm(tmp_path, "long", f"pathlib.Path({str(stop)!r}).touch(); time.sleep(120)")],
        [arm(tmp_path, "later", "(out / 'ran').touch()")],
    ]
    start = time.monotonic()
    with pytest.raises(ArmsStopped, match="run the study again"):
        run_arms(groups, parallel=1)
    assert time.monotonic() - start < 60
    assert not (tmp_path / "later" / "scores" / "ran").exists()


def test_scores_count_for_the_recipe_that_made_them_only(tmp_path: Path) -> None:
    def made(*overrides: str) -> Arm:
        return Arm(load_recipe(RECIPE, overrides), overrides, tmp_path / "scores")

    first = made("--epochs", "2")
    assert not first.is_done()
    scored(first, ["--output_dir", "elsewhere"], adapter="elsewhere")
    assert first.is_done()
    assert made("--epochs", "2", "--root", "/moved", "--resamples", "99").is_done()
    assert not made("--epochs", "3").is_done()


def scored(arm: Arm, overrides: Sequence[str] = (), **about: str | None) -> None:
    """Leave what the arm's commands leave, as far as `is_done` reads it."""
    load_recipe(RECIPE, [*arm.overrides, *overrides]).save(arm.scores)
    (arm.scores / "metrics.json").write_text(json.dumps({"adapter": None, **about}), encoding="utf-8")


def test_scores_count_for_the_system_that_made_them_only(tmp_path: Path) -> None:
    words = ("--output_dir", str(tmp_path / "a" / "adapter"))

    def made(**does: Any) -> Arm:
        return Arm(load_recipe(RECIPE, words), words, tmp_path / "scores", **does)

    systems = {
        "trained": made(),
        "zero-shot": made(trained=False),
        "of b": made(trained=False, adapter=tmp_path / "b" / "adapter"),
        "of c": made(trained=False, adapter=tmp_path / "c" / "adapter"),
        "tfidf": made(trained=False, baseline="tfidf"),
        "oracle": made(trained=False, baseline="oracle_text"),
    }
    for name, system in systems.items():
        adapter = system.output if system.trained else system.adapter
        about = {"baseline": system.baseline} if system.baseline is not None else {}
        scored(system, adapter=None if adapter is None else str(adapter), **about)
        assert [other for other, arm in systems.items() if arm.is_done()] == [name]


def test_scores_of_a_study_that_was_moved_still_count(tmp_path: Path) -> None:
    def at(out: str) -> Arm:
        words = ("--output_dir", f"{out}/arms/x/adapter")
        return Arm(load_recipe(RECIPE, words), words, tmp_path, trained=False, adapter=Path(f"{out}/arms/y/adapter"))

    scored(at("runs/here"), adapter="runs/here/arms/y/adapter")
    assert at("/elsewhere/runs").is_done()


def test_an_arm_on_other_clips_is_named_and_left_out() -> None:
    from emotrain.metrics.predictions import PredictionTable
    from emotrain.records import Prediction

    def table(*clips: str) -> PredictionTable:
        return PredictionTable(("x", "y"), tuple(Prediction(clip, None, "x", "x") for clip in clips))

    tables: Any = {"ref": (table("a", "b"),), "same": (table("b", "a"),), "short": (table("a"),)}
    kept = comparable(Gathered(tables, {}), "ref")
    assert list(kept.tables) == ["ref", "same"]
    assert kept.missing["short"] == ("scored on other clips than the reference: 1 differ, such as 'b'",)


def test_visible_gpus_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from emotrain.study.run import visible_gpus

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-5")
    assert visible_gpus() == ("2", "GPU-5")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == ()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_gpus() == tuple(str(number) for number in range(torch.cuda.device_count()))
