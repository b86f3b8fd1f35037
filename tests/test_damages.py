"""What was damaged is found by what vouches for it, is told by its name, and is made again or passed over."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from damages import ANY, OF_JSON
from stage_work import SCHEMA, some_clips, two_rows

from emotrain.atomic_files import replacing, replacing_folder, sweep, temporary_name, write_json
from emotrain.damaged_files import DamagedFile
from emotrain.digests import list_beside, write_vouched_table
from emotrain.file_errors import about, in_words
from emotrain.json_files import read_object
from emotrain.parquet_files import read_table
from emotrain.stages.parts import read_parts
from emotrain.stages.stage import run_stage
from emotrain.training.check import check_folder


def harmed(path: Path, seed: int = 0) -> Iterator[str]:
    """The file once in each kind of harm, named; afterwards it is as before."""
    content, other = path.read_bytes(), b"PAR1 another's content PAR1"
    for name, harm in {**ANY, **(OF_JSON if path.suffix == ".json" else {})}.items():
        for again in range(5 if name.startswith("a") else 1):
            new = harm(content, random.Random(seed + again), other)
            if new == content:
                continue
            path.unlink() if new is None else path.write_bytes(new)
            yield name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)


def stage(out: Path) -> pa.Table:
    run_stage("s", some_clips(6), two_rows, SCHEMA, out, shards=2, workers=1, max_bad_share=1)
    return read_parts(out)


def test_a_part_harmed_in_any_way_is_said_and_made_again_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = stage(tmp_path)
    harms = 0
    for path in sorted(tmp_path.glob("part-00000*")):
        for name in harmed(path):
            capsys.readouterr()
            assert stage(tmp_path).equals(whole), f"{path.name}, {name}"
            # A part that is gone is unfinished, one without its list of an earlier version; white space says nothing.
            quiet = ("gone", "longer", "last byte missing") if path.suffix == ".json" else ("gone",)
            if name not in quiet or path.suffix == ".jsonl":
                assert "part-00000" in capsys.readouterr().err, f"{path.name}, {name}"
            harms += 1
    assert harms > 60
    assert check_folder(tmp_path).faults == []


def test_a_whole_part_of_other_clips_is_refused_and_left_alone(tmp_path: Path) -> None:
    stage(tmp_path / "one")
    run_stage("s", some_clips(40)[20:], two_rows, SCHEMA, tmp_path / "two", shards=2, workers=1, max_bad_share=1)
    for path in (tmp_path / "two").glob("part-00000*"):
        shutil.copy(path, tmp_path / "one")
    with pytest.raises(ValueError, match=r"part-00000-of-00002\.parquet: holds \d+ clip\(s\) .* delete it"):
        stage(tmp_path / "one")
    assert (tmp_path / "one" / "part-00000-of-00002.parquet").exists()


def test_a_part_of_a_version_without_lists_is_read_once_and_vouched_for(tmp_path: Path) -> None:
    whole = stage(tmp_path)
    for path in tmp_path.glob("*.digests.json"):
        path.unlink()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert stage(tmp_path).equals(whole)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")} == before, "kept"
    assert len(list(tmp_path.glob("*.digests.json"))) == 2


def test_json_and_parquet_harmed_in_any_way_are_told_by_name_with_a_remedy(tmp_path: Path) -> None:
    """Where a list vouches, a number or a key that was changed is found as well."""
    header, table = tmp_path / "header.json", tmp_path / "clips.parquet"
    write_json({"settings": {"keyframes": 8}, "clips": 12}, header)
    for name in harmed(header):
        if name in ("another number", "another key", "longer", "a bit flipped", "last byte missing"):
            continue  # perhaps JSON all the same
        with pytest.raises((DamagedFile, FileNotFoundError)) as error:
            read_object(header, "run the stage again", ["settings"])
        assert "header.json" in in_words(error.value), name
        assert name == "gone" or "run the stage again" in str(error.value)
    write_vouched_table(pa.table({"clip_id": [f"c{i}" for i in range(50)]}, metadata={"root": "/x"}), table)
    for name in harmed(table):
        assert [fault for fault in check_folder(tmp_path).faults if "clips.parquet" in fault], name
        if name in ("empty", "cut in half", "last byte missing", "text instead"):
            with pytest.raises(DamagedFile, match=r"clips\.parquet: .* make the index again"):
                read_table(table, "make the index again")
    assert list_beside(table).is_file()


def test_check_accepts_a_change_of_ones_own_when_told_to(tmp_path: Path) -> None:
    write_vouched_table(pa.table({"clip_id": ["a"]}), tmp_path / "clips.parquet")
    (tmp_path / "clips.parquet").write_bytes((tmp_path / "clips.parquet").read_bytes() + b" ")
    (fault,) = check_folder(tmp_path).faults
    assert "--renew" in fault
    assert check_folder(tmp_path, renew=True).renewed == [list_beside(tmp_path / "clips.parquet")]
    assert check_folder(tmp_path).faults == []


def test_temporary_files_of_processes_that_are_gone_are_swept_and_no_others(tmp_path: Path) -> None:
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    mine = temporary_name(tmp_path / "part.parquet")
    left = [Path(str(mine).replace(f"-{os.getpid()}-", f"-{gone}-")), tmp_path / f".a.mp4.{gone}-0123abcd.tmp"]
    folder = Path(str(temporary_name(tmp_path / "merged")).replace(f"-{os.getpid()}-", f"-{gone}-"))
    elsewhere = tmp_path / ".part.parquet.ffffffff-1-0123abcd.tmp"
    folder.mkdir()
    (folder / "half").touch()
    for path in (mine, elsewhere, *left, tmp_path / ".not-ours.tmp"):
        path.touch()
    os.utime(left[1], (time.time() - 90_000,) * 2)  # of an earlier version, whose names told no machine
    assert set(sweep(tmp_path)) == {*left, folder}
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, elsewhere.name, ".not-ours.tmp"}


def test_what_is_written_reaches_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("sync"), sync(file))[1])
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("rename"), rename(*names))[1])
    write_json({}, tmp_path / "a.json")
    write_json({}, tmp_path / "progress.json", durable=False)
    assert done == ["sync", "rename", "rename"]


class SafetensorError(Exception):
    """As safetensors calls it."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        Exception("No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_names_the_file_and_what_to_do(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(OSError, match="No space left") as told, replacing(tmp_path / "part.parquet"):
        raise error
    said = in_words(told.value)
    assert said.startswith(f"{tmp_path / 'part.parquet'}: No space left on device; free some space")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_inside_keep_their_kind_and_name(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="size mismatch"), about(tmp_path):
        raise RuntimeError("size mismatch for x")
    with pytest.raises(FileNotFoundError) as error, about(tmp_path):
        (tmp_path / "nothing").read_text()
    assert error.value.filename == str(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError), replacing_folder(tmp_path / "out") as folder:
        folder.write_text("half")
    assert list(tmp_path.iterdir()) == []


def test_figures_are_tied_to_everything_that_changes_a_prediction(tmp_path: Path) -> None:
    from emotrain.modeling.adapters import adapter_digest

    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 32, "base_model_name_or_path": "/here", "revision": None}
    contract: dict[str, Any] = {"labels": ["joy", "fear"], "frames": {"keyframes": 8}, "base_model": None}

    def digest(**changed: Any) -> str:
        (tmp_path / "adapter_model.safetensors").write_bytes(changed.pop("weights", b"weights"))
        for name, values in (("adapter_config.json", config), ("emotrain.json", contract)):
            now = {key: changed.get(key, value) for key, value in values.items()}
            (tmp_path / name).write_text(json.dumps(now), encoding="utf-8")
        return adapter_digest(tmp_path)

    whole = digest()
    assert digest(base_model_name_or_path="org/base", revision="abc", base_model="org/base") == whole
    others = [
        digest(weights=b"weightz"),
        digest(lora_alpha=64),
        digest(labels=["fear", "joy"]),
        digest(frames={"keyframes": 4}),
    ]
    assert len({whole, *others}) == 5
