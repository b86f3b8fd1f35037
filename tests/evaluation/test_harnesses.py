"""A recipe as a task of other harnesses: all of the prompt, none of the pictures, and replies that are scored back."""

from __future__ import annotations

import csv
import json
import runpy
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from emotrain.emotions import label_set
from emotrain.evaluation.harnesses.export import HARNESSES, export
from emotrain.evaluation.score import score_arms
from emotrain.examples.examples import Examples

LABELS = label_set("mafw").labels


@pytest.mark.parametrize("harness", HARNESSES)
def test_questions_are_the_recipes_prompts_and_no_picture_is_exported(
    rendered: Any, harness: str, tmp_path: Path
) -> None:
    recipe = rendered(arm="sparse + natural")
    command = export(harness, recipe, tmp_path)
    assert "EMOTRAIN_PICTURES=" in command
    assert "emotrain_sparse_natural" in command
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert not {name for name in names if name.endswith((".jpg", ".png", ".mp4"))}
    assert b"\xff\xd8\xff" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    if harness == "lmms-eval":
        rows = pq.read_table(tmp_path / "emotrain_sparse_natural.parquet").to_pylist()
        parts = [json.loads(row["parts"]) for row in rows]
    else:
        with open(tmp_path / "emotrain_sparse_natural.tsv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        parts = [json.loads(row["question"]) for row in rows]
    assert len(rows) == 22
    examples = Examples(recipe.data, recipe.context, LABELS)
    pictures = Path(recipe.data.data) / "pictures"
    for row, said in zip(rows, parts):
        ((message,), frames) = examples.messages(row["clip_id"])
        assert [part.get("text") for part in said] == [part.get("text") for part in message["content"]]
        stored = [(pictures / part["picture"]).read_bytes() for part in said if "picture" in part]
        assert stored == [frame.image for frame in frames]
        assert all(blake2b(image, digest_size=16).hexdigest() in str(said) for image in stored)


def test_the_task_of_lmms_eval_counts_as_we_do(rendered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = rendered(arm="tiny")
    export("lmms-eval", recipe, tmp_path)
    text = (tmp_path / "emotrain_tiny.yaml").read_text("utf-8")
    task = yaml.safe_load(text.replace("!function ", ""))
    functions = runpy.run_path(str(tmp_path / "emotrain_task.py"))
    for name in (task["doc_to_messages"], task["process_results"], *(m["aggregation"] for m in task["metric_list"])):
        assert callable(functions[name.removeprefix("emotrain_task.")])
    docs = pq.read_table(tmp_path / "emotrain_tiny.parquet").to_pylist()
    monkeypatch.setenv("EMOTRAIN_PICTURES", str(Path(recipe.data.data) / "pictures"))
    (message,) = functions["messages"](docs[0])
    assert [part["type"] for part in message["content"]].count("image") == 4
    replies = [doc["label"] if n % 3 else "Fear." if n % 2 else "sad or happy" for n, doc in enumerate(docs)]
    scored = [functions["results"](doc, [reply]) for doc, reply in zip(docs, replies)]
    samples = [
        {"doc_id": n, "target": doc["label"], "filtered_resps": reply, "doc_hash": "0", **result}
        for n, (doc, reply, result) in enumerate(zip(docs, replies, scored))
    ]
    file = tmp_path / "samples.jsonl"
    file.write_text("".join(json.dumps(sample) + "\n" for sample in samples), "utf-8")
    (arm,) = score_arms(file, label_set=label_set("mafw"), resamples=50)
    assert arm.table.clip_ids == [doc["clip_id"] for doc in docs]
    assert functions["war"]([one["war"] for one in scored]) == pytest.approx(arm.metrics["war"]["value"])
    assert functions["uar"]([one["uar"] for one in scored]) == pytest.approx(arm.metrics["uar"]["value"])
    monkeypatch.delenv("EMOTRAIN_PICTURES")
    with pytest.raises(RuntimeError, match="EMOTRAIN_PICTURES is not set"):
        functions["messages"](docs[0])


def test_an_unknown_harness_is_named_with_the_nearest(rendered: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'lmms-eval'"):
        export("lmms_eval", rendered(), tmp_path)
