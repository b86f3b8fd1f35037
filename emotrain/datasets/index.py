"""One data set in its official layout in, `clips.parquet` and `index_report.json` out."""

from __future__ import annotations

import inspect
import json
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.datasets.casme2 import read_casme2
from emotrain.datasets.casme3 import read_casme3
from emotrain.datasets.clips import CLIPS_FILE
from emotrain.datasets.crema_d import read_crema_d
from emotrain.datasets.csv_file import read_csv_file
from emotrain.datasets.dfew import read_dfew
from emotrain.datasets.ferv39k import read_ferv39k
from emotrain.datasets.folder import read_folder
from emotrain.datasets.long_tail import check_long_tail, tail_order
from emotrain.datasets.mafw import read_mafw
from emotrain.datasets.media import Listing, Probe, check_media
from emotrain.datasets.megc2019 import read_megc2019
from emotrain.datasets.megc_vqa import read_megc_vqa
from emotrain.datasets.mmew import read_mmew
from emotrain.datasets.ravdess import read_ravdess
from emotrain.datasets.reading import LayoutError, Reading, printable
from emotrain.datasets.samm import read_samm
from emotrain.datasets.smic import read_smic
from emotrain.datasets.splits import VALIDATION_SHARE, assign_folds, carve_validation
from emotrain.datasets.synthetic import read_synthetic
from emotrain.datasets.times import check_times
from emotrain.digests import write_vouched_table
from emotrain.emotions import PUBLISHED_COUNTS, nearest
from emotrain.records import Clip, to_table
from emotrain.stages.report import TooManyBadClips
from emotrain.stages.stage import check_numbers

REPORT_FILE = "index_report.json"

Reader = Callable[..., Reading]
"""`reader(root, listing, **options)`; its keyword-only parameters are the options the data set knows."""

READERS: dict[str, Reader] = {
    "dfew": read_dfew,
    "mafw": read_mafw,
    "ferv39k": read_ferv39k,
    "ravdess": read_ravdess,
    "crema_d": read_crema_d,
    "casme2": read_casme2,
    "samm": read_samm,
    "casme3": read_casme3,
    "smic": read_smic,
    "mmew": read_mmew,
    "megc2019": read_megc2019,
    "megc_vqa": read_megc_vqa,
    "folder": read_folder,
    "csv": read_csv_file,
    "synthetic": read_synthetic,
}


@dataclass(slots=True)
class IndexReport:
    """What was indexed. `counts[label]` maps "all", "fold 1".. or "train", "validation", "test" to clips."""

    dataset: str
    label_set: str
    root: str
    clips: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    quarantined_counts: dict[str, int] = field(default_factory=dict)
    quarantined: list[dict[str, str]] = field(default_factory=list)

    @property
    def bad_share(self) -> float:
        """Share of annotated clips that were quarantined, 0 for an empty data set."""
        total = self.clips + len(self.quarantined)
        return len(self.quarantined) / total if total else 0.0


