"""Six clips with two keyframes and in-between frames on disk, as the frames stage leaves them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from emotrain.atomic_files import write_json, write_table
from emotrain.records import CLIPS, FRAMES, Clip, Frame, to_table
from emotrain.stages.parts import part_path, shard_of

SHARDS = 2


def jpeg(seed: int) -> bytes:
    """A small picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (56, 56, 3)).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder: gaps 0 to 2 of a second each; in-between frames in gap 1 and, for half the clips, in gap 2."""
    folder = tmp_path / "data"
    clips = [Clip(f"clip{n}", f"{n}.mp4", ("fear", "anger")[n % 2], split="train", duration_s=3.0) for n in range(6)]
    metadata = {"root": str(tmp_path), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), folder / "clips.parquet")
    (folder / "frames").mkdir()
    for shard in range(SHARDS):
        with pq.ParquetWriter(part_path(folder / "frames", shard, SHARDS), FRAMES) as writer:
            for n, clip in enumerate(clips):
                if shard_of(clip.clip_id, SHARDS) == shard:
                    writer.write_table(to_table(frames_of(clip.clip_id, n), Frame).cast(FRAMES))
    settings = {"policy": "segment_centres", "keyframes": 2, "size": 56, "decoder": "auto", "between": 2}
    write_json({"settings": settings}, folder / "frames" / "frames.json")
    return folder


def frames_of(clip_id: str, n: int) -> list[Frame]:
    """The stored frames of clip `n` in time order."""
    times = [(1.0, None), (1.3, 1), (1.6, 1), (2.0, None)] + ([(2.5, 2)] if n % 2 == 0 else [])
    return [
        Frame(clip_id, k, time_s, "keyframe" if gap is None else "between", gap, jpeg(10 * n + k))
        for k, (time_s, gap) in enumerate(times)
    ]
