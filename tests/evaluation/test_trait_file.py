"""`emotrain score --traits --prior`: the worst group of any column, and accuracy where classes occur otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emotrain.atomic_files import write_table
from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.evaluation.score import score_file
from emotrain.evaluation.trait_file import read_traits
from emotrain.records import Clip, to_table


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """Predictions on 80 clips of 20 people: women are read better, and anger better than fear."""
    rows = ["clip_id,label,predicted"]
    for i in range(80):
        label = "anger" if i % 4 < 2 else "fear"
        right = (i // 4) % 2 == 0 or (label == "anger" and i % 2 == 0)
        rows.append(f"c{i},{label},{label if right else 'anger' if label == 'fear' else 'fear'}")
    (tmp_path / "predictions.csv").write_text("\n".join(rows))
    clips = [
        Clip(f"c{i}", f"c{i}.mp4", "anger" if i % 4 < 2 else "fear", split="test", subject=f"p{i // 4}")
        for i in range(80)
    ]
    metadata = {"root": str(tmp_path), "dataset": "csv", "label_set": "own", "labels": '["anger", "fear"]'}
    write_table(to_table(clips, Clip, metadata), tmp_path / "data" / "clips.parquet")
    return tmp_path


def test_any_column_of_a_table_of_people_gives_its_worst_group(scored: Path) -> None:
    people = "\n".join(f"p{i},{'f' if i % 2 == 0 else 'm'},{20 + i},-" for i in range(20))
    (scored / "people.csv").write_text(f"Subject,Sex,Age,Glasses\n{people}\n")
    (scored / "prior.json").write_text('{"anger": 9, "fear": 1}')
    (arm,) = score_file(
        scored / "predictions.csv",
        out=scored / "out",
        label_set="anger, fear",
        clips=scored / "data",
        prior={"anger": 9, "fear": 1},
        traits=scored / "people.csv",
        resamples=200,
    )
    sex = arm.metrics["traits"]["sex"]
    assert (sex["worst"], sex["best"], sex["gap"]["value"]) == ("m", "f", 0.75)
    assert sex["p"] < 0.05
    assert arm.metrics["traits"]["age"]["p"] > 0.05
    assert set(arm.metrics["traits"]) == {"age", "sex"}, "nothing is known of the glasses"
    anger, fear = (arm.metrics["per_class"][label]["recall"]["value"] for label in ("anger", "fear"))
    assert arm.metrics["war_at_prior"]["value"] == pytest.approx(0.9 * anger + 0.1 * fear)
    assert arm.metrics["war_at_prior"]["low"] < 0.9 * anger + 0.1 * fear < arm.metrics["war_at_prior"]["high"]
    page = (scored / "out" / "report.html").read_text("utf-8")
    assert "For whom it works worst" in page
    assert "WAR at prior" in page
    metrics = json.loads((scored / "out" / "metrics.json").read_text("utf-8"))
    assert "people" in metrics["arms"]["predictions"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("clip_id\nc1\n", "no column beside the one that names the clips"),
        ("name_of_clip,sex\nc1,f\n", "expected a column clip_id, or subject"),
        ("subject,sex\nnobody,f\n", "no subject of the index is in it; the index has p0"),
    ],
)
def test_a_table_that_says_nothing_of_the_clips_is_refused(scored: Path, table: str, message: str) -> None:
    (scored / "people.csv").write_text(table)
    clips = {clip.clip_id: clip for clip in read_index(scored / "data").clips}
    with pytest.raises(ValueError, match=message):
        read_traits(scored / "people.csv", clips)


def test_a_prior_of_other_labels_is_refused(scored: Path) -> None:
    with pytest.raises(ValueError, match="the prior and predictions differ in fear, joy"):
        score_file(
            scored / "predictions.csv", out=scored / "out", label_set="anger, fear", prior={"anger": 1, "joy": 2}
        )


def test_columns_of_people_in_an_own_annotation_reach_the_index(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(64))
    (tmp_path / "b.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(64))
    text = "path,label,split,Sex,trait_light,mood\na.mp4,anger,train,f,dark,x\nb.mp4,fear,test,,bright,y\n"
    (tmp_path / "clips.csv").write_text(text)
    report = index_clips("csv", tmp_path, tmp_path / "out", label_set="anger, fear")
    traits = {clip.clip_id: clip.traits for clip in read_index(tmp_path / "out")}
    assert traits == {"a.mp4": {"sex": "f", "light": "dark"}, "b.mp4": {"light": "bright"}}
    assert any("'mood'" in warning for warning in report.warnings["column ignored"])
    assert not any("Sex" in warning for warning in report.warnings["column ignored"])
