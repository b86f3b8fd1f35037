"""Scoring a file of predictions that anyone made: `emotrain score FILE` writes metrics.json and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.datasets.clips import read_index
from emotrain.emotions import LABEL_SETS, PUBLISHED_COUNTS, Group, LabelSet, frequency_groups
from emotrain.emotions import label_set as find_label_set
from emotrain.evaluation.headline import ArmResult, check_arms, differences, verdicts
from emotrain.evaluation.report import write_report
from emotrain.evaluation.trait_file import read_traits, traits_of
from emotrain.metrics.by_trait import Traits
from emotrain.metrics.clusters import known_clusters, numbers_of
from emotrain.metrics.ordinal import ordinal
from emotrain.metrics.predictions import PredictionTable, arms_in, check_coverage, check_folds, read_predictions
from emotrain.metrics.published import published
from emotrain.metrics.summary import summarise
from emotrain.records import Clip


def score_file(
    path: Path,
    *,
    out: Path,
    label_set: str | None = None,
    clips: Path | None = None,
    groups_from: Mapping[str, int] | None = None,
    cluster: str | None = None,
    arm: str | None = None,
    seed: int | None = None,
    prior: Mapping[str, float] | None = None,
    traits: Path | None = None,
    title: str | None = None,
    resamples: int = 10_000,
) -> list[ArmResult]:
    """Score a prediction file and write what came out; returns one result an arm (see `score_arms` for the rest).

    `label_set` is a known name or label names with commas; without it the file's own labels count. `clips` is a data
    folder with its clip index; `cluster` says what of it is resampled as a whole: subject, source or none, by default
    the first of these that it names for every clip. `prior` (counts or shares a label) adds the accuracy where classes
    occur so often; `traits` is a table of groups by clip or subject (see `read_traits`), else those of the index count.
    Writes
    `out/metrics.json` ({"arms": {name: `metrics.summary.summarise`}}), `out/report.html`, `out/differences.json` and
    `out/figures/`; nothing when the file cannot be scored.
    """
    index = None if clips is None else read_index(clips)
    known = None if index is None else {clip.clip_id: clip for clip in index.clips}
    if cluster not in (None, "none") and known is None:
        raise ValueError(f"--cluster {cluster} needs --clips DATA, the folder whose clips.parquet names the {cluster}s")
    arms = score_arms(
        path,
        label_set=None if label_set is None else find_label_set(label_set),
        clips=known,
        groups_from=groups_from,
        cluster=cluster,
        arm=arm,
        seed=seed,
        prior=prior,
        traits=read_traits(traits, known) if traits is not None else traits_of(known) if known is not None else None,
        resamples=resamples,
    )
    # Whatever can fail does so before the first file is written.
    check_arms(arms)
    kinds = {} if known is None else {clip_id: clip.kind for clip_id, clip in known.items()}
    compared = differences(arms, kinds, resamples=resamples)
    found = verdicts(arms, kinds, resamples=resamples)
    write_json({"arms": {result.name: result.metrics for result in arms}}, out / "metrics.json")
    # The index names the data; DFEW and FERV39k share their labels, so the label set alone is the weaker witness.
    dataset = index.dataset if index is not None else label_set
    write_report(
        out,
        arms,
        title=title if title is not None else f"Scores of {path.name}",
        clips=known if known is not None else {},
        published=published(dataset) if dataset is not None else (),
        notes=_notes(arms),
        compared=compared,
        found=found,
    )
    return arms


def score_arms(
    path: Path,
    *,
    label_set: LabelSet | None = None,
    clips: Mapping[str, Clip] | None = None,
    groups_from: Mapping[str, int] | None = None,
    cluster: str | None = None,
    arm: str | None = None,
    seed: int | None = None,
    prior: Mapping[str, float] | None = None,
    traits: Traits | None = None,
    resamples: int = 10_000,
) -> list[ArmResult]:
    """The arms of a parquet, csv or jsonl file of per-label scores, labels or free-text replies, each with its figures.

    With `clips` (an index by clip id) the file must cover exactly the clips of its folds or of the test split, and
    macro and micro clips are told apart. Head, medium and tail follow `groups_from` (training clips a class), else the
    training clips of `clips`, else the published counts of `label_set` (where it is not given: of the one shipped set
    that has these labels); without any, they are left out. `cluster` is what of the index is resampled as a whole
    (see `score_file`). `arm` picks one of several arms. Raises ValueError, naming the rows, for whatever is wrong with
    the file.
    """
    arms = []
    for name in [arm] if arm is not None else arms_in(path):
        labels = None if label_set is None else label_set.labels
        table = read_predictions(path, labels=labels, arm=name, seed=seed)
        check_folds(table, path)
        if clips is not None:
            check_coverage(table, clips)
        kinds = None if clips is None else {clip_id: clip.kind for clip_id, clip in clips.items()}
        groups = _groups(table, label_set, clips, groups_from)
        known = None if clips is None else known_clusters(table, clips, cluster)
        by, clusters = known if known is not None else ("subject", None)
        if prior is not None:
            _check_labels(prior, table, "the prior")
        metrics = summarise(
            table,
            groups=groups,
            kinds=kinds,
            clusters=clusters,
            cluster_by=by,
            prior=prior,
            traits=traits,
            resamples=resamples,
        )
        if label_set is not None:
            metrics["ordinal"] = ordinal(table, label_set, None if clusters is None else numbers_of(table, clusters))
        arms.append(ArmResult(name if name else path.stem, metrics, table, {"file": path.name}))
    return arms


def training_counts(table: PredictionTable, clips: Mapping[str, Clip]) -> Counter[str]:
    """Training clips a class: the train split, or the clips outside the table's folds (all of them when pooled)."""
    folds = {fold for fold in table.folds if fold is not None}
    train = [clip for clip in clips.values() if clip.split == "train"]
    if not train:
        train = [clip for clip in clips.values() if clip.test_fold not in folds]
    if not train:
        # Every fold is in the table, so every clip was training data of some fold: shares over all clips.
        train = list(clips.values())
    return Counter(dict.fromkeys(table.labels, 0)) + Counter(clip.label for clip in train)


