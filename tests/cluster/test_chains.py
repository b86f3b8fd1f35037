"""Chains of real jobs on two nodes: what comes out does not depend on nodes, kills, preemption or time limits."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from .conftest import ROOT, Cluster, Prepared, losses
from .flights import TRAP, Flight


def test_a_training_job_out_of_time_requeues_itself_and_goes_on_exactly(
    cluster: Cluster, flights: dict[str, Flight], undisturbed: Path
) -> None:
    flight = flights["late"]
    cluster.until(lambda: any(flight.output.parent.glob("paused-*")), "the third step")
    # The warning is due 60 s before the end, so it comes now.
    cluster.run("scontrol", "update", f"JobId={flight.train}", "EndTime=now+61")
    cluster.until(lambda: cluster.field(flight.train, "Restarts") == "1", "the job back in the queue")
    cluster.run("scontrol", "update", f"JobId={flight.train}", "TimeLimit=20")
    assert cluster.end_of(flight.train) == "COMPLETED", flight.chain_log
    assert (flight.output / "checkpoint-3").is_dir()
    assert losses(flight.output) == losses(undisturbed)
    adapter = "adapter_model.safetensors"
    assert (flight.output / adapter).read_bytes() == (undisturbed / adapter).read_bytes()
    assert not [place for place in (ROOT, cluster.home) if list(place.glob(f"**/*{TRAP}"))], (
        "this recipe's name was run"
    )


def test_ranks_that_get_sigterm_themselves_stop_together_and_the_job_goes_on(
    cluster: Cluster, flights: dict[str, Flight], undisturbed: Path
) -> None:
    flight = flights["ended"]
    folder = flight.output.parent
    cluster.until(lambda: {"paused-0", "paused-1"} <= {path.name for path in folder.iterdir()}, "the third step")
    cluster.run("scancel", "--signal=TERM", flight.train)  # to the step, not to the batch shell
    assert cluster.end_of(flight.train) == "COMPLETED", flight.chain_log
    assert cluster.field(flight.train, "Restarts") == "1"
    assert (flight.output / "checkpoint-3" / "optimizer.pt").is_file(), "both ranks stopped after the third step"
    assert losses(flight.output) == pytest.approx(losses(undisturbed), rel=1e-4)


def test_a_training_job_is_preempted_requeued_and_goes_on_as_if_nothing_had_been(
    cluster: Cluster, flights: dict[str, Flight], undisturbed: Path
) -> None:
    flight = flights["preempted"]
    folder = flight.output.parent
    cluster.until(lambda: len(list(folder.glob("paused-*"))) == 2, "both ranks in their third step")
    wanted = ["--partition=high", "--nodes=2", "--gpus-per-node=2", "--mem=100M"]  # all memory if none is named
    urgent = cluster.run("sbatch", "--parsable", *wanted, "--wrap=sleep 1", f"--output={folder}/urgent.log")
    assert cluster.end_of(urgent) == "COMPLETED"
    assert cluster.end_of(flight.train) == "COMPLETED", flight.chain_log
    assert cluster.field(flight.train, "Restarts") == "1"
    assert "got SIGUSR1" in flight.chain_log, "a preemption warns"
    assert (flight.output / "checkpoint-3" / "optimizer.pt").is_file(), "both ranks stopped after the third step"
    assert losses(flight.output) == pytest.approx(losses(undisturbed), rel=1e-4)


def test_an_error_of_one_rank_on_two_nodes_ends_the_chain_for_good_and_its_log_quotes_the_error(
    cluster: Cluster, flights: dict[str, Flight]
) -> None:
    flight = flights["broken"]
    assert cluster.end_of(flight.train) == "FAILED", "SLURM ends the other node, which looks like a preemption"
    assert cluster.field(flight.train, "Restarts") == "0"
    assert cluster.end_of(flight.jobs["evaluate"]) == "CANCELLED", "it must not wait for ever"
    (line,) = [line for line in flight.chain_log.splitlines() if "FAILED" in line]
    assert f"emotrain-train (job {flight.train}) FAILED with exit status" in line
    # Which node has which rank is settled by who comes first.
    assert re.search(r"rank 1 on node[12]: ValueError: this rank takes no step$", line), line
    assert "emotrain-evaluate" not in flight.chain_log


def test_two_nodes_of_two_processes_have_the_losses_of_one_process(
    cluster: Cluster, flights: dict[str, Flight], undisturbed: Path
) -> None:
    flight = flights["pair"]
    assert cluster.end_of(flight.train) == "COMPLETED", flight.chain_log
    assert losses(flight.output) == pytest.approx(losses(undisturbed), abs=1e-4)
    logs = flight.output / "slurm" / flight.train / "attempt-1"
    nodes = "\n".join((logs / f"node-{node}.log").read_text(encoding="utf-8") for node in (0, 1))
    assert "sanity check: 4 ranks" in nodes
    for place in ("node1/cpu0", "node1/cpu1", "node2/cpu0", "node2/cpu1"):
        assert place in nodes
    ranks = {
        path.relative_to(logs).parts[0] + path.parent.name for path in logs.glob("node-*/*/attempt_0/*/stderr.log")
    }
    assert ranks == {"node-00", "node-01", "node-10", "node-11"}, "one log a node and rank"


def test_a_chain_with_a_killed_preparation_task_gives_the_frames_of_a_single_run(
    cluster: Cluster, flights: dict[str, Flight], prepared: Prepared, undisturbed: Path
) -> None:
    flight = flights["whole"]
    data = flight.output.parent / "data"
    for name in ("index", "frames", "prep", "train", "evaluate"):
        assert cluster.end_of(flight.jobs[name]) == "COMPLETED", f"{name}\n{flight.chain_log}"
    assert cluster.field(f"{flight.jobs['frames']}_2", "Restarts") == "1"
    assert f"emotrain-frames (job {flight.jobs['frames']}_2) goes back into the queue" in flight.chain_log
    parts = sorted((prepared.data / "frames").glob("part-*.parquet"))
    assert len(parts) == 4
    for part in parts:
        assert pq.read_table(data / "frames" / part.name).equals(pq.read_table(part))
    assert losses(flight.output) == losses(undisturbed)
    assert pq.read_table(flight.output / "scores" / "predictions.parquet").num_rows == 22
