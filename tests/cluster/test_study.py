"""slurm/study.slurm on a real SLURM, with a real study: out of time, its tasks go back into the queue and go on."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from .conftest import ROOT, Cluster, losses
from .flights import TRAP, Flight


def test_the_tasks_of_a_study_out_of_time_go_on_where_they_were_and_all_arms_are_equal(
    cluster: Cluster, flights: dict[str, Flight], undisturbed: Path
) -> None:
    flight = flights["study"]
    job, folder = flight.jobs["study"], flight.output.parents[1]
    cluster.until(lambda: len(list(folder.glob("paused-*"))) == 2, "the third step of both arms")
    for task in (0, 1):  # the warning is due 60 s before the end, so it comes now
        cluster.run("scontrol", "update", f"JobId={job}_{task}", "EndTime=now+61")
    for task in (0, 1):
        cluster.until(lambda task=task: cluster.field(f"{job}_{task}", "Restarts") == "1", "the task in the queue")  # type: ignore[misc]
        cluster.run("scontrol", "update", f"JobId={job}_{task}", "TimeLimit=20")
    assert cluster.end_of(job) == "COMPLETED", cluster.logs()
    scores = []
    for task, arm in enumerate(("first", "second")):
        log = (folder / f"log-{task}").read_text(encoding="utf-8")
        assert [log.count(word) for word in ("got SIGUSR1", "goes back", "is done", "FAILED")] == [1, 1, 1, 0], log
        run = flight.output / arm / "seed0"
        assert (run / "adapter" / "checkpoint-3").is_dir(), "stopped after the third step"
        assert losses(run / "adapter") == losses(undisturbed)
        adapter = "adapter_model.safetensors"
        assert (run / "adapter" / adapter).read_bytes() == (undisturbed / adapter).read_bytes()
        scores.append(pq.read_table(run / "scores" / "predictions.parquet")["logits"])
    assert len(scores[0]) == 22
    assert scores[0].equals(scores[1])
    assert not [place for place in (ROOT, cluster.home) if list(place.glob(f"**/*{TRAP}"))], "the study's name was run"


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
    monkeypatch.setenv("SLURM_CONF", "/dev/null")
    monkeypatch.setattr("emotrain.launch.submit._WAITS_S", ())
    with pytest.raises(SubmitError, match="squeue failed"):
        _queued()
