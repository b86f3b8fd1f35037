"""The job scripts of slurm/: read by bash, free of one cluster's facts, and no node's own values in the batch shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SLURM = Path(__file__).parents[2] / "slurm"
SCRIPTS = sorted([*SLURM.glob("*.slurm"), SLURM / "job.sh"])
JOBS = [script for script in SCRIPTS if script.suffix == ".slurm"]


def code(script: Path) -> str:
    """The lines that bash runs, without comments."""
    lines = script.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.partition(" # ")[0] for line in lines if not line.lstrip().startswith("#"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_bash_and_shellcheck_find_no_fault(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed (apt-get install -y shellcheck); bash -n found no fault")
    done = subprocess.run(["shellcheck", "-x", script], cwd=SLURM.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_knows_a_cluster(script: Path) -> None:
    for fact in (
        r"gpus?-per-node=\d",
        r"\bgres\b",
        r"--partition",
        r"--account",
        r"--time=",
        r"(^|\s)/(home|scratch|data)/",
    ):
        assert not re.search(fact, code(script), re.MULTILINE), fact


def test_what_differs_between_nodes_is_expanded_by_the_shell_of_the_task_only() -> None:
    text = code(SLURM / "train.slurm")
    quoted = re.search(r"on_node='(.*?)\n'", text, re.DOTALL)
    assert quoted is not None
    assert quoted[1].count("SLURM_NODEID") == 3
    outside = text.replace(quoted[0], "")
    for name in ("SLURM_NODEID", "SLURM_PROCID", "SLURM_LOCALID"):
        assert name not in outside


@pytest.mark.parametrize("script", JOBS, ids=lambda path: path.name)
def test_a_script_without_arguments_says_how_it_is_used(script: Path) -> None:
    done = subprocess.run(["bash", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sbatch")
    assert script.name in done.stderr


@pytest.mark.parametrize("script", JOBS, ids=lambda path: path.name)
def test_every_variable_that_a_head_explains_is_read(script: Path) -> None:
    named = set(
        re.findall(r"EMOTRAIN_[A-Z_]+", "\n".join(re.findall(r"^#.*", script.read_text(encoding="utf-8"), re.M)))
    )
    read = set(re.findall(r"EMOTRAIN_[A-Z_]+", code(script) + code(SLURM / "job.sh")))
    assert named
    assert named <= read
    own = {"EMOTRAIN_STOP_FILE", "EMOTRAIN_LOGS", "EMOTRAIN_WORLD_SIZE"}  # for the processes that the script starts
    assert set(re.findall(r"EMOTRAIN_[A-Z_]+", code(script))) <= named | own