def index_clips(
    dataset: str,
    root: Path,
    out: Path,
    *,
    validation_share: float = VALIDATION_SHARE,
    seed: int = 0,
    max_bad_share: float = 0.01,
    probe: Probe | None = None,
    probe_timed: Probe | None = None,
    assume_fps: float | None = None,
    workers: int | None = 1,
    limit_s: float | None = None,
    long_tail: float | None = None,
    long_tail_seed: int = 0,
    **options: str | None,
) -> IndexReport:
    """Read a data set below `root` and write `out/clips.parquet` and `out/index_report.json`, both atomically.

    `options` are the reader's own (for DFEW `media`, for MAFW `labels` and `caption`); None means its default. `probe`
    opens each video for its frame rate and length, which are null without it, in `workers` processes (None: one a
    core; more than one need a picklable probe); a video that takes longer than `limit_s` is quarantined. `probe_timed`
    opens only those whose annotation gives times, which are held against the clip (see `times.py`). `assume_fps` is the
    rate of frame folders whose annotation names none. `long_tail` and its seed are noted for `select`, which cuts the
    training clips by them (`cut_long_tail`). Raises LayoutError, UnknownLabel, and TooManyBadClips when more than
    `max_bad_share` of the clips is unusable; then the report is written and the index is not. Raises ValueError for a
    number out of its range.
    """
    check_numbers(max_bad_share=max_bad_share, workers=workers, limit_s=limit_s)
    if not 0 <= validation_share < 1:
        raise ValueError(f"--validation-share {validation_share}: expected 0 or more and less than 1")
    if assume_fps is not None and not 0 < assume_fps < math.inf:
        raise ValueError(f"--assume-fps {assume_fps}: expected frames a second above 0, for example 25")
    check_long_tail(long_tail, long_tail_seed)
    root = root.absolute()
    if printable(str(root)) != str(root):
        raise LayoutError(f"--root {printable(str(root))}: the path is not UTF-8, so no index can name it; rename it")
    listing = Listing(root)
    given = {key: value for key, value in options.items() if value is not None}
    reading = _reader(dataset, options)(root, listing, **given)
    _drop_unnamed(reading)
    _drop_duplicates(reading)
    _drop_without_split(reading)
    _compare_counts(reading)
    workers = workers if workers is not None else len(os.sched_getaffinity(0))
    check_media(reading, listing, probe, assume_fps, timed=probe_timed, workers=workers, limit_s=limit_s)
    check_times(reading)
    clips = _with_splits(reading, validation_share, seed)
    cut: dict[str, Any] = {}
    if long_tail is not None:
        cut = {"long_tail": long_tail, "long_tail_seed": long_tail_seed}
        order = ", ".join(tail_order([clip.label for clip in clips], long_tail_seed))
        reading.warn(
            "long tail", f"training clips are cut 1:{long_tail:g} by seed {long_tail_seed}, in this order: {order}"
        )
    report = IndexReport(dataset, reading.label_set.name, str(root), len(clips))
    report.counts = _counts(clips, reading.label_set.labels)
    report.warnings = reading.warnings
    report.quarantined = reading.quarantined
    report.quarantined_counts = dict(Counter(row["label"] for row in reading.quarantined))
    write_json(asdict(report), out / REPORT_FILE)
    _stop_when_bad(report, max_bad_share, out)
    metadata = {
        "root": str(root),
        "dataset": dataset,
        "label_set": reading.label_set.name,
        "labels": json.dumps(reading.label_set.labels, ensure_ascii=False),
        "validation_share": repr(validation_share),
        "seed": str(seed),
        "options": json.dumps({**given, **cut, "assume_fps": assume_fps, "probe": probe is not None}, sort_keys=True),
    }
    write_vouched_table(to_table(clips, Clip, metadata), out / CLIPS_FILE)
    return report


def reader_options(dataset: str) -> tuple[str, ...]:
    """The options that a data set's reader knows, such as `media`."""
    parameters = inspect.signature(READERS[dataset]).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)


def _reader(dataset: str, options: dict[str, str | None]) -> Reader:
    if dataset not in READERS:
        raise ValueError(f"unknown data set {dataset!r}; known: {', '.join(READERS)}; {nearest(dataset, READERS)}")
    known = reader_options(dataset)
    for name in (name for name, value in options.items() if value is not None and name not in known):
        flags = ", ".join("--" + k.replace("_", "-") for k in known) if known else "no options"
        raise ValueError(f"data set {dataset!r} has no option --{name.replace('_', '-')}; it knows {flags}")
    return READERS[dataset]


LONGEST_ID = 1024
"""Characters; parts find their clips by statistics of the footer, which hold no text of some thousands."""


