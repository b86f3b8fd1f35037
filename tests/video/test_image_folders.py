"""A folder of images is counted, ordered and timed by one rule, in the index and by the decoder."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from clip_files import numbered, read_number
from PIL import Image

from emotrain.clip_errors import ClipError
from emotrain.datasets.clips import read_index
from emotrain.datasets.frame_folder import FrameFolder, frame_folder
from emotrain.datasets.index import index_clips
from emotrain.video.decode import open_clip
from emotrain.video.extract import extract_frames
from emotrain.video.frame_store import FrameStore


def draw(folder: Path, numbers: Iterable[int], name: str = "img{}.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        Image.fromarray(numbered(number % 256)).save(folder / name.format(number))
    return folder


def test_annotated_marks_find_their_images_behind_a_hole_in_the_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(
        ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
    )
    book.active.append([1, "EP1", 10, 60, 70, "4", "happiness"])
    (tmp_path / "set").mkdir()
    book.save(tmp_path / "set" / "CASME2-coding-1.xlsx")
    folder = draw(tmp_path / "set" / "CASME2_RAW_selected" / "sub01" / "EP1", [*range(1, 21), *range(51, 81)])
    index_clips("casme2", tmp_path / "set", tmp_path / "data")
    extract_frames(tmp_path / "data", policy="onset_apex_offset", keyframes=3, between=0, workers=1, limit_s=None)
    frames = FrameStore(tmp_path / "data" / "frames").frames("sub01/EP1")
    assert [read_number(np.asarray(Image.open(io.BytesIO(frame.image)))) for frame in frames] == [10, 60, 70]
    assert [frame.time_s for frame in frames] == pytest.approx([9 / 200, 59 / 200, 69 / 200])
    (clip,) = read_index(tmp_path / "data")
    with open_clip(folder, fps=clip.fps) as reader:
        assert reader.duration_s == pytest.approx(clip.duration_s) == pytest.approx(80 / 200)


@pytest.mark.parametrize(
    ("numbers", "name", "places"),
    [
        (range(46, 56), "img{}.png", range(10)),
        ([1, 2, 3, 7, 8], "{:05d}.png", [0, 1, 2, 6, 7]),
        (range(46, 90, 4), "img{}.png", range(11)),
        ([1, 2, 50], "{}.png", [0, 1, 49]),
        ([5], "{}.png", [0]),
        (
            [1699000000000 + n for n in (0, 33, 66, 100, 133, 166)],
            "{}.png",
            [n / 33 for n in (0, 33, 66, 100, 133, 166)],
        ),
        (range(6), "{:02d}_v2.png", range(6)),
    ],
    ids=["counted", "hole", "every fourth", "mostly a hole", "one", "milliseconds", "same last number"],
)
def test_index_and_decoder_agree_on_times_and_length(
    tmp_path: Path, numbers: Iterable[int], name: str, places: Iterable[float]
) -> None:
    for label in ("anger", "joy"):
        for clip in ("a", "b"):
            draw(tmp_path / "set" / label / clip, numbers, name)
    (tmp_path / "set" / "joy" / "a" / f"._{name.format(next(iter(numbers)))}").write_bytes(b"Mac OS X")
    index_clips("folder", tmp_path / "set", tmp_path / "data", assume_fps=30)
    for clip in read_index(tmp_path / "data"):
        with open_clip(tmp_path / "set" / clip.path, fps=clip.fps) as reader:
            assert reader.times_s == pytest.approx([place / 30 for place in places])
            assert reader.n_frames == clip.n_frames == len(list(numbers))
            assert reader.duration_s == pytest.approx(clip.duration_s)
            assert reader.damage is None


def test_one_bad_image_costs_itself_alone(tmp_path: Path) -> None:
    folder = draw(tmp_path / "clip", range(8), "{:03d}.png")
    (folder / "002.png").unlink()
    (folder / "002.png").symlink_to(tmp_path / "gone.png")
    (folder / "004.png").unlink()
    (folder / "004.png").mkdir()
    (folder / "000.png").rename(folder / "real")
    (folder / "000.png").symlink_to(folder / "real")
    (folder / "009.png").symlink_to(folder / "009.png")
    (folder / "005.png").write_bytes(_claims(60_000, 60_000))
    (folder / "006.png").unlink()
    os.mkfifo(folder / "006.png")
    with open_clip(folder, fps=25) as clip:
        sweep = clip.sweep(32, lambda times_s: np.arange(len(times_s)), 64)
        assert [read_number(image) for image in sweep.colour] == [0, 1, 3, 7]
        assert clip.times_s == pytest.approx([0, 1 / 25, 3 / 25, 7 / 25])
        assert clip.damage == "4 of 7 images could be read"


def test_a_missing_folder_has_no_images_and_a_locked_one_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert frame_folder(tmp_path / "none") == FrameFolder()
    assert frame_folder(tmp_path / ("x" * 300)) == FrameFolder()
    (tmp_path / "file").touch()
    assert frame_folder(tmp_path / "file") == FrameFolder()

    def locked(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    # No permission binds the superuser, whom containers run tests as.
    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(ClipError, match=r"locked: the folder cannot be listed \(Permission denied\)"):
        frame_folder(tmp_path / "locked")


def _claims(width: int, height: int) -> bytes:
    """A PNG whose header states a size that no machine can hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0" * 100)) + chunk(b"IEND", b"")
    )
