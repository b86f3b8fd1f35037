"""The summarise stage: `data/clips.parquet` and `data/frames/` in, `data/summaries/<backend>-<fingerprint>/` out.

The folder's `backend.json` holds everything that determines the text, and its name the hash of that, so that summaries
of other settings never overwrite or mix with these.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emotrain.context.gaps import gaps_of
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.context.summarizer import Summarizer, fingerprint
from emotrain.datasets.clip_shards import ClipShards
from emotrain.emotions import nearest
from emotrain.records import SUMMARIES, Clip, Summary, from_table
from emotrain.shards import ClipError, StageReport, read_parts, run_stage, write_json
from emotrain.video.extract import CLIP_LIMIT_S, inside
from emotrain.video.frame_store import FrameStore

BACKENDS: dict[str, type[MotionSummarizer]] = {"motion": MotionSummarizer}


def summarize_clips(
    data: Path,
    backend: str = "motion",
    *,
    shards: int = 8,
    only: tuple[int, int] | None = None,
    workers: int | None = None,
    max_bad_share: float = 0.01,
    limit_s: float | None = CLIP_LIMIT_S,
    **settings: Any,
) -> StageReport:
    """Summarise every gap of every clip under `data`; finished shards are kept.

    `settings` go to the back end. Raises ValueError for an unknown back end, FileNotFoundError when an earlier
    stage has not run, TooManyBadClips past `max_bad_share`. A clip that takes longer than `limit_s` is quarantined.
    """
    if backend not in BACKENDS:
        raise ValueError(f"unknown summary back end {backend!r}; {nearest(backend, BACKENDS)}")
    summarizer = BACKENDS[backend](**settings)
    clips = ClipShards(data / "clips.parquet")
    frames = FrameStore(data / "frames")
    about = {"frames": _frame_settings(frames.folder)}
    out = data / "summaries" / f"{backend}-{fingerprint(summarizer, about)}"
    write_json({"backend": backend, **summarizer.settings(), **about}, out / "backend.json")
    work = SummarizeClip(summarizer, clips.root(), frames)
    return run_stage(
        f"summarise ({backend})",
        clips,
        work,
        SUMMARIES,
        out,
        shards=shards,
        only=only,
        workers=workers,
        max_bad_share=max_bad_share,
        limit_s=limit_s,
    )


def load_summaries(data: Path, name: str) -> dict[str, list[Summary]]:
    """Summaries by clip, in order of their gaps.

    `name` is a folder of `data/summaries` or a back end that has exactly one folder there; otherwise FileNotFoundError
    or ValueError says what is there.
    """
    table = read_parts(summaries_folder(data, name))
    by_clip: dict[str, list[Summary]] = {}
    for summary in from_table(table, Summary):
        by_clip.setdefault(summary.clip_id, []).append(summary)
    for summaries in by_clip.values():
        summaries.sort(key=lambda summary: summary.gap)
    return by_clip


def summaries_folder(data: Path, name: str) -> Path:
    """The folder that `name` (a folder's name, or a back end with one folder) stands for."""
    home = data / "summaries"
    folders = sorted(path.name for path in home.glob("*") if path.is_dir())
    if name in folders:
        return home / name
    fitting = [folder for folder in folders if folder.rpartition("-")[0] == name]
    if len(fitting) == 1:
        return home / fitting[0]
    if fitting:
        raise ValueError(f"{home}: {len(fitting)} folders of back end {name!r}: {', '.join(fitting)}; name one of them")
    found = ", ".join(folders) if folders else "nothing"
    raise FileNotFoundError(
        f"{home}: no summaries {name!r}, found {found}; run data_prep/summarize_frames.py --data {data} first"
    )


@dataclass(frozen=True, slots=True)
class SummarizeClip:
    """The stage's work on one clip; picklable, raises ClipError with the reason when the clip cannot be used."""

    summarizer: Summarizer
    root: Path
    frames: FrameStore

    def __call__(self, clip: Clip) -> list[dict[str, Any]]:
        try:
            times = [frame.time_s for frame in self.frames.keyframes(clip.clip_id)]
        except KeyError as error:
            raise ClipError(f"no keyframes to summarise between: {error.args[0]}") from error
        video = inside(self.root, clip.path)
        # An index may be wrong about a duration; the frames are what was really decoded.
        duration_s = max(clip.duration_s if clip.duration_s is not None else _duration(video, clip.fps), times[-1])
        gaps = gaps_of(clip.clip_id, times, duration_s)
        return [asdict(summary) for summary in self.summarizer.summarize(clip, video, gaps)]


def _frame_settings(folder: Path) -> dict[str, Any]:
    """The settings that chose the keyframes: gaps, and so summaries, hang on them."""
    path = folder / "frames.json"
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))["settings"]
    return {key: found[key] for key in ("policy", "keyframes", "seed", "decoder") if key in found}


def _duration(video: Path, fps: float | None) -> float:
    from emotrain.video.decode import open_clip

    with open_clip(video, fps=fps) as reader:
        return reader.duration_s
