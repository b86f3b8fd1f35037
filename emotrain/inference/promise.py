"""The coverage that a reading's set of labels is promised to have, and what of an adapter keeps the promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.examples.calibration_file import REMEDY, of_other_input, read_calibration
from emotrain.examples.input_contract import InputContract, read_contract
from emotrain.metrics.conformal import Calibration, check_coverage
from emotrain.modeling.adapters import CALIBRATION


@dataclass(frozen=True, slots=True)
class Promise:
    """Sets of labels that hold the true one in a share `coverage` of clips like those held out in training."""

    coverage: float
    calibration: Calibration

    def possible(self, shares: Any, labels: Sequence[str]) -> tuple[str, ...]:
        """The labels of the set of one clip from its (C,) probabilities, in the order of `labels`."""
        inside = self.calibration.sets(np.asarray(shares)[None], labels, self.coverage)[0]
        return tuple(label for label, there in zip(labels, inside) if there)


def promised(coverage: float, folder: Path | None, contract: InputContract) -> Promise:
    """The promise that the calibration in an adapter's `folder` allows when clips are read by `contract`.

    Raises ValueError with what to do where there is none, and where clips are read otherwise than it was made.
    """
    check_coverage(coverage)
    if folder is None:
        raise ValueError("--coverage rests on held-out clips of a training; a base alone has none: give an --adapter")
    found = read_calibration(folder)
    if found is None:
        raise ValueError(
            f"--coverage {coverage:g}: no {CALIBRATION} beside the adapter {folder}, so nothing is known of its "
            f"errors; {REMEDY}"
        )
    own = read_contract(folder)
    differ = ["no input contract"] if own is None else of_other_input(own, contract)
    if differ:
        raise ValueError(
            f"--coverage {coverage:g}: the adapter was calibrated on clips read as its own contract says, and this is "
            f"another reading ({', '.join(differ)}); leave out what you changed, or --coverage"
        )
    found.sets(np.zeros((0, len(contract.labels))), contract.labels, coverage)  # labels of its own are refused now
    return Promise(coverage, found)
