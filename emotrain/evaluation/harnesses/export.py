"""`emotrain export HARNESS RECIPE --out DIR`: the recipe's questions as a task that another harness runs by itself.

What is written to DIR are questions, labels and digests of pictures, and no picture: these lie in DATA/pictures, each
under the digest of its bytes, and whoever runs the task names that folder in EMOTRAIN_PICTURES. A further harness is a
function that writes its files, and an entry of HARNESSES.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from emotrain.atomic_files import replacing, write_table, write_text
from emotrain.emotions import nearest
from emotrain.evaluation.served.prompts import Prompts, prompts_of
from emotrain.examples.manifests import usable_clips
from emotrain.examples.prepared import check_prepared
from emotrain.progress import track
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip

PICTURES = "pictures"
_FILES = Path(__file__).parent / "files"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: `parts` are texts and pictures in the order of the prompt, {"text": ...} or {"picture": digest}."""

    clip_id: str
    label: str
    parts: tuple[dict[str, str], ...]


def lmms_eval(asked: Sequence[Asked], labels: Sequence[str], name: str, out: Path) -> str:
    """A task folder of lmms-eval (`--include_path`): a parquet of questions, the task, and the functions it names."""
    rows = [{"clip_id": one.clip_id, "label": one.label, "parts": json.dumps(one.parts)} for one in asked]
    write_table(pa.Table.from_pylist(rows), out / f"{name}.parquet")
    _copy("lmms_eval_task.py.txt", out / "emotrain_task.py", labels)
    figures = ("war", "uar")
    values: dict[str, Any] = {
        "task": name,
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": str((out / f"{name}.parquet").resolve())}},
        "test_split": "test",
        "output_type": "generate_until",
        "generation_kwargs": {"max_new_tokens": 64, "temperature": 0, "do_sample": False},
        **{f"doc_to_{part}": f"!function emotrain_task.{part}" for part in ("messages", "visual", "text")},
        "doc_to_target": "label",
        "process_results": "!function emotrain_task.results",
        "metric_list": [
            {"metric": figure, "aggregation": f"!function emotrain_task.{figure}", "higher_is_better": True}
            for figure in figures
        ],
        "metadata": [{"version": 1.0}],
    }
    text = json.dumps(values, indent=2, ensure_ascii=False)  # JSON is YAML, but for the tags of functions
    write_text(re.sub(r'"(!function [\w.]+)"', r"\1", text) + "\n", out / f"{name}.yaml")
    return f"lmms-eval --include_path {out} --tasks {name} --log_samples --output_path RESULTS --model ..."


def vlmevalkit(asked: Sequence[Asked], labels: Sequence[str], name: str, out: Path) -> str:
    """A data set of VLMEvalKit: a table for LMUData, and a program that runs VLMEvalKit with the set known to it."""
    head = ("index", "question", "answer", "clip_id")
    lines = [(str(n), json.dumps(one.parts, ensure_ascii=False), one.label, one.clip_id) for n, one in enumerate(asked)]
    write_text("".join(_tsv_line(row) for row in (head, *lines)), out / f"{name}.tsv")
    _copy("vlmevalkit_run.py.txt", out / "run.py", labels)
    return f"python {out / 'run.py'} --data {name} --model ..."


HARNESSES: Mapping[str, Callable[[Sequence[Asked], Sequence[str], str, Path], str]] = {
    "lmms-eval": lmms_eval,
    "vlmevalkit": vlmevalkit,
}
"""What writes the files of each harness to a folder; it returns the command that runs them there."""


def export(harness: str, recipe: Recipe, out: Path) -> str:
    """Write the questions of the recipe's split for a harness; returns the command that asks them.

    Raises ValueError for an unknown harness and for frames that are not the recipe's.
    """
    if harness not in HARNESSES:
        raise ValueError(f"unknown harness {harness!r}; {nearest(harness, HARNESSES)}")
    check_prepared(recipe)
    clips = usable_clips(recipe, recipe.evaluation.split)[0]  # type: ignore[arg-type]
    prompts = prompts_of(recipe, 0)
    pictures = Path(recipe.data.data) / PICTURES
    with track("export", len(clips)) as advance:
        asked = []
        for clip in clips:
            asked.append(question(clip, prompts, pictures))
            advance(1)
    name = "emotrain_" + re.sub(r"\W+", "_", recipe.evaluation.arm.lower()).strip("_")
    command = HARNESSES[harness](asked, prompts.examples.labels, name, out)
    recipe.save(out)
    return f"EMOTRAIN_PICTURES={pictures.resolve()} {command}"


def question(clip: Clip, prompts: Prompts, pictures: Path) -> Asked:
    """A clip's question, its pictures written to a folder under the digest of their bytes."""
    messages, frames = prompts.examples.messages(clip.clip_id)
    waiting = iter(frames)
    parts: list[dict[str, str]] = []
    for part in (part for message in messages for part in message["content"]):
        if part["type"] == "text":
            parts.append({"text": part["text"]})
            continue
        image = next(waiting).image
        digest = blake2b(image, digest_size=16).hexdigest()
        path = pictures / digest[:2] / f"{digest}.jpg"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, durable=False) as temporary:
                temporary.write_bytes(image)
        parts.append({"picture": f"{digest[:2]}/{digest}.jpg"})
    return Asked(clip.clip_id, clip.label, tuple(parts))


def _copy(file: str, to: Path, labels: Sequence[str]) -> None:
    """A program of this folder with the labels of the task in it."""
    text = (_FILES / file).read_text(encoding="utf-8")
    write_text(text.replace("LABELS = ()", f"LABELS = {tuple(labels)!r}"), to)


def _tsv_line(cells: Sequence[str]) -> str:
    return "\t".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"
