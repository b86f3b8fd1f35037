"""The jobs of a chain: which script each runs, with which arguments, after which other job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emotrain.datasets.clips import CLIPS_FILE
from emotrain.emotions import nearest
from emotrain.examples.manifests import manifest_path
from emotrain.examples.summaries import is_written_by_recipe
from emotrain.launch.names import name_faults
from emotrain.launch.places import accelerate_configs, home
from emotrain.launch.profile import STAGES, Profile
from emotrain.recipe.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a chain: `script` of slurm/ with `arguments`, as an array of `shards` tasks where it says so.

    `stage` is the section of the profile that it takes its resources from.
    """

    name: str
    stage: str
    script: str
    arguments: tuple[str, ...]
    shards: int | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """What `emotrain launch` was asked for; `overrides` are the recipe's, word for word as they were typed."""

    recipe: Recipe
    path: Path
    overrides: tuple[str, ...]
    profile: Profile
    stages: tuple[str, ...]
    repo_id: str | None = None
    max_bad_share: float | None = None

    @property
    def output(self) -> Path:
        """Folder of the run; job scripts and logs lie in its `slurm`."""
        return Path(self.recipe.sft.output_dir)

    @property
    def folder(self) -> Path:
        """Job scripts, logs of the jobs and the log of the chain."""
        return self.output / "slurm"


def parse_stages(text: str) -> tuple[str, ...]:
    """Read `prep,train` as stages, in the order of the chain; raises ValueError for an unknown one."""
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    for word in wanted:
        if word not in STAGES:
            raise ValueError(f"--stages {word!r} is not one of {', '.join(STAGES)}; {nearest(word, STAGES)}")
    if not wanted:
        raise ValueError(f"--stages is empty; name some of {', '.join(STAGES)}")
    return tuple(stage for stage in STAGES if stage in wanted)


def plan_jobs(chain: Chain) -> list[Job]:
    """The jobs in order, each of which starts when the one before has succeeded."""
    given = (str(chain.path), *chain.overrides)
    adapter, scores = str(chain.output), str(chain.output / "scores")
    share = () if chain.max_bad_share is None else ("--max-bad-share", str(chain.max_bad_share))
    shards = chain.recipe.data.prep_shards
    jobs = []
    if "prep" in chain.stages:
        jobs.append(Job("index", "prep", "prep.slurm", ("index", *given, *share)))
        if chain.recipe.data.crop == "face":
            jobs.append(Job("faces", "prep", "prep.slurm", ("faces", *given), shards))
        jobs.append(Job("frames", "prep", "prep.slurm", ("frames", *given), shards))
        if is_written_by_recipe(chain.recipe.context):
            section = "summaries" if _asks_a_gpu(chain.recipe) else "prep"
            jobs.append(Job("summaries", section, "prep.slurm", ("summaries", *given), shards))
        if chain.recipe.data.vision_embeddings == "stored":
            section = "prep" if chain.recipe.sft.use_cpu else "embeddings"
            jobs.append(Job("embeddings", section, "prep.slurm", ("embeddings", *given), shards))
        jobs.append(Job("prep", "prep", "prep.slurm", ("all", *given, *share)))
    if "train" in chain.stages:
        jobs.append(Job("train", "train", "train.slurm", given))
    if "evaluate" in chain.stages:
        jobs.append(Job("evaluate", "evaluate", "evaluate.slurm", (*given, "--adapter", adapter, "--out", scores)))
    if "publish" in chain.stages:
        named = ("--adapter", adapter, "--repo-id", str(chain.repo_id))
        figures = ("--scores", scores) if "evaluate" in chain.stages or Path(scores).is_dir() else ()
        jobs.append(Job("publish", "publish", "publish.slurm", (*named, *figures)))
    return jobs


def _asks_a_gpu(recipe: Recipe) -> bool:
    """Whether the summaries come from a model that runs in the job itself; `openai` asks a server."""
    context = recipe.context
    written = is_written_by_recipe(context) and context.summarizer == "vlm"
    return written and "cpu" not in (context.summarizer_options.get(key) for key in ("device", "device_map"))


