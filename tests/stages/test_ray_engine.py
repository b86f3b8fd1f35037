"""The ray engine writes what the local engine writes, byte for byte, and fails, stops and goes on as that does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from clip_files import write_clip
from stage_work import SCHEMA, EndsWorker, Noted, some_clips, troubled, two_rows

import emotrain
from emotrain.atomic_files import write_table
from emotrain.cli import main
from emotrain.faces.stage import find_faces_stage
from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import Recipe, parse_recipe
from emotrain.records import Clip, to_table
from emotrain.stages.parts import finished_parts
from emotrain.stages.ray_engine import _Place, ray_shards
from emotrain.stages.stage import run_stage

HERE = Path(__file__).parents[1]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install 'emotrain[ray]'")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of two cores on this machine, as a user would have started one; its workers can import stage_work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=100 << 20,
            _node_ip_address="127.0.0.1",
        )
        yield
        ray.shutdown()


def contents(out: Path) -> dict[str, Any]:
    """The bytes of every file under a folder, of reports all but the seconds; hidden leftovers of a kill are none."""
    found: dict[str, Any] = {}
    for file in sorted(file for file in out.rglob("*") if file.is_file()):
        name = str(file.relative_to(out))
        if "/." not in f"/{name}":
            found[name] = file.read_bytes()
            if file.name == "report.json":
                found[name] = {**json.loads(found[name]), "seconds": None}
    return found


def script(name: str) -> ModuleType:
    """One of data_prep's scripts as a module."""
    spec = spec_from_file_location(name, HERE.parent / "data_prep" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten sound videos, one cut short and one that is none."""
    root = tmp_path_factory.mktemp("videos")
    for i in range(11):
        write_clip(root / f"{i}.mp4", 20 + i, container_options={"movflags": "+faststart"})
    whole = (root / "10.mp4").read_bytes()
    (root / "10.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    (root / "11.mp4").write_bytes(b"no video")
    rows = [f"{i}.mp4,{('anger', 'fear')[i % 2]}" for i in range(12)]
    (root / "clips.csv").write_text("\n".join(["path,label", *rows]))
    return root


def recipe_keys(videos: Path, data: str) -> dict[str, Any]:
    return (
        {"model_name_or_path": "tiny", "use_cpu": True, "dataset": "csv", "root": str(videos), "label_set": "dfew"}
        | {"fold": 1, "data": data, "output_dir": data, "keyframes": 3, "between": 2, "frame_size": 32}
        | {"prep_shards": 4, "context": "summaries"}
    )


def recipe(videos: Path, data: str) -> Recipe:
    return parse_recipe(recipe_keys(videos, data))


@needs_ray
def test_prepared_data_are_identical_on_both_engines(
    cluster: None, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames, summaries, quarantine, damage, reports; the data folder is named relative to the folder of the driver."""
    on_ray: list[str] = []

    def noted(run_shard: Any, todo: Any, out: Path, **options: Any) -> Iterator[int]:
        on_ray.append(out.parts[1])
        return ray_shards(run_shard, todo, out, **options)

    monkeypatch.setattr("emotrain.stages.stage.ray_shards", noted)
    for engine in ("local", "ray"):
        (tmp_path / engine).mkdir()
        monkeypatch.chdir(tmp_path / engine)
        for stage in ("index", "frames", "summaries"):
            prepare(recipe(videos, "data"), workers=2, max_bad_share=0.2, stage=stage, engine=engine)
    assert on_ray == ["frames", "summaries"]
    local, ray = contents(tmp_path / "local"), contents(tmp_path / "ray")
    assert sorted(local) == sorted(ray)
    assert [name for name in local if local[name] != ray[name]] == []
    parts = [name for name in local if name.endswith(".parquet")]
    assert len(parts) == 1 + 4 + 4
    damaged = b"".join(text for name, text in local.items() if name.endswith(".damaged.jsonl"))
    assert b"10.mp4" in damaged
    assert json.loads((tmp_path / "ray/data/frames/report.json").read_text())["quarantined"] == {"fear": 1}


@needs_ray
def test_faces_are_found_alike_on_both_engines(
    cluster: None, videos: Path, real_faces: Path, face_weights: Path, tmp_path: Path
) -> None:
    """Two clips with a face, one of noise, which shows none, and one that is no video."""
    names = {"a": real_faces / "single_face.mp4", "b": real_faces / "single_face.mp4",
             "noise": videos / "0.mp4", "none": videos / "11.mp4"}  # fmt: skip
    for name, video in names.items():
        shutil.copy(video, tmp_path / f"{name}.mp4")
    clips = [Clip(name, f"{name}.mp4", "happiness") for name in names]
    for engine in ("local", "ray"):
        data = tmp_path / engine
        data.mkdir()
        write_table(to_table(clips, Clip, {"root": str(tmp_path)}), data / "clips.parquet")
        report = find_faces_stage(data, shards=2, workers=2, max_bad_share=1, max_faceless_share=1, engine=engine)
        assert (report.done, report.quarantined) == ({"happiness": 2}, {"happiness": 2})
    assert contents(tmp_path / "local" / "faces") == contents(tmp_path / "ray" / "faces")


@needs_ray
def test_stuck_and_crashing_clips_are_quarantined_alike(cluster: None, tmp_path: Path) -> None:
    clips = some_clips(8, ("good", "bad", "hangs", "crashes"))
    for engine in ("local", "ray"):
        report = run_stage(
            "s",
            clips,
            troubled,
            SCHEMA,
            tmp_path / engine,
            shards=2,
            workers=2,
            max_bad_share=1,
            limit_s=2.0,
            engine=engine,
        )
        assert report.quarantined == {"bad": 2, "hangs": 2, "crashes": 2}
    assert contents(tmp_path / "local") == contents(tmp_path / "ray")


@needs_ray
def test_a_mistake_in_the_program_ends_the_run_with_its_own_exception(cluster: None, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="a mistake in the program") as caught:
        run_stage("s", some_clips(1, ("raises",)), troubled, SCHEMA, tmp_path, shards=1, engine="ray")
    assert "in troubled" in str(caught.value.__cause__)
    assert finished_parts(tmp_path) == []


@needs_ray
@pytest.mark.parametrize("times", [1, 99])
def test_a_lost_worker_is_replaced_and_its_shard_begun_anew_but_not_for_ever(
    cluster: None, tmp_path: Path, times: int
) -> None:
    (tmp_path / "marks").mkdir()
    clips = some_clips(6, ("good", "deadly", "good"))
    work = EndsWorker(tmp_path / "marks", times)
    if times == 1:
        run_stage("s", clips, work, SCHEMA, tmp_path / "ray", shards=2, workers=2, engine="ray")
        run_stage("s", clips, two_rows, SCHEMA, tmp_path / "local", shards=2, workers=1)
        assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    else:
        with pytest.raises(RuntimeError, match="shard 0 was lost 4 times"):
            run_stage("s", clips, work, SCHEMA, tmp_path / "ray", shards=1, workers=1, engine="ray")
        assert list((tmp_path / "ray").glob("part-*")) == []
    assert list((tmp_path / "ray").glob(".ray-*")) == []


DRIVER = """
import sys
from pathlib import Path
from stage_work import SCHEMA, Noted, some_clips
from emotrain.stages.stage import run_stage
if __name__ == "__main__":
    run_stage("s", some_clips(30, ("good", "bad")), Noted(Path(sys.argv[1]), 0.3), SCHEMA, Path(sys.argv[2]),
              shards=6, workers=2, max_bad_share=1, engine="ray", ray_address="local")
"""


@needs_ray
def test_a_driver_killed_with_signal_9_takes_its_workers_along_and_either_engine_goes_on(
    cluster: None, tmp_path: Path
) -> None:
    notes, out = tmp_path / "notes", tmp_path / "out"
    (tmp_path / "driver.py").write_text(DRIVER)
    command = [sys.executable, str(tmp_path / "driver.py"), str(notes), str(out)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    deadline = time.monotonic() + 600
    while not finished_parts(out) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.4)
    process.kill()
    assert process.wait() == -signal.SIGKILL, (tmp_path / "log").read_text()
    silent_since, size = time.monotonic(), -1
    while time.monotonic() - silent_since < 3 and time.monotonic() < deadline:  # three seconds are ten clips
        if notes.stat().st_size != size:
            silent_since, size = time.monotonic(), notes.stat().st_size
        time.sleep(0.05)
    finished = {part: part.stat().st_mtime_ns for part in finished_parts(out)}
    assert 1 <= len(finished) < 6, "the workers went on without their driver"
    clips = some_clips(30, ("good", "bad"))
    for shard in range(6):
        if not (out / f"part-{shard:05d}-of-00006.parquet").exists():
            run_stage("s", clips, two_rows, SCHEMA, out, only=(shard, 6), workers=1, max_bad_share=1)
            break
    run_stage("s", clips, Noted(notes, 0), SCHEMA, out, shards=6, workers=2, max_bad_share=1, engine="ray")
    assert {part: part.stat().st_mtime_ns for part in finished} == finished
    run_stage("s", clips, two_rows, SCHEMA, tmp_path / "whole", shards=6, workers=1, max_bad_share=1)
    assert contents(out) == contents(tmp_path / "whole")


def test_without_ray_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"pip install 'emotrain\[ray\]'"):
        run_stage("s", some_clips(12, ("good",)), two_rows, SCHEMA, tmp_path, engine="ray")


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("extract_frames", ["--engine", "ray", "--ray-address", "127.0.0.1:1"], "no cluster answers"),
        ("extract_frames", ["--engine", "ray", "--ray-address", "ray://127.0.0.1:1"], "ray job submit"),
        ("extract_frames", ["--ray-address", "auto"], "add --engine ray"),
        ("summarize_frames", ["--ray-address", "auto"], "add --engine ray"),
        ("summarize_frames", ["--engine", "ray", "--backend", "vlm", "--model", "tiny"], "bound by its model"),
    ],
)
def test_scripts_refuse_what_they_cannot_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    flags: list[str],
    message: str,
) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'emotrain[ray]'")
    write_table(to_table(some_clips(12, ("anger",)), Clip, {"root": "."}), tmp_path / "clips.parquet")
    (tmp_path / "frames").mkdir()
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr(sys, "argv", [name, "--data", str(tmp_path), *flags])
    assert script(name).main() == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--engine", "rays"], "engine 'rays' is not one of local, ray"), (["--ray-address", "auto"], "add --engine ray")],
)
def test_prep_hands_its_engine_on(
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe_keys(videos, str(tmp_path))))
    monkeypatch.setattr(sys, "argv", ["emotrain", "prep", str(file), *flags])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert message in capsys.readouterr().err


def test_a_worker_that_sees_another_disk_or_has_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not see this folder"):
        _Place(os.getcwd(), tmp_path / "mark", emotrain.__version__).enter()
    (tmp_path / "mark").mkdir()
    with pytest.raises(RuntimeError, match=r"expected 0\.0\.0"):
        _Place(os.getcwd(), tmp_path / "mark", "0.0.0").enter()
