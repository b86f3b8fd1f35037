"""The notebook runs from its first cell to its last, and the Space's page is asked for what its variables say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from emotrain import __version__

ROOT = Path(__file__).parents[1]


def test_every_cell_of_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face_weights: Path) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "docs" / "first_steps.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are made by whoever runs it"
            exec("".join(cell["source"]), names)
    assert set(names["reading"].probabilities) == {"happiness", "surprise", "disgust"}
    assert names["reading"].gaps


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "--base tiny --label-set mafw"),
        ({"EMOTRAIN_ADAPTER": "org/name@abc"}, "--adapter org/name@abc"),
        ({"EMOTRAIN_BASE": "org/base", "EMOTRAIN_LABELS": "calm, tense"}, "--base org/base --label-set calm, tense"),
    ],
)
def test_the_space_serves_what_its_variables_say(environment: dict[str, str], said: str) -> None:
    from emotrain.cli import app

    spec = importlib.util.spec_from_file_location("space", ROOT / "app" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    space = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(space)
    words = space.words(environment)
    assert " ".join(words).endswith(said)
    verb = next(command for command in app.registered_commands if command.callback.__name__ == words[1])  # type: ignore[union-attr]
    assert verb.callback.__kwdefaults__ is None
    parameters = verb.callback.__code__.co_varnames  # type: ignore[union-attr]
    assert all(word[2:].replace("-", "_") in parameters for word in words if word.startswith("--"))
    assert f"emotrain-{__version__}-" in (ROOT / "app" / "requirements.txt").read_text(encoding="utf-8")
