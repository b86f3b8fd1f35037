"""Accuracy by the number of keyframes and by frame rate, beside the share of short events that such sampling misses.

Each clip is decoded once, in memory, for all samplings. Summaries that were written for the stored keyframes are told
anew: their events go to the gaps between the new keyframes; texts without events go whole to the gap of their middle.
The adapter was trained at one number of keyframes, so the curve says how it bears another, not what training at
another would give; `emotrain study` trains one arm a rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.context.gaps import gaps_of
from emotrain.context.retell import retold
from emotrain.context.views import STORED, View
from emotrain.datasets.clips import CLIPS_FILE, ClipIndex
from emotrain.datasets.paths import inside
from emotrain.evaluation.scorer import Scorer
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.scoring import score_clips
from emotrain.faces.framing import framing_of
from emotrain.metrics.intervals import proportion
from emotrain.progress import track
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Frame, Summary
from emotrain.video.decode import open_clip
from emotrain.video.extract import jpeg_encoder
from emotrain.video.framing import Framing
from emotrain.video.keyframes import choose_keyframes
from emotrain.video.miss import APEX_S, p_miss
from emotrain.video.reader import Indices, Times, duration_of

COUNTS = (1, 2, 4, 8, 16)
RATES = (1, 2, 5, 10)
EVENT_S = 0.25
"""Length of the event whose P(miss) is given for clips without annotated onset and offset: a micro-expression."""

Sampling = tuple[str, int]
"""A keyframe policy and its number of keyframes (0 where the policy decides)."""
Taken = Mapping[Sampling, Sequence[Frame]]


def samplings() -> list[Sampling]:
    """Every sampling that is tried."""
    return [*(("segment_centres", count) for count in COUNTS), *((f"fps:{rate}", 0) for rate in RATES)]


def by_frame_count(recipe: Recipe, scorer: Scorer, clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """One row a sampling: `frames` (mean), `accuracy`, `micro` and `macro` (Wilson), `p_miss`, `missed`.

    `p_miss` is the probability by formula, averaged over the clips' durations and events; `missed` the share of the
    annotated events that no keyframe lies in, None without annotation; both once more for micro-expressions alone, of
    which `p_miss_apex_micro` asks for a keyframe at the apex.
    """
    taken = take(recipe, clips)
    micro = [clip for clip in clips if clip.kind == "micro"]
    rows = []
    for sampling in samplings():
        of_clip = {clip_id: found[sampling] for clip_id, (found, _) in taken.items()}
        durations_s = {clip_id: duration_s for clip_id, (_, duration_s) in taken.items()}
        examples = Resampled(recipe, scorer, of_clip, durations_s)
        frames = float(np.mean([len(found) for found in of_clip.values()]))
        logits = score_clips(
            scorer.model,
            [clip.clip_id for clip in clips],
            Collator(examples, scorer.processor),
            scorer.labels,
            # As many frames at once as the recipe's batch has.
            batch_size=max(1, round(recipe.sft.per_device_eval_batch_size * recipe.data.keyframes / max(frames, 1))),
        )
        hits = [scorer.labels.labels[i] == clip.label for i, clip in zip(logits.argmax(1), clips)]
        policy, count = sampling
        rows.append(
            {
                "policy": policy,
                "frames": frames,
                "accuracy": _share(hits),
                **{
                    kind: _share([hit for hit, clip in zip(hits, clips) if clip.kind == kind])
                    for kind in ("micro", "macro")
                },
                "p_miss": _p_miss(policy, count, clips, durations_s),
                "missed": _missed(clips, of_clip),
                "p_miss_apex_micro": _p_miss(policy, count, micro, durations_s, APEX_S) if micro else None,
                "p_miss_micro": _p_miss(policy, count, micro, durations_s) if micro else None,
                "missed_micro": _missed(micro, of_clip),
            }
        )
    return rows


class Resampled(Examples):
    """Examples whose keyframes are given, with the recipe's summaries told for the gaps between those."""

    def __init__(
        self,
        recipe: Recipe,
        scorer: Scorer,
        frames: Mapping[str, Sequence[Frame]],
        durations_s: Mapping[str, float],
    ) -> None:
        super().__init__(recipe.data, recipe.context, scorer.labels.labels, scorer.processor.tokenizer)
        self._given = frames
        self._durations_s = durations_s
        self._language = recipe.context.language

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The given frames of the clip."""
        return list(self._given[clip_id])

    def summaries(
        self, clip_id: str, epoch: int | None = None, draw: int | None = None, view: View = STORED
    ) -> Sequence[Summary]:
        """The recipe's summaries of the clip, moved to the gaps between the given frames."""
        stored = super().summaries(clip_id, epoch, draw, view)
        if not stored:
            return ()
        times_s = [frame.time_s for frame in self._given[clip_id]]
        duration_s = max(self._durations_s[clip_id], stored[-1].end_s, times_s[-1])
        return retold(stored, gaps_of(clip_id, times_s, duration_s), self._language)