def _drop_unnamed(reading: Reading) -> None:
    """Quarantine clips whose name no table can hold: without end, or in another encoding, as old archives unpack."""
    named: list[Clip] = []
    for clip in reading.clips:
        if max(len(clip.clip_id), len(clip.path)) > LONGEST_ID:
            found = f"{len(clip.clip_id)} and {len(clip.path)} characters ({clip.clip_id[:40]!r}...)"
            reason = f"id and path of {found}; expected at most {LONGEST_ID} each: give the clip a shorter name"
            reading.quarantine(clip.clip_id[:LONGEST_ID], clip.label, clip.path[:LONGEST_ID], reason)
            continue
        if printable(clip.clip_id + clip.path) == clip.clip_id + clip.path:
            named.append(clip)
            continue
        name = os.fsencode(clip.path)
        reason = f"the name {name!r} is not UTF-8; rename the file, for example with convmv"
        reading.quarantine(clip.clip_id, clip.label, clip.path, reason)
    reading.clips = named


def _drop_duplicates(reading: Reading) -> None:
    seen: set[str] = set()
    kept: list[Clip] = []
    for clip in reading.clips:
        if clip.clip_id in seen:
            reading.quarantine(clip.clip_id, clip.label, clip.path, "duplicate id: an earlier row has this clip_id")
        else:
            seen.add(clip.clip_id)
            kept.append(clip)
    reading.clips = kept


def _drop_without_split(reading: Reading) -> None:
    if all(clip.split is None for clip in reading.clips):
        return
    for clip in (clip for clip in reading.clips if clip.split is None and clip.test_fold is None):
        reading.quarantine(clip.clip_id, clip.label, clip.path, "no split, while other clips of the set have one")
    reading.clips = [clip for clip in reading.clips if clip.split is not None or clip.test_fold is not None]


def _compare_counts(reading: Reading) -> None:
    published = PUBLISHED_COUNTS.get(reading.dataset, {}) if reading.label_set.name == reading.dataset else {}
    found = Counter(clip.label for clip in reading.clips)
    for label, count in published.items():
        if found[label] != count:
            reading.warn("counts", f"{label}: {found[label]} annotated clips, {count} published")


def _with_splits(reading: Reading, validation_share: float, seed: int) -> list[Clip]:
    clips = reading.clips
    if clips and all(clip.split is None and clip.test_fold is None for clip in clips):
        reading.warn("folds", "the data set names no split: five test folds were assigned, stratified by label")
        return assign_folds(clips, seed=seed)
    train = [clip for clip in clips if clip.split == "train"]
    if any(clip.split == "validation" for clip in clips):
        return clips
    carved = carve_validation(train, validation_share, seed)
    if carved:
        reading.warn(
            "validation",
            f"{len(carved)} of {len(train)} train clips are set aside for validation, since the set names none; "
            "--validation-share 0 (a recipe's validation_share: 0) keeps all of them in train",
        )
    return [replace(clip, split="validation") if clip.clip_id in carved else clip for clip in clips]


def _counts(clips: list[Clip], labels: tuple[str, ...]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {label: Counter({"all": 0}) for label in labels}
    for clip in clips:
        counts[clip.label]["all"] += 1
        if clip.test_fold is not None:
            counts[clip.label][f"fold {clip.test_fold}"] += 1
        if clip.split is not None:
            counts[clip.label][clip.split] += 1
    return {label: dict(counter) for label, counter in counts.items()}


def _stop_when_bad(report: IndexReport, max_bad_share: float, out: Path) -> None:
    if not report.clips and not report.quarantined:
        raise ValueError(f"{report.root}: the annotation of {report.dataset} names no clip")
    if report.bad_share > max_bad_share:
        raise TooManyBadClips(
            f"index: {len(report.quarantined)} of {report.clips + len(report.quarantined)} clips are unusable "
            f"({report.bad_share:.1%}, allowed {max_bad_share:.1%}), first: {report.quarantined[0]['reason']}; "
            f"all reasons are in {out / REPORT_FILE}; repair --root or raise --max-bad-share to go on without them"
        )
