"""A whole small study by its real command: a failed arm stops nothing, a second run redoes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def emotrain(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emotrain.cli", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of four arms, one of which cannot run, on 66 rendered clips."""
    folder = tmp_path_factory.mktemp("study")
    values = {
        "recipe": str(ROOT / "recipes" / "tiny" / "base.yaml"),
        "out": str(folder / "out"),
        "clips": {"train": 22, "validation": 22, "test": 22, "seed": 3},
        "fresh": {"test": 22, "seeds": [11, 12]},
        "reference": "sparse",
        "contrasts": [["sparse", "asked 1"], ["broken", "sparse"]],
        "keys": {"epoch_size": 32, "resamples": 200, "prep_shards": 2},
        "arms": {
            "broken": {"context": "none", "model_name_or_path": "./no-such-base"},
            "sparse": {"context": "none"},
            "zero-shot": {"context": "none", "train": False},
            "dropped": {"context": "summaries", "train": False, "corrupt_summaries": "drop", "corrupt_share": 0.5},
            "asked": {"adapter_of": "sparse", "each": {"option_orders": [1, 2]}},
        },
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def test_a_study_runs_resumes_and_reports(study: Path) -> None:
    out = study.parent / "out"
    assert emotrain("study", study, "--count").stdout.strip() == "4"
    first = emotrain("study", study)
    assert first.returncode == 2, first.stderr
    assert "arm 'broken' failed" in first.stderr
    assert "no config.json" in first.stderr
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert list(results["arms"]) == ["sparse", "zero-shot", "dropped", "asked 1", "asked 2"]
    assert results["missing"] == {"broken": ["seed 0"]}
    assert results["clips"] == 22
    same = results["arms"]["asked 1"]["differences"]
    assert same["uar"]["value"] == 0.0
    (verdict,) = results["contrasts"]
    assert (verdict["second"], verdict["value"], verdict["verdict"]) == ("asked 1", 0.0, "not told apart")
    assert results["arms"]["zero-shot"]["differences"]
    text = (out / "results.md").read_text(encoding="utf-8")
    assert text.startswith("| arm | WAR |")
    assert "Left out: broken (seed 0)." in text
    for name in ("figures/arms.png", "figures/arms.svg", "figures/curves.png", "report/report.html"):
        assert (out / name).stat().st_size > 1000

    values = yaml.safe_load(study.read_text(encoding="utf-8"))
    del values["arms"]["broken"], values["contrasts"][1]
    study.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    written = {path: path.stat().st_mtime_ns for path in out.glob("arms/*/*/*/*.*")}
    second = emotrain("study", study)
    assert second.returncode == 0, second.stderr
    text = (out / "results.md").read_text(encoding="utf-8")
    assert "Left out" not in text
    assert re.search(r"\| sparse \| \d+\.\d ±\d+\.\d \|", text), "mean and s.d. on clips drawn for this alone"
    assert "seeds 11, 12, used nowhere else" in text
    assert written == {path: path.stat().st_mtime_ns for path in written}


def test_a_wrong_recipe_key_stops_a_study_before_anything_is_drawn(study: Path, tmp_path: Path) -> None:
    done = emotrain("study", study, "--out", tmp_path / "none", "--learning_rat", "1")
    assert done.returncode == 2
    assert "did you mean 'learning_rate'" in done.stderr
    assert not (tmp_path / "none").exists()
