"""Every benchmark still runs: each at its smallest size, in this process, so that imports are paid for once.

What a benchmark needs beyond the repository (a dictionary, another program, real faces, a GPU) is written beside its
name; a new benchmark stands in one of the two lists or fails here.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

SMALLEST: dict[str, list[str]] = {
    "decode": ["--repeats", "1", "--seconds", "0.2"],
    "frames": ["--repeats", "1", "--clips", "8", "--seconds", "0.2"],
    "inference": ["--simulations", "1", "--nulls", "2", "--only", "demo"],
    "motion_events": ["--clips", "22", "--size", "64"],
    "motion_speed": ["--repeats", "1"],
    "scale": ["--rows", "50"],
    "stream": ["--seconds", "0.5", "--minutes", "0.02", "--soak", "0.6", "--without-face"],
    "score": ["--model", "tiny", "--repeats", "1", "--replies", "2"],
}
ELSEWHERE = {
    "agreement": "an adapter; tests/modeling/test_mass_term.py asks the same on a trained one",
    "emotion_words": "a dictionary of emotion words that is not shipped",
    "faceless": "the face detector's weights; a thousand frames at the least",
    "faces": "real faces",
    "first_gpu_train": "run by first_gpu_minutes.sh below",
    "gpu": "tests/test_gpu_benchmark.py",
    "motion_robustness": "minutes at its smallest: 22 clips under each disturbance",
    "other_harnesses": "environments of other programs",
    "other_trainers": "environments of other programs",
    "other_trainers_commands": "no command",
    "other_trainers_inputs": "no command",
    "other_trainers_swift_template": "no command",
    "ray_engine": "a Ray cluster; tests/stages/test_ray_engine.py",
    "real_face": "real faces and an adapter",
    "scene_cost": "an adapter and the face detector's weights",
    "scenes": "the face detector's weights",
    "train": "a minute of processes, one a contestant",
    "training_set_up": "no command",
    "training_step": "a minute: it draws and prepares clips first",
    "stream_events": "22 clips at the least, each read twice",
    "trajectories": "hundreds of clips are drawn",
    "word_frequency": "a table of word frequencies that is not shipped",
}


def test_every_benchmark_is_run_or_says_why_not() -> None:
    there = {path.stem for path in BENCHMARKS.glob("*.py")}
    assert there == SMALLEST.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs_at_its_smallest_size(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *SMALLEST[name]])
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(BENCHMARKS / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().out.strip(), "its figures"