def faults_of(chain: Chain) -> list[str]:
    """What would make a job fail after hours in the queue, as far as it can be known before."""
    names = {"recipe": str(chain.path), "folder of emotrain": str(home()), "--repo-id": chain.repo_id or ""}
    names |= {f"override {number}": word for number, word in enumerate(chain.overrides, start=1)}
    of_logs = {"output_dir": str(chain.output), "current folder": str(Path.cwd())}
    return [*name_faults(names, of_logs), *_resource_faults(chain), *_input_faults(chain)]


def _resource_faults(chain: Chain) -> list[str]:
    faults = []
    if chain.profile.accelerate not in accelerate_configs():
        known = accelerate_configs()
        faults.append(
            f"accelerate: {chain.profile.accelerate!r} is not shipped; {nearest(chain.profile.accelerate, known)}"
        )
    for stage in chain.stages:
        mine = chain.profile.of_stage(stage)
        if stage in ("train", "evaluate") and not chain.recipe.sft.use_cpu and mine.gpus_per_node == 0:
            faults.append(
                f"gpus_per_node: 0 for {stage}, and the recipe trains on GPUs; say how many GPUs a node has, or "
                "`use_cpu: true` in the recipe"
            )
    if "prep" in chain.stages and _asks_a_gpu(chain.recipe) and chain.profile.of_stage("summaries").gpus_per_node == 0:
        faults.append(
            "gpus_per_node: 0 for summaries, and summarizer: vlm runs a model; write `stages: {summaries: "
            "{gpus_per_node: 1}}` into the profile, or `device: cpu` into the recipe's summarizer_options"
        )
    embeds = "prep" in chain.stages and chain.recipe.data.vision_embeddings == "stored"
    if embeds and not chain.recipe.sft.use_cpu and chain.profile.of_stage("embeddings").gpus_per_node == 0:
        faults.append(
            "gpus_per_node: 0 for embeddings, and vision_embeddings: stored runs the vision tower; write `stages: "
            "{embeddings: {gpus_per_node: 1}}` into the profile, or `use_cpu: true` into the recipe"
        )
    return faults


def _input_faults(chain: Chain) -> list[str]:
    faults = []
    recipe, stages = chain.recipe, chain.stages
    index = Path(recipe.data.data) / CLIPS_FILE
    if "prep" in stages and recipe.data.root is None and not index.exists():
        faults.append(f"root: the recipe names no data-set folder and {index} is not there; pass --root DIR")
    if "prep" in stages and recipe.data.root is not None and not Path(recipe.data.root).is_dir():
        faults.append(f"root: {recipe.data.root} is not a folder here; pass --root DIR")
    if "train" in stages and "prep" not in stages and not manifest_path(recipe).exists():
        faults.append(f"{manifest_path(recipe)} is not there; add prep to --stages")
    if stages[0] in ("evaluate", "publish") and not (chain.output / "adapter_config.json").is_file():
        faults.append(f"{chain.output} holds no adapter; add train to --stages")
    if ("publish" in stages) != (chain.repo_id is not None):
        faults.append("--repo-id ORGANISATION/NAME goes with the stage publish; give both or neither")
    return faults


def parse_chain(
    path: Path,
    profile_path: Path,
    overrides: Sequence[str],
    stages: str,
    nodes: int | None,
    repo_id: str | None,
    max_bad_share: float | None,
) -> Chain:
    """Read recipe and profile and check what is asked for; raises ValueError that lists the faults of both."""
    from dataclasses import replace

    from emotrain.launch.confidential import check_recipe
    from emotrain.launch.profile import load_profile
    from emotrain.recipe.recipe import load_recipe

    faults: list[str] = []
    wanted: tuple[str, ...] = STAGES
    recipe, profile = None, None
    for read in ("stages", "recipe", "profile"):
        try:
            if read == "stages":
                wanted = parse_stages(stages)
            elif read == "recipe":
                recipe = load_recipe(path, overrides)
                check_recipe(recipe.values, str(path))
            else:
                profile = load_profile(profile_path)
        except (ValueError, FileNotFoundError) as error:
            faults.append(str(error))
    if recipe is not None and profile is not None and not faults:
        profile = profile if nodes is None else replace(profile, nodes=nodes)
        chain = Chain(recipe, path, tuple(overrides), profile, wanted, repo_id, max_bad_share)
        faults = faults_of(chain)
        if not faults:
            return chain
    raise ValueError("nothing was submitted\n" + "\n".join(faults))
