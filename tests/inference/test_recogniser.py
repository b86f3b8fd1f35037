"""Using an adapter: what it reads is what the pipeline would have read, and nothing about its input is guessed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import emotrain
from emotrain.clip_errors import ClipError
from emotrain.examples.input_contract import CONTRACT, read_contract
from emotrain.faces.weights import FOLDER
from emotrain.inference.recogniser import Recogniser
from emotrain.records import Prediction
from emotrain.video.decode import open_clip


@pytest.fixture(scope="module")
def recogniser(trained: Any) -> Recogniser:
    return emotrain.load(trained.adapter, device="cpu")


@pytest.fixture(scope="module")
def evaluated(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Prediction]:
    """What `emotrain evaluate` predicts for the test clips, through the stages' stores."""
    from emotrain.evaluation.evaluate import evaluate
    from emotrain.metrics.predictions import read_predictions

    out = tmp_path_factory.mktemp("scores")
    evaluate(trained.recipe, out, str(trained.adapter))
    return list(read_predictions(out / "predictions.parquet").predictions)


def test_a_clip_alone_is_read_as_the_pipeline_reads_it(
    recogniser: Recogniser, evaluated: list[Prediction], trained: Any
) -> None:
    from emotrain.datasets.clips import read_index

    index = read_index(trained.recipe.data.data)
    paths = {clip.clip_id: index.path(clip) for clip in index.clips}
    readings = recogniser.predict([paths[row.clip_id] for row in evaluated[:6]])
    told = 0
    for row, reading in zip(evaluated, readings):
        assert list(reading.logits.values()) == pytest.approx(list(row.logits), abs=1e-4)
        assert reading.label == row.predicted
        assert sum(reading.probabilities.values()) == pytest.approx(1)
        assert reading.probabilities[reading.label] == max(reading.probabilities.values())
        assert 0 < reading.label_mass <= 1 + 1e-6
        assert len(reading.keyframes) == 4
        assert [gap.end_s for gap in reading.gaps[:-1]] == [gap.start_s for gap in reading.gaps[1:]]
        assert reading.gaps[-1].end_s == pytest.approx(reading.duration_s)
        told += len(reading.events)
    assert told > 0, "the clips move, so something is told of them"
    alone = recogniser.predict(paths[evaluated[0].clip_id])
    assert list(alone.logits.values()) == pytest.approx(list(readings[0].logits.values()), abs=1e-4)


def test_a_checkpoint_folder_is_an_adapter_of_its_own(trained: Any, recogniser: Recogniser) -> None:
    early = emotrain.load(trained.adapter / "checkpoint-4", device="cpu")
    assert early.contract == recogniser.contract
    clip = trained.clip(0)
    assert early.predict(clip).logits != recogniser.predict(clip).logits, "its weights are those of step 4"


def test_the_contract_names_everything_and_no_path(trained: Any) -> None:
    text = (trained.adapter / CONTRACT).read_text("utf-8")
    assert "/" not in text.replace("https://", "")
    contract = read_contract(trained.adapter)
    assert contract is not None
    assert contract.base_model == "tiny"
    assert (contract.frames["keyframes"], contract.frames["size"], contract.image_size) == (4, 128, 84)
    assert contract.summarizer is not None
    assert contract.summarizer["backend"] == "motion"
    assert contract.prior is not None
    assert sum(contract.prior.values()) == pytest.approx(1)


@pytest.fixture
def altered(trained: Any, tmp_path: Path) -> Any:
    """Makes a copy of the adapter whose contract has other values; None leaves the contract out."""

    def make(values: dict[str, Any] | None) -> Path:
        folder = tmp_path / "altered"
        folder.mkdir()
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copy(trained.adapter / name, folder / name)
        if values is not None:
            saved = json.loads((trained.adapter / CONTRACT).read_text("utf-8"))
            (folder / CONTRACT).write_text(json.dumps({**saved, **values}))
        return folder

    return make


