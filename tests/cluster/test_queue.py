"""Which jobs are in the queue, asked of a real SLURM."""

from __future__ import annotations

import pytest

from .conftest import Cluster


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
