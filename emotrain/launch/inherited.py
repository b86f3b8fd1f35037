"""The environment that jobs are submitted with: the user's own, without what a surrounding job put into it.

`emotrain launch` may run inside a job: under salloc, in a notebook, in a task of an array. SLURM hands the variables of
that job on to every job submitted from it, where they contradict the new one's flags (memory by CPU and by node) or
make it take itself for the other one (array task, restarts, stop file).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_OF_A_JOB = ("SLURM_", "SRUN_", "SLURMD_", "PMI_", "PMIX_")
_OF_ITS_SCRIPT = (
    "EMOTRAIN_STOP_FILE", "EMOTRAIN_WORLD_SIZE", "EMOTRAIN_SHARDS", "EMOTRAIN_SANITY", "EMOTRAIN_LOGS",
    "EMOTRAIN_HOME", "EMOTRAIN_ACCELERATE", "EMOTRAIN_PROCESSES_PER_NODE", "EMOTRAIN_CONTAINER",
    "EMOTRAIN_SRUN_FLAGS", "EMOTRAIN_MAX_RESTARTS", "EMOTRAIN_CHAIN_LOG", "LOGS", "RANK", "LOCAL_RANK", "WORLD_SIZE",
    "MASTER_ADDR", "MASTER_PORT", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL",
    "ZE_AFFINITY_MASK",
)  # fmt: skip
_OF_THE_CLUSTER = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT", "SLURM_CLUSTERS", "SLURM_TIME_FORMAT")
_OF_THE_USER = ("ACCOUNT", "PARTITION", "QOS", "RESERVATION", "CLUSTERS", "WCKEY", "CONSTRAINT", "REQUEUE")
"""What SBATCH_... says of the user and not of a job."""


def outside_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environment` as it was outside the job that this process runs in, if any; a new mapping."""
    if "SLURM_JOB_ID" not in environment and "SLURM_JOBID" not in environment:
        return dict(environment)
    kept = {f"SBATCH_{name}" for name in _OF_THE_USER} | set(_OF_THE_CLUSTER)
    return {
        name: value
        for name, value in environment.items()
        if name in kept or not (name.startswith((*_OF_A_JOB, "SBATCH_", "SALLOC_")) or name in _OF_ITS_SCRIPT)
    }
