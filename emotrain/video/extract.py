"""The frames stage: from clips to keyframes and in-between frames, as JPEG bytes with their presentation times.

Reads `DATA/clips.parquet`, writes `DATA/frames/part-*.parquet` (one row a frame, the rows of a clip together in time
order, one row group a clip) and `DATA/frames/frames.json` with every setting. The parts load with
`datasets.load_dataset("parquet", ...)` and show as images.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from emotrain.clip_errors import ClipError, Damaged
from emotrain.datasets.clips import ClipIndex
from emotrain.datasets.paths import inside
from emotrain.records import FRAMES, Clip
from emotrain.stages.report import StageReport
from emotrain.stages.stage import check_engine, run_stage
from emotrain.video.decode import ClipReader, open_clip
from emotrain.video.frame_settings import FrameSettings, claim
from emotrain.video.framing import CROPS, Crop, Fixed, Followed, Framing, View, fixed
from emotrain.video.keyframes import between_keyframes, choose_keyframes, motion_energy, parse_policy
from emotrain.video.reader import Indices, Pixels, Times, duration_of

__all__ = ["CLIP_LIMIT_S", "CROPS", "ExtractClip", "FrameSettings", "extract_frames", "frame_rows"]

MOTION_SIZE = 64
"""Side in pixels of the grey frames that the `motion` policy is scored on."""

CLIP_LIMIT_S = 300.0
"""Seconds after which a clip counts as stuck: a thousand times the usual."""

PART_BYTES = 160 << 20
JPEG_BYTES_PER_PIXEL = 0.3
"""A face crop at quality 95 takes about this many bytes a pixel; used only to choose the number of parts."""


def extract_frames(
    data: Path,
    *,
    policy: str = "segment_centres",
    keyframes: int = 8,
    between: int | None = 4,
    size: int | None = 224,
    quality: int = 95,
    decoder: str = "auto",
    crop: Crop = "none",
    view: View = "face",
    framing: Framing | None = None,
    seed: int = 0,
    shards: int | None = None,
    only: tuple[int, int] | None = None,
    workers: int | None = None,
    max_bad_share: float = 0.01,
    limit_s: float | None = CLIP_LIMIT_S,
    engine: str = "local",
    ray_address: str | None = None,
) -> StageReport:
    """Extract the frames of every clip of `data/clips.parquet` into `data/frames/`.

    `framing` says what of each clip is read, where `crop` depends on the clip (see faces/framing.py). A clip with no
    more frames than `keyframes` keeps all of them as keyframes, none twice. `shards` None takes as many
    as make parts of about 160 MB. Finished parts are kept; a folder that was begun with other settings or another list
    of clips is refused with ValueError. A clip that takes longer than `limit_s` is stopped and quarantined (None: no
    limit, and one worker then means this process). `frames.json` states the policy's P(miss) where the index knows
    durations. `engine` and `ray_address` are as in `run_stage`. Raises TooManyBadClips past `max_bad_share`.
    """
    check_engine(engine, ray_address)
    settings = FrameSettings(policy, keyframes, between, size, quality, decoder, crop, seed, view)
    framing = framing if framing is not None else fixed(crop)
    clips = ClipIndex(data / "clips.parquet")
    root = clips.root
    out = data / "frames"
    claim(out, settings, clips, framing)
    return run_stage(
        "frames",
        clips,
        ExtractClip(root, settings, framing),
        frames_schema(),
        out,
        shards=shards if shards is not None else _parts(len(clips), settings),
        only=only,
        workers=workers,
        max_bad_share=max_bad_share,
        limit_s=limit_s,
        engine=engine,
        ray_address=ray_address,
    )


@dataclass(frozen=True, slots=True)
class ExtractClip:
    """The stage's work on one clip; picklable, raises ClipError with the reason when the clip cannot be used."""

    root: Path
    settings: FrameSettings
    framing: Framing = field(default_factory=Fixed)

    def __call__(self, clip: Clip) -> list[dict[str, Any]] | Damaged:
        with open_clip(inside(self.root, clip.path), self.settings.decoder, fps=clip.fps) as reader:
            reader.look = self.framing.of(clip)
            rows = frame_rows(reader, clip, self.settings)
            return rows if reader.damage is None else Damaged(rows, reader.damage)


