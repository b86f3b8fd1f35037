"""The GPU benchmark runs, here on the CPU with tiny shapes, and times the operations that it states."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from emotrain.planning.flops import ClipTokens, step_flops
from emotrain.planning.shapes import read_shapes

ROOT = Path(__file__).parents[1]


def test_the_gpu_benchmark_prints_a_row_a_batch_and_the_operations_of_its_clips() -> None:
    command = [sys.executable, ROOT / "benchmarks" / "gpu.py", "--shapes", "tiny", "--device", "cpu"]
    sizes = ["--batches", "1", "2", "--steps", "1", "--keyframes", "2", "--text", "40"]
    done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    rates = {int(clips): float(rate) for clips, rate in re.findall(r"^\| (\d+) \| ([\d.]+) \|", done.stdout, re.M)}
    assert rates.keys() == {1, 2}
    assert min(rates.values()) > 0
    tokens = ClipTokens(40, 18, 14, 15, ((6, 6),) * 2)
    stated = re.search(r"without recomputing (\S+)", done.stdout)
    assert stated is not None
    flops = step_flops(read_shapes("tiny"), tokens, 16).total
    assert abs(float(stated[1]) * 1e12 - flops) < 0.01 * flops
    assert f"{tokens.prompt} prompt tokens and {tokens.tree} of the label tree" in done.stdout
