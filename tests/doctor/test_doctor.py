"""The doctor answers on any machine, says what to do about each fault, and never repeats a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from emotrain.cli import app
from emotrain.doctor import accelerators, cluster, hub, machine, packages, video
from emotrain.doctor.finding import Finding, looked
from emotrain.doctor.page import examine, page
from emotrain.faces.weights import FOLDER, WEIGHTS

TOKEN = "hf_" + "Zq4Lm9Rt" * 4


def program(folder: Path, name: str, says: str, status: int = 0) -> None:
    """An executable that prints `says`."""
    file = folder / name
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {status}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


class TheHub(ThreadingHTTPServer):
    status, answer = 200, {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def the_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[TheHub]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            whose = "whoami" in self.path
            body = json.dumps(server.answer if whose else {}).encode()
            self.send_response(server.status if whose else 200)
            self.send_header("Content-Length", str(len(body)))
            # Some servers repeat what they were sent.
            self.send_header("X-Error-Message", f"bad {self.headers.get('Authorization')}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None: ...

    server = TheHub(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()


def test_the_page_of_this_machine_is_whole_and_its_status_is_that_of_its_faults(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--work", str(tmp_path), "--skip", "hub"])
    for part in ("packages", "accelerators", "video", "machine", "cluster"):
        assert f"{part}\n" in done.stdout
    assert done.exit_code == (1 if "FAULT" in done.stdout else 0), done.stdout
    assert "ok    decoder pyav" in done.stdout
    assert "fault(s)" in done.stdout.splitlines()[-1]
    with pytest.raises(ValueError, match="--skip hup"):
        examine(tmp_path, ["hup"])


def test_a_look_that_breaks_is_a_fault_and_keeps_what_was_found_before() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("first", "fine")
        raise OSError("libcudart.so.13: cannot open shared object file")

    first, last = looked("accelerators", broken)
    assert first.state == "well"
    assert last.state == "fault"
    assert "libcudart" in last.found


def test_a_package_that_is_missing_or_out_of_range_is_a_fault_with_the_command_that_mends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs = ["numpy>=99", "no-such-package>=2", "pandas>=2", "left-out>=1; extra == 'dev'"]
    monkeypatch.setattr(packages, "requires", lambda name: needs)
    found = {one.name: one for one in packages.look()}
    assert found["numpy"].state == found["no-such-package"].state == "fault"
    assert "pip install --constraint constraints.txt 'numpy>=99'" in found["numpy"].remedy
    assert "left-out" not in found
    assert "pandas" not in found


def test_another_version_than_the_tested_one_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "constraints.txt"
    file.write_text('# tested\nnumpy==0.1\npandas==0.1; python_version < "3"\n', encoding="utf-8")
    monkeypatch.setattr(packages, "constraints_file", lambda: file)
    versions = next(one for one in packages.look() if one.name == "versions")
    assert versions.state == "note"
    assert "(tested: 0.1)" in versions.found
    assert "pandas" not in versions.found


def test_a_gpu_that_torch_does_not_use_is_a_fault_with_its_reason(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "nvidia-smi", "580.65.06, NVIDIA H100 80GB HBM3, 81559 MiB")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    driver, _, gpu = accelerators.look()
    assert "H100" in driver.found
    assert (gpu.state, gpu.remedy) == ("fault", "unset CUDA_VISIBLE_DEVICES")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.version.cuda", None)
    assert "this torch has no CUDA" in list(accelerators.look())[-1].remedy
    monkeypatch.setattr("torch.version.cuda", "13.0")
    assert "older than CUDA 13.0 needs" in list(accelerators.look())[-1].remedy


def test_a_damaged_weights_file_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WEIGHTS["yunet"].name).write_bytes(b"half a file")
    monkeypatch.setenv(FOLDER, str(tmp_path))
    faces = list(video.look())[-1]
    assert faces.state == "fault"
    assert "sha256" in faces.found


def test_a_folder_that_cannot_be_written_and_a_full_disk_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine.place("work folder", tmp_path / "not" / "yet").state in ("well", "note")
    assert not list(tmp_path.iterdir())
    refused = machine.place("work folder", Path("/proc/runs"))
    assert refused.state == "fault"
    assert "/proc" in refused.remedy
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 1 << 29})())
    assert machine.place("work folder", tmp_path).state == "fault"


def test_partitions_are_told_with_their_limits_and_a_silent_controller_is_a_fault(path: Path) -> None:
    program(path, "sbatch", "slurm 24.05.1")
    program(path, "sinfo", "gpu*|1-00:00:00|4|gpu:h100:8\ncpu|infinite|2|(null)")
    assert [(one.name, one.found) for one in cluster.look()] == [
        ("slurm", "slurm 24.05.1"),
        ("partition gpu*", "4 node(s), gpu:h100:8, time limit 1-00:00:00"),
        ("partition cpu", "2 node(s), no GPUs, time limit infinite"),
    ]
    program(path, "sinfo", "slurm_load_partitions: Unable to contact slurm controller", status=1)
    (silent,) = cluster.look()
    assert silent.state == "fault"
    assert "Unable to contact" in silent.found


@pytest.mark.parametrize(
    ("token", "state", "said"),
    [
        ({"role": "write"}, "well", "of ann, may write"),
        ({"role": "read"}, "note", "of ann, read: may not write"),
        ({"role": "fineGrained", "fineGrained": {"scoped": []}}, "note", "fineGrained: may not write"),
        (
            {
                "role": "fineGrained",
                "fineGrained": {"scoped": [{"entity": {"name": "org"}, "permissions": ["repo.write"]}]},
            },
            "well",
            "of ann, may write to org",
        ),
    ],
)
def test_the_scope_of_a_token_is_told(the_hub: TheHub, token: dict[str, object], state: str, said: str) -> None:
    the_hub.answer = {"name": "ann", "auth": {"accessToken": token}}
    reached, scope = hub.look()
    assert reached.state == "well"
    assert scope.state == state
    assert said in scope.found


def test_a_refused_token_is_a_fault_and_no_secret_is_ever_on_the_page(
    the_hub: TheHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    the_hub.status = 401
    _, refused = hub.look()
    assert refused.state == "fault"
    assert "hf auth login" in refused.remedy
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    told = page({"hub": [refused, Finding("echo", f"bad Bearer {TOKEN} 0123456789abcdef")]})
    assert TOKEN not in told
    assert "0123456789abcdef" not in told
    assert "<HF_TOKEN> <WANDB_API_KEY>" in told
