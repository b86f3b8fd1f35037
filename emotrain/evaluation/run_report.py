"""The report of finished evaluations: reads their folders, picks clips worth a page, writes `report.html`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from scipy.special import softmax

from emotrain.datasets.clips import read_index
from emotrain.evaluation.evaluate import PREDICTIONS, read_metrics
from emotrain.evaluation.headline import ArmResult, differences, print_table, verdicts
from emotrain.evaluation.report import write_report
from emotrain.evaluation.served.figures import server_sentences
from emotrain.evaluation.timeline import ClipStory
from emotrain.examples.examples import Examples
from emotrain.metrics.predictions import PredictionTable, read_predictions
from emotrain.metrics.published import PUBLISHED
from emotrain.metrics.verdict import Contrast
from emotrain.modeling.loading import load_processor
from emotrain.recipe.recipe import RESOLVED, Recipe, read_values
from emotrain.records import Clip, Event
from emotrain.stages.quarantine import quarantined_in

PAGES = 24
FACES = "faces"

_SHOWN_UNTRAINED = ("model_name_or_path", "context", "summarizer", "keyframes")
_SHOWN = ("model_name_or_path", "context", "summarizer", "keyframes", "sampling", "loss", "epochs", "lora_r", "seed")


def report_runs(
    recipe: Recipe,
    runs: Mapping[str, Path],
    out: Path,
    *,
    title: str = "",
    notes: Sequence[str] = (),
    contrasts: Sequence[Contrast] | None = None,
) -> Path:
    """Write the report of evaluation folders by arm name, the first being the one that others are compared with.

    `recipe` says where the clips, frames and summaries of the pages lie. `contrasts`
    are those declared beforehand; None is every arm against the first. Prints the headline table as well.
    """
    arms = [_read_arm(name, folder) for name, folder in runs.items()]
    index = read_index(Path(recipe.data.data))
    clips = {clip.clip_id: clip for clip in index.clips}
    kinds = {clip_id: clip.kind for clip_id, clip in clips.items()}
    resamples = recipe.evaluation.resamples
    compared = differences(arms, kinds, resamples=resamples)
    found = verdicts(arms, kinds, contrasts, resamples=resamples)
    print_table(arms, compared if len(arms) > 1 else None, found, title=title or None)
    examples = Examples(recipe.data, recipe.context, arms[0].table.labels)
    if examples.controls.needs_tokenizer:
        examples.tokenizer = load_processor(str(recipe.model.model_name_or_path)).tokenizer
    # Published figures are of the real data sets; beside synthetic clips they would only mislead.
    published = [row for row in PUBLISHED if row.label_set == index.dataset]
    return write_report(
        out,
        arms,
        title=title or f"{recipe.evaluation.arm} on {index.dataset}",
        clips=clips,
        stories=[_story(clips[clip_id], arms, examples) for clip_id in worth_a_page(arms, clips)],
        published=published,
        notes=[*notes, *_faces(recipe, out), *server_sentences({arm.name: [arm.metrics] for arm in arms})],
        compared=compared,
        found=found,
        resamples=resamples,
    )


def _faces(recipe: Recipe, out: Path) -> list[str]:
    """Which clips have no part in the figures because no face was found in them, and where faces can be looked at."""
    data = Path(recipe.data.data)
    if recipe.data.crop != "face" or not (data / FACES).is_dir():
        return []
    bad = Counter(record["label"] for record in quarantined_in(data / FACES))
    classes = f" ({', '.join(f'{label} {count}' for label, count in sorted(bad.items()))})" if bad else ""
    said = f"Faces were found and followed; {bad.total()} clips show none or could not be read{classes}."
    page = data / FACES / "report.html"
    if not page.is_file():
        return [f"{said} `emotrain faces report {data}` makes a page to look at them."]
    return [Markup('{} <a href="{}">Look at the faces.</a>').format(said, os.path.relpath(page, out))]


def worth_a_page(arms: Sequence[ArmResult], clips: Mapping[str, Clip], pages: int = PAGES) -> list[str]:
    """Clips to show: taken in turn from each pattern of arms being right or wrong, failures as well as successes.

    Within a pattern rare classes and micro-expressions come first, then the order of the clip id, so the choice is the
    same in every run and favours no arm.
    """
    hits = [{row.clip_id: row.label == row.predicted for row in arm.table.predictions} for arm in arms]
    groups = arms[0].metrics["groups"] or {}
    rank = {"tail": 0, "medium": 1, "head": 2}
    patterns: dict[tuple[bool, ...], list[str]] = {}
    for clip_id in sorted(
        arms[0].table.clip_ids,
        key=lambda name: (rank.get(groups.get(clips[name].label, ""), 3), clips[name].kind != "micro", name),
    ):
        patterns.setdefault(tuple(hit[clip_id] for hit in hits), []).append(clip_id)
    queues = [patterns[pattern] for pattern in sorted(patterns)]
    chosen: list[str] = []
    while queues and len(chosen) < pages:
        chosen.extend(queue.pop(0) for queue in queues[: pages - len(chosen)])
        queues = [queue for queue in queues if queue]
    return chosen


def probabilities(table: PredictionTable, clip_id: str) -> np.ndarray:
    """Softmax of a clip's label scores, (C,)."""
    row = next(row for row in table.predictions if row.clip_id == clip_id)
    shares: np.ndarray = softmax(np.array(row.logits))
    return shares


def _read_arm(name: str, folder: Path) -> ArmResult:
    metrics = read_metrics(folder)
    values = read_values(folder / RESOLVED)
    shown = _SHOWN if metrics["adapter"] is not None else _SHOWN_UNTRAINED
    settings = {key: values[key] for key in shown if key in values}
    return ArmResult(name, metrics, read_predictions(folder / PREDICTIONS), settings)


def _story(clip: Clip, arms: Iterable[ArmResult], examples: Examples) -> ClipStory:
    return ClipStory(
        clip,
        keyframes=examples.keyframes(clip.clip_id),
        summaries=examples.summaries(clip.clip_id),
        probabilities={
            arm.name: probabilities(arm.table, clip.clip_id) for arm in arms if arm.table.logits is not None
        },
        events=_annotated(clip),
    )


def _annotated(clip: Clip) -> tuple[Event, ...]:
    if clip.onset_s is None or clip.offset_s is None:
        return ()
    apex = clip.apex_s if clip.apex_s is not None else (clip.onset_s + clip.offset_s) / 2
    return (Event(clip.onset_s, apex, clip.offset_s, (), clip.action_units, 0.0),)
