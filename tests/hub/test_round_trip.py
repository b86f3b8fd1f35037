"""Trained here, published, read back by the real clients: the same scores, a card that tells the truth, no secrets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

REPOSITORY = "org/emotion-adapter"
PUBLISHED = {
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
    "emotrain.json",
    "recipe.resolved.yaml",
    "provenance.json",
    "digests.json",
}
FRESH = """
import json, sys
from pathlib import Path

card, recipe, out = sys.argv[1:]
exec(compile(Path(card).read_text(), card, "exec"))  # the card's own block leaves `model` and `processor`

from emotrain.emotions import label_set
from emotrain.modeling.label_tokens import processor_labels
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.manifests import usable_clips
from emotrain.recipe.recipe import load_recipe
from emotrain.examples.scoring import score_clips
from emotrain.modeling.loading import load_processor

recipe = load_recipe(Path(recipe))
names = label_set(recipe.data.label_set).labels
processor = load_processor("org/tiny-base", image_size=recipe.data.image_size)
collator = Collator(Examples(recipe.data, recipe.context, names), processor)
ids = [clip.clip_id for clip in usable_clips(recipe, "test")[0]]
logits = score_clips(model, ids, collator, processor_labels(processor, names), batch_size=8)
Path(out).write_text(json.dumps({clip: row for clip, row in zip(ids, logits.tolist())}))
"""


def card_of(desk: Any, revision: str = "v1") -> tuple[dict[str, Any], str]:
    """Metadata and body of a published card."""
    text = desk.hub.files(REPOSITORY, revision)["README.md"].decode()
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def code(body: str) -> str:
    block = re.search(r"```python\n(.*?)```", body, re.DOTALL)
    assert block is not None
    return block[1]


def logits(predictions: Path) -> dict[str, list[float]]:
    return {row["clip_id"]: row["logits"] for row in pq.read_table(predictions).to_pylist()}


def test_the_repository_is_private_and_holds_the_adapter_its_card_and_nothing_else(desk: Any) -> None:
    assert desk.hub.repositories[REPOSITORY].private
    files = desk.hub.files(REPOSITORY, "v1")
    assert set(files) == PUBLISHED | {"figures/confusion.png", ".gitattributes"}
    assert set(desk.hub.files(REPOSITORY, "main")) == {".gitattributes"}, "a revision leaves main alone"
    assert files["adapter_model.safetensors"] == (desk.folder / "run" / "adapter_model.safetensors").read_bytes()
    config = json.loads(files["adapter_config.json"])
    assert config["base_model_name_or_path"] == "org/tiny-base"
    recipe = yaml.safe_load(files["recipe.resolved.yaml"])
    assert "output_dir" not in recipe
    assert "data" not in recipe
    assert not any(key.startswith(("hub_", "push_")) for key in recipe)
    assert recipe["lora_r"] == 4


def test_the_cards_own_code_in_a_fresh_process_gives_identical_label_logits(desk: Any, bench: Any) -> None:
    import cv2
    import numpy as np

    (desk.folder / "keyframes").mkdir()
    for i in range(2):
        image = np.full((56, 56, 3), 60 + 80 * i, np.uint8)
        cv2.imwrite(str(desk.folder / "keyframes" / f"{i}.jpg"), image)
    block = code(card_of(desk)[1])
    assert "emotrain" not in block.replace(REPOSITORY, ""), "plain transformers and PEFT"
    (desk.folder / "card.py").write_text(block, encoding="utf-8")
    (desk.folder / "fresh.py").write_text(FRESH, encoding="utf-8")
    out = desk.folder / "fresh.json"
    answer = desk.run("fresh.py", "card.py", desk.folder / "recipe.yaml", out)
    assert answer.strip(), "the block prints the model's answer"
    here = logits(desk.folder / "scores" / "predictions.parquet")
    assert here
    assert json.loads(out.read_text()) == here
    assert here != logits(desk.folder / "zero" / "predictions.parquet")


def test_evaluate_reads_a_published_revision_back(desk: Any) -> None:
    out = desk.folder / "again"
    words = ["evaluate", desk.folder / "recipe.yaml", "--adapter", f"{REPOSITORY}@v1", "--no-report", "--out", out]
    desk.emotrain(*words)
    assert logits(out / "predictions.parquet") == logits(desk.folder / "scores" / "predictions.parquet")
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["adapter"] == f"{REPOSITORY}@v1"
    local = json.loads((desk.folder / "scores" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["adapter_digest"] == local["adapter_digest"], "the same adapter wherever it lies"


def test_the_card_repeats_the_measured_figures_and_no_others(desk: Any) -> None:
    from huggingface_hub import ModelCard

    metadata, body = card_of(desk)
    metrics = json.loads((desk.folder / "scores" / "metrics.json").read_text(encoding="utf-8"))
    zero = json.loads((desk.folder / "zero" / "metrics.json").read_text(encoding="utf-8"))
    card = ModelCard(desk.hub.files(REPOSITORY, "v1")["README.md"].decode())
    shown = {result.metric_name: result.metric_value for result in card.data.eval_results}
    keys = {"WAR (accuracy)": "war", "UAR (mean recall over all classes)": "uar", "Macro-F1": "macro_f1"}
    keys["Tail F1 (mean over the rare classes)"] = "tail_f1"
    assert shown == {name: round(metrics[key]["value"], 4) for name, key in keys.items() if metrics[key] is not None}
    assert metadata["base_model"] == "org/tiny-base"
    for name, figures in (("this adapter", metrics), ("zero-shot", zero)):
        assert f"| {name} | {100 * figures['war']['value']:.1f} (" in body
    for label, row in metrics["per_class"].items():
        line = next(line for line in body.splitlines() if line.startswith(f"| {label} |"))
        assert line.split(" | ")[2] == str(row["support"])
        if row["support"]:
            assert f"{100 * row['recall']['low']:.1f}–{100 * row['recall']['high']:.1f}" in line
    provenance = json.loads((desk.folder / "run" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["made_from"]["manifest"] in body
    assert provenance["libraries"]["peft"] in body
    assert "regulated" in body
    assert "Which emotion does the person show?" in body


def test_scores_of_another_adapter_are_refused(desk: Any) -> None:
    from emotrain.hub.scores import read_scores

    assert len(read_scores(desk.folder / "run", desk.folder / "scores").arms) == 1
    with pytest.raises(ValueError, match="these figures are of another state of"):
        read_scores(desk.folder / "run" / "checkpoint-4", desk.folder / "scores")
    with pytest.raises(ValueError, match="these figures are of the base model without an adapter"):
        read_scores(desk.folder / "run", desk.folder / "zero")


def test_a_refused_token_ends_with_a_message(desk: Any) -> None:
    wrong = replace(desk, token="hf_" + "Zz9" * 10)
    said = wrong.emotrain("publish", "--adapter", desk.folder / "run", "--repo-id", "org/another", status=2)
    assert "create repository org/another: HTTP 401" in said
    assert "Traceback" not in said
    assert wrong.token not in said
    assert "org/another" not in desk.hub.repositories


def test_training_published_checkpoints_on_branches_and_the_last_on_main(desk: Any) -> None:
    repository = desk.hub.repositories["org/while-training"]
    assert repository.private
    assert set(repository.heads) == {"main", "checkpoint-4", "checkpoint-8"}
    for revision, source in (("main", "."), ("checkpoint-4", "checkpoint-4"), ("checkpoint-8", "checkpoint-8")):
        files = desk.hub.files("org/while-training", revision)
        assert set(files) == PUBLISHED | {".gitattributes"}, "no optimizer, no training arguments"
        assert (
            files["adapter_model.safetensors"]
            == (desk.folder / "run" / source / "adapter_model.safetensors").read_bytes()
        )
        assert str(desk.folder).encode() not in b"".join(files.values())
    assert desk.hub.files("org/while-training", "checkpoint-4") != desk.hub.files("org/while-training", "main")


def test_the_token_is_in_no_file_and_in_nothing_printed(desk: Any) -> None:
    """Run last of all in effect: whatever the tests before wrote is searched too."""
    token = desk.token.encode()
    held = [path for path in desk.folder.rglob("*") if path.is_file() and token in path.read_bytes()]
    assert not held
    assert not any(desk.token in text for text in desk.printed)
    assert not any(token in data for repo in desk.hub.repositories.values() for data in _every_file(repo))
    assert len(desk.printed) >= 4


def _every_file(repository: Any) -> list[bytes]:
    return [data for files in repository.commits.values() for data in files.values()]


@pytest.mark.parametrize("key", ["hub_token: hf_aaaaaaaaaaaaaaaaaaaaaaaa", "hub_always_push: true"])
def test_recipe_keys_that_would_leak_or_do_nothing_are_refused(key: str) -> None:
    from emotrain.recipe.recipe import RecipeError, parse_recipe

    with pytest.raises(RecipeError) as caught:
        parse_recipe({**yaml.safe_load(key), "use_cpu": True})
    assert key.split(":")[0] in str(caught.value)
    assert "hf_aaaa" not in str(caught.value)


def test_the_trainers_own_upload_stays_off() -> None:
    from emotrain.recipe.recipe import parse_recipe

    recipe = parse_recipe({"push_to_hub": True, "hub_model_id": "org/name", "use_cpu": True})
    assert recipe.sft.push_to_hub is False
    assert recipe.values["push_to_hub"] is True
