"""`emotrain predict` and `merge` on their real command lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import emotrain
from emotrain.cli import main
from emotrain.faces.weights import FOLDER
from emotrain.inference.clip_paths import clip_paths

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs a command line in this process: status, stdout, stderr."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["emotrain", *[str(word) for word in words]])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_a_damaged_video_is_named_and_the_others_are_read(trained: Any, tmp_path: Path) -> None:
    for number in (0, 1):
        shutil.copy(trained.clip(number), tmp_path / f"clip{number + 9}.mp4")
    (tmp_path / "clip10.mp4").rename(tmp_path / "clip11.mp4")
    (tmp_path / "clip10.mp4").write_bytes(trained.clip(2).read_bytes()[:2000])
    command = [sys.executable, "-m", "emotrain.cli", "predict", "--adapter", trained.adapter, tmp_path]
    command += ["--json", tmp_path / "out.jsonl", "--top", "2"]
    done = subprocess.run(
        command, env={**ENVIRONMENT, FOLDER: os.environ[FOLDER]}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "clip10.mp4" in done.stderr
    assert "1 of 3 clips could not be read" in done.stderr
    assert "Warning" not in done.stderr, "nothing of the packages' own names"
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [Path(row["path"]).name for row in rows] == ["clip9.mp4", "clip10.mp4", "clip11.mp4"]
    assert set(rows[1]) == {"path", "error"}
    reading = emotrain.load(trained.adapter, device="cpu").predict(trained.clip(0))
    assert rows[0]["logits"] == pytest.approx(dict(reading.logits), abs=1e-4)
    (name, share), (second, _), (third, _) = reading.ranked[:3]
    assert f"{share:.1%}" in done.stdout
    first = done.stdout.partition("clip11.mp4")[0]
    assert name in first
    assert second in first
    assert third not in first, "--top 2 shows two labels"
    assert all(f"{frame.time_s:.2f} s" in first for frame in reading.keyframes)


def test_zero_shot_writes_json_lines_and_nothing_else_to_stdout(trained: Any, here: Here) -> None:
    clip = trained.clip(0)
    status, out, err = here("predict", "--base", "tiny", "--label-set", "mafw", "--keyframes", "4", clip, "--json", "-")
    assert status == 0, err
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert sum(row["probabilities"].values()) == pytest.approx(1)
    assert len(row["keyframes"]) == 4
    assert {"start_s", "end_s", "text", "face_seen"} == set(row["gaps"][0])
    status, _, err = here("predict", "--base", "tiny", clip)
    assert status == 2
    assert "--label-set" in err


def test_every_flag_of_the_input_changes_what_is_read(trained: Any, here: Here) -> None:
    def read(*flags: str) -> dict[str, Any]:
        status, out, err = here("predict", "--adapter", trained.adapter, trained.clip(1), "--json", "-", *flags)
        assert status == 0, err
        return dict(json.loads(out))

    plain = read()
    assert len(read("--keyframes", "2")["keyframes"]) == 2
    assert read("--keyframe-policy", "endpoints")["keyframes"] != plain["keyframes"]
    assert read("--context", "none")["gaps"] == []
    assert list(read("--label-set", "fear,joy")["probabilities"]) == ["fear", "happiness"], "an alias, as in training"
    for flags in (("--frame-size", "48"), ("--image-size", "56"), ("--dtype", "bfloat16")):
        assert read(*flags)["logits"] != plain["logits"], flags
    assert read("--tau", "0.5")["logits"] == pytest.approx(plain["logits"], abs=1e-5)


def test_merge_writes_a_folder_once(trained: Any, here: Here, tmp_path: Path) -> None:
    status, out, err = here("merge", "--adapter", trained.adapter, "--out", tmp_path / "merged")
    assert status == 0, err
    assert out.splitlines()[-1] == f"merged {tmp_path / 'merged'}"
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    status, _, err = here("merge", "--adapter", trained.adapter, "--out", tmp_path / "merged")
    assert status == 2
    assert "choose another --out" in err


def test_folders_and_patterns_become_clips_in_order(tmp_path: Path) -> None:
    for name in ("b/2.mp4", "b/10.mov", "b/notes.txt", "frames/img1.png", "c.webm", "empty/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    words = [str(tmp_path / "b"), str(tmp_path / "frames"), str(tmp_path / "*.webm"), str(tmp_path / "b/2.mp4")]
    shown = [path.relative_to(tmp_path).as_posix() for path in clip_paths(words)]
    assert shown == ["b/2.mp4", "b/10.mov", "frames", "c.webm"]
    assert clip_paths(["gone.mp4"]) == [Path("gone.mp4")], "reading it tells that it is not there"
    with pytest.raises(ValueError, match="matches no file"):
        clip_paths([str(tmp_path / "*.avi")])
    with pytest.raises(ValueError, match="no video"):
        clip_paths([str(tmp_path / "empty")])
