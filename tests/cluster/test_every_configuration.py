"""Every accelerate configuration on two nodes, sharded for real: the losses of plain data parallelism.

Ten minutes on two cores, so it runs where EMOTRAIN_NIGHTLY is 1; tests/launch/test_inherited.py holds the cheap part.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import RECIPE, ROOT, Cluster, Prepared, losses
from .flights import write_profile

pytestmark = pytest.mark.skipif(os.environ.get("EMOTRAIN_NIGHTLY") != "1", reason="nightly: set EMOTRAIN_NIGHTLY=1")


def test_every_configuration_trains_alike_on_two_nodes(
    cluster: Cluster, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.launch.jobs import parse_chain
    from emotrain.launch.places import accelerate_configs
    from emotrain.launch.submit import submit
    from emotrain.recipe.recipe import load_recipe

    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, cluster.environment[name])
    # All CPUs of a node: one after the other. With the shim, what is sharded on GPUs is sharded over gloo.
    facts = {"nodes": 2, "processes_per_node": 1, "cpus_per_node": 18, "memory": "4G"}
    shim = {"ACCELERATE_USE_CPU": "false", "EMOTRAIN_TEST_GLOO": "1"}
    shim["PYTHONPATH"] = f"{ROOT / 'tests' / 'training' / 'gloo'}:{ROOT}"
    jobs = {}
    short = {"epochs": 2, "per_device_train_batch_size": 4}
    ensure_manifest(load_recipe(RECIPE, prepared.overrides(tmp_path / "unused", **short)))
    for config in accelerate_configs():
        if config == "single":
            continue
        more = {} if config == "ddp" else {"environment": shim}
        profile = write_profile(tmp_path / config, accelerate=config, **facts, **more)
        words = prepared.overrides(tmp_path / config / "run", **short)
        jobs[config] = submit(parse_chain(RECIPE, profile, words, "train", None, None, None))[0].job_id
    for config, job in jobs.items():
        log = tmp_path / config / "run" / "slurm" / "chain.log"
        assert cluster.end_of(job) == "COMPLETED", f"{config}\n{log.read_text(encoding='utf-8')}"
    expected = losses(tmp_path / "ddp" / "run")
    for config in jobs:
        assert losses(tmp_path / config / "run") == pytest.approx(expected, abs=1e-4), config
