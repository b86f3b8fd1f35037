"""Targets: labels, or the shares of annotators' votes over the label set in its order."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.manifest import build_manifest
from emotrain.examples.targets import drawn_votes, target_of, vote_shares
from emotrain.records import Clip

LABELS = ("happiness", "sadness", "anger")


def clip(clip_id: str, label: str, votes: Mapping[str, float] | None) -> Clip:
    return Clip(clip_id, f"{clip_id}.mp4", label, votes=votes)


def test_votes_come_in_the_order_of_the_label_set_and_those_for_other_labels_go() -> None:
    shares = vote_shares(clip("a", "anger", {"anger": 0.4, "contempt": 0.2, "happiness": 0.4}), LABELS)
    assert shares == pytest.approx([0.5, 0.0, 0.5])
    assert vote_shares(clip("a", "anger", {"contempt": 1.0}), LABELS) is None
    assert vote_shares(clip("a", "anger", None), LABELS) is None


def test_a_clip_without_votes_keeps_its_label_and_is_counted_once(capsys: pytest.CaptureFixture[str]) -> None:
    clips = [
        clip("a", "anger", {"anger": 0.75, "sadness": 0.25}),
        clip("b", "sadness", None),
        clip("c", "anger", {"contempt": 1.0}),
    ]
    votes = drawn_votes(build_manifest(clips, DrawSettings("natural", epochs=3)), clips, LABELS)
    assert votes == {"a": [0.0, 0.25, 0.75], "b": [0.0, 1.0, 0.0], "c": [0.0, 0.0, 1.0]}
    assert capsys.readouterr().err.splitlines() == [
        "targets: votes: 2 of 3 drawn clips have no votes and keep their label (first 'b')"
    ]


def test_a_data_set_without_votes_is_refused() -> None:
    clips = [clip("a", "anger", None), clip("b", "sadness", None)]
    with pytest.raises(ValueError, match=r"none of the 2 drawn clips has votes.*targets: hard"):
        drawn_votes(build_manifest(clips, DrawSettings("natural", epochs=1)), clips, LABELS)


def test_a_batch_has_positions_or_shares_and_a_label_outside_the_set_is_named() -> None:
    rows = [{"clip_id": "a", "label": "anger"}, {"clip_id": "b", "label": "happiness"}]
    assert torch.equal(target_of(rows, LABELS), torch.tensor([2, 0]))
    voted = [{**row, "votes": shares} for row, shares in zip(rows, ([0.0, 0.25, 0.75], [1.0, 0.0, 0.0]))]
    assert torch.equal(target_of(voted, LABELS), torch.tensor([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]]))
    for row in ({"clip_id": "c", "label": "fear"}, {"clip_id": "c", "label": "fear", "votes": [1.0, 0.0, 0.0]}):
        with pytest.raises(ValueError, match=r"clip 'c' has the label 'fear'.*set label_set"):
            target_of([row], LABELS)
