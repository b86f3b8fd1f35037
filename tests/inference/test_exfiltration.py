"""An attempt to get frames or a secret out through what comes with an adapter, or through the server that was named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import emotrain
from emotrain.context.gap_request import GapRequest
from emotrain.context.openai_backend import OpenaiBackend
from emotrain.evaluation.scorer import load_scorer
from emotrain.inference.chat import chat_messages
from emotrain.inference.merge import merge
from emotrain.inference.recogniser import base_and_contract
from emotrain.records import Frame, Gap

SECRET = "wJalrXUtnFEMI-very-secret"


class Listener:
    """A server that notes every request, and sends each on to `location` when it has one."""

    def __init__(self, location: str | None = None) -> None:
        self.heard: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.heard.append(f"{self.path} {dict(self.headers)} {body!r:.200}")
                self.send_response(307 if location is not None else 500)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_HEAD = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def attacker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    for name in ("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "GITHUB_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    listener = Listener()
    yield listener
    listener.close()


CONTRACT: dict[str, Any] = {
    "format": 1,
    "labels": ["anger", "fear"],
    "frames": {"keyframes": 2, "between": 2, "size": 84},
    "context": {"context": "summaries", "summarizer": "openai"},
    "prompt": {"context": "summaries", "question": "emotion", "language": "en"},
    "base_model": "tiny",
    "summarizer": {"backend": "openai", "model": "m"},
}
LORA = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"], "base_model_name_or_path": "tiny"}


def adapter(folder: Path, contract: dict[str, Any] | None, config: dict[str, Any] | None = None) -> Path:
    if contract is not None:
        (folder / "emotrain.json").write_text(json.dumps(CONTRACT | contract), encoding="utf-8")
    (folder / "adapter_config.json").write_text(json.dumps(LORA | (config or {})), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return folder


def asking(url: str) -> dict[str, dict[str, Any]]:
    """Contracts that would have an own server asked, and a secret sent to it, by every door there is."""
    options = {"model": "m", "base_url": url, "key_variable": "AWS_SECRET_ACCESS_KEY"}
    context = CONTRACT["context"]
    return {
        "the options of training": {"context": context | {"summarizer_options": options}},
        "the summariser's settings": {"summarizer": {"backend": "openai", **options}},
        "a nested mapping": {"frames": {"keyframes": 2, "decoder": {"base_url": url}}},
        "a name with an address": {"summarizer": {"backend": "openai", "model": f"m@{url}/../x"}},
        "a base behind an address": {"base_model": url},
        "cues behind an address": {"context": context | {"cues": url}},
    }


DOORS: dict[str, Callable[[Path, Path], Any]] = {
    "load (predict, app)": lambda folder, out: emotrain.load(folder, device="cpu"),
    "chat_messages": lambda folder, out: chat_messages(folder, out / "clip.mp4"),
    "merge": lambda folder, out: merge(folder, out / "merged"),
    "evaluate": lambda folder, out: load_scorer(SimpleNamespace(sft=SimpleNamespace(use_cpu=True)), folder),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", asking(""))
def test_no_contract_has_a_server_asked_through_any_door(
    tmp_path: Path, attacker: Listener, way: str, door: str
) -> None:
    folder = adapter(tmp_path, asking(attacker.url)[way])
    with pytest.raises(ValueError, match=r"emotrain\.json"):
        DOORS[door](folder, tmp_path)
    assert attacker.heard == []


def test_a_caller_who_says_nothing_shows_frames_to_nobody(tmp_path: Path, attacker: Listener) -> None:
    with pytest.raises(ValueError, match="does not choose who is shown your frames"):
        emotrain.load(adapter(tmp_path, {}), device="cpu")
    assert attacker.heard == []


def test_what_else_lies_beside_an_adapter_is_asked_nothing(tmp_path: Path, attacker: Listener) -> None:
    folder = adapter(
        tmp_path,
        {"summarizer": None, "context": {"context": "none"}, "prompt": CONTRACT["prompt"] | {"context": "none"}},
    )
    said = {
        "summarizer": "openai",
        "summarizer_options": {"base_url": attacker.url},
        "model_name_or_path": attacker.url,
    }
    (folder / "recipe.resolved.yaml").write_text(json.dumps(said), encoding="utf-8")
    (folder / "provenance.json").write_text(json.dumps({"made_from": {"base": attacker.url}}), encoding="utf-8")
    (folder / "README.md").write_text(f"---\nbase_model: {attacker.url}\n---\n", encoding="utf-8")
    contract, base, revision = base_and_contract(folder, "theirs", None, {})
    assert (base, revision, contract.summarizer) == ("tiny", "main", None)
    assert attacker.heard == []


@pytest.mark.parametrize("base", ["/models/qwen", "./base", "~/base", "\\\\host\\share", "http://127.0.0.1/x", "here"])
def test_an_adapter_without_a_contract_chooses_no_folder_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    folder = adapter(tmp_path, None, {"base_model_name_or_path": base})
    given = {"label_set": "mafw", "keyframes": 2, "frame_size": 84, "context": "none"}
    with pytest.raises(ValueError, match="--base"):
        base_and_contract(folder, "theirs", None, given)
    assert base_and_contract(folder, "theirs", "tiny", given)[1] == "tiny"


def test_two_names_of_one_base_are_refused_and_a_base_from_the_hub_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = {"summarizer": None, "context": {"context": "none"}, "prompt": CONTRACT["prompt"] | {"context": "none"}}
    config = {"base_model_name_or_path": "org/known"}
    folder = adapter(tmp_path, plain | {"base_model": "evil/other"}, config)
    with pytest.raises(ValueError, match=r"evil/other.*org/known.*--base"):
        base_and_contract(folder, "theirs", None, {})
    folder = adapter(tmp_path, plain | {"base_model": "org/known"}, config)
    assert base_and_contract(folder, "theirs", None, {})[1] == "org/known"
    assert "names base model org/known" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "GITHUB_TOKEN", "PATH", "WANDB_API_KEY", ""])
def test_no_variable_of_another_service_is_sent_whoever_names_it(name: str) -> None:
    with pytest.raises(ValueError, match="key_variable"):
        OpenaiBackend("m", "http://127.0.0.1:9/v1", key_variable=name)


def test_no_training_is_reported_to_anybody() -> None:
    code = "import emotrain; from huggingface_hub import constants; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    kept = {key: value for key, value in os.environ.items() if key not in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "GLM_API_KEY", "LAB_KEY", "MY_TOKEN"])
def test_variables_of_model_servers_are_taken(name: str) -> None:
    assert OpenaiBackend("m", "http://127.0.0.1:9/v1", key_variable=name).key_variable == name


@pytest.mark.parametrize("url", ["ftp://x/v1", "file:///etc/passwd", "http://me:pw@x/v1", "x", "http://x/v1?key=y"])
def test_an_address_is_that_of_a_server_and_holds_no_password(url: str) -> None:
    with pytest.raises(ValueError, match="base_url") as refused:
        OpenaiBackend("m", url)
    assert "pw" not in str(refused.value)


def test_frames_do_not_follow_a_redirect_to_another_server(attacker: Listener) -> None:
    named = Listener(location=f"{attacker.url}/chat/completions")
    request = GapRequest(Gap("c", 0, 0.0, 1.0), None, (Frame("c", 0, 0.5, "between", 0, b"jpeg"),))
    replies: list[Any] = []
    try:
        OpenaiBackend("m", named.url, retries=0).answer([request], replies.extend)
    except ValueError:
        pass
    finally:
        named.close()
    assert len(named.heard) == 1
    assert attacker.heard == []
    assert not any(reply.text for reply in replies)