def frame_rows(reader: ClipReader, clip: Clip, settings: FrameSettings) -> list[dict[str, Any]]:
    """The rows of one clip, by `records.FRAMES`, in time order; one decoding pass (two for the `motion` policy)."""
    score = None
    if parse_policy(settings.policy).name == "motion":
        score = motion_energy(frame for _, frame in reader.grey_frames(MOTION_SIZE))

    chosen: list[tuple[Times, Indices, list[Indices]]] = []

    def choose(times: Times) -> tuple[Indices, list[Indices]]:
        """Keyframes and in-between frames; asked with the promised times and again with the decoded ones."""
        if not (chosen and np.array_equal(chosen[-1][0], times)):
            keys = choose_keyframes(
                settings.policy,
                times,
                settings.keyframes,
                duration_s=duration_of(times, None),
                seed=settings.seed,
                score=score,
                clip=clip,
            )
            if isinstance(reader.look, Followed):
                keys = nearest_seen(keys, reader.look.path.seen_at(times))
            chosen.append((times, keys, between_keyframes(times, keys, settings.between)))
        return chosen[-1][1:]

    def wanted(times: Times) -> Indices:
        keys, inner = choose(times)
        return np.sort(np.concatenate([keys, *inner]))

    indices, images = reader.encoded(wanted, settings.size, jpeg_encoder(settings.quality))
    times = reader.times_s
    keys, inner = choose(times)
    key_set = set(keys.tolist())
    gap_of = {index: gap for gap, inside_gap in enumerate(inner) for index in inside_gap.tolist()}
    return [
        {
            "clip_id": clip.clip_id,
            "index": index,
            "time_s": float(times[index]),
            "role": "keyframe" if index in key_set else "between",
            "gap": gap_of.get(index),
            "image": {"bytes": image, "path": None},
        }
        for index, image in zip(indices.tolist(), images)
    ]


def nearest_seen(keys: Indices, seen: npt.NDArray[np.bool_]) -> Indices:
    """Keyframes moved to the nearest frames in which the face is seen, (N,) -> (M,), each frame at most once.

    `seen` (T,) says it of every frame; M is less than N only where fewer are.
    """
    free = np.flatnonzero(seen).tolist()
    taken: list[int] = []
    for key in keys.tolist():
        if free:
            taken.append(free.pop(int(np.argmin(np.abs(np.array(free) - key)))))
    return np.array(sorted(taken), np.int64)


def jpeg_encoder(quality: int) -> Callable[[Pixels], bytes]:
    """A function from (H, W, 3) uint8 RGB to JPEG bytes."""
    import cv2

    def encode(image: Pixels) -> bytes:
        done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise ClipError(f"a frame of {image.shape[1]}x{image.shape[0]} pixels could not be written as JPEG")
        return data.tobytes()

    return encode


def frames_schema() -> pa.Schema:
    """`records.FRAMES` with the metadata by which the datasets library knows that `image` holds images."""
    kinds = {pa.string(): "string", pa.int32(): "int32", pa.float64(): "float64"}
    features = {
        field.name: {"_type": "Image"} if field.name == "image" else {"dtype": kinds[field.type], "_type": "Value"}
        for field in FRAMES
    }
    return FRAMES.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _parts(clips: int, settings: FrameSettings) -> int:
    """How many parts give files of about PART_BYTES."""
    per_gap = 16 if settings.between is None else settings.between
    frames = settings.keyframes + per_gap * (settings.keyframes + 1)
    side = settings.size if settings.size is not None else 512
    return max(1, math.ceil(clips * frames * side * side * JPEG_BYTES_PER_PIXEL / PART_BYTES))