def test_an_adapter_without_a_contract_asks_for_what_is_missing_and_takes_it(
    altered: Any, trained: Any, recogniser: Recogniser
) -> None:
    folder = altered(None)
    with pytest.raises(ValueError, match=r"label_set, keyframes, frame_size, context; give --label-set --keyframes"):
        emotrain.load(folder)
    with pytest.raises(ValueError, match="nothing says its context"):
        emotrain.load(folder, label_set="mafw", keyframes=4, frame_size=128)
    told = emotrain.load(
        folder,
        device="cpu",
        label_set="mafw",
        keyframes=4,
        frame_size=128,
        context="summaries",
        image_size=84,
        dtype="float32",
    )
    clip = trained.clip(1)
    assert told.predict(clip).logits == pytest.approx(recogniser.predict(clip).logits, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": 2}, "format 2"),
        ({"templates": {"emotion.en": "0" * 16}}, "template emotion.en is not the one"),
        ({"frames": {"policy": "onset_apex_offset", "keyframes": 4}}, "needs annotated times.*--keyframe-policy"),
        ({"faces": {"face": "tallest"}}, "expected largest, central"),
        ({"faces": {"detector": "http://x"}}, r"faces\.detector: expected one of"),
        ({"frames": {"sharpen": True}}, r"frames\.sharpen: unknown here"),
        ({"summarizer": {"backend": "motion", "version": 999}}, "version 999 then"),
        ({"summarizer": {"backend": "motino"}}, "did you mean 'motion'"),
        ({"tau": 1.0, "prior": None}, "takes off the prior of training"),
    ],
)
def test_input_that_cannot_be_made_again_is_refused(altered: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        emotrain.load(altered(values), device="cpu")


def test_the_prior_of_training_comes_off_as_asked(altered: Any, trained: Any, recogniser: Recogniser) -> None:
    labels = recogniser.contract.labels
    prior = {label: (k + 1) / 66 for k, label in enumerate(labels)}
    folder = altered({"prior": prior})
    clip = trained.clip(2)
    plain, adjusted = (emotrain.load(folder, device="cpu", tau=tau).predict(clip) for tau in (0.0, 1.0))
    assert plain.logits == adjusted.logits
    expected = np.array([plain.probabilities[label] / prior[label] for label in labels])
    assert list(adjusted.probabilities.values()) == pytest.approx(list(expected / expected.sum()), rel=1e-5)


def test_settings_given_replace_the_saved_ones(trained: Any) -> None:
    sparse = emotrain.load(trained.adapter, device="cpu", context="none", keyframes=2, label_set="anger,happiness")
    reading = sparse.predict(trained.clip(0))
    assert (len(reading.keyframes), reading.gaps, list(reading.probabilities)) == (2, (), ["anger", "happiness"])
    with pytest.raises(ValueError, match="did you mean 'keyframes'"):
        emotrain.load(trained.adapter, keyframe=2)


def test_zero_shot_needs_a_base_and_a_label_set(trained: Any) -> None:
    with pytest.raises(ValueError, match="neither an adapter nor a base"):
        emotrain.load(None)
    with pytest.raises(ValueError, match="give --label-set"):
        emotrain.load(None, base_model="tiny")
    reading = emotrain.load(None, base_model="tiny", label_set="dfew", device="cpu").predict(trained.clip(0))
    assert len(reading.probabilities) == 7


def test_a_folder_of_frame_images_is_a_clip(recogniser: Recogniser, trained: Any, tmp_path: Path) -> None:
    with open_clip(trained.clip(0)) as clip:
        frames = clip.frames(range(12))
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"img{number}.png")
    assert recogniser.predict(tmp_path).duration_s == pytest.approx(12 / 25)


def test_a_damaged_video_raises_its_reason(recogniser: Recogniser, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(ClipError, match=r"empty\.mp4: the file is empty"):
        recogniser.predict(tmp_path / "empty.mp4")


def test_what_a_damaged_file_still_holds_is_read_and_the_loss_is_told(
    recogniser: Recogniser, trained: Any, tmp_path: Path
) -> None:
    content = bytearray(trained.clip(0).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = b"\xff" * 400
    (tmp_path / "scratched.mp4").write_bytes(content)
    reading = recogniser.predict(tmp_path / "scratched.mp4")
    assert reading.damage
    assert reading.as_json()["damage"] == reading.damage
    assert recogniser.predict(trained.clip(0)).damage is None


def test_the_summariser_looks_at_the_part_of_the_frame_that_keyframes_are_cut_to(altered: Any) -> None:
    folder = altered({"frames": {"crop": "box-from-annotation", "keyframes": 4}})
    cropped = emotrain.load(folder, device="cpu", crop="centre")
    assert cropped.eyes.settings.crop == "centre"
    assert cropped.eyes.summarizer is not None
    assert cropped.eyes.summarizer.settings()["crop"] == "centre"


def test_adapters_that_are_not_there_say_what_is(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        emotrain.load("./nowhere")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        emotrain.load("not a repository!")
    shutil.copytree(trained.adapter / "checkpoint-4", tmp_path / "run" / "checkpoint-4")
    with pytest.raises(FileNotFoundError, match="unfinished run with checkpoints checkpoint-4; name one"):
        emotrain.load(tmp_path / "run")
    (tmp_path / "run/checkpoint-4/adapter_model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no adapter_model\.safetensors"):
        emotrain.load(tmp_path / "run/checkpoint-4")


def test_an_adapter_of_the_hub_is_read_from_the_cache_by_id_and_revision(
    trained: Any, recogniser: Recogniser, tmp_path: Path
) -> None:
    """The real client, off line: the layout that a download leaves behind."""
    home = tmp_path / "hub" / "models--org--faces"
    commit = "0123456789abcdef0123456789abcdef01234567"
    for name in ("adapter_config.json", "adapter_model.safetensors", CONTRACT):
        target = home / "snapshots" / commit / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained.adapter / name, target)
    (home / "refs").mkdir()
    (home / "refs" / "v1").write_text(commit)
    code = (
        "import emotrain, torch; torch.set_num_threads(1)\n"
        f"r = emotrain.load('org/faces@v1', device='cpu').predict({str(trained.clip(0))!r})\n"
        "print(list(r.logits.values()))\n"
        "try: emotrain.load('org/faces@v2')\n"
        "except ValueError as error: print(error)"
    )
    environment = {
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PATH": "",
        FOLDER: os.environ[FOLDER],
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed, refused = done.stdout.strip().splitlines()
    assert json.loads(printed) == pytest.approx(list(recogniser.predict(trained.clip(0)).logits.values()), abs=1e-4)
    assert "org/faces@v2" in refused


def test_importing_the_package_loads_no_model_library() -> None:
    code = (
        "import sys, emotrain; assert 'load' in emotrain.__all__\n"
        "assert not {'torch', 'transformers', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
