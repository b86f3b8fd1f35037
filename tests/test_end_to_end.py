"""Every stage through its real command line, on a few dozen clips; killed midway, it comes to the same result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
EMOTRAIN = [sys.executable, "-m", "emotrain.cli"]
PREP = [sys.executable]


def run(*command: str | Path) -> str:
    """Run a command to its end and return what it printed; a failure shows all of it."""
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def kill_when(ready: Callable[[], bool], *command: str | Path, patience_s: float = 120.0) -> None:
    """Start a command and SIGKILL it as soon as `ready`; fails when it ends, or nothing happens, before that."""
    words = [str(word) for word in command]
    process = subprocess.Popen(words, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    waited = time.monotonic()
    while not ready():
        if process.poll() is not None:
            assert process.stderr is not None
            pytest.fail(f"{words} ended before it could be killed: {process.stderr.read().decode()[-2000:]}")
        assert time.monotonic() - waited < patience_s, f"{words}: not ready after {patience_s} s"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)  # the workers notice that their parent is gone


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def contents(folder: Path) -> list[list[dict[str, object]]]:
    return [pq.read_table(part).to_pylist() for part in parts(folder)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic clip set: 22 clips each for training, validation and test."""
    from emotrain.synthetic.clip_set import write_clip_set

    root = tmp_path_factory.mktemp("clips")
    write_clip_set(root, train=22, validation=22, test=22, seed=3, workers=1)
    return root


