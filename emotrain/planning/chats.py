"""The prompts of a plan: those of the prepared clips, or before preparation one typical and one long clip.

Frames are never decoded: a prompt's length depends on how many there are, when they are and how large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from emotrain.context.facs_words import QUIET, describe
from emotrain.context.gaps import gaps_of
from emotrain.context.prompt import PromptSettings, build_messages
from emotrain.context.summarize import load_summaries
from emotrain.emotions import display_names, label_set
from emotrain.examples.examples import Examples
from emotrain.examples.summaries import summaries_name
from emotrain.parquet_files import opened, read_table
from emotrain.pictures import picture_of
from emotrain.planning.prompts import Chat
from emotrain.recipe.recipe import Recipe
from emotrain.records import Event, Frame, Summary
from emotrain.stages.parts import finished_parts
from emotrain.video.frame_settings import read_frames_header

_REMEDY = "run `emotrain prep RECIPE --stage frames`, which makes this part anew"
BETWEEN = 4
"""In-between frames a gap in the dense arm when the recipe stores none: the number of the method's paper."""

TYPICAL_UNITS, LONG_UNITS = ("1", "15"), ("1", "4", "15", "17")


@dataclass(frozen=True, slots=True)
class Clips:
    """Keyframe times and summaries by clip id. `told` is False where the summaries are made up."""

    times_s: Mapping[str, tuple[float, ...]]
    summaries: Mapping[str, Sequence[Summary]]
    size: tuple[int, int]
    told: bool
    assumptions: tuple[str, ...]


def prepared_clips(recipe: Recipe, tokenizer: Any) -> Clips | None:
    """Times and summaries of the clips that have frames; None before the frames stage.

    Summaries are told as the recipe's controls want them. Where the summarise stage has not run they are made up.
    """
    data = Path(recipe.data.data)
    frames = data / "frames"
    parts = finished_parts(frames) if frames.is_dir() else []
    if not parts:
        return None
    times = _times(parts)
    size = _size(parts[0])
    try:
        stored = load_summaries(data, summaries_name(data, recipe.context))
    except FileNotFoundError:
        made_up = {clip_id: typical_summaries(at) for clip_id, at in times.items()}
        return Clips(times, made_up, size, False, (f"summaries: not there yet; {TYPICAL}",))
    examples = Examples(recipe.data, recipe.context, label_set(recipe.data.label_set).labels)
    examples.tokenizer = tokenizer
    plain = recipe.context.context == "none" or (recipe.context.controls().needs_tokenizer and tokenizer is None)
    said = ("summaries: as stored; the recipe's token budget needs the tokenizer, which is not on this machine",)
    told = {clip_id: stored.get(clip_id, ()) if plain else examples.summaries(clip_id) for clip_id in times}
    return Clips(times, told, size, True, said if plain and recipe.context.context != "none" else ())


def imagined_clips(recipe: Recipe, duration_s: float) -> Clips:
    """A clip `typical` and a clip `long` of `duration_s` seconds with keyframes at segment centres."""
    count = recipe.data.keyframes
    at = tuple((k + 0.5) * duration_s / count for k in range(count))
    side = recipe.data.frame_size
    said = (
        f"prompts: one clip of {duration_s:.1f} s stands for all; its frames are {side} x {side} pixels; "
        f"summaries: {TYPICAL}"
    )
    told = {"typical": typical_summaries(at), "long": long_summaries(at)}
    return Clips(dict.fromkeys(told, at), told, (side, side), False, (said,))


TYPICAL = (
    "every second gap tells one change of two action units, the others none (longest: every gap tells one of four)"
)


def typical_summaries(times_s: Sequence[float]) -> list[Summary]:
    """Summaries of middling length: a change of two units in every second gap."""
    return _summaries(times_s, lambda gap: TYPICAL_UNITS if gap % 2 else ())


def long_summaries(times_s: Sequence[float]) -> list[Summary]:
    """Summaries as long as the motion back end makes them on a face that never rests."""
    return _summaries(times_s, lambda gap: LONG_UNITS)


def chat(recipe: Recipe, times_s: Sequence[float], summaries: Sequence[Summary], settings: PromptSettings) -> Chat:
    """The chat of one clip under a recipe's labels and language."""
    names = display_names(label_set(recipe.data.label_set).labels, settings.language)
    frames = [Frame("", k, time, "keyframe", None, b"") for k, time in enumerate(times_s)]
    return build_messages(frames, [replace(summary, clip_id="") for summary in summaries], names, settings)


def dense_times(times_s: Sequence[float], duration_s: float, per_gap: int) -> tuple[float, ...]:
    """Times of all keyframes and of `per_gap` in-between frames in each of the K + 1 gaps."""
    edges = [0.0, *times_s, max(duration_s, times_s[-1])]
    inner = [start + (end - start) * (i + 1) / (per_gap + 1) for start, end in pairwise(edges) for i in range(per_gap)]
    return tuple(sorted([*times_s, *inner]))


def _summaries(times_s: Sequence[float], units: Callable[[int], tuple[str, ...]]) -> list[Summary]:
    duration_s = times_s[-1] + times_s[0]
    told = []
    for gap in gaps_of("", times_s, duration_s):
        names = units(gap.gap)
        event = Event(gap.start_s, (gap.start_s + gap.end_s) / 2, gap.end_s, (), names, 8.0)
        text = describe([event]) if names else QUIET
        told.append(Summary("", gap.gap, gap.start_s, gap.end_s, text, bool(names), "motion"))
    return told


def _times(parts: Sequence[Path]) -> dict[str, tuple[float, ...]]:
    times: dict[str, list[float]] = {}
    for part in parts:
        columns = read_table(part, _REMEDY, ["clip_id", "time_s", "role"]).to_pydict()
        for clip_id, time_s, role in zip(columns["clip_id"], columns["time_s"], columns["role"]):
            if role == "keyframe":
                times.setdefault(clip_id, []).append(time_s)
    return {clip_id: tuple(sorted(at)) for clip_id, at in times.items()}


def _size(part: Path) -> tuple[int, int]:
    """Height and width of the first stored frame; the frames of a data set are stored with one longer side."""
    with opened(part, _REMEDY) as file:
        first = next(file.iter_batches(1, columns=["image"])).to_pylist()[0]
    picture = picture_of(first["image"]["bytes"])
    return picture.height, picture.width


def stored_keyframes(recipe: Recipe) -> int | None:
    """Keyframes a clip that the frames on disk have; None before the frames stage."""
    stated = read_frames_header(Path(recipe.data.data))
    return None if stated is None else int(stated["settings"]["keyframes"])
