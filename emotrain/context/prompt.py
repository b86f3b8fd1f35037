"""From keyframes and summaries to the chat messages a vision-language model reads.

    [0.25 s] <image> 0.25-0.75 s: inner brows rise (brief, peak 0.53 s). [0.75 s] <image> ... Which emotion ...?

Every piece of wording is a small Jinja file in `templates/`, named <piece>.<language>.jinja; copies of one with another
name, or in another language, are chosen by the settings. The sparse arm (`context: none`) has the same keyframes,
times and question and no summaries, so the two arms show a model exactly the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from emotrain.context.question import check_question, filled, question_piece
from emotrain.context.text_bounds import bounded, most_of_gap
from emotrain.context.trajectory import trajectory
from emotrain.emotions import nearest
from emotrain.records import Frame, Summary

if TYPE_CHECKING:
    from jinja2 import Template

Context = Literal["none", "summaries"]

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """How a clip is put to the model.

    `context` chooses the arm; `images` says whether keyframes are shown or only spoken about; `trajectory` adds the
    course of the whole clip in one line; `show_times` writes times before keyframes and summaries; `quiet` says whether
    gaps without change are written too; `question` (see question.py) and `language` name the template files.
    """

    context: Context = "summaries"
    images: bool = True
    trajectory: bool = False
    show_times: bool = True
    quiet: bool = True
    question: str = "emotion"
    language: str = "en"

    def __post_init__(self) -> None:
        if self.context not in ("none", "summaries"):
            raise ValueError(f"prompt context {self.context!r}; {nearest(self.context, ('none', 'summaries'))}")
        check_question(self.question)
        for piece in (*question_piece(self.question), "keyframe", "summary", "trajectory"):
            _template(piece, self.language)


def build_messages(
    frames: Sequence[Frame],
    summaries: Sequence[Summary],
    labels: Sequence[str],
    settings: PromptSettings,
    order: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """Chat messages (the format of transformers' chat templates) for one clip.

    Keyframes among `frames` become `{"type": "image"}` parts in time order: pass the images to the processor in that
    order (`keyframes(frames)`); with `images` off their times stay and the parts are left out. `labels` are shown in
    the order given, or permuted by `order`. Summaries of gap k stand before keyframe k, each within the bounds of
    text_bounds.py. Raises ValueError for an `order` that is no permutation and for frames of several clips.
    """
    shown = list(labels) if order is None else _permuted(labels, order)
    keys = keyframes(frames)
    if not keys:
        raise ValueError("build_messages: no keyframe among the frames; run the frames stage for this clip")
    if len({frame.clip_id for frame in frames} | {summary.clip_id for summary in summaries}) > 1:
        raise ValueError(f"build_messages: frames and summaries of several clips, beginning with {keys[0].clip_id!r}")
    told = {summary.gap: summary for summary in summaries} if settings.context == "summaries" else {}
    most = most_of_gap(len(keys) + 1)
    parts: list[dict[str, Any]] = []
    words: list[str] = []
    for gap in range(len(keys) + 1):
        summary = told.get(gap)
        if (
            summary is not None
            and summary.text
            and (summary.changed or settings.quiet)
            and summary.end_s > summary.start_s
        ):
            words.append(_summary(summary, settings, most))
        if gap < len(keys):
            if settings.show_times:
                words.append(render("keyframe", settings, time_s=keys[gap].time_s))
            if settings.images:
                if words:
                    parts.append({"type": "text", "text": " ".join(words)})
                parts.append({"type": "image"})
                words = []
    course = trajectory(list(told.values())) if settings.trajectory else None
    if course is not None:
        words.append(render("trajectory", settings, **asdict(course)))
    if question_piece(settings.question):
        words.append(render(settings.question, settings, labels=shown, context=settings.context, n_keyframes=len(keys)))
    else:
        words.append(filled(settings.question, shown, settings.language))
    parts.append({"type": "text", "text": " ".join(words)})
    return [{"role": "user", "content": parts}]


def keyframes(frames: Sequence[Frame]) -> list[Frame]:
    """The keyframes among `frames`, in time order: the order of the image parts of a prompt."""
    return sorted((frame for frame in frames if frame.role == "keyframe"), key=lambda frame: frame.time_s)


def prompt_text(messages: Sequence[dict[str, Any]], image: str = "<image>") -> str:
    """The messages as one line, each image as `image`: for reports and for training a tokenizer."""
    return " ".join(
        image if part["type"] == "image" else part["text"] for message in messages for part in message["content"]
    )


def _summary(summary: Summary, settings: PromptSettings, most: int) -> str:
    return render(
        "summary",
        settings,
        start_s=summary.start_s,
        end_s=summary.end_s,
        text=bounded(summary.text, most, settings.language),
        changed=summary.changed,
        show_times=settings.show_times,
    )


def _permuted(labels: Sequence[str], order: Sequence[int]) -> list[str]:
    if sorted(order) != list(range(len(labels))):
        raise ValueError(f"build_messages: order {list(order)} is no permutation of {len(labels)} labels")
    return [labels[i] for i in order]


def render(piece: str, settings: PromptSettings, **values: Any) -> str:
    """One template of the settings' language, filled in, on one line."""
    return " ".join(_template(piece, settings.language).render(**values).split())


@cache
def _template(piece: str, language: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    path = TEMPLATES / f"{piece}.{language}.jinja"
    known = sorted(file.name.removesuffix(".jinja") for file in TEMPLATES.glob("*.jinja"))
    if f"{piece}.{language}" not in known:
        raise ValueError(
            f"no prompt template {path.name}; {nearest(f'{piece}.{language}', known)}; put it in {TEMPLATES}"
        )
    return SandboxedEnvironment(undefined=StrictUndefined).from_string(path.read_text(encoding="utf-8"))
