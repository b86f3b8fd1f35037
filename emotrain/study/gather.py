"""The predictions of a study's cells, pooled over folds: one table for every arm and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotrain.evaluation.evaluate import METRICS, PREDICTIONS
from emotrain.metrics.predictions import PredictionTable, read_predictions
from emotrain.study.cells import Cell
from emotrain.study.settings import Study


@dataclass(frozen=True, slots=True)
class Gathered:
    """`tables` has one table a seed for each arm that is complete, in the order of the study; `missing` names the
    cells that have no predictions of the study as it stands, by arm."""

    tables: Mapping[str, tuple[PredictionTable, ...]]
    missing: Mapping[str, tuple[str, ...]]


def gather(study: Study, every: Sequence[Cell]) -> Gathered:
    """Read what the cells of the study wrote. Folds are pooled: every clip is a test clip of one fold only."""
    by_arm: dict[str, list[Cell]] = {arm.name: [] for arm in study.arms}
    for cell in every:
        by_arm[cell.arm.name].append(cell)
    tables: dict[str, tuple[PredictionTable, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for name, of_arm in by_arm.items():
        lacking = [cell for cell in of_arm if not cell.run.is_done()]
        if lacking:
            missing[name] = tuple(_place(cell) + _stale(cell) for cell in lacking)
        else:
            tables[name] = tuple(_pooled([cell for cell in of_arm if cell.seed == seed]) for seed in study.seeds)
    return Gathered(tables, missing)


def comparable(gathered: Gathered, reference: str) -> Gathered:
    """Without the arms that were not scored on the reference's clips, which are named with what differs."""
    wanted = set(gathered.tables[reference][0].clip_ids)
    tables, missing = dict(gathered.tables), dict(gathered.missing)
    for name, of_arm in gathered.tables.items():
        differ = [set(table.clip_ids) ^ wanted for table in of_arm]
        if any(differ):
            clips = sorted(set().union(*differ))
            missing[name] = (f"scored on other clips than the reference: {len(clips)} differ, such as {clips[0]!r}",)
            del tables[name]
    return Gathered(tables, missing)


def _stale(cell: Cell) -> str:
    return ", of another system or other keys" if (cell.run.scores / METRICS).exists() else ""


def _pooled(of_seed: list[Cell]) -> PredictionTable:
    tables = [read_predictions(cell.run.scores / PREDICTIONS) for cell in of_seed]
    return PredictionTable(tables[0].labels, tuple(row for table in tables for row in table.predictions))


def _place(cell: Cell) -> str:
    return f"seed {cell.seed}" if cell.fold is None else f"fold {cell.fold}, seed {cell.seed}"
