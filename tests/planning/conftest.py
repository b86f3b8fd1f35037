"""A prepared data folder without a video: clips, frames of one size, summaries of differing length."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml

from emotrain.atomic_files import write_json, write_table
from emotrain.context.facs_words import QUIET, describe
from emotrain.records import CLIPS, FRAMES, Clip, Event, Frame, Split, Summary, to_table
from emotrain.stages.parts import part_path

torch.set_num_threads(1)
LABELS = ("happiness", "sadness", "neutral", "anger")
SPLITS: tuple[Split, ...] = ("train", "train", "train", "train", "validation", "test")
KEYFRAMES = 3


@dataclass(frozen=True)
class Prepared:
    """A data folder that the tiny base can train on."""

    data: Path

    def recipe(self, folder: Path, **values: Any) -> Path:
        """Write a recipe on this data; `values` override the defaults below."""
        defaults = {
            "model_name_or_path": "tiny",
            "dtype": "float32",
            "data": str(self.data),
            "label_set": "dfew",
            "keyframes": KEYFRAMES,
            "frame_size": 64,
            "summarizer": "motion-0",  # the folder that is written below
            "image_size": 84,
            "sampling": "class_balanced",
            "epochs": 2,
            "lora_dropout": 0.0,
            "per_device_train_batch_size": 4,
            "use_cpu": True,
            "output_dir": str(folder / "run"),
        }
        path = folder / "recipe.yaml"
        path.write_text(yaml.safe_dump({**defaults, **values}), encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    data = tmp_path_factory.mktemp("prepared") / "data"
    # Unequal durations, a long tail, and one clip in six with more to tell than the others.
    clips = [
        Clip(
            f"clip{i:02d}",
            f"{i}.mp4",
            LABELS[min(i // 9, 3)],
            split=SPLITS[i % 6],
            duration_s=1 + i / 10,
        )
        for i in range(30)
    ]
    metadata = {"root": str(data), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), data / "clips.parquet")
    (data / "frames").mkdir()
    picture = bytes(cv2.imencode(".jpg", np.full((48, 64, 3), 127, np.uint8))[1])
    with pq.ParquetWriter(part_path(data / "frames", 0, 1), FRAMES) as writer:
        for clip in clips:
            frames = [Frame(clip.clip_id, k, 0.2 + 0.3 * k, "keyframe", None, picture) for k in range(KEYFRAMES)]
            writer.write_table(to_table(frames, Frame).cast(FRAMES))
    settings = {"policy": "segment_centres", "keyframes": KEYFRAMES, "size": 64, "decoder": "auto"}
    write_json({"settings": settings}, data / "frames" / "frames.json")
    told = [summary for number, clip in enumerate(clips) for summary in _summaries(clip, number)]
    write_table(to_table(told, Summary), part_path(data / "summaries" / "motion-0", 0, 1))
    write_json({"backend": "motion"}, data / "summaries" / "motion-0" / "backend.json")
    return Prepared(data)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to connect anywhere fails the test."""

    def refuse(self: socket.socket, address: object) -> None:
        raise AssertionError(f"planning connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def _summaries(clip: Clip, number: int) -> list[Summary]:
    edges = [0.0, 0.2, 0.5, 0.8, clip.duration_s]
    rows = []
    for gap in range(KEYFRAMES + 1):
        units = ("1", "4", "15")[: 1 + number % 3] if number % 6 == 0 or gap == 1 else ()
        event = Event(edges[gap], edges[gap] + 0.1, edges[gap + 1], (), units, 6.0)
        text = describe([event]) if units else QUIET
        rows.append(Summary(clip.clip_id, gap, edges[gap], edges[gap + 1], text, bool(units), "motion"))
    return rows
