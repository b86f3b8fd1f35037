"""What the index found is said alike by the script, by `emotrain prep` and by a study: none of it is lost in a run."""

from __future__ import annotations

import runpy
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emotrain.preparation.prepare import prepare
from emotrain.recipe.recipe import parse_recipe
from emotrain.study import run as study_run

SCRIPT = Path(__file__).parents[2] / "data_prep" / "index_clips.py"
HEAD = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 clips by the first bytes, of which one is a pointer of Git LFS: below the limit of 1 %."""
    root = tmp_path_factory.mktemp("own")
    for i in range(120):
        (root / f"{i}.mp4").write_bytes(HEAD)
    (root / "7.mp4").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (root / "clips.csv").write_text(
        "path;label\n" + "".join(f"{i}.mp4;{('anger', 'fear')[i % 2]}\n" for i in range(120))
    )
    return root


def lines(said: Any) -> set[str]:
    """What was printed, on either stream, without the progress, the last line and the folder of a study."""
    every = (said.out + said.err).replace("\r", "\n").splitlines()
    return {line for line in every if "clips/s" not in line and not line.startswith(("written:", "prepare "))}


def test_prep_and_study_say_what_the_index_script_says(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sys, "argv", f"x --dataset csv --label-set dfew --root {root} --out {tmp_path / 'script'} --workers 1".split()
    )
    assert runpy.run_path(str(SCRIPT))["main"]() == 0
    script = lines(capsys.readouterr())
    given = {"model_name_or_path": "tiny", "use_cpu": True, "dataset": "csv", "root": str(root), "context": "none"}
    recipes = [
        parse_recipe(
            {**given, "label_set": "dfew", "fold": 1, "data": str(tmp_path / name), "output_dir": str(tmp_path)}
        )
        for name in ("prep", "study")
    ]
    prepare(recipes[0], workers=1, stage="index")
    assert lines(capsys.readouterr()) == script
    monkeypatch.setattr(study_run, "prepare", partial(prepare, stage="index"))
    cell: Any = SimpleNamespace(run=SimpleNamespace(recipe=recipes[1]), arm=SimpleNamespace(name="arm"))
    study: Any = SimpleNamespace(clips=None)
    study_run.prepare_study(study, [cell, cell], workers=1)
    assert lines(capsys.readouterr()) >= script
    told = "\n".join(sorted(script))
    for said in ("119 clips", "warning, folds: 1", "quarantined: 1 (0.83%)", "7.mp4: no video", "git lfs pull"):
        assert said in told
