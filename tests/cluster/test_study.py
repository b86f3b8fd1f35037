"""slurm/study.slurm on a real SLURM, with a stand-in for the study: out of time, it goes back into the queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import ROOT, Cluster

STUDY = """#!/usr/bin/env bash
# As `emotrain study` does: ends with 75 when the stop file is there; the second attempt has nothing left to do.
echo "$*" >>"$EMOTRAIN_LOGS/asked-$SLURM_RESTART_COUNT"
[[ ${SLURM_RESTART_COUNT:-0} == 0 ]] || exit 0
until [[ -e $EMOTRAIN_STOP_FILE ]]; do sleep 0.1; done
[[ $SLURM_ARRAY_TASK_ID == 0 ]] || exec sleep 600 # an evaluation that goes on past the time limit
exit 75
"""


def test_the_tasks_of_a_study_go_on_after_their_time_limit(cluster: Cluster, tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.write_text(STUDY.replace("$SLURM_RESTART_COUNT", "${SLURM_RESTART_COUNT:-0}"), encoding="utf-8")
    study.chmod(0o755)
    exports = f"ALL,EMOTRAIN_CONTAINER={study},EMOTRAIN_LOGS={tmp_path},EMOTRAIN_PATIENCE_S=3"
    command = ["sbatch", "--parsable", "--array=0-1", "--partition=high", "--mem=100M", "--signal=B:USR1@60"]
    job = cluster.run(
        *command, f"--output={tmp_path}/log-%a", f"--export={exports}", ROOT / "slurm/study.slurm", "a.yaml"
    )
    asked = tmp_path / "asked-0"
    cluster.until(lambda: asked.exists() and len(asked.read_text(encoding="utf-8").splitlines()) == 2, "both tasks")
    for task in (0, 1):
        cluster.run("scontrol", "update", f"JobId={job}_{task}", "TimeLimit=1")  # the warning is due at once
    assert cluster.end_of(job) == "COMPLETED"
    for task in (0, 1):
        assert cluster.field(f"{job}_{task}", "Restarts") == "1"
        log = (tmp_path / f"log-{task}").read_text(encoding="utf-8")
        assert [log.count(word) for word in ("got SIGUSR1", "goes back", "is done", "FAILED")] == [1, 1, 1, 0], log
    words = sorted((tmp_path / "asked-1").read_text(encoding="utf-8").splitlines())
    assert words == [f"python -m emotrain.cli study a.yaml --shard {task}/2" for task in (0, 1)]


def test_the_queue_is_known_by_the_ids_that_sbatch_gave(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from emotrain.launch.submit import SubmitError, _queued

    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    plain, array = (
        cluster.run("sbatch", "--parsable", "--hold", "--output=/dev/null", *more, "--wrap=true")
        for more in ([], ["--array=0-3"])
    )
    assert {plain, array} <= _queued()
    cluster.run("scancel", plain, array)
    cluster.until(lambda: not {plain, array} & _queued(), "the cancelled jobs to go")
    monkeypatch.setenv("SLURM_CONF", "/no/such/slurm.conf")
    monkeypatch.setattr("emotrain.launch.submit._WAITS_S", ())
    with pytest.raises(SubmitError, match="squeue failed"):
        _queued()
