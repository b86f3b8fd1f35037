"""What slurm/job.sh and study.slurm do when SLURM's commands fail; the commands are stand-ins that write down calls."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMMANDS = {
    "squeue": '(($(grep -c squeue "$CALLS") > ${SQUEUE_FAILS:-0})) || exit 1\necho "$STATE"',
    "scontrol": '(($(grep -c scontrol "$CALLS") > ${SCONTROL_FAILS:-0})) || exit 1',
    "sleep": '[[ $1 != *.* ]] || exec /bin/sleep "$1"',  # the pauses of job.sh are whole seconds
    "srun": 'while [[ $1 == --* ]]; do shift; done\nexec "$@"',
}
STOPPED = f"""set -euo pipefail
source {ROOT}/slurm/job.sh
prepare_to_stop "$LOGS"
touch "$EMOTRAIN_STOP_FILE"
status=75
requeue_if_stopped
exit "$status"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in COMMANDS.items():
        (folder / name).write_text(f'#!/usr/bin/env bash\necho "{name} $*" >>"$CALLS"\n{body}\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    mine = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), "LOGS": str(tmp_path / "logs")}
    mine |= {
        "SLURM_JOB_ID": "41",
        "SLURM_JOB_NAME": "emotrain-study",
        "SLURM_SUBMIT_DIR": str(ROOT),
        "STATE": "RUNNING",
    }
    return os.environ | mine | {"EMOTRAIN_LOGS": str(tmp_path / "logs")}


def calls(environment: dict[str, str]) -> list[str]:
    return Path(environment["CALLS"]).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("more", "requeues", "said"),
    [
        ({}, 1, "goes back into the queue"),
        ({"SQUEUE_FAILS": "1"}, 1, "goes back into the queue"),
        ({"SQUEUE_FAILS": "99"}, 1, "squeue does not answer"),
        ({"STATE": "COMPLETING"}, 0, "is ended by SLURM"),
        ({"STATE": "", "SQUEUE_FAILS": "1"}, 0, "is ended by SLURM"),
        ({"SCONTROL_FAILS": "2"}, 3, "goes back into the queue"),
        ({"SCONTROL_FAILS": "99"}, 4, "could not be put back into the queue"),
    ],
)
def test_a_stopped_job_is_requeued_unless_slurm_says_that_it_is_cancelled(
    environment: dict[str, str], more: dict[str, str], requeues: int, said: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", STOPPED], env=environment | more, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 75, done.stderr
    assert calls(environment).count("scontrol requeue 41") == requeues, done.stdout
    assert said in done.stdout


def test_a_training_that_leaves_no_checkpoint_three_times_in_a_row_gives_up(environment: dict[str, str]) -> None:
    counted = 'count_idle_attempts "$LOGS"\n[[ -z ${KEPT:-} ]] || touch "$EMOTRAIN_STOP_FILE.kept"\n'
    script = STOPPED.replace("touch", f"{counted}touch")
    said = []
    for attempt, kept in enumerate(["", "", "1", "", "", ""]):
        more = {"SLURM_RESTART_COUNT": str(attempt), "KEPT": kept}
        done = subprocess.run(
            ["bash", "-c", script], env=environment | more, capture_output=True, text=True, check=False, timeout=60
        )
        said.append(done.stdout)
    assert [calls(environment).count("scontrol requeue 41")] == [5], said
    assert "ended 3 times in a row without a new checkpoint and gives up" in said[-1]
    assert "FAILED with exit status 75" in said[-1].splitlines()[-1]


ENDED = f"""set -euo pipefail
source {ROOT}/slurm/job.sh
prepare_to_stop "$LOGS"
[[ -z ${{FAULT+x}} ]] || printf "$FAULT" >"$EMOTRAIN_STOP_FILE.fault-2"
[[ -z ${{ASKED:-}} ]] || touch "$EMOTRAIN_STOP_FILE"
status=${{STATUS:-143}}
requeue_if_stopped
exit "$status"
"""


@pytest.mark.parametrize(
    ("more", "requeues", "said"),
    [
        ({}, 1, "goes back into the queue"),
        ({"STATUS": "137"}, 1, "goes back into the queue"),
        (
            {"FAULT": "rank 2 on node1: WrongWorld: four, but two\\n"},
            0,
            "FAILED with exit status 143: rank 2 on node1: WrongWorld: four, but two",
        ),
        ({"FAULT": "rank 0: x\\n", "STATUS": "137"}, 0, "FAILED with exit status 137: rank 0: x"),
        ({"FAULT": ""}, 0, "rank 2 ended with an error and could not write it down: is the disk full?"),
        ({"FAULT": "rank 2: x\\n", "ASKED": "1"}, 1, "goes back into the queue"),
    ],
)
def test_a_job_that_a_rank_ended_with_an_error_is_not_put_back_and_the_log_quotes_the_error(
    environment: dict[str, str], more: dict[str, str], requeues: int, said: str
) -> None:
    done = subprocess.run(["bash", "-c", ENDED], env=environment | more, capture_output=True, text=True, check=False)
    assert done.returncode == int(more.get("STATUS", "143")), done.stderr
    assert calls(environment).count("scontrol requeue 41") == requeues, done.stdout
    assert said in done.stdout.splitlines()[-1]


def test_a_job_submitted_from_a_requeued_task_of_an_array_asks_only_about_itself(environment: dict[str, str]) -> None:
    shown = """case "$*" in *"show job"*) echo "JobId=41 ArrayJobId=$OWN ArrayTaskId=3 Restarts=0" ;; esac"""
    scontrol = Path(environment["PATH"].partition(":")[0]) / "scontrol"
    scontrol.write_text(f'#!/usr/bin/env bash\necho "scontrol $*" >>"$CALLS"\n{shown}\n', encoding="utf-8")
    script = f'set -u\nsource {ROOT}/slurm/job.sh\necho "is $job ${{SLURM_ARRAY_TASK_ID:-none}} $attempt"'
    environment["SLURM_RESTART_COUNT"] = "4"
    for own, expected in (("13", "is 13_3 3 0"), ("none", "is 41 none 0")):
        more = {"SLURM_ARRAY_JOB_ID": "13", "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8", "OWN": own}
        done = subprocess.run(
            ["bash", "-c", script], env=environment | more, capture_output=True, text=True, check=True
        )
        assert expected in done.stdout


@pytest.mark.parametrize(("asked", "given"), [({}, "unset"), ({"SLURM_CPUS_PER_TASK": "6"}, "6")])
def test_a_step_is_bound_to_cores_only_where_the_job_asked_for_a_number(
    environment: dict[str, str], asked: dict[str, str], given: str
) -> None:
    script = f'source {ROOT}/slurm/job.sh\necho "step ${{SRUN_CPUS_PER_TASK-unset}}"'
    more = {"SRUN_CPUS_PER_TASK": "2"} | asked  # of a surrounding job
    done = subprocess.run(["bash", "-c", script], env=environment | more, capture_output=True, text=True, check=True)
    assert f"step {given}" in done.stdout


def test_a_signal_is_told_with_what_the_job_was_doing_and_a_cancelled_job_has_its_last_word_at_once(
    environment: dict[str, str],
) -> None:
    script = f"""source {ROOT}/slurm/job.sh
prepare_to_stop "$LOGS"
echo "evaluating after step 8" >"$EMOTRAIN_STOP_FILE.doing"
{{ /bin/sleep 0.2; kill -TERM $$; /bin/sleep 0.2; kill -KILL $$; }} &
run_until_stopped /bin/sleep 1.5
"""
    done = subprocess.run(
        ["bash", "-c", script],
        env=environment | {"STATE": "COMPLETING"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    told = done.stdout.splitlines()
    assert told[-2].endswith("got SIGTERM while evaluating after step 8")
    assert told[-1].endswith("is ended by SLURM: cancelled, requeued or out of time")


STUDY = """#!/usr/bin/env bash
# Stands for `python -m emotrain.cli study`: ends as the study does when the stop file is there, or not at all.
echo "$*" >>"$LOGS/asked"
[[ -n ${STUBBORN:-} ]] || until [[ -e $EMOTRAIN_STOP_FILE ]]; do sleep 0.05; done
[[ -z ${STUBBORN:-} ]] || exec /bin/sleep 600
exit 75
"""


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_study_that_is_out_of_time_goes_back_into_the_queue(
    environment: dict[str, str], tmp_path: Path, stubborn: bool
) -> None:
    (tmp_path / "logs").mkdir()
    study = tmp_path / "study"
    study.write_text(STUDY, encoding="utf-8")
    study.chmod(0o755)
    more = {"EMOTRAIN_CONTAINER": str(study), "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"}
    more |= {"SLURM_ARRAY_JOB_ID": "40", "STUBBORN": "1" if stubborn else "", "EMOTRAIN_PATIENCE_S": "0.3"}
    job = subprocess.Popen(
        ["bash", ROOT / "slurm" / "study.slurm", "demo.yaml", "--seeds", "3"],
        env=environment | more,
        stdout=subprocess.PIPE,
        text=True,
    )
    started = time.monotonic()
    while not (tmp_path / "logs" / "asked").exists():
        assert time.monotonic() - started < 60
        time.sleep(0.05)
    job.send_signal(signal.SIGUSR1)
    printed, _ = job.communicate(timeout=60)
    assert job.returncode == (143 if stubborn else 75), printed
    assert "scontrol requeue 40_3" in calls(environment)
    assert "FAILED" not in printed
    asked = (tmp_path / "logs" / "asked").read_text(encoding="utf-8")
    assert asked == "python -m emotrain.cli study demo.yaml --shard 3/8 --seeds 3\n"


@pytest.mark.parametrize(
    ("state", "said"), [("RUNNING", "FAILED with exit status 3"), ("COMPLETING", "is ended by SLURM")]
)
def test_the_last_word_of_a_failed_job_tells_a_failure_from_an_end_by_slurm(
    environment: dict[str, str], state: str, said: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\nsource {ROOT}/slurm/job.sh\nexit 3"],
        env=environment | {"STATE": state},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert said in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ["EMOTRAIN_CONTAINER", "EMOTRAIN_SRUN_FLAGS"])
def test_words_that_cannot_be_read_end_the_job_before_anything_runs(
    environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    more = {name: "apptainer exec --bind /data/o'brien:/d a.sif", "EMOTRAIN_CHAIN_LOG": str(tmp_path / "chain.log")}
    done = subprocess.run(
        ["bash", ROOT / "slurm" / "evaluate.slurm", "recipe.yaml"],
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert not any(call.startswith("srun") for call in calls(environment))
    told = (tmp_path / "chain.log").read_text(encoding="utf-8")
    assert f"cannot read the words of {name}" in told
    assert "FAILED with exit status 2" in told.splitlines()[-1]


def test_quoted_words_of_container_and_flags_reach_srun_as_they_are(
    environment: dict[str, str], tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    shown.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@" >"$LOGS.words"\n', encoding="utf-8")
    shown.chmod(0o755)
    more = {"EMOTRAIN_CONTAINER": f"{shown} --bind \"/data/o'brien:/d\" 'a b'", "EMOTRAIN_SRUN_FLAGS": "--mpi=none"}
    subprocess.run(["bash", ROOT / "slurm" / "evaluate.slurm", "r.yaml"], env=environment | more, check=True)
    words = Path(f"{environment['LOGS']}.words").read_text(encoding="utf-8").splitlines()
    assert words[:3] == ["--bind", "/data/o'brien:/d", "a b"]
    assert "srun --nodes=1 --ntasks=1 --mpi=none" in "\n".join(calls(environment))
