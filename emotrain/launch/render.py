"""A job script: the facts of a cluster profile in front of one of the scripts in slurm/."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from emotrain.launch.confidential import check_text
from emotrain.launch.jobs import Chain, Job
from emotrain.launch.places import home
from emotrain.launch.profile import Profile

CHAIN_LOG = "chain.log"


def render(job: Job, chain: Chain) -> str:
    """The text of a job script; every value is quoted for the shell. Raises ConfidentialText when it holds a token."""
    profile = chain.profile.of_stage(job.stage)
    templates = Environment(  # shell, not HTML: values are quoted with shlex
        loader=PackageLoader("emotrain.launch"),
        autoescape=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = templates.get_template("job.slurm.jinja").render(
        title=f"emotrain {job.name}: {chain.path.name}, written by `emotrain launch`",
        flags=[_quoted_flag(flag) for flag in flags(job, profile, chain)],
        chain_log=shlex.quote(str(chain.folder.absolute() / CHAIN_LOG)),
        modules=[shlex.quote(module) for module in profile.modules],
        venv=shlex.quote(profile.venv) if profile.venv is not None else None,
        variables={name: shlex.quote(value) for name, value in variables(job, profile, chain).items()},
        arguments=shlex.join(job.arguments),
        body=shlex.quote(str(home() / "slurm" / job.script)),
    )
    check_text(text, f"the job script of {job.name}")
    return text


def flags(job: Job, profile: Profile, chain: Chain) -> list[str]:
    """The flags of sbatch, later ones win: the profile's own `sbatch_flags` come last."""
    task = "%A_%a" if job.shards is not None else "%j"
    found = [f"--job-name=emotrain-{job.name}", f"--chdir={Path.cwd()}"]
    found += [f"--output={chain.folder.absolute()}/{job.name}-{task}.log", "--open-mode=append", "--requeue"]
    found += [f"--nodes={profile.nodes}", "--ntasks-per-node=1"]
    if job.shards is not None:
        limit = "" if profile.array_limit is None else f"%{profile.array_limit}"
        found.append(f"--array=0-{job.shards - 1}{limit}")
    if profile.gpus_per_node:
        kind = "" if profile.gpu_type is None else f"{profile.gpu_type}:"
        found.append(f"--gpus-per-node={kind}{profile.gpus_per_node}")
    if job.stage == "train":
        found.append(f"--signal=B:USR1@{profile.signal_lead_s}")
    for name, value in (
        ("partition", profile.partition),
        ("account", profile.account),
        ("qos", profile.qos),
        ("cpus-per-task", profile.cpus_per_node),
        ("mem", profile.memory),
        ("time", profile.time_limit),
        ("mail-user", profile.mail_user),
        ("mail-type", ",".join(profile.mail_type) if profile.mail_type else None),
    ):
        if value is not None:
            found.append(f"--{name}={value}")
    return [*found, *profile.sbatch_flags]


def variables(job: Job, profile: Profile, chain: Chain) -> dict[str, str]:
    """What the job's environment adds to that of the submitting shell."""
    values: dict[str, Any] = {
        "EMOTRAIN_HOME": home(),
        "EMOTRAIN_LOGS": chain.folder.absolute(),
        "EMOTRAIN_CHAIN_LOG": chain.folder.absolute() / CHAIN_LOG,
        # Quoted anew, as xargs in job.sh reads it, too.
        "EMOTRAIN_CONTAINER": shlex.join(shlex.split(profile.container)) if profile.container is not None else None,
        "EMOTRAIN_SRUN_FLAGS": shlex.join(profile.srun_flags) if profile.srun_flags else None,
        "EMOTRAIN_SHARDS": job.shards,
    }
    if job.stage == "train":
        values |= {
            "EMOTRAIN_ACCELERATE": profile.accelerate,
            "EMOTRAIN_PROCESSES_PER_NODE": profile.processes_per_node,
            "EMOTRAIN_SANITY": int(profile.sanity_check),
            "EMOTRAIN_MAX_RESTARTS": profile.max_restarts,
        }
    if profile.scratch is not None:
        # Not HF_HOME: the token that `hf auth login` wrote lies there.
        values["HF_HUB_CACHE"] = f"{profile.scratch}/huggingface/hub"
    if not _asks_the_hub(job, chain):
        values["HF_HUB_OFFLINE"] = 1  # everything was fetched before, and a node without internet would wait for it
    return {name: str(value) for name, value in {**values, **profile.environment}.items() if value is not None}


def _asks_the_hub(job: Job, chain: Chain) -> bool:
    """Whether a job uploads: publishing, and training that pushes its checkpoints or tracks itself there."""
    asked = chain.recipe.values
    tracked = any(asked.get(key) is not None for key in ("trackio_space_id", "trackio_bucket_id"))
    return job.stage == "publish" or (job.stage == "train" and (bool(asked.get("push_to_hub")) or tracked))


def _quoted_flag(flag: str) -> str:
    name, equals, value = flag.partition("=")
    return name + equals + shlex.quote(value) if equals else shlex.quote(flag)
