"""Keyframes drawn anew at every epoch: seeded, one a segment, with the summaries that belong to them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from emotrain.context.facs_times import cuts_of
from emotrain.context.facs_words import QUIET, describe
from emotrain.examples.redraw import redrawn
from emotrain.recipe.arguments import DataArguments
from emotrain.records import Event, Frame, Summary

FRAMES = [Frame("a", i, i / 25, "keyframe" if i in (25, 75) else "between", 0, b"") for i in range(100)]
EVENT = Event(1.5, 1.7, 1.9, ("chin",), ("17",), 9.0)
SUMMARIES = [
    Summary("a", 0, 0.0, 1.0, QUIET, False, "motion"),
    Summary("a", 1, 1.0, 3.0, describe([EVENT]), True, "motion", (EVENT,)),
    Summary("a", 2, 3.0, 4.0, QUIET, False, "motion"),
]


def times(epoch: int, seed: int = 0) -> list[float]:
    return [frame.time_s for frame in redrawn(FRAMES, (), 4, seed=seed, epoch=epoch)[0]]


def test_every_epoch_has_a_frame_of_every_segment_and_its_own() -> None:
    drawn = [times(epoch) for epoch in range(200)]
    for row in drawn:
        assert [int(t) for t in row] == [0, 1, 2, 3]
    assert len({tuple(row) for row in drawn}) > 190
    assert times(3) == times(3)
    assert times(3) != times(3, seed=1)
    seen = {t for row in drawn for t in row}
    assert len(seen) > 95, "over epochs all frames have their chance"
    assert abs(np.mean([row[0] for row in drawn]) - 0.5) < 0.07


def test_events_are_told_in_the_gap_where_they_now_lie() -> None:
    for epoch in range(20):
        keyframes, summaries = redrawn(FRAMES, SUMMARIES, 4, seed=0, epoch=epoch)
        assert all(frame.role == "keyframe" for frame in keyframes)
        assert len(summaries) == 5
        edges = [0.0, *(frame.time_s for frame in keyframes), 4.0]
        assert [(s.start_s, s.end_s) for s in summaries] == list(pairwise(edges))
        (told,) = [s for s in summaries if s.changed]
        assert told.start_s <= EVENT.apex_s <= told.end_s
        assert told.text == SUMMARIES[1].text
        assert all(s.text == QUIET for s in summaries if not s.changed)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_cuts_are_told_in_the_gap_where_they_now_lie(language: str) -> None:
    stored = [
        replace(s, text=describe(s.events, cuts_s=cuts_s, language=language))
        for s, cuts_s in zip(SUMMARIES, ([0.4], [1.6, 2.5], []))
    ]
    for epoch in range(20):
        _, summaries = redrawn(FRAMES, stored, 4, seed=0, epoch=epoch, language=language)
        found = [(cut_s, s) for s in summaries for cut_s in cuts_of(s.text)]
        assert [cut_s for cut_s, _ in found] == [0.4, 1.6, 2.5]
        assert all(s.start_s <= cut_s <= s.end_s for cut_s, s in found)
        assert [s.events for s in summaries if s.changed] == [(EVENT,)]


def test_words_without_events_cannot_be_told_again() -> None:
    words = [Summary("a", 1, 1.0, 3.0, "The chin rises.", True, "vlm")]
    with pytest.raises(ValueError, match=r"clip 'a' gap 1 was summarised by 'vlm'.*use summarizer: motion"):
        redrawn(FRAMES, words, 4, seed=0, epoch=0)


def test_redrawing_needs_all_frames() -> None:
    DataArguments(redraw_keyframes=True, keyframe_policy="stratified", between=-1)
    for keys in ({"between": 4, "keyframe_policy": "stratified"}, {"between": -1}):
        with pytest.raises(ValueError, match="redraw_keyframes: needs all frames"):
            DataArguments(redraw_keyframes=True, **keys)  # type: ignore[arg-type]
