"""What slurm/job.sh does with real signals, on jobs that only sleep."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from .conftest import RECIPE, ROOT, Cluster, Prepared
from .flights import write_profile

# The long jobs of test_chains.py go on meanwhile.
pytestmark = pytest.mark.usefixtures("flights")

SLEEPER = f"""#!/usr/bin/env bash
set -euo pipefail
source {ROOT}/slurm/job.sh
prepare_to_stop "$LOGS"
obey() {{ # as training does: ends with 75 when it is asked to stop, and says so in a file
  until [[ -e $EMOTRAIN_STOP_FILE ]]; do sleep 0.1; done
  touch "$EMOTRAIN_STOP_FILE.stopped"
  exit 75
}}
work=($WORK)
((attempt == 0)) || work=(true) # the second attempt has nothing left to do
touch "$LOGS/running-$attempt"
run_until_stopped "${{work[@]}}"
requeue_if_stopped
exit "$status"
"""


def start(cluster: Cluster, folder: Path, work: str, *, restarts: int = 9) -> str:
    """Submit a job whose first attempt runs until it is stopped, and wait until it does."""
    script = folder / "sleeper.slurm"
    script.write_text(SLEEPER, encoding="utf-8")
    exports = f"ALL,LOGS={folder},WORK={work},EMOTRAIN_CHAIN_LOG={folder}/chain.log,EMOTRAIN_MAX_RESTARTS={restarts}"
    job = cluster.run(
        "sbatch",
        "--parsable",
        "--partition=high",
        "--requeue",
        "--mem=100M",
        f"--output={folder}/log",
        f"--export={exports}",
        script,
    )
    cluster.until(lambda: (folder / "running-0").exists(), "the first attempt")
    return job


def told(folder: Path) -> str:
    return (folder / "chain.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["USR1", "TERM"])
def test_a_signal_to_the_batch_shell_asks_for_a_stop_and_requeues(cluster: Cluster, tmp_path: Path, name: str) -> None:
    job = start(cluster, tmp_path, "obey")
    cluster.run("scancel", "--batch", f"--signal={name}", job)
    assert cluster.end_of(job) == "COMPLETED"
    assert cluster.field(job, "Restarts") == "1"
    assert [told(tmp_path).count(word) for word in (f"got SIG{name}", "goes back", "is done", "FAILED")] == [1, 1, 1, 0]


def test_a_job_whose_work_is_ended_by_slurm_runs_again(cluster: Cluster, tmp_path: Path) -> None:
    job = start(cluster, tmp_path, "srun sleep 612")
    cluster.until(lambda: subprocess.run(["pgrep", "-fx", ".*/sleep 612"], check=False).returncode == 0, "the step")
    cluster.run("scancel", "--signal=TERM", job)  # the steps alone get it, as in a preemption without a warning
    assert cluster.end_of(job) == "COMPLETED"
    assert cluster.field(job, "Restarts") == "1"
    assert "FAILED" not in told(tmp_path)


def test_a_cancelled_job_stays_cancelled(cluster: Cluster, tmp_path: Path) -> None:
    job = start(cluster, tmp_path, "obey")
    cluster.run("scancel", job)
    assert cluster.end_of(job) == "CANCELLED"
    assert cluster.field(job, "Restarts") == "0"
    cluster.until(lambda: "is ended by SLURM" in told(tmp_path), "the last line of the log")
    assert "goes back" not in told(tmp_path)


def test_a_job_that_has_been_back_too_often_gives_up(cluster: Cluster, tmp_path: Path) -> None:
    job = start(cluster, tmp_path, "obey", restarts=0)
    cluster.run("scancel", "--batch", "--signal=USR1", job)
    assert cluster.end_of(job) == "FAILED"
    assert "EMOTRAIN_MAX_RESTARTS" in told(tmp_path)
    assert "FAILED with exit status 75" in told(tmp_path)


CARDS = {"nodes": 2, "gpus_per_node": 2, "gpu_type": "h100", "array_limit": 2, "mail_user": "me", "mail_type": ["FAIL"]}


def test_the_scripts_of_a_dry_run_are_accepted_by_bash_and_by_slurm(
    cluster: Cluster, prepared: Prepared, tmp_path: Path
) -> None:
    from emotrain.cli import app

    words = ["launch", str(RECIPE), "--profile", str(write_profile(tmp_path, **CARDS)), "--dry-run"]
    done = CliRunner().invoke(app, [*words, *prepared.overrides(tmp_path / "run", context="summaries")])
    assert done.exit_code == 0, done.output
    scripts = sorted((tmp_path / "run" / "slurm").glob("*.slurm"))
    assert len(scripts) == 6
    for script in scripts:
        cluster.run("bash", "-n", script)
        cluster.run("sbatch", "--test-only", script)
    assert str(tmp_path) not in cluster.run("squeue", "--format=%o", "--states=all"), "nothing was submitted"


def test_a_chain_with_an_impossible_job_leaves_nothing_in_the_queue(
    cluster: Cluster, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotrain.launch.jobs import parse_chain
    from emotrain.launch.submit import SubmitError, submit

    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    profile = write_profile(tmp_path, stages={"train": {"gpus_per_node": 64}}, sbatch_flags=["--begin=now+1hour"])
    chain = parse_chain(RECIPE, profile, prepared.overrides(tmp_path / "run"), "prep,train", None, None, None)
    with pytest.raises(SubmitError, match="the job train"):
        submit(chain)
    live = "--states=PENDING,RUNNING"
    cluster.until(lambda: str(tmp_path) not in cluster.run("squeue", "--format=%o", live), "the cancelled jobs to go")
    assert not (tmp_path / "run" / "launch.json").exists()
