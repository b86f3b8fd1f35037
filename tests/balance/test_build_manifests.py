"""`data_prep/build_manifests.py` on a folder as the earlier stages leave it."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from emotrain.atomic_files import write_table
from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.drawable import drawable_clips
from emotrain.balance.manifest import build_manifest, check_against, read_manifest
from emotrain.balance.picture import plot_manifest, save_picture
from emotrain.records import Clip, to_table

SCRIPT = Path(__file__).parents[2] / "data_prep" / "build_manifests.py"
COUNTS = {"happiness": 60, "fear": 20, "disgust": 10}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("build_manifests", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path):
    """A prepared folder: an index with five folds, and a frame stage that could not read two clips."""
    clips = [
        Clip(f"{label}{i}", f"{label}{i}.mp4", label, test_fold=1 + i % 5, subject=f"s{i % 7}")
        for label, n in COUNTS.items()
        for i in range(n)
    ]
    metadata = {"root": str(tmp_path), "dataset": "dfew", "label_set": "dfew", "validation_share": "0", "seed": "0"}
    write_table(to_table(clips, Clip, metadata), tmp_path / "clips.parquet")
    frames = tmp_path / "frames"
    frames.mkdir()
    rows = [
        {"clip_id": clip_id, "label": "disgust", "path": "x", "reason": "empty"} for clip_id in ("disgust0", "disgust1")
    ]
    (frames / "part-00000-of-00001.quarantine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_it_draws_the_train_split_less_what_is_quarantined(script, data, capsys):
    assert script.main(["--data", str(data), "--strategy", "class_balanced", "--fold", "2", "--epoch-size", "90"]) == 0
    manifest = read_manifest(data / "manifests" / "class_balanced-e3-n90-s0-fold2.parquet")
    clips, left_out = drawable_clips(data, 2)
    assert left_out == Counter(disgust=1)  # disgust0 is of fold 1; disgust1 is of fold 2 and a test clip anyway
    assert manifest.header["clips_per_class"] == {"disgust": 7, "fear": 16, "happiness": 48}
    assert manifest.header["draws_per_class"] == {"disgust": [30] * 3, "fear": [30] * 3, "happiness": [30] * 3}
    assert {draw.clip_id for draw in manifest.draws}.isdisjoint({"disgust0", "disgust1", "fear1", "happiness6"})
    check_against(manifest, clips)
    out, err = capsys.readouterr()
    assert manifest.digest in out
    assert "left out 1 quarantined clips of disgust" in err
    assert cv2.imread(str(data / "manifests" / "class_balanced-e3-n90-s0-fold2.png")).shape[1] == 1200


def test_every_option_reaches_the_manifest(script, data):
    def header(*options):
        assert script.main(["--data", str(data), "--fold", "1", "--name", "m-0.5", *options]) == 0
        return json.loads((data / "manifests" / "m-0.5.json").read_text())

    base = header("--strategy", "natural")
    assert (base["strategy"], base["seed"], base["epochs"], base["epoch_size"]) == ("natural", 0, 3, 71)
    assert header("--strategy", "natural", "--epochs", "2", "--seed", "5")["epochs"] == 2
    assert header("--strategy", "power", "--power", "0.3")["settings"]["power"] == 0.3
    assert header("--strategy", "effective_number", "--beta", "0.9")["settings"]["beta"] == 0.9
    assert header("--strategy", "repeat_factor", "--threshold", "0.5")["settings"]["threshold"] == 0.5
    assert header("--strategy", "natural", "--replacement")["settings"]["replacement"] is True
    assert header("--strategy", "natural", "--compound", "joint")["settings"]["compound"] == "joint"
    grouped = header("--strategy", "natural", "--group-by", "subject", "--group-cap", "0.2")
    assert (grouped["settings"]["group_by"], grouped["settings"]["group_cap"]) == ("subject", 0.2)
    assert grouped["sha256"] != base["sha256"]


def test_a_class_whose_subjects_are_too_few_for_the_cap_is_named(script, data, capsys):
    options = ["--strategy", "natural", "--fold", "1", "--group-by", "subject", "--group-cap", "0.15"]
    assert script.main(["--data", str(data), *options]) == 0
    # Seven subjects: none of the classes can keep to 15 % each but those with seven of them.
    assert "disgust: too few groups by subject for a cap of 15%" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_a_name_that_is_none_is_refused(script, data, capsys, name):
    assert script.main(["--data", str(data), "--strategy", "natural", "--fold", "1", "--name", name]) == 1
    assert f"--name {name!r}: expected a file name" in capsys.readouterr().err
    assert not (data / "manifests").exists()


def test_a_disk_that_takes_no_picture_ends_with_a_message(data):
    call = f"ulimit -f 20; exec {sys.executable} {SCRIPT} --data {data} --strategy natural --fold 1"
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
    assert not list((data / "manifests").glob("*.png")), "no half picture"


@pytest.mark.parametrize("cjk", [True, False])
def test_chinese_labels_can_be_read_in_the_picture(tmp_path, monkeypatch, recwarn, cjk):
    from emotrain.balance import picture

    if not cjk:
        monkeypatch.setattr(picture, "CJK", ())
    elif not picture._cjk_fonts():
        pytest.skip("no font with Chinese glyphs is installed")
    clips = [Clip(f"{label}{i}", "p", label) for label, n in (("困惑", 5), ("平静", 3), ("tense", 2)) for i in range(n)]
    drawn = build_manifest(clips, DrawSettings("natural", epochs=1))
    shown = [text.get_text() for text in plot_manifest(drawn).axes[0].get_yticklabels()]
    assert shown == (["困惑", "平静", "tense"] if cjk else ["class 1", "neutral", "tense"])
    save_picture(drawn, tmp_path / "m.png")
    assert not [str(w.message) for w in recwarn if "Glyph" in str(w.message) or "font" in str(w.message)]


def test_the_same_call_gives_the_same_bytes_in_a_fresh_process(script, data):
    def contents():
        return [(data / "manifests" / f"m.{suffix}").read_bytes() for suffix in ("json", "parquet")]

    options = ["--data", str(data), "--strategy", "square_root", "--fold", "3", "--name", "m"]
    environment = os.environ | {"PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, str(SCRIPT), *options], check=True, capture_output=True, env=environment)
    fresh = contents()
    assert script.main(options) == 0
    assert contents() == fresh


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--strategy", "power", "--fold", "1"), "needs power=q"),
        (("--strategy", "natural", "--power", "1", "--fold", "1"), "no effect"),
        (("--strategy", "natural", "--fold", "9"), "fold 9"),
        (("--strategy", "natural", "--fold", "1", "--name", "../m"), "without folders"),
    ],
)
def test_what_cannot_be_drawn_ends_with_a_message_and_no_file(script, data, capsys, options, message):
    assert script.main(["--data", str(data), *options]) == 1
    assert message in capsys.readouterr().err
    assert not (data / "manifests").exists()


def test_a_folder_without_an_index_names_the_stage_that_makes_it(script, tmp_path, capsys):
    assert script.main(["--data", str(tmp_path), "--strategy", "natural"]) == 1
    assert "index_clips.py" in capsys.readouterr().err


def test_a_damaged_quarantine_file_is_named_with_its_line(data):
    file = data / "frames" / "part-00000-of-00001.quarantine.jsonl"
    file.write_text(file.read_text() + "not json\n")
    with pytest.raises(ValueError, match=r"part-00000-of-00001\.quarantine\.jsonl:3"):
        drawable_clips(data, 1)


def test_bars_show_the_natural_and_the_drawn_share_in_colours_of_unlike_lightness(tmp_path):
    clips = [Clip(f"{label}{i}", "p", label) for label, n in COUNTS.items() for i in range(n)]
    manifest = build_manifest(clips, DrawSettings("progressive"))
    axes = plot_manifest(manifest).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["happiness", "fear", "disgust"]
    natural, drawn = ([bar.get_width() for bar in container] for container in axes.containers)
    np.testing.assert_allclose(natural, [100 * 6 / 9, 100 * 2 / 9, 100 / 9])
    np.testing.assert_allclose(drawn, [100 * sum(manifest.header["draws_per_class"][name]) / 270 for name in COUNTS])
    first, last = ([x for x, _ in marks.get_offsets()] for marks in axes.collections)
    np.testing.assert_allclose(first, natural)
    np.testing.assert_allclose(last, [100 / 3] * 3)
    grey, blue = (
        np.array(container[0].get_facecolor()[:3]) @ np.array([0.2126, 0.7152, 0.0722]) for container in axes.containers
    )
    assert grey > 1.5 * blue  # told apart by lightness alone
    save_picture(manifest, tmp_path / "m.svg")
    assert ElementTree.parse(tmp_path / "m.svg").getroot().tag.endswith("svg")
    with pytest.raises(ValueError, match="png, svg, pdf"):
        save_picture(manifest, tmp_path / "m.bmp")


def test_a_strategy_that_stays_the_same_has_no_epoch_marks():
    clips = [Clip(f"{label}{i}", "p", label) for label, n in COUNTS.items() for i in range(n)]
    figure = plot_manifest(build_manifest(clips, DrawSettings("class_balanced")))
    assert len(figure.axes[0].collections) == 0
