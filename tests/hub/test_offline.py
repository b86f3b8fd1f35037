"""Fetched once, a recipe on a Hub id goes the whole way without a network, and says which commit it went on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from open_faces import film

from emotrain.examples.base_model import weights_digest
from emotrain.hub_errors import HubError

DRIVER = """
import json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:1"
from emotrain.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["emotrain", *words]
    main()
"""
"""One interpreter for all verbs: importing torch five times would take longer than the work."""


def test_what_was_fetched_is_enough_for_embeddings_training_scores_a_card_and_a_prediction(
    desk: Any, bench: Any, face_weights: Path, tmp_path: Path
) -> None:
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.recipe.recipe import load_recipe

    recipe = bench.recipe(
        tmp_path, model_name_or_path="org/tiny-base", vision_embeddings="stored", dataset="csv", epochs=1, resamples=50
    )
    ensure_manifest(load_recipe(recipe))
    fetched = desk.emotrain("fetch", recipe)
    commit = desk.hub.repositories["org/tiny-base"].heads["main"]
    assert re.search(rf"base model: org/tiny-base@main in \S+/models--org--tiny-base/snapshots/{commit}", fetched)

    asked = len(desk.hub.requests)
    run, scores = tmp_path / "run", tmp_path / "scores"
    video = tmp_path / "clip.mp4"
    film(video, "happiness", 3, 0, 224)  # predict looks for a face
    offline = [
        ["prep", recipe, "--stage", "embeddings"],
        ["train", recipe],
        ["evaluate", recipe, "--adapter", run, "--out", scores, "--no-report"],
        ["publish", "--adapter", run, "--repo-id", "org/a", "--scores", scores, "--dry-run", "--out", tmp_path / "out"],
        ["predict", video, "--adapter", run, "--device", "cpu", "--crop", "none"],
    ]
    said = desk.run("-c", DRIVER, json.dumps([[str(word) for word in words] for words in offline]))
    assert len(desk.hub.requests) == asked
    # The terminal's width decides where predict breaks its lines.
    assert re.search(r"label mass \d\.\d\d", " ".join(said.split())), said
    provenance = json.loads((run / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["made_from"]["base"] == commit
    published = json.loads((tmp_path / "out" / "adapter_config.json").read_text(encoding="utf-8"))
    assert (published["base_model_name_or_path"], published["revision"]) == ("org/tiny-base", commit)
    contract = json.loads((tmp_path / "out" / "emotrain.json").read_text(encoding="utf-8"))
    assert contract["base_revision"] == commit

    # A `main` that moved is another base: nothing goes on with it.
    desk.hub.repositories["org/tiny-base"].add("main", {"config.json": b"{}"})
    try:
        (run / "adapter_model.safetensors").unlink()
        moved = desk.emotrain("train", recipe, status=2)
        assert f"base: '{commit}' there" in moved
    finally:
        desk.hub.repositories["org/tiny-base"].heads["main"] = commit


def test_a_model_that_is_nowhere_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(HubError, match=r"model_name_or_path 'org/nowhere': .*cache"):
        weights_digest("org/nowhere", "main")
