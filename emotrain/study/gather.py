"""The predictions of a study's cells, pooled over folds: one table for every arm and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emotrain.evaluation.evaluate import METRICS, PREDICTIONS
from emotrain.metrics.predictions import PredictionTable, read_predictions
from emotrain.study.cells import Cell, cells
from emotrain.study.settings import Study


@dataclass(frozen=True, slots=True)
class Gathered:
    """`tables` has one table a seed for each arm that is complete, in the order of the study; `missing` names the
    cells that have no predictions yet, by arm."""

    tables: Mapping[str, tuple[PredictionTable, ...]]
    missing: Mapping[str, tuple[str, ...]]


def gather(study: Study) -> Gathered:
    """Read what the cells wrote. Folds are pooled: every clip is a test clip of one fold only."""
    by_arm: dict[str, list[Cell]] = {arm.name: [] for arm in study.arms}
    for cell in cells(study):
        by_arm[cell.arm.name].append(cell)
    tables: dict[str, tuple[PredictionTable, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for name, of_arm in by_arm.items():
        lacking = [cell for cell in of_arm if not (cell.run.scores / METRICS).exists()]
        if lacking:
            missing[name] = tuple(_place(cell) for cell in lacking)
        else:
            tables[name] = tuple(_pooled([cell for cell in of_arm if cell.seed == seed]) for seed in study.seeds)
    return Gathered(tables, missing)


def _pooled(of_seed: list[Cell]) -> PredictionTable:
    tables = [read_predictions(cell.run.scores / PREDICTIONS) for cell in of_seed]
    return PredictionTable(tables[0].labels, tuple(row for table in tables for row in table.predictions))


def _place(cell: Cell) -> str:
    return f"seed {cell.seed}" if cell.fold is None else f"fold {cell.fold}, seed {cell.seed}"
