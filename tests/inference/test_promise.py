"""`predict --coverage`: the calibration travels with the adapter, and nothing is promised that nothing keeps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emotrain
from emotrain.evaluation.evaluate import evaluate
from emotrain.evaluation.run_report import report_runs
from emotrain.examples.calibration_file import CALIBRATION, read_calibration
from emotrain.hub.publish import as_published
from emotrain.inference.reading_view import reading_html
from emotrain.inference.terminal import set_in_words
from emotrain.metrics.predictions import read_predictions
from emotrain.recipe.recipe import Recipe, parse_recipe


@pytest.fixture(scope="module")
def recipe(trained: Any) -> Recipe:
    """What the adapter was trained by, to be evaluated with the eleven clips that were set aside for validation."""
    return parse_recipe({**trained.recipe.values, "calibrate": True, "resamples": 100})


@pytest.fixture(scope="module")
def calibrated(trained: Any, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the adapter that was evaluated with `calibrate: true`, and the figures."""
    home = tmp_path_factory.mktemp("calibrated")
    shutil.copytree(trained.adapter, home / "run", ignore=shutil.ignore_patterns("checkpoint-*"))
    evaluate(recipe, home / "scores", str(home / "run"))
    return home / "run", home / "scores"


def test_a_video_gets_the_set_that_the_evaluation_gave_its_clip(
    calibrated: tuple[Path, Path], trained: Any, recipe: Recipe
) -> None:
    adapter, scores = calibrated
    calibration = read_calibration(adapter)
    assert calibration is not None
    held_out = read_predictions(scores / "validation.parquet")
    assert sum(map(len, calibration.scores.values())) == len(held_out) == 11
    recogniser = emotrain.load(adapter, device="cpu", coverage=0.3)
    reading = recogniser.predict(trained.clip(0))
    inside = calibration.sets(np.array([list(reading.probabilities.values())]), tuple(reading.probabilities), 0.3)[0]
    assert reading.possible == tuple(np.array(list(reading.probabilities))[inside])
    told = reading.as_json()
    assert (told["coverage"], told["set"]) == (0.3, list(reading.possible))
    words = set_in_words(reading)
    assert words.startswith("30% set: ")
    assert ("I do not know" in words) == (len(reading.possible) != 1)
    assert words.split(";")[0] in reading_html(reading)
    plain = emotrain.load(adapter, device="cpu").predict(trained.clip(0)).as_json()
    assert (plain["coverage"], plain["set"]) == (None, None)
    metrics = json.loads((scores / "metrics.json").read_text("utf-8"))
    assert [row["coverage"] for row in metrics["label_sets"]] == [0.8, 0.9, 0.95]
    # One clip a class cannot leave a label out at .9, and the figures say so.
    assert len(metrics["label_sets"][1]["always"]) == 11
    page = report_runs(recipe, {"arm": scores}, scores / "page").read_text("utf-8")
    assert "Knowing when it does not know" in page
    assert "too few validation clips to leave this label out" in page


def test_no_promise_is_made_that_nothing_keeps(calibrated: tuple[Path, Path], trained: Any, tmp_path: Path) -> None:
    adapter, _ = calibrated
    with pytest.raises(ValueError, match=r"no calibration\.json beside the adapter.*emotrain evaluate RECIPE"):
        emotrain.load(trained.adapter, coverage=0.9)
    with pytest.raises(ValueError, match="a base alone has none"):
        emotrain.load(None, base_model="tiny", label_set="mafw", coverage=0.9)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        emotrain.load(adapter, coverage=90.0)
    for given, field in (({"keyframes": 2}, "frames"), ({"context": "none"}, "context"), ({"tau": 0.5}, "tau")):
        with pytest.raises(ValueError, match=rf"another reading \(.*{field}.*leave out what you changed"):
            emotrain.load(adapter, coverage=0.9, **given)
    shutil.copytree(adapter, tmp_path / "other")
    contract = json.loads((tmp_path / "other" / "emotrain.json").read_text("utf-8"))
    (tmp_path / "other" / "emotrain.json").write_text(json.dumps({**contract, "image_size": 56}))
    (tmp_path / "other" / "digests.json").unlink()
    with pytest.raises(ValueError, match="of other weights or another input contract"):
        emotrain.load(tmp_path / "other", coverage=0.9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {"fear": [0.2, 1.5]}}, "a number from 0 to 1"),
        ({"scores": {"fear": [0.5, 0.2]}}, "rising order"),
        ({"scores": {"fear": [0.1] * 5000}}, "at most 2000"),
        ({"scores": {"fear\x1b[2J": [0.1]}}, "printable"),
        ({"base_url": "http://x"}, "base_url: unknown here"),
        ({"adapter": "../../etc"}, "the digest of an adapter"),
    ],
)
def test_what_no_calibration_may_say_is_refused_by_its_place(
    calibrated: tuple[Path, Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    said = json.loads((calibrated[0] / CALIBRATION).read_text("utf-8"))
    (tmp_path / CALIBRATION).write_text(json.dumps({**said, **change}))
    with pytest.raises(ValueError, match=message):
        read_calibration(tmp_path)


def test_the_calibration_is_published_and_of_a_control_arm_it_stays_with_the_figures(
    calibrated: tuple[Path, Path], recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter, _ = calibrated
    with as_published(adapter) as (folder, _):
        assert read_calibration(folder) == read_calibration(adapter)
    before = (adapter / CALIBRATION).read_bytes()
    evaluate(parse_recipe({**recipe.values, "context_control": "shuffled"}), tmp_path / "control", str(adapter))
    assert "the calibration stays here" in capsys.readouterr().err
    assert (adapter / CALIBRATION).read_bytes() == before
    assert (tmp_path / "control" / CALIBRATION).is_file()


@pytest.mark.parametrize("keys", [{"split": "validation"}, {"posthoc": "own_prior"}, {"head": "crt"}])
def test_a_calibration_is_of_the_label_scores_of_another_part(trained: Any, keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="calibrate: true is of the label scores"):
        parse_recipe({**trained.recipe.values, "calibrate": True, **keys})
