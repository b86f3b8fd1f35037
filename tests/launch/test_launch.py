"""`emotrain launch`: what is submitted, in which order, word for word; nothing at all when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hub_cache import add_to_cache
from typer.testing import CliRunner

from emotrain.launch.confidential import ConfidentialText
from emotrain.launch.jobs import Chain, parse_chain, parse_stages, plan_jobs
from emotrain.launch.render import render
from emotrain.launch.submit import SubmitError, submit, write_scripts
from emotrain.modeling.tiny_base_path import tiny_base_path

TOKEN = "hf_abcdefghijklmnopqrstuvwxyz"


def chain_of(desk: Any, *more: str, stages: str = "prep,train,evaluate", **options: Any) -> Chain:
    given = {"nodes": None, "repo_id": None, "max_bad_share": None} | options
    return parse_chain(desk.recipe, desk.profile, [*desk.words, *more], stages, **given)


def test_each_job_waits_for_the_success_of_the_one_before(desk: Any) -> None:
    jobs = submit(chain_of(desk, stages="prep,train,evaluate,publish", repo_id="me/adapter"))
    names = ["index", "frames", "summaries", "prep", "train", "evaluate", "publish"]
    assert [job.name for job in jobs] == names
    assert [job.after for job in jobs] == [None, "101", "102", "103", "104", "105", "106"]
    first, *others = [call for call in desk.calls if "--parsable" in call]
    assert "--dependency" not in first
    for number, call in enumerate(others, start=101):
        assert f"--dependency=afterok:{number} --kill-on-invalid-dep=yes" in call
    record = json.loads((desk.folder / "run" / "launch.json").read_text(encoding="utf-8"))
    assert [job["job_id"] for job in record["jobs"]] == [str(number) for number in range(101, 108)]
    assert record["overrides"] == desk.words


def test_a_refused_job_cancels_those_before_it(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSE_AFTER", "2")
    with pytest.raises(SubmitError, match=r"the job summaries .*\n.*Invalid qos"):
        submit(chain_of(desk))
    assert desk.calls[-1] == "scancel 101 102"
    assert not (desk.folder / "run" / "launch.json").exists()


def test_a_run_whose_jobs_are_still_queued_is_not_launched_twice(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(chain_of(desk))
    before = len([call for call in desk.calls if "--parsable" in call])
    monkeypatch.setenv("QUEUED", "101")
    with pytest.raises(SubmitError, match="scancel 101"):
        submit(chain_of(desk))
    assert len([call for call in desk.calls if "--parsable" in call]) == before


def test_a_controller_that_does_not_answer_is_not_taken_for_an_empty_queue(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotrain.launch.submit._WAITS_S", (0.0, 0.0))
    submit(chain_of(desk))
    before = [call for call in desk.calls if "--parsable" in call]
    monkeypatch.setenv("SQUEUE_FAILS", "99")
    with pytest.raises(SubmitError, match=r"squeue failed(.|\n)*Unable to contact slurm controller"):
        submit(chain_of(desk))
    monkeypatch.setenv("QUEUED", "101")
    monkeypatch.setenv("SQUEUE_FAILS", "4")  # three of them above
    with pytest.raises(SubmitError, match="scancel 101"):
        submit(chain_of(desk))
    assert [call for call in desk.calls if "--parsable" in call] == before


def test_jobs_that_cannot_be_recorded_are_cancelled(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # In the section of a stage that is not launched, so that no job script holds it.
    monkeypatch.setenv("MYSERVER_API_KEY", "plain-words")
    desk.profile.write_text("stages: {publish: {environment: {WORD: plain-words}}}", encoding="utf-8")
    with pytest.raises(ConfidentialText, match=r"launch\.json"):
        submit(chain_of(desk))
    assert not (desk.folder / "run" / "launch.json").exists()
    assert desk.calls[-1] == "scancel 101 102 103 104 105 106"


def test_without_slurm_the_message_says_where_to_go(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(desk.folder))
    with pytest.raises(SubmitError, match="login node"):
        submit(chain_of(desk))


@pytest.mark.parametrize("word", ["it's $HOME", 'a "b" `c`', "enriched + balanced", "back\\slash", "ü * ?"])
def test_overrides_reach_the_command_word_for_word(desk: Any, word: str) -> None:
    chain = chain_of(desk, "--arm", word)
    for job in plan_jobs(chain):
        text = render(job, chain)
        line = next(line for line in text.splitlines() if line.startswith("set -- "))
        shown = subprocess.run(
            ["bash", "-c", f'{line}\nprintf "%s\\0" "$@"'], capture_output=True, check=True
        ).stdout.decode()
        assert shown.split("\0")[:-1] == list(job.arguments)
        assert word in job.arguments


def test_faults_of_recipe_and_profile_come_together_and_nothing_is_submitted(desk: Any) -> None:
    desk.profile.write_text("partitoin: main\n", encoding="utf-8")
    with pytest.raises(ValueError, match="nothing was submitted") as caught:
        chain_of(desk, "--learning_rat", "1", stages="train,evaluat")
    for said in ("'learning_rate'", "'partition'", "'evaluate'"):
        assert said in str(caught.value)
    assert desk.calls == []


@pytest.mark.parametrize(
    ("stages", "words", "options", "said"),
    [
        ("train", [], {}, "add prep to --stages"),
        ("evaluate", [], {}, "holds no adapter"),
        ("prep", ["--root", "/no/such"], {}, "is not a folder"),
        ("prep,train,publish", [], {}, "--repo-id"),
        ("prep", [], {"repo_id": "me/adapter"}, "--repo-id"),
        ("prep,train", ["--use_cpu", "false"], {}, "gpus_per_node: 0 for train"),
        (
            "prep",
            ["--summarizer", "vlm", "--summarizer_options", "{model: org/m}"],
            {},
            "gpus_per_node: 0 for summaries",
        ),
        (
            "prep",
            ["--vision_embeddings", "stored", "--use_cpu", "false"],
            {},
            "gpus_per_node: 0 for embeddings",
        ),
    ],
)
def test_what_would_fail_after_hours_in_the_queue_is_said_before(
    desk: Any, stages: str, words: list[str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        chain_of(desk, *words, stages=stages, **options)


def test_stages_come_in_the_order_of_the_chain() -> None:
    assert parse_stages("train, prep") == ("prep", "train")
    with pytest.raises(ValueError, match="empty"):
        parse_stages(" , ")


def test_nodes_of_the_command_line_win_and_hold_for_training_only(desk: Any) -> None:
    chain = chain_of(desk, nodes=7)
    nodes = {job.name: "--nodes=7" in render(job, chain) for job in plan_jobs(chain)}
    assert nodes.pop("train")
    assert not any(nodes.values())


def test_every_fact_of_a_profile_reaches_a_job_script(desk: Any) -> None:
    desk.profile.write_text(
        "{partition: p1, account: a1, qos: q1, nodes: 3, gpus_per_node: 4, gpu_type: h100, cpus_per_node: 5,"
        " memory: 6G, time_limit: '07:00:00', signal_lead_s: 88, max_restarts: 9, array_limit: 2, modules: [m 1, m2],"
        " venv: /v 1, srun_flags: [--mpi=none], environment: {E1: x y}, scratch: /s1, accelerate: fsdp2,"
        " sanity_check: true, mail_user: u@x, mail_type: [FAIL, END], sbatch_flags: [--exclusive]}",
        encoding="utf-8",
    )
    texts = {job.name: render(job, chain) for chain in [chain_of(desk)] for job in plan_jobs(chain)}
    for line in (
        "#SBATCH --partition=p1", "#SBATCH --account=a1", "#SBATCH --qos=q1", "#SBATCH --nodes=3",
        "#SBATCH --gpus-per-node=h100:4", "#SBATCH --cpus-per-task=5", "#SBATCH --mem=6G", "#SBATCH --time=07:00:00",
        "#SBATCH --signal=B:USR1@88", "#SBATCH --mail-user=u@x", "#SBATCH --mail-type=FAIL,END", "#SBATCH --exclusive",
        "module load 'm 1'", "module load m2", "source '/v 1'/bin/activate", "export EMOTRAIN_MAX_RESTARTS=9",
        "export EMOTRAIN_SRUN_FLAGS=--mpi=none", "export E1='x y'", "export HF_HUB_CACHE=/s1/huggingface/hub",
        "export EMOTRAIN_ACCELERATE=fsdp2", "export EMOTRAIN_SANITY=1",
    ):  # fmt: skip
        assert line in texts["train"].splitlines(), line
    assert "#SBATCH --array=0-3%2" in texts["frames"]
    assert "gpus-per-node" not in texts["frames"]
    assert "#SBATCH --gpus-per-node=h100:1" in texts["evaluate"]


@pytest.mark.parametrize(
    ("words", "stages", "flag"),
    [
        (["--summarizer", "vlm", "--summarizer_options", "{model: org/m}"], "", "--gpus-per-node=h100:1"),
        (["--summarizer", "vlm", "--summarizer_options", "{model: org/m}"], "summaries: {gpus_per_node: 2}", "h100:2"),
        (["--summarizer", "vlm", "--summarizer_options", "{model: org/m, device: cpu}"], "", None),
        (["--summarizer", "openai", "--summarizer_options", "{model: m, base_url: u}"], "", None),
        ([], "summaries: {gpus_per_node: 2}", None),
    ],
)
def test_summaries_by_a_model_get_a_gpu_and_the_other_preparation_none(
    desk: Any, words: list[str], stages: str, flag: str | None
) -> None:
    text = f"{{gpus_per_node: 4, gpu_type: h100, partition: gpu, stages: {{prep: {{partition: cpu}}, {stages}}}}}"
    desk.profile.write_text(text, encoding="utf-8")
    chain = chain_of(desk, *words, stages="prep")
    asked = {
        job.name: [line for line in render(job, chain).splitlines() if "gpus-per" in line] for job in plan_jobs(chain)
    }
    (line,) = asked.pop("summaries") or [None]
    assert line is None if flag is None else line is not None and flag in line
    assert not any(asked.values())
    summaries = next(render(job, chain) for job in plan_jobs(chain) if job.name == "summaries")
    assert f"--partition={'cpu' if flag is None else 'gpu'}" in summaries, "prep's partition may have no GPU"


def test_stored_embeddings_are_an_array_of_their_own_on_gpus(desk: Any) -> None:
    text = "{gpus_per_node: 4, gpu_type: h100, partition: gpu, stages: {prep: {partition: cpu}}}"
    desk.profile.write_text(text, encoding="utf-8")
    assert "embeddings" not in {job.name for job in plan_jobs(chain_of(desk, stages="prep"))}
    for on_cpu, partition in (("true", "cpu"), ("false", "gpu")):
        chain = chain_of(desk, "--vision_embeddings", "stored", "--use_cpu", on_cpu, stages="prep")
        jobs = {job.name: job for job in plan_jobs(chain)}
        assert list(jobs) == ["index", "frames", "summaries", "embeddings", "prep"]
        script = render(jobs["embeddings"], chain)
        assert jobs["embeddings"].shards == chain.recipe.data.prep_shards
        assert f"--partition={partition}" in script
        assert ("--gpus-per-node=h100:1" in script) == (partition == "gpu")


def test_a_dry_run_writes_scripts_that_bash_reads_and_submits_nothing(desk: Any) -> None:
    from emotrain.cli import app

    words = ["launch", str(desk.recipe), "--profile", str(desk.profile), "--dry-run", *desk.words]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    scripts = sorted((desk.folder / "run" / "slurm").glob("*.slurm"))
    assert [path.stem for path in scripts] == ["evaluate", "frames", "index", "prep", "summaries", "train"]
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True)
        assert script.read_text(encoding="utf-8") in done.output
    assert desk.calls == []
    assert not (desk.folder / "run" / "launch.json").exists()


@pytest.mark.parametrize("fault", ["venv: /no/such/venv", "modules: [no-such-module]"])
def test_a_job_that_ends_before_its_script_is_named_in_the_log_of_the_chain(desk: Any, fault: str) -> None:
    desk.profile.write_text(f"{fault}\n", encoding="utf-8")
    script = write_scripts(chain_of(desk))["frames"]
    told = {"SLURM_JOB_ID": "41", "SLURM_JOB_NAME": "emotrain-frames", "SLURM_ARRAY_JOB_ID": "40"}
    more = told | {"SLURM_ARRAY_TASK_ID": "3", "HOME": str(desk.folder)}
    done = subprocess.run(
        ["bash", script], env={**os.environ, **more}, cwd=desk.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 127), done.stderr
    (line,) = (desk.folder / "run" / "slurm" / "chain.log").read_text(encoding="utf-8").splitlines()
    said = f"emotrain-frames (job 40_3) FAILED with exit status {done.returncode} before its script began"
    assert line.endswith(said)


def test_what_jobs_read_from_the_hub_is_in_their_own_cache_before_anything_is_submitted(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    desk.profile.write_text(f"scratch: {desk.folder}/scratch\n", encoding="utf-8")
    words = ["--model_name_or_path", "org/base"]
    with pytest.raises(ValueError, match=r"nothing was submitted: fetching the base model org/base@main: "):
        submit(chain_of(desk, *words))
    snapshot = add_to_cache(desk.folder / "scratch" / "huggingface" / "hub", "org/base", tiny_base_path())
    (snapshot / "model.safetensors").rename(desk.folder / "weights")
    with pytest.raises(ValueError, match=r"nothing was submitted: base model org/base: .* without model\.safetensors"):
        submit(chain_of(desk, *words))
    assert not any("--parsable" in call for call in desk.calls)
    (desk.folder / "weights").rename(snapshot / "model.safetensors")
    chain = chain_of(desk, *words, stages="prep,train,evaluate,publish", repo_id="me/adapter")
    offline = {job.name: Path(job.script).read_text(encoding="utf-8") for job in submit(chain)}
    told = {name for name, script in offline.items() if "export HF_HUB_OFFLINE=1\n" in script}
    assert told == set(offline) - {"publish"}
    assert all(f"export HF_HUB_CACHE={desk.folder}/scratch/huggingface/hub\n" in script for script in offline.values())
    pushing = chain_of(desk, "--push_to_hub", "true", "--hub_model_id", "me/adapter")
    (train,) = (job for job in plan_jobs(pushing) if job.name == "train")
    assert "HF_HUB_OFFLINE" not in render(train, pushing)


def test_the_words_of_a_container_come_out_as_they_were_meant(desk: Any) -> None:
    desk.profile.write_text("""container: 'apptainer exec --bind "/data/o''brien:/d" a\\ b.sif'""", encoding="utf-8")
    chain = chain_of(desk)
    line = next(line for line in render(plan_jobs(chain)[0], chain).splitlines() if "EMOTRAIN_CONTAINER" in line)
    read = ["bash", "-c", f"{line}\nxargs -r printf '%s\\n' <<<\"$EMOTRAIN_CONTAINER\""]
    words = subprocess.run(read, capture_output=True, text=True, check=True).stdout.splitlines()
    assert words == ["apptainer", "exec", "--bind", "/data/o'brien:/d", "a b.sif"]


def test_no_token_of_the_environment_is_written_anywhere(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    submit(chain_of(desk, stages="prep,train,evaluate,publish", repo_id="me/adapter"))
    written = [path for path in desk.folder.rglob("*") if path.is_file()]
    assert len(written) > 8
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert TOKEN not in text, path
        assert "0123456789abcdef" not in text, path


@pytest.mark.parametrize(
    "words", [["--hub_token", "secret-of-mine"], ["--arm", TOKEN], ["--arm", "x0123456789abcdefx"]]
)
def test_a_token_in_an_override_is_refused_before_anything_is_written(
    desk: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    with pytest.raises(ValueError, match="export HF_TOKEN") as caught:
        write_scripts(chain_of(desk, *words))
    assert isinstance(caught.value, ConfidentialText) or "nothing was submitted" in str(caught.value)
    assert words[1] not in str(caught.value)
    assert not (desk.folder / "run").exists()


def test_a_token_in_a_recipe_file_is_refused_with_the_name_of_the_file(desk: Any) -> None:
    leaf = desk.folder / "mine.yaml"
    leaf.write_text(f"base: {desk.recipe}\narm: {TOKEN}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.yaml holds what looks like a Hugging Face token") as caught:
        parse_chain(leaf, desk.profile, desk.words, "prep", None, None, None)
    assert TOKEN not in str(caught.value)
    assert desk.calls == []