def take(recipe: Recipe, clips: Sequence[Clip]) -> dict[str, tuple[Taken, float]]:
    """The keyframes of every clip under every sampling, and its duration in seconds; one decoding pass a clip."""
    data = Path(recipe.data.data)
    root = ClipIndex(data / CLIPS_FILE).root
    framing = framing_of(data, recipe.data.crop, recipe.data.view)
    taken = {}
    with track("decode", len(clips)) as advance:
        for clip in clips:
            taken[clip.clip_id] = _take(recipe, clip, inside(root, clip.path), framing)
            advance(1)
    return taken


def _take(recipe: Recipe, clip: Clip, video: Path, framing: Framing) -> tuple[Taken, float]:
    def chosen(times_s: Times) -> dict[Sampling, Indices]:
        duration_s = duration_of(times_s, None)
        return {
            (policy, count): choose_keyframes(policy, times_s, max(count, 1), duration_s=duration_s, clip=clip)
            for policy, count in samplings()
        }

    with open_clip(video, recipe.data.decoder, fps=clip.fps) as reader:
        reader.look = framing.of(clip)
        indices, images = reader.encoded(
            lambda times_s: np.unique(np.concatenate(list(chosen(times_s).values()))),
            recipe.data.frame_size,
            jpeg_encoder(recipe.data.frame_quality),
        )
        times_s = reader.times_s
    image_of = dict(zip(indices.tolist(), images))
    frames = {
        sampling: [
            Frame(clip.clip_id, index, float(times_s[index]), "keyframe", None, image_of[index])
            for index in keys.tolist()
        ]
        for sampling, keys in chosen(times_s).items()
    }
    return frames, duration_of(times_s, None)


def event_of(clip: Clip) -> tuple[float, float] | None:
    """Annotated onset and offset in seconds, None where the index lacks one of them."""
    if clip.onset_s is None or clip.offset_s is None or clip.offset_s <= clip.onset_s:
        return None
    return clip.onset_s, clip.offset_s


def _p_miss(
    policy: str, count: int, clips: Sequence[Clip], durations_s: Mapping[str, float], apex_s: float | None = None
) -> float:
    probabilities = []
    for clip in clips:
        event = event_of(clip)
        length_s = EVENT_S if event is None else event[1] - event[0]
        probabilities.append(p_miss(policy, durations_s[clip.clip_id], length_s, max(count, 1), apex_s=apex_s))
    return float(np.mean(probabilities))


def _missed(clips: Sequence[Clip], frames: Mapping[str, Sequence[Frame]]) -> float | None:
    missed = [
        not any(event[0] <= frame.time_s <= event[1] for frame in frames[clip.clip_id])
        for clip in clips
        for event in (event_of(clip),)
        if event is not None
    ]
    return float(np.mean(missed)) if missed else None


def _share(hits: Sequence[bool]) -> dict[str, float] | None:
    return proportion(sum(hits), len(hits)) if hits else None