def _groups(
    table: PredictionTable,
    label_set: LabelSet | None,
    clips: Mapping[str, Clip] | None,
    groups_from: Mapping[str, int] | None,
) -> dict[str, Group] | None:
    if groups_from is not None:
        _check_labels(groups_from, table, "training counts")
        return frequency_groups(groups_from)
    if clips is not None:
        counts = training_counts(table, clips)
        return frequency_groups({label: counts[label] for label in table.labels})
    name = _only_set(table) if label_set is None else label_set.name
    return frequency_groups(PUBLISHED_COUNTS[name]) if name in PUBLISHED_COUNTS else None


def _check_labels(counts: Mapping[str, float], table: PredictionTable, what: str) -> None:
    odd = sorted(set(counts) ^ set(table.labels))
    if odd:
        raise ValueError(
            f"{what} and predictions differ in {', '.join(odd)}; give one count for each of {', '.join(table.labels)}"
        )
    if not sum(counts.values()) > 0:
        raise ValueError(f"{what}: every count is 0; give how often each label occurs")


def _only_set(table: PredictionTable) -> str | None:
    """The one shipped label set with these labels; None when there are several (DFEW and FERV39k, SMIC and MEGC)."""
    names = [name for name, known in LABEL_SETS.items() if set(known.labels) == set(table.labels)]
    return names[0] if len(names) == 1 else None


def _notes(arms: list[ArmResult]) -> list[str]:
    warning = arms[0].metrics["interval"]["warning"]
    notes = [] if warning is None else [warning]
    for result in arms:
        rates: Mapping[str, Any] = result.metrics["rates"]
        if any(rates.values()):
            notes.append(
                f"{result.name}: {100 * rates['ambiguous']:.1f} % of the replies named several labels and "
                f"{100 * rates['unparsed']:.1f} % named none; both count as errors."
            )
        if result.metrics["absent_classes"]:
            absent = ", ".join(result.metrics["absent_classes"])
            notes.append(f"{result.name}: no clip of {absent}; UAR and macro-F1 count these classes as 0.")
    return notes