@pytest.fixture(scope="module")
def prepared(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the four preparation scripts make of the clips, without interruption."""
    data = tmp_path_factory.mktemp("data")
    for command in stages(clips, data):
        run(*PREP, *command)
    return data


def stages(clips: Path, data: Path) -> list[list[str]]:
    """The command lines of the preparation stages, in order."""
    lines = (
        f"index_clips.py --dataset synthetic --root {clips} --out {data}",
        f"extract_frames.py --data {data} --keyframes 4 --between 0 --size 128 --shards 4",
        f"summarize_frames.py --data {data} --backend motion --shards 4",
        f"build_manifests.py --data {data} --strategy class_balanced --epochs 2 --seed 0",
    )
    return [f"data_prep/{line}".split() for line in lines]


def test_the_four_scripts_leave_what_the_contract_names(prepared: Path, clips: Path) -> None:
    index = pq.read_table(prepared / "clips.parquet").to_pylist()
    assert {row["split"] for row in index} == {"train", "validation", "test"}
    frames = [row for part in contents(prepared / "frames") for row in part]
    assert all(sum(row["clip_id"] == clip["clip_id"] for row in frames) == 4 for clip in index)
    folder = next((prepared / "summaries").iterdir())
    told = [row for part in contents(folder) for row in part]
    assert {row["clip_id"] for row in told} == {row["clip_id"] for row in index}
    assert any(row["changed"] for row in told)
    draws = pq.read_table(next((prepared / "manifests").glob("class_balanced*.parquet"))).to_pylist()
    train = {row["clip_id"] for row in index if row["split"] == "train"}
    assert {row["clip_id"] for row in draws} <= train, "validation and test clips are never drawn"


def test_frames_and_summaries_killed_in_the_middle_come_out_the_same(
    prepared: Path, clips: Path, tmp_path: Path
) -> None:
    index, frames, summaries, _ = stages(clips, tmp_path)
    run(*PREP, *index)
    kill_when(lambda: len(parts(tmp_path / "frames")) >= 1, *PREP, *frames)
    kept = {part: part.stat().st_mtime_ns for part in parts(tmp_path / "frames")}
    run(*PREP, *frames)
    assert contents(tmp_path / "frames") == contents(prepared / "frames")
    assert all(part.stat().st_mtime_ns == before for part, before in kept.items()), "finished shards are not redone"
    home = tmp_path / "summaries"
    kill_when(lambda: any(parts(folder) for folder in home.glob("*")), *PREP, *summaries)
    run(*PREP, *summaries)
    (folder,), (whole,) = home.iterdir(), (prepared / "summaries").iterdir()
    assert folder.name == whole.name
    assert contents(folder) == contents(whole)


def tiny_recipe(folder: Path, clips: Path, **more: object) -> list[str | Path]:
    """A few steps of the shipped enriched recipe, as a recipe path and its overrides."""
    values = {"data": folder / "data", "root": clips, "output_dir": folder / "run", "epochs": 4, "save_steps": 2} | more
    values |= {"per_device_train_batch_size": 8, "logging_steps": 1, "warmup_steps": 2, "save_total_limit": 20}
    return [ROOT / "recipes/tiny/enriched_balanced.yaml", *[w for k, v in values.items() for w in (f"--{k}", str(v))]]


def test_train_and_evaluate_run_from_a_recipe_and_a_killed_run_has_the_same_losses(clips: Path, tmp_path: Path) -> None:
    def losses(folder: Path) -> list[float]:
        state = json.loads((folder / "run" / "trainer_state.json").read_text(encoding="utf-8"))
        return [entry["loss"] for entry in state["log_history"] if "loss" in entry]

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    recipe = tiny_recipe(whole, clips)
    assert "prepared" in run(*EMOTRAIN, "prep", *recipe)
    assert "prepared" in run(*EMOTRAIN, "prep", *recipe)  # again, with everything there
    run(*EMOTRAIN, "train", *recipe)
    assert len(losses(whole)) == 11
    broken = tiny_recipe(cut, clips, data=whole / "data")
    kill_when(lambda: (cut / "run/checkpoint-4/provenance.json").exists(), *EMOTRAIN, "train", *broken)
    kept = (cut / "run/checkpoint-2/optimizer.pt").stat().st_mtime_ns
    run(*EMOTRAIN, "train", *broken)
    assert (cut / "run/checkpoint-2/optimizer.pt").stat().st_mtime_ns == kept, "it went on, it did not start again"
    assert losses(cut) == losses(whole)
    adapter = "adapter_model.safetensors"
    assert (cut / "run" / adapter).read_bytes() == (whole / "run" / adapter).read_bytes()

    out = tmp_path / "scores"
    evaluate = [*EMOTRAIN, "evaluate", *recipe, "--adapter", whole / "run", "--out", out]
    kill_when(lambda: (out / "recipe.resolved.yaml").exists(), *evaluate)
    assert not (out / "predictions.parquet").exists(), "predictions appear whole or not at all"
    run(*evaluate)
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["clips"] == 22
    assert 0 <= metrics["uar"]["low"] <= metrics["uar"]["value"] <= metrics["uar"]["high"] <= 1
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "data:image/jpeg;base64" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="http' not in page
    refused = [*EMOTRAIN, "evaluate", *recipe, "--out", out]  # zero-shot into the folder of an adapter
    done = subprocess.run(
        [str(w) for w in refused], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "another adapter" in done.stderr
    table = run(*EMOTRAIN, "score", out / "predictions.parquet", "--label-set", "mafw", "--out", tmp_path / "again")
    assert "UAR" in table


def test_the_demo_goes_on_after_a_kill_and_a_second_run_does_nothing_again(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    command = [*EMOTRAIN, "demo", "--out", out, "--scale", "0.02"]
    kill_when(lambda: len(list((out / "clips" / "videos").glob("*.mp4"))) >= 3, *command)
    rendered = {path: path.stat().st_mtime_ns for path in (out / "clips" / "videos").glob("*.mp4")}
    kill_when(lambda: any((out / "arms").glob("*/progress.json")), *command, patience_s=240)
    printed = run(*command)
    for name in ("sparse + natural", "enriched + balanced", "zero-shot"):
        assert name in printed
    assert all(path.stat().st_mtime_ns == before for path, before in rendered.items())
    made = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    started = time.monotonic()
    run(*command)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == made
    assert time.monotonic() - started < 60
    assert (out / "report" / "report.html").is_file()
