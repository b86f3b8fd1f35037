"""The summarise stage: `data/clips.parquet` and `data/frames/` in, `data/summaries/<backend>-<fingerprint>/` out.

The folder's `backend.json` holds everything that determines the text, and its name the hash of that, so that summaries
of other settings never overwrite or mix with these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.clip_errors import ClipError, LeftOutBefore
from emotrain.context.gaps import gaps_of
from emotrain.context.grid_backend import GridSummarizer
from emotrain.context.leakage import FILTER, Policy, own_labels
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.context.openai_backend import OpenaiBackend
from emotrain.context.precomputed import PrecomputedTexts, read_texts
from emotrain.context.speech import read_speech
from emotrain.context.summarizer import BACKEND_FILE, Summarizer, fingerprint
from emotrain.context.text_backend import TextBackend
from emotrain.context.text_stage import summarize_texts
from emotrain.context.vlm_backend import VlmBackend
from emotrain.damaged_files import DamagedFile
from emotrain.datasets.clips import ClipIndex, read_index
from emotrain.datasets.paths import inside
from emotrain.emotions import nearest
from emotrain.records import SUMMARIES, Clip, Summary, from_table
from emotrain.stages.clip_parts import ClipParts, Quarantined
from emotrain.stages.parts import read_parts
from emotrain.stages.report import StageReport
from emotrain.stages.stage import check_engine, run_stage
from emotrain.video.extract import CLIP_LIMIT_S
from emotrain.video.frame_settings import read_frames_header
from emotrain.video.frame_store import Frames, FrameStore

BACKENDS: Mapping[str, Callable[..., Any]] = {
    "motion": MotionSummarizer,
    "grid": GridSummarizer,
    "vlm": VlmBackend,
    "openai": OpenaiBackend,
    "precomputed": read_texts,
    "speech": read_speech,
}
"""Who writes the text, and what makes that back end of its options."""


def reads_video(backend: str) -> bool:
    """Whether a back end measures the video itself, in a closed vocabulary, and asks nobody."""
    return hasattr(BACKENDS.get(backend), "summarize")


JOURNALS = "journals"


def summarize_clips(
    data: Path,
    backend: str = "motion",
    *,
    shards: int = 8,
    only: tuple[int, int] | None = None,
    workers: int | None = None,
    max_bad_share: float = 0.01,
    limit_s: float | None = CLIP_LIMIT_S,
    leakage: Policy | None = None,
    engine: str = "local",
    ray_address: str | None = None,
    **settings: Any,
) -> StageReport:
    """Summarise every gap of every clip under `data`; finished shards are kept.

    `settings` go to the back end. `leakage` is what happens to emotion words in texts that others write (None: mask);
    the closed vocabulary of motion has none. Raises ValueError for an unknown back end or setting, FileNotFoundError
    when an earlier stage has not run, TooManyBadClips past `max_bad_share`. A motion clip that takes longer than
    `limit_s` is quarantined; `workers` and `limit_s` are of no use to back ends that ask a model. `engine` and
    `ray_address` are as in `run_stage`; the ray engine is for motion only (ValueError).
    """
    check_engine(engine, ray_address)
    if engine != "local" and backend in BACKENDS and not reads_video(backend):
        raise ValueError(
            f"engine {engine!r}: summary back end {backend!r} is bound by its model, not by cores; use `motion`, or "
            "the engine `local` with --shard I/N or `accelerate launch`"
        )
    planned = plan_summaries(data, backend, leakage, settings)
    made = planned.backend
    clips = ClipIndex(data / "clips.parquet")
    frames = FrameStore(data / "frames")
    out = data / "summaries" / planned.name
    write_json({"backend": backend, **made.settings(), **planned.about}, out / BACKEND_FILE)
    if not isinstance(made, Summarizer):
        return summarize_texts(
            clips,
            frames,
            made,
            out,
            journals=data / JOURNALS / planned.journals,
            shards=shards,
            only=only,
            leakage=planned.about["leakage"],
            max_bad_share=max_bad_share,
            own=planned.about.get("labels", ()),
        )
    return run_stage(
        f"summarise ({backend})",
        clips,
        SummarizeClip(made, clips.root, frames),
        SUMMARIES,
        out,
        shards=shards,
        only=only,
        workers=workers,
        max_bad_share=max_bad_share,
        limit_s=limit_s,
        engine=engine,
        ray_address=ray_address,
    )


@dataclass(frozen=True, slots=True)
class PlannedSummaries:
    """Summaries as settings determine them, written or not: their back end, what else changes the words, and the names
    of their folder under `summaries/` and of their replies under `journals/`."""

    backend: Summarizer | TextBackend | PrecomputedTexts
    about: Mapping[str, Any]
    name: str
    journals: str


def plan_summaries(data: Path, backend: str, leakage: Policy | None, settings: Mapping[str, Any]) -> PlannedSummaries:
    """Which summaries the settings stand for, given the frames in `data`; raises as `summarize_clips` does."""
    made = make_backend(backend, settings)
    about: dict[str, Any] = {"frames": _frame_settings(data)}
    if isinstance(made, Summarizer):
        if leakage is not None:
            raise ValueError(
                f"leakage {leakage!r}: {backend} summaries have a closed vocabulary without emotion words; remove it"
            )
        made = made.cropped_as(data)
        return PlannedSummaries(made, about, f"{backend}-{fingerprint(made, about)}", "")
    about["frames"] |= {"between": _between(data)}
    journals = f"{backend}-{fingerprint(made, about)}"
    about["leakage"] = "mask" if leakage is None else leakage
    about["filter"] = FILTER
    # Known label sets have their words in every filter, so only a user's own classes make other summaries.
    own = own_labels(read_index(data).label_set.labels)
    if own:
        about["labels"] = list(own)
    return PlannedSummaries(made, about, f"{backend}-{fingerprint(made, about)}", journals)


def make_backend(backend: str, settings: Mapping[str, Any]) -> Summarizer | TextBackend | PrecomputedTexts:
    """The back end with its options; raises ValueError for an unknown name and for an option missing or unknown."""
    if backend not in BACKENDS:
        raise ValueError(f"unknown summary back end {backend!r}; {nearest(backend, BACKENDS)}")
    known = {name: p for name, p in signature(BACKENDS[backend]).parameters.items() if name not in _OURS}
    odd = [f"{name}: {nearest(name, known)}" for name in settings if name not in known]
    lacking = [name for name, p in known.items() if p.default is Parameter.empty and name not in settings]
    if odd or lacking:
        faults = [f"unknown option {text}" for text in odd] + [f"{name} is missing" for name in lacking]
        raise ValueError(f"summary back end {backend!r}: {'; '.join(faults)}")
    made = {name: Path(value) if name == "path" else value for name, value in settings.items()}
    return BACKENDS[backend](**made)


_OURS = ("name", "spent", "_loaded")


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


class StoredSummaries:
    """The summaries of one folder by clip id, read clip by clip: a loader's worker holds none but those it is at."""

    def __init__(self, data: Path, name: str) -> None:
        self._parts = ClipParts(summaries_folder(data, name), "data_prep/summarize_frames.py")
        self._whole: dict[str, list[Summary]] | None = None
        self._named = (data, name)

    def of(self, clip_id: str) -> list[Summary] | None:
        """A clip's summaries in the order of their gaps: empty where it was quarantined, None where it has none."""
        if self._whole is None:
            try:
                found = from_table(self._parts.rows(clip_id), Summary)
                return sorted(found, key=lambda summary: summary.gap)
            except Quarantined:
                return []
            except DamagedFile:
                # No clip to each row group, as in a table of somebody else's; real damage is said by the next line.
                self._whole = load_summaries(*self._named)
            except KeyError:
                return None
        return self._whole.get(clip_id)


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
    frames: Frames

    def __call__(self, clip: Clip) -> list[dict[str, Any]]:
        try:
            times = [frame.time_s for frame in self.frames.keyframes(clip.clip_id)]
        except Quarantined as error:
            raise LeftOutBefore(str(error.args[0])) from error
        except KeyError as error:
            raise ClipError(f"no keyframes to summarise between: {error.args[0]}") from error
        video = inside(self.root, clip.path)
        # An index may be wrong about a duration; the frames are what was really decoded.
        duration_s = max(clip.duration_s if clip.duration_s is not None else _duration(video, clip.fps), times[-1])
        gaps = gaps_of(clip.clip_id, times, duration_s)
        return [asdict(summary) for summary in self.summarizer.summarize(clip, video, gaps)]


def _frame_settings(data: Path) -> dict[str, Any]:
    """The settings that chose the keyframes: gaps, and so summaries, hang on them."""
    stated = read_frames_header(data)
    if stated is None:
        return {}
    found = stated["settings"]
    return {key: found[key] for key in ("policy", "keyframes", "seed", "decoder") if key in found}


def _between(data: Path) -> Any:
    stated = read_frames_header(data)
    return None if stated is None else stated["settings"].get("between")


def _duration(video: Path, fps: float | None) -> float:
    from emotrain.video.decode import open_clip

    with open_clip(video, fps=fps) as reader:
        return reader.duration_s
