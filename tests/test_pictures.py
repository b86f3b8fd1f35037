"""Stored frames are JPEG or PNG images; other bytes start no program and are named as what they are."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from emotrain.pictures import picture_of

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


def test_a_frame_that_is_postscript_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match=r"no JPEG or PNG image.*--stage frames"):
        picture_of(EPS)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_stored_frames_are_read_and_cut_ones_named(kind: str) -> None:
    held = io.BytesIO()
    Image.new("L", (8, 6), 128).save(held, kind)
    picture = picture_of(held.getvalue())
    assert (picture.size, picture.mode) == ((8, 6), "RGB")
    with pytest.raises(ValueError, match="no JPEG or PNG"):
        picture_of(held.getvalue()[:40])
