"""The first minutes on a GPU, gone through on the CPU with tiny shapes: every part runs, and states its operations."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from emotrain.planning.flops import ClipTokens, step_flops
from emotrain.planning.shapes import read_shapes

ROOT = Path(__file__).parents[1]


def test_the_script_for_the_first_minutes_on_a_gpu_runs_every_part(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", ROOT / "benchmarks" / "first_gpu_minutes.sh", "--device", "cpu"],
        env=os.environ | {"PYTHON": sys.executable, "OUT": str(tmp_path), "LIMIT_S": "900", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    told = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert done.returncode == 0, told + done.stderr
    assert "0 part(s) failed" in done.stdout
    for words in ("tower loop", "LoRA peft", "checkpointing off", "dropout 0,", ", stored", ", cudnn"):
        assert words in told
    rates = re.findall(r"^\| (\d+) \| ([\d.]+) \|", told, re.M)
    assert len(rates) == 2 + 2 + 4, "two batches as the recipes train and without checkpointing, one of each other way"
    assert min(float(rate) for _, rate in rates) > 0
    tokens = ClipTokens(40, 18, 14, 15, ((6, 6),) * 2)
    flops = step_flops(read_shapes("tiny"), tokens, 16).total
    stated = re.search(r"without recomputing (\S+)", told)
    assert stated is not None
    assert abs(float(stated[1]) * 1e12 - flops) < 0.01 * flops
    assert f"{tokens.prompt} prompt tokens and {tokens.tree} of the label tree" in told
    assert re.search(r"peak of allocated [\d.]+ GiB; emotrain plan says [\d.]+ GiB", told)
    assert re.search(r"score: [\d.]+ clips/s of 8 clips", told)
