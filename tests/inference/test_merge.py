"""The merged checkpoint: plain transformers loads it, its scores are the adapter's, a real server speaks with it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import emotrain
from emotrain.evaluation.evaluate import evaluate
from emotrain.evaluation.served.run import evaluate_served
from emotrain.evaluation.served.settings import ServerSettings
from emotrain.inference.chat import chat_messages
from emotrain.inference.merge import merge
from emotrain.metrics.predictions import read_predictions
from emotrain.training.whole import vouch_checkpoint


@pytest.fixture(scope="module")
def merged(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge(trained.adapter, tmp_path_factory.mktemp("merged") / "model")


def test_it_is_a_plain_checkpoint_with_everything_a_server_needs(merged: Path) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    names = {path.name for path in merged.iterdir()}
    assert names >= {"model.safetensors", "config.json", "generation_config.json", "chat_template.jinja"}
    assert names >= {"processor_config.json", "tokenizer.json", "emotrain.json"}
    assert not {name for name in names if name.startswith("adapter") or name.endswith((".bin", ".pt"))}
    model = AutoModelForImageTextToText.from_pretrained(merged)
    assert not any("lora" in name for name, _ in model.named_parameters())
    assert model.dtype == torch.float32
    processor = AutoProcessor.from_pretrained(merged)
    assert processor.image_processor.size["longest_edge"] == 84**2, "every image at the training size"


def test_its_label_scores_are_those_of_the_adapter(merged: Path, trained: Any) -> None:
    adapter, plain = emotrain.load(trained.adapter, device="cpu"), emotrain.load(None, base_model=str(merged))
    base = emotrain.load(None, base_model="tiny", label_set="mafw", keyframes=4, frame_size=128, image_size=84)
    for number in (0, 1, 2):
        clip = trained.clip(number)
        expected = adapter.predict(clip).logits
        assert plain.predict(clip).logits == pytest.approx(expected, abs=1e-4)
        moved = [abs(base.predict(clip).logits[name] - expected[name]) for name in expected]
        assert max(moved) > 1e-2, "the adapter changes the scores, so that the merge has something to keep"


def test_another_dtype_is_written_as_asked(trained: Any, tmp_path: Path) -> None:
    from safetensors import safe_open

    out = merge(trained.adapter / "checkpoint-4", tmp_path / "half", dtype="bfloat16")
    with safe_open(out / "model.safetensors", framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.bfloat16}  # noqa: SIM118
    assert json.loads((out / "emotrain.json").read_text("utf-8"))["dtype"] == "bfloat16"


def test_a_folder_that_exists_is_left_alone_and_a_failed_merge_leaves_nothing(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exists; choose another --out"):
        merge(trained.adapter, tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(trained.adapter / "checkpoint-4", broken)
    weights = broken / "adapter_model.safetensors"
    from safetensors.torch import load_file, save_file

    save_file({name: tensor * float("nan") for name, tensor in load_file(weights).items()}, weights)
    vouch_checkpoint(broken)
    with pytest.raises(ValueError, match="NaNs"):
        merge(broken, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_a_request_holds_the_prompt_and_keyframes_of_training(merged: Path, trained: Any) -> None:
    clip = trained.clip(0)
    (message,) = chat_messages(merged, clip)
    assert (message,) == tuple(chat_messages(trained.adapter, clip))
    images = [part for part in message["content"] if part["type"] == "image_url"]
    words = " ".join(part["text"] for part in message["content"] if part["type"] == "text")
    reading = emotrain.load(trained.adapter, device="cpu").predict(clip)
    assert len(images) == len(reading.keyframes) == 4
    assert all(gap.text in words for gap in reading.gaps if gap.end_s > gap.start_s)
    assert words.endswith(f"Options: {', '.join(reading.probabilities)}.")


@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("fastapi", "uvicorn", "openai")),
    reason="needs pip install 'transformers[serving]' openai",
)
def test_transformers_serve_answers_with_a_label(merged: Path, trained: Any, tmp_path: Path) -> None:
    from openai import OpenAI

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(merged)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path)}
    with open(tmp_path / "server.log", "w+", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _until_ready(f"http://127.0.0.1:{port}/health", server, tmp_path / "server.log")
            client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
            recogniser = emotrain.load(trained.adapter, device="cpu")
            for number in (0, 3):
                reply = client.chat.completions.create(
                    model=str(merged), messages=chat_messages(merged, trained.clip(number)), max_tokens=8, temperature=0
                )
                said = reply.choices[0].message.content.strip()
                reading = recogniser.predict(trained.clip(number))
                assert said in reading.probabilities, (tmp_path / "server.log").read_text("utf-8")[-3000:]
                # Greedy decoding walks token by token and may leave the likeliest label where two are close.
                assert reading.probabilities[said] > reading.ranked[0][1] - 0.1
            asked = ServerSettings(f"http://127.0.0.1:{port}/v1", str(merged), kind="transformers", timeout_s=300.0)
            evaluate_served(trained.recipe, tmp_path / "served", asked)
        finally:
            server.terminate()
            server.wait(timeout=60)
    evaluate(trained.recipe, tmp_path / "local", str(trained.adapter))
    served, local = (read_predictions(tmp_path / name / "predictions.parquet") for name in ("served", "local"))
    agreed = sum(one == other for one, other in zip(served.predicted, local.aligned(served).predicted))
    assert agreed >= 20, f"{agreed} of {len(served)} clips have the label that likelihood gives"


def _until_ready(url: str, server: subprocess.Popen[bytes], log: Path, patience_s: float = 600.0) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text("utf-8")[-3000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"{url}: not ready after {patience_s} s\n{log.read_text('utf-8')[-3000:]}")
