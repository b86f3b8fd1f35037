"""A cluster profile: every fault at once, each with its key and what was expected."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from emotrain.launch.profile import MEMORY, TIME, Profile, ProfileError, load_profile

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    path = folder / "cluster.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted((ROOT / "slurm" / "profiles").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_profile_is_valid_and_commented(path: Path) -> None:
    profile = load_profile(path)
    assert profile.gpus_per_node > 0
    assert profile.of_stage("prep").gpus_per_node == 0
    assert path.read_text(encoding="utf-8").count("#") >= 8


def test_all_faults_of_a_profile_are_reported_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    text = """
partitoin: gpu
nodes: 0
gpus_per_node: four
time_limit: 12:00:00
memory: lots
mail_type: [FIAL]
sbatch_flags: [exclusive]
sanity_check: 1
environment: {HF_TOKEN: x, NCCL_DEBUG: $NOT_SET_ANYWHERE}
stages:
  prap: {}
  evaluate: {gpus: 1}
"""
    with pytest.raises(ProfileError) as caught:
        load_profile(write(tmp_path, text))
    message = str(caught.value)
    for said in (
        "unknown key 'partitoin'; did you mean 'partition'?",
        "nodes: expected a whole number from 1, found 0",
        "gpus_per_node: expected a whole number from 0, found 'four'",
        "put the time into quotes",
        "memory: 'lots'",
        "'FIAL' is not one of",
        "'exclusive' is no flag",
        "sanity_check: expected true or false",
        "HF_TOKEN looks like a secret",
        "'prap' is not one of",
        "did you mean 'prep'?",
        "unknown key 'stages.evaluate.gpus'",
    ):
        assert said in message, said
    assert "11 fault(s)" in message


GITHUB = "ghp_" + "a" * 36


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("environment: {NCCL_DEBUG: $NOT_SET_ANYWHERE}", r"\$NOT_SET_ANYWHERE is not set"),
        ("scratch: /scratch/$WANDB_API_KEY", "looks like a secret"),
        ("environment: {MY_PAT: words}", "MY_PAT looks like a secret.* export HF_TOKEN"),
        (f"environment: {{WORD: {GITHUB}}}", "environment: WORD: what looks like a GitHub token"),
        ('srun_flags: ["--export=ALL,MYSERVER_API_KEY=words"]', "srun_flags: MYSERVER_API_KEY looks like a secret"),
        (f"container: apptainer exec --env WORD={GITHUB} a.sif", "container: what looks like a GitHub token"),
        (f"stages: {{prep: {{sbatch_flags: [--comment={GITHUB}]}}}}", "stages.prep.sbatch_flags: what looks like"),
        ("container: apptainer exec --bind /data/o'brien:/d a.sif", 'No closing quotation.*in --bind "/data/o'),
        ("nodes: 1\npartition: a\nnodes: 2", "'nodes' stands on lines 1 and 3"),
        ("stages:\n  prep: {nodes: 1}\n  prep: {nodes: 2}", "'prep' stands on lines 2 and 3"),
        ("venv: a\ncontainer: apptainer exec x.sif", "name one of venv and container"),
        ('venv: "a\\nrm -rf b"', "line break"),
        ("- a", "expected `key: value` lines"),
        ("a: [", "not valid YAML"),
        ("stages: [prep]", "expected a mapping"),
    ],
)
def test_a_faulty_value_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789")
    with pytest.raises(ProfileError, match=said) as caught:
        load_profile(write(tmp_path, text))
    assert str(tmp_path / "cluster.yaml") in str(caught.value)
    assert GITHUB not in str(caught.value)


def test_a_missing_profile_names_the_examples(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="slurm/profiles"):
        load_profile(tmp_path / "no.yaml")


def test_values_are_filled_in_from_the_shell_and_stages_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUP", "vision")
    values = {
        "partition": "$GROUP-gpu",
        "nodes": 4,
        "gpus_per_node": 8,
        "processes_per_node": 8,
        "environment": {"DEBUG": True, "THREADS": 1},
        "stages": {"evaluate": {"partition": "small"}, "prep": {"cpus_per_node": 2}},
    }
    profile = load_profile(write(tmp_path, yaml.safe_dump(values)))
    assert profile.of_stage("train") == profile
    assert profile.partition == "vision-gpu"
    assert profile.environment == {"DEBUG": "true", "THREADS": "1"}
    evaluate, prep = profile.of_stage("evaluate"), profile.of_stage("prep")
    assert (evaluate.partition, evaluate.nodes, evaluate.gpus_per_node) == ("small", 1, 1)
    assert (prep.partition, prep.cpus_per_node, prep.gpus_per_node) == ("vision-gpu", 2, 0)
    assert Profile().of_stage("evaluate").gpus_per_node == 0


TIMES = {
    True: ("30", "0", "90:30", "100:00", "120:00:00", "1-12", "1-12:30", "2-0:0:0", "UNLIMITED", "infinite"),
    False: ("1d", "12h", "1:2:3:4", "1-2:3:4:5", ":5", "5:", "1--2", "5.5", ""),
}
SIZES = {
    True: ("0", "240", "240g", "240G", "240GB", "240gb", "64000m", "5T", "7k"),
    False: ("lots", "240Gi", "240GiB", "1.5G", "240 G", "24b", "-1", "5P", ""),
}


@pytest.mark.parametrize(("key", "forms"), [("time_limit", TIMES), ("memory", SIZES)])
def test_times_and_sizes_are_those_of_sbatch(tmp_path: Path, key: str, forms: dict[bool, tuple[str, ...]]) -> None:
    for good, texts in forms.items():
        for text in texts:
            path = write(tmp_path, yaml.safe_dump({key: text}))
            if good:
                assert getattr(load_profile(path), key) == text
            else:
                with pytest.raises(ProfileError, match="of SLURM's"):
                    load_profile(path)


@pytest.mark.parametrize(("flag", "other", "forms"), [("time", "mem", TIMES), ("mem", "time", SIZES)])
def test_sbatch_itself_takes_those_times_and_sizes(
    tmp_path: Path, flag: str, other: str, forms: dict[bool, tuple[str, ...]]
) -> None:
    if shutil.which("sbatch") is None:
        pytest.skip("sbatch is not installed (apt-get install -y slurm-wlm); the forms are compared with the list only")
    (tmp_path / "slurm.conf").write_text("ClusterName=x\nSlurmctldHost=h\nNodeName=n\nPartitionName=p Nodes=n\n")
    pattern = TIME if flag == "time" else MEMORY
    for text in forms[True] + forms[False]:
        # It reads flags in turn and stops at the first bad one, before it asks any controller.
        command = ["sbatch", "--test-only", f"--{flag}={text}", f"--{other}=bad", "--wrap=true"]
        done = subprocess.run(
            command, env={"SLURM_CONF": str(tmp_path / "slurm.conf")}, capture_output=True, text=True, check=False
        )
        refused = flag if f"Invalid --{flag} specification" in done.stderr else other
        assert f"Invalid --{refused} specification" in done.stderr, done.stderr
        assert (refused == other) == (pattern.fullmatch(text) is not None), text
