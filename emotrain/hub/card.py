"""The model card: metadata that the Hub indexes, then a page for people, from one Jinja template that can be replaced.

A figure that was not measured is not in the card: no default, no placeholder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from emotrain.atomic_files import replacing, write_text
from emotrain.context.prompt import PromptSettings, build_messages, prompt_text
from emotrain.emotions import display_names
from emotrain.evaluation.headline import percent, points
from emotrain.examples.input_contract import InputContract, read_contract
from emotrain.hub.base import Base
from emotrain.hub.notices import notice
from emotrain.hub.scores import HEADLINE, Scores
from emotrain.hub.staging import CARD, CONFUSION, recipe_values
from emotrain.json_files import read_object
from emotrain.markdown import code, fence, plain
from emotrain.recipe.recipe import RESOLVED
from emotrain.records import Frame, Summary
from emotrain.training.checkpoints import PROVENANCE

TEMPLATE = Path(__file__).parent / "templates" / "card.md.jinja"
TAGS = ("emotion-recognition", "facial-expression-recognition", "lora", "emotrain")
METRIC_TYPES = {"war": "accuracy", "uar": "recall", "macro_f1": "f1", "tail_f1": "f1"}
METRIC_NAMES = {
    "war": "WAR (accuracy)",
    "uar": "UAR (mean recall over all classes)",
    "macro_f1": "Macro-F1",
    "tail_f1": "Tail F1 (mean over the rare classes)",
}


@dataclass(frozen=True, slots=True)
class CardSource:
    """What a card is written from. `folder` is the staged adapter; `steps` the optimizer steps it has had."""

    folder: Path
    repo_id: str
    base: Base
    revision: str | None = None
    steps: int | None = None
    scores: Scores | None = None


def write_card(source: CardSource, template: Path | None = None) -> Path:
    """Write README.md, and the confusion matrix when there are scores, into the staged folder; returns the card's path.

    Metadata goes through huggingface_hub's own ModelCardData and is read back from the text before it is written.
    Raises ValueError for a template that names an unknown variable.
    """
    from huggingface_hub import ModelCard
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(percent=percent, points=points, interval=_interval, literal=_literal)
    environment.filters.update(plain=plain, code=code, fence=fence)
    path = template if template is not None else TEMPLATE
    try:
        body = environment.from_string(path.read_text(encoding="utf-8")).render(**_variables(source))
    except TemplateError as error:
        raise ValueError(f"{path}: {error}; see {TEMPLATE.name} in emotrain/hub/templates for the variables") from error
    data = _metadata(source)
    text = f"---\n{data.to_yaml()}\n---\n\n{body.strip()}\n"
    kept: Any = ModelCard(text).data
    if kept.eval_results != data.eval_results:
        raise ValueError(f"{path}: the card's model-index does not read back as it was written")
    write_text(text, source.folder / CARD)
    if source.scores is not None:
        _draw_confusion(source.scores, source.folder / CONFUSION)
    return source.folder / CARD


def _metadata(source: CardSource) -> Any:
    from huggingface_hub import EvalResult, ModelCardData

    values, scores = recipe_values(source.folder), source.scores
    results = []
    for key, _ in HEADLINE if scores is not None else ():
        interval = scores.metrics.get(key) if scores is not None else None
        if scores is not None and interval is not None:
            fold = values.get("fold")
            results.append(
                EvalResult(
                    task_type="video-classification",
                    task_name="Emotion recognition",
                    dataset_type=str(values.get("dataset", "unknown")),
                    dataset_name=notice(str(values.get("dataset"))).title,
                    dataset_config=None if fold is None else f"fold {fold}",
                    dataset_split=scores.split,
                    metric_type=METRIC_TYPES[key],
                    metric_name=METRIC_NAMES[key],
                    metric_value=round(float(interval["value"]), 4),
                )
            )
    on_hub: dict[str, Any] = (
        {"base_model": source.base.name, "base_model_relation": "adapter"} if source.base.on_hub else {}
    )
    return ModelCardData(
        library_name="peft",
        license="other",
        license_name="terms-of-base-model-and-data-set",
        pipeline_tag="video-classification",
        tags=list(TAGS),
        model_name=source.repo_id.rpartition("/")[2] if results else None,
        eval_results=results if results else None,
        **on_hub,
    )


def _variables(source: CardSource) -> dict[str, Any]:
    folder, scores = source.folder, source.scores
    values, contract = recipe_values(folder), read_contract(folder)
    provenance = read_object(folder / PROVENANCE, "stage it again") if (folder / PROVENANCE).is_file() else None
    return {
        "repo_id": source.repo_id,
        "revision": source.revision,
        "base": source.base,
        "steps": source.steps,
        "recipe": values,
        "recipe_yaml": yaml.safe_dump(values, sort_keys=False, allow_unicode=True).strip() if values else None,
        "recipe_file": RESOLVED,
        "data": notice(str(values["dataset"])) if "dataset" in values else None,
        "contract": None if contract is None else asdict(contract),
        "question": None if contract is None else _question(contract),
        "prompt": None if contract is None else _prompt(contract),
        "provenance": provenance,
        "scores": scores,
        "headline": [] if scores is None else [pair for pair in HEADLINE if scores.metrics.get(pair[0]) is not None],
        "classes": [] if scores is None else scores.common_first(),
        "differences": {} if scores is None else _differences(scores),
        "confusion": CONFUSION if scores is not None else None,
    }


def _question(contract: InputContract) -> str:
    """The question alone, as it is asked when nothing was told before it."""
    settings = PromptSettings(**{**contract.prompt, "context": "none", "trajectory": False, "show_times": False})
    frame = Frame("example", 0, 0.0, "keyframe", None, b"")
    messages = build_messages([frame], (), display_names(contract.labels, settings.language), settings)
    return str(messages[0]["content"][-1]["text"])


def _prompt(contract: InputContract) -> str:
    """The prompt of a clip that does not exist: a keyframe a second, angle brackets where summaries stand."""
    settings = PromptSettings(**contract.prompt)
    count = int(contract.frames["keyframes"])
    frames = [Frame("example", i, i + 0.5, "keyframe", None, b"") for i in range(count)]
    edges = [0.0, *(frame.time_s for frame in frames), float(count)]
    told = [
        Summary("example", gap, edges[gap], edges[gap + 1], "<what the face did here>", True, "example")
        for gap in range(count + 1)
    ]
    messages = build_messages(frames, told, display_names(contract.labels, settings.language), settings)
    return prompt_text(messages)


def _differences(scores: Scores) -> dict[str, dict[str, Mapping[str, float] | None]]:
    """Adapter - baseline by baseline and metric. `compare` gives the opposite sign, so bounds change places."""
    turned: dict[str, dict[str, Mapping[str, float] | None]] = {}
    for arm, row in zip(scores.arms, scores.compared):
        if row is not None:
            turned[arm.name] = {
                key: {"value": -row[key]["value"], "low": -row[key]["high"], "high": -row[key]["low"]}
                if row.get(key) is not None
                else None
                for key, _ in HEADLINE
            }
    return turned


def _interval(value: Mapping[str, float] | None) -> str:
    return "–" if value is None else f"{percent(value['value'])} ({percent(value['low'])}–{percent(value['high'])})"


def _literal(text: str) -> str:
    """A text as a Python string literal."""
    return json.dumps(text, ensure_ascii=False)


def _draw_confusion(scores: Scores, path: Path) -> None:
    from emotrain.evaluation.figures import write_figures

    with TemporaryDirectory() as drawn:
        write_figures(scores.arms[:1], scores.common_first(), Path(drawn))
        with replacing(path) as temporary:
            temporary.write_bytes((Path(drawn) / "confusion.png").read_bytes())
