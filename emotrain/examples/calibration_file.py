"""`calibration.json` beside an adapter: what it scored on held-out clips, so that a new video gets a set of labels.

`emotrain evaluate RECIPE --adapter A --out E --calibrate true` writes it, `emotrain predict --coverage` reads it. Like
the input contract it comes with the adapter from anybody: it holds shares by label and a digest, and can cause larger
or smaller sets and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from emotrain.atomic_files import write_json
from emotrain.examples.input_contract import InputContract, read_contract
from emotrain.foreign_values import Table, faults, many, mapped, number, printable, read_foreign, text, told, whole
from emotrain.metrics.conformal import MOST, Calibration
from emotrain.modeling.adapters import CALIBRATION, adapter_digest

FORMAT = 1
REMEDY = "evaluate with its own recipe: emotrain evaluate RECIPE --adapter FOLDER --out DIR --calibrate true"

SCHEMA: Table = {
    "format": whole(FORMAT, FORMAT),
    "adapter": text(r"[0-9a-f]{128}", "the digest of an adapter"),
    "scores": mapped(printable(100), many(number(0, 1), MOST), 1000),
}
_SEEN = ("labels", "frames", "image_size", "context", "prompt", "summarizer", "option_orders", "tau", "quantisation")
"""What of an input contract decides the scores of a clip: a calibration is of one such input and of no other."""


def write_calibration(calibration: Calibration, folder: Path, digest: str) -> None:
    """Write `calibration.json` into a folder; `digest` is `adapter_digest` of the adapter whose scores it is of."""
    write_json({"format": FORMAT, "adapter": digest, "scores": dict(calibration.scores)}, folder / CALIBRATION)


def read_calibration(folder: Path) -> Calibration | None:
    """The calibration in an adapter's folder, None where there is none.

    Raises ValueError, with every reason, for a file that is not one, and for one of another adapter.
    """
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    values = read_foreign(path)
    found = [f"{key}: missing" for key in SCHEMA if key not in values]
    found += faults(values, SCHEMA, lambda key: "unknown here; install the emotrain that wrote it")
    if not found:
        found += [
            f"scores.{label}: not in rising order"
            for label, scores in values["scores"].items()
            if any(low > high for low, high in pairwise(scores))
        ]
    if found:
        raise ValueError(f"{path}: {len(found)} fault(s); delete it, or {REMEDY}\n{told(found)}")
    if values["adapter"] != adapter_digest(folder):
        raise ValueError(f"{path}: it is of other weights or another input contract than the adapter's; {REMEDY}")
    return Calibration({label: tuple(map(float, scores)) for label, scores in values["scores"].items()})


def of_other_input(first: InputContract, second: InputContract) -> list[str]:
    """The fields in which two contracts let a model see a clip otherwise, or read its scores otherwise."""
    return [key for key in _SEEN if _plain(first, key) != _plain(second, key)]


def _plain(contract: InputContract, key: str) -> object:
    value = asdict(contract)[key]
    if isinstance(value, Mapping):
        # Who is asked for summaries is the caller's to say, and what is missing has its default.
        return {name: _listed(entry) for name, entry in value.items() if name not in ("summarizer_options", "cues")}
    return _listed(value)


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def keep_beside(folder: Path, calibration: Calibration, contract: InputContract, digest: str) -> list[str]:
    """Put a calibration beside the adapter in `folder` if clips were put to it as its own contract says.

    Returns the fields in which they were not, or why none can be there: without a contract nothing can be compared.
    """
    own = read_contract(folder)
    if folder.name.startswith("checkpoint-"):
        return ["a checkpoint holds what its list names and no more"]
    differ = ["it has no input contract"] if own is None else of_other_input(own, contract)
    if not differ:
        write_calibration(calibration, folder, digest)
    return differ
