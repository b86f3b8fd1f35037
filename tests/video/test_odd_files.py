"""What can be decoded is kept, the rest has a reason; all back ends give the same frames at the same times."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clip_files import numbered, read_number
from odd_files import READABLE, UNREADABLE, VFR_MS, cover_only

from emotrain.clip_errors import ClipError
from emotrain.video.crop import square_pixels
from emotrain.video.decode import DECODERS, open_clip

WHOLE = [name for name, (_, numbers) in READABLE.items() if numbers]
CANNOT = {("opencv", "av1")}
"""This OpenCV build decodes AV1 only on hardware that has it."""


def everything(path: Path, decoder: str) -> tuple[list[int], list[float]]:
    with open_clip(path, decoder) as clip:
        sweep = clip.sweep(64, lambda times_s: np.arange(len(times_s)), 64)
    assert [read_number(image) for image in sweep.grey] == [read_number(image) for image in sweep.colour]
    return [read_number(image) for image in sweep.colour], sweep.times_s.tolist()


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("decoder", ["pyav", "opencv", "decord"])
def test_every_frame_comes_out_once_and_in_order(odd: dict[str, Path], decoder: str, name: str) -> None:
    if (decoder, name) in CANNOT:
        with pytest.raises(ClipError, match="no frame could be decoded"):
            everything(odd[name], decoder)
        return
    numbers, times_s = everything(odd[name], decoder)
    assert numbers == READABLE[name][1]
    if name == "variable_rate":
        expected = [stamp / 1000 for stamp in VFR_MS]
    else:
        expected = [i / (20 if name == "gif" else 25) for i in range(len(numbers))]
    assert times_s == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["wide_pixels", "tall_pixels", "turned_wide_pixels"])
@pytest.mark.parametrize("decoder", ["pyav", "opencv", "decord"])
def test_frames_have_square_pixels_whatever_is_stored(odd: dict[str, Path], decoder: str, name: str) -> None:
    side = 128 if name == "tall_pixels" else 64
    with open_clip(odd[name], decoder) as clip:
        assert clip.shape() == (side, side)
        (small,), (native,) = clip.frames([5], 64), clip.frames([5])
        clip.look = "centre"
        assert np.array_equal(clip.frames([5]), native[None])
    assert native.shape == (side, side, 3)
    assert np.abs(small.astype(int) - numbered(5)).mean() < 12


def test_a_ratio_that_no_pixel_has_is_taken_for_damage() -> None:
    assert square_pixels(288, 352, Fraction(16, 11)) == (288, 512)
    assert [square_pixels(64, 64, aspect) for aspect in (None, Fraction(0), Fraction(1, 9000))] == 3 * [(64, 64)]


def test_torchcodec_gives_the_same_frames_and_times(odd: dict[str, Path], tmp_path: Path) -> None:
    # torchcodec looks for FFmpeg under its plain names; PyAV carries the same libraries under decorated ones.
    import av

    bundled = Path(av.__file__).parent.parent / "av.libs"
    for library in bundled.glob("*.so.*"):
        plain = re.sub(r"-[0-9a-f]{8}(\.so\.\d+).*", r"\1", library.name)
        (tmp_path / plain).symlink_to(library)
    script = (
        "import json, sys; from pathlib import Path; from test_odd_files import everything, open_clip\n"
        "files = {n: Path(p) for n, p in json.loads(sys.argv[1]).items()}\n"
        "shape = lambda path: open_clip(path, 'torchcodec').frames([0], 48).shape\n"
        "print(json.dumps({n: [*everything(p, 'torchcodec'), shape(p)] for n, p in files.items()}))"
    )
    path = os.pathsep.join([str(tmp_path), str(bundled), os.environ.get("LD_LIBRARY_PATH", "")])
    python_path = os.pathsep.join([str(Path(__file__).parent), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps({name: str(odd[name]) for name in WHOLE})],
        env={**os.environ, "LD_LIBRARY_PATH": path, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "does not load" in done.stderr:
        pytest.skip("no FFmpeg libraries that this torchcodec can load")
    assert done.returncode == 0, done.stderr
    for name, (numbers, times_s, shape) in json.loads(done.stdout).items():
        expected = everything(odd[name], "pyav")
        with open_clip(odd[name]) as clip:
            assert shape == list(clip.frames([0], 48).shape), name
        assert numbers == expected[0], name
        assert times_s == pytest.approx(expected[1], abs=1e-3), name


def test_a_missing_ffmpeg_is_said_in_words(odd: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(ImportError, match="decoder 'torchcodec' does not load"):
        open_clip(odd["one_frame"], "torchcodec")


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize(("name", "at_least"), [("truncated", 12), ("garbage", 26), ("zeroed_end", 26)])
def test_damage_costs_only_the_frames_it_hit(odd: dict[str, Path], name: str, at_least: int, decoder: str) -> None:
    with open_clip(odd[name], decoder) as clip:
        sweep = clip.sweep(16, lambda times_s: np.arange(len(times_s)), 64)
        assert at_least <= clip.n_frames < 30
        assert len(sweep.grey) == len(sweep.colour) == clip.n_frames
        assert clip.decoder == "pyav", "decord gives nothing for a damaged file, so PyAV must have taken over"
    numbers = [read_number(image) for image in sweep.colour]
    # A concealed frame repeats an older one; every frame that is not concealed stands at its own time.
    right = [number == round(time * 25) for number, time in zip(numbers, sweep.times_s)]
    assert np.mean(right) > 0.8


@pytest.mark.parametrize("decoder", [d for d in DECODERS if d != "torchcodec"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_has_its_reason(odd: dict[str, Path], name: str, decoder: str) -> None:
    with pytest.raises(ClipError, match=UNREADABLE[name][1]), open_clip(odd[name], decoder) as clip:
        clip.grey(16)


@pytest.mark.parametrize("decoder", ["auto", "opencv", "decord"])
@pytest.mark.parametrize("marked", [True, False])
def test_a_cover_picture_is_no_video(tmp_path: Path, decoder: str, marked: bool) -> None:
    with pytest.raises(ClipError, match=r"song\.mp4: no video stream, only a cover picture"):
        open_clip(cover_only(tmp_path, marked), decoder)


def test_decord_hands_over_what_it_would_read_wrongly(odd: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    for name in ("edit_list", "no_first_keyframe", "av1"):
        caplog.clear()
        with open_clip(odd[name], "decord") as clip:
            assert clip.decoder == "pyav"
        assert "reading this clip with PyAV" in caplog.text
    with open_clip(odd["variable_rate"], "decord") as clip:
        assert clip.decoder == "decord"


def test_a_turned_clip_comes_out_upright(odd: dict[str, Path]) -> None:
    for decoder in ("pyav", "opencv", "decord"):
        with open_clip(odd["turned"], decoder) as clip:
            assert clip.shape() == (64, 96)
            assert clip.frames([0]).shape == (1, 64, 96, 3)
