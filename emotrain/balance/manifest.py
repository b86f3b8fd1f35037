"""The sampling manifest: every draw of every epoch, decided before training and written down.

A manifest is a pure function of (clip ids, labels and groups, `DrawSettings`). Its digest is the SHA-256 of
its whole content in a canonical text form, so two runs with one digest saw the same clips in the same order.
On disk it is `name.parquet` (the draws, schema `records.DRAWS`) beside `name.json` (the header).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json, write_table
from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.draws import draw_epoch
from emotrain.balance.strata import classes_of, over_cap, strata_of
from emotrain.balance.strategies import class_shares
from emotrain.damaged_files import DamagedFile
from emotrain.emotions import nearest
from emotrain.json_files import read_object
from emotrain.parquet_files import read_table
from emotrain.records import Clip, Draw, from_table, to_table

FORMAT = 1
REMEDY = "delete it and draw it again with `emotrain prep RECIPE --stage manifest`"

_BESIDE = ("strategy", "seed", "epochs", "epoch_size")  # settings that stand in the header itself


class ManifestError(ValueError):
    """A manifest is damaged, or does not go with the clips at hand."""


@dataclass(frozen=True)
class Manifest:
    """All draws, epoch after epoch, and the header: how they were made and what they contain.

    Header keys: format, strategy, settings, seed, epochs, epoch_size, clips, clips_sha256, clips_per_class,
    draws_per_class and distinct_clips_per_class (a list over epochs for each class). With a group cap also over_cap:
    the classes that have too few groups for it, and the share of their largest group.
    """

    header: Mapping[str, Any]
    draws: tuple[Draw, ...] = field(repr=False)

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return int(self.header["epochs"])

    @property
    def epoch_size(self) -> int:
        """Draws an epoch, the same in all of them."""
        return int(self.header["epoch_size"])

    def label_counts(self, labels: Sequence[str]) -> dict[str, int]:
        """Draws a label over all epochs, in the order of `labels`: the counts that a loss on this stream must be given.

        Raises ValueError for a drawn label that is not among `labels`.
        """
        return _label_counts(self.draws, labels)

    def stream_counts(self, labels: Sequence[str]) -> tuple[dict[str, int], ...]:
        """Draws a label as a loss needs them: one mapping, or one an epoch where the shares change over the epochs."""
        if self.header["strategy"] != "progressive":
            return (self.label_counts(labels),)
        return tuple(_label_counts(self.epoch(epoch), labels) for epoch in range(self.epochs))

    @cached_property
    def digest(self) -> str:
        """SHA-256, 64 hex digits, over the header and every draw."""
        text = sha256(_canonical(self.header))
        for draw in self.draws:
            row = (draw.epoch, draw.position, draw.clip_id, draw.label, float(draw.weight).hex())
            text.update(b"\n" + _canonical(row))
        return text.hexdigest()

    def epoch(self, epoch: int) -> tuple[Draw, ...]:
        """The draws of one epoch, by position."""
        if not 0 <= epoch < self.epochs:
            raise IndexError(f"epoch {epoch}: the manifest has epochs 0 to {self.epochs - 1}")
        return self.draws[epoch * self.epoch_size : (epoch + 1) * self.epoch_size]


def build_manifest(clips: Sequence[Clip], settings: DrawSettings) -> Manifest:
    """Draw all epochs from the clips; their order does not matter.

    Raises ValueError when there are no clips, when an id occurs twice, and when no clip has a group to cap.
    """
    if len(clips) == 0:
        raise ValueError("manifest: there are no clips to draw from; check the split and the fold")
    epochs, size = settings.epochs, len(clips) if settings.epoch_size is None else settings.epoch_size
    classes = classes_of(clips, settings.compound)
    strata = strata_of(clips, classes, settings.group_by, settings.group_cap)
    counts = {name: sum(len(ids) for ids in stratum.groups.values()) for name, stratum in strata.items()}
    labels = {clip.clip_id: clip.label for clip in clips}
    draws: list[Draw] = []
    drawn: Counter[str] = Counter()
    for epoch in range(epochs):
        shares = class_shares(counts, settings, epoch)
        ids = draw_epoch(strata, shares, size, drawn, seed=settings.seed, epoch=epoch, replacement=settings.replacement)
        draws += [Draw(epoch, position, clip_id, labels[clip_id]) for position, clip_id in enumerate(ids)]
    in_force = asdict(settings.in_force(len(counts)))
    by_epoch = [[draw.clip_id for draw in draws[e * size : (e + 1) * size]] for e in range(epochs)]
    header = {
        "format": FORMAT,
        "strategy": settings.strategy,
        "settings": {key: value for key, value in in_force.items() if key not in _BESIDE},
        "seed": settings.seed,
        "epochs": epochs,
        "epoch_size": size,
        "clips": len(clips),
        "clips_sha256": clips_digest(clips),
        "clips_per_class": counts,
        "draws_per_class": _per_class(by_epoch, classes, counts),
        "distinct_clips_per_class": _per_class([sorted(set(ids)) for ids in by_epoch], classes, counts),
    }
    if settings.group_by is not None:
        header["over_cap"] = over_cap(clips, classes, settings.group_by, settings.group_cap)
    return Manifest(header, tuple(draws))


def over_cap_in_words(manifest: Manifest) -> list[str]:
    """A line for each class whose groups are too few for the cap: they keep the shares of their clips."""
    settings = manifest.header["settings"]
    return [
        f"{name}: too few groups by {settings['group_by']} for a cap of {settings['group_cap']:.0%}; they are drawn by "
        f"their clips, the largest with {share:.0%}"
        for name, share in manifest.header.get("over_cap", {}).items()
    ]


def clips_digest(clips: Sequence[Clip]) -> str:
    """SHA-256 over clip ids and labels, whatever the order of the clips."""
    rows = sorted((clip.clip_id, clip.label, sorted(clip.labels)) for clip in clips)
    return sha256(_canonical(rows)).hexdigest()


def write_manifest(manifest: Manifest, path: Path) -> Path:
    """Write `path` (.parquet) and the header beside it (.json); returns the path of the parquet file."""
    path = _parquet(path)
    # The draws name their digest too: a parquet file and a header of two different runs are told apart on reading.
    write_table(to_table(manifest.draws, Draw, {"sha256": manifest.digest}), path)
    write_json({**manifest.header, "sha256": manifest.digest}, path.with_suffix(".json"))
    return path


def read_manifest(path: Path) -> Manifest:
    """Read a manifest and verify its hash. Raises FileNotFoundError or ManifestError with the remedy."""
    path = _parquet(path)
    for file in (path, path.with_suffix(".json")):
        if not file.is_file():
            raise FileNotFoundError(
                f"{file}: no such manifest file; draw it with `emotrain prep RECIPE --stage manifest`"
            )
    header = _read_header(path.with_suffix(".json"))
    if header.get("format") != FORMAT:
        raise ManifestError(f"{path.with_suffix('.json')}: format {header.get('format')}, expected {FORMAT}; {REMEDY}")
    stated = header.pop("sha256", None)
    try:
        draws = from_table(read_table(path, REMEDY), Draw)
    except (TypeError, ValueError) as error:  # cut, or without a column that draws have
        raise ManifestError(f"{path}: no draws of a manifest ({error}); {REMEDY}") from error
    manifest = Manifest(header, tuple(draws))
    if manifest.digest != stated:
        raise ManifestError(
            f"{path}: the content has sha256 {manifest.digest}, its header {path.stem}.json states {stated}; "
            f"the files were changed or belong to two runs: {REMEDY}"
        )
    return manifest


def check_against(manifest: Manifest, clips: Sequence[Clip]) -> None:
    """Raise ManifestError unless every clip that is drawn is among `clips` with the label it had.

    Further clips are allowed: a manifest may leave clips out on purpose.
    """
    if manifest.header["clips_sha256"] == clips_digest(clips):
        return
    labels = {clip.clip_id: clip.label for clip in clips}
    drawn = {draw.clip_id: draw.label for draw in manifest.draws}
    missing = sorted(clip_id for clip_id in drawn if clip_id not in labels)
    changed = sorted(clip_id for clip_id, label in drawn.items() if labels.get(clip_id, label) != label)
    problems = []
    if missing:
        problems.append(f"{len(missing)} drawn clips are missing, first {missing[0]!r}")
    if changed:
        was, now = drawn[changed[0]], labels[changed[0]]
        problems.append(f"{len(changed)} labels changed, first {changed[0]!r} from {was!r} to {now!r}")
    if problems:
        raise ManifestError(
            f"the manifest ({manifest.header['strategy']}, {len(drawn)} distinct clips) does not match the "
            f"{len(clips)} clips of this run: {'; '.join(problems)}. Is it of another fold or data set? Else {REMEDY}"
        )


def check_settings(manifest: Manifest, settings: DrawSettings, path: Path) -> None:
    """Raise ManifestError, naming the differences, unless the manifest of the file `path` was drawn by `settings`.

    A file's name only says what its writer called it (`build_manifests.py --name`).
    """
    header = manifest.header
    wanted = asdict(settings.in_force(len(header["clips_per_class"])))
    if wanted["epoch_size"] is None:
        wanted["epoch_size"] = header["clips"]
    found = {**header["settings"], **{key: header[key] for key in _BESIDE}}
    odd = [f"{key} {found.get(key)!r} there, {value!r} now" for key, value in wanted.items() if found.get(key) != value]
    if odd:
        raise ManifestError(f"{path} was drawn with other settings: {'; '.join(odd)}; {REMEDY}")


def _label_counts(draws: Sequence[Draw], labels: Sequence[str]) -> dict[str, int]:
    counts = Counter(draw.label for draw in draws)
    strangers = sorted(set(counts) - set(labels))
    if strangers:
        raise ValueError(f"the manifest draws the label {strangers[0]!r}; {nearest(strangers[0], labels)}")
    return {label: counts[label] for label in labels}


def _read_header(path: Path) -> dict[str, Any]:
    try:
        return read_object(path, REMEDY)
    except DamagedFile as error:
        raise ManifestError(str(error)) from error


def _parquet(path: Path) -> Path:
    # Not with_suffix: it would cut "power-0.25" down to "power-0".
    return path if path.suffix == ".parquet" else path.with_name(path.name + ".parquet")


def _per_class(
    by_epoch: Sequence[Sequence[str]], classes: Mapping[str, str], counts: Mapping[str, int]
) -> dict[str, list[int]]:
    tallies = [Counter(classes[clip_id] for clip_id in ids) for ids in by_epoch]
    return {name: [tally[name] for tally in tallies] for name in counts}


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
