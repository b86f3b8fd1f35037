"""One pass gives all grey frames and the chosen ones in colour; sizes, boxes and errors mean the same everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_files import numbered, read_number, write_clip

from emotrain.clip_errors import ClipError
from emotrain.video.crop import Box, place
from emotrain.video.decode import open_clip
from emotrain.video.reader import increasing

IN_PROCESS = ["pyav", "opencv"]


@pytest.mark.parametrize("decoder", [*IN_PROCESS, "decord"])
def test_a_sweep_equals_two_passes(clip_30: Path, decoder: str) -> None:
    with open_clip(clip_30, decoder) as clip:
        sweep = clip.sweep(48, [3, 17, 29], 32)
        assert np.array_equal(sweep.grey, clip.grey(48))
        assert np.array_equal(sweep.colour, clip.frames([3, 17, 29], 32))
        assert sweep.indices.tolist() == [3, 17, 29]
    assert [read_number(image) for image in sweep.colour] == [3, 17, 29]


def test_a_healthy_clip_is_decoded_once(clip_30: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emotrain.video.decoders.pyav import PyavReader

    passes = []
    decode = PyavReader._decode
    monkeypatch.setattr(PyavReader, "_decode", lambda self: passes.append(1) or decode(self))
    with open_clip(clip_30) as clip:
        clip.sweep(32, lambda times_s: np.asarray([0, len(times_s) - 1]), 32)
        assert clip.n_frames == 30
    assert len(passes) == 1


def test_nothing_is_decoded_past_the_last_frame_asked_for(clip_30: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emotrain.video.decoders.pyav import PyavPicture

    drawn = []
    monkeypatch.setattr(PyavPicture, "rgb", lambda self, size, box: drawn.append(self.time_s) or numbered(0))
    with open_clip(clip_30) as clip:
        seen = []
        decode = clip._decode
        monkeypatch.setattr(clip, "_decode", lambda: (seen.append(picture) or picture for picture in decode()))
        clip.frames([2, 5])
    assert drawn == pytest.approx([2 / 25, 5 / 25])
    assert len(seen) == 6


def test_a_choice_made_on_promised_times_is_made_again_on_decoded_ones(odd: dict[str, Path]) -> None:
    asked = []

    def last(times_s: np.ndarray) -> np.ndarray:
        asked.append(len(times_s))
        return np.asarray([len(times_s) - 1])

    with open_clip(odd["truncated"]) as clip:
        sweep = clip.sweep(16, last, 64)
    assert asked[0] > asked[-1] == len(sweep.times_s) == len(sweep.grey)
    assert read_number(sweep.colour[0]) == sweep.indices[0] == len(sweep.times_s) - 1


@pytest.mark.parametrize("decoder", IN_PROCESS)
def test_facts_of_a_clip(clip_30: Path, decoder: str) -> None:
    with open_clip(clip_30, decoder) as clip:
        assert (clip.n_frames, clip.shape()) == (30, (64, 64))
        assert clip.fps == pytest.approx(25)
        assert clip.duration_s == pytest.approx(1.2)
        assert clip.times_s.dtype == np.float64


@pytest.mark.parametrize("decoder", IN_PROCESS)
def test_sizes_keep_the_aspect_ratio_and_grey_fills_a_square(wide_clip: Path, decoder: str) -> None:
    with open_clip(wide_clip, decoder) as clip:
        assert clip.frames([1, 0]).shape == (2, 64, 128, 3)
        assert clip.frames([0], 32).shape == (1, 16, 32, 3)
        assert clip.grey(20).shape == (12, 20, 20)
        clip.look = "centre"
        assert clip.frames([0], 32).shape == (1, 32, 32, 3)
        clip.look = Box(0.5, 0.0, 1.0, 0.5)
        corner = clip.frames([5])
        # The right half of the number's bits 4 to 7; 5 has only bits 0 and 2.
        assert corner.shape == (1, 32, 64, 3)
        assert corner.mean() < 20
        clip.look = Box(0.0, 0.0, 0.125, 0.5)
        assert clip.frames([5]).mean() > 235


def test_black_grey_and_white_keep_their_values(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "levels.mp4", [np.full((64, 64, 3), level, np.uint8) for level in (0, 128, 255)])
    for decoder in IN_PROCESS:
        with open_clip(path, decoder) as clip:
            assert clip.grey(32).mean((1, 2)) == pytest.approx([0, 128, 255], abs=4)
            assert clip.frames([0, 1, 2], 32).mean((1, 2, 3)) == pytest.approx([0, 128, 255], abs=4)


def test_errors_name_what_was_asked_and_what_exists(clip_30: Path, tmp_path: Path) -> None:
    with open_clip(clip_30) as clip:
        for indices in ([0, 30], [-1]):
            with pytest.raises(IndexError, match=r"the clip has frames 0\.\.29"):
                clip.frames(indices)
        with pytest.raises(IndexError, match=r"\[99\]"):
            clip.sweep(None, [99], 16)
        assert clip.frames([]).shape[0] == 0
    with pytest.raises(ValueError, match="did you mean 'decord'"):
        open_clip(clip_30, "decort")
    with pytest.raises(ClipError, match="no such file"):
        open_clip(tmp_path / "missing.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(ClipError, match="not a regular file"):
        open_clip(tmp_path / "pipe.mp4")


def test_an_image_folder_is_a_clip_and_a_missing_image_is_a_hole_in_time(tmp_path: Path) -> None:
    for number in (8, 9, 10, 12):
        cv2.imwrite(str(tmp_path / f"img{number}.png"), numbered(number))
    (tmp_path / "img11.png").write_bytes(b"not an image")
    (tmp_path / "img13.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("x")
    with open_clip(tmp_path, fps=200) as clip:
        assert [read_number(image) for image in clip.frames(range(4))] == [8, 9, 10, 12]
        assert clip.times_s == pytest.approx([0, 0.005, 0.01, 0.02])
        sweep = clip.sweep(32, lambda times_s: np.asarray([len(times_s) - 1]), 64)
        assert [read_number(image) for image in sweep.colour] == [12]


def test_images_of_any_depth_become_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), (numbered(5).astype(np.uint16) * 257)[..., 0])
    cv2.imwrite(str(tmp_path / "2.jpg"), numbered(6)[..., 0])
    with open_clip(tmp_path) as clip:
        images = clip.frames([0, 1])
        assert images.shape == (2, 64, 64, 3)
        assert [read_number(image) for image in images] == [5, 6]


def test_a_folder_without_a_readable_image_has_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="holds no image"):
        open_clip(tmp_path)
    (tmp_path / "1.jpg").write_bytes(b"x")
    with pytest.raises(ClipError, match="no frame could be decoded"), open_clip(tmp_path) as clip:
        clip.grey(8)


def test_images_of_different_sizes_are_refused_with_a_reason(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), numbered(1, 64, 64))
    cv2.imwrite(str(tmp_path / "2.png"), numbered(2, 64, 96))
    with open_clip(tmp_path) as clip:
        with pytest.raises(ClipError, match="different sizes"):
            clip.frames([0, 1])
        assert clip.grey(16).shape == (2, 16, 16)


def test_times_without_or_with_wrong_stamps_still_increase() -> None:
    assert increasing(np.asarray([np.nan, np.nan, 2.0, 1.0]), 10).tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert increasing(np.asarray([1.0, np.nan, 2.0]), 10).tolist() == pytest.approx([0, 0.1, 1.0])
    assert increasing(np.asarray([np.nan, np.nan]), 10).tolist() == pytest.approx([0, 0.1])
    assert increasing(np.asarray([5.0, 5.04, 5.04]), 25).tolist() == pytest.approx([0, 0.04, 0.08])


def test_a_box_lands_inside_the_frame_for_any_size() -> None:
    for height, width in ((223, 225), (1, 7), (1080, 1920)):
        for box in (Box(), Box(0.1, 0.2, 0.3, 0.95), Box(0.999, 0.999, 1, 1)):
            for size in (None, 16, 224):
                for square in (False, True):
                    if size is None and square:
                        continue
                    spot = place(height, width, box, size, square)
                    assert 0 <= spot.rows.start < spot.rows.stop <= spot.full[0]
                    assert 0 <= spot.columns.start < spot.columns.stop <= spot.full[1]


def test_five_hundred_opens_leak_nothing(clip_30: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def read() -> None:
        with open_clip(clip_30) as clip:
            clip.sweep(16, [0], 16)

    for _ in range(50):
        read()
    files, memory = len(os.listdir("/proc/self/fd")), resident()
    for _ in range(500):
        read()
    assert len(os.listdir("/proc/self/fd")) == files
    # An unclosed container leaks about 90 KB: 45 MB over 500 opens.
    assert resident() - memory < 12 << 20
