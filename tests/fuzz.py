"""Damage clips and annotations by the thousand: frames, an index or a reason must come out, never a crash or a hang.

    python tests/fuzz.py                          # also: make fuzz
    python tests/fuzz.py --only clips --first 812 --cases 1

The cases are those of the test suite, more of them. Each is a pure function of its number, which a failure names.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "makers"))

from annotation_fuzz import make_all, read_annotation_case
from door_fuzz import read_door_case
from fuzzing import LIMIT_S, Case, damaged, outcomes, valid_files

from emotrain.stages.workers import Died, Pool

DECODERS = ("auto", "opencv")


def clips(numbers: Iterable[int], workers: int) -> Counter[str]:
    """Outcomes of damaged clips, over all containers and the back ends that take damaged files."""
    with tempfile.TemporaryDirectory() as folder:
        sources = valid_files(Path(folder))
        cases = [Case(n, sources[n % len(sources)], DECODERS[n // len(sources) % 8 == 7]) for n in numbers]
        return outcomes(cases, workers)


def annotations(numbers: list[int], workers: int) -> Counter[str]:
    """Outcomes of damaged annotations, over all readers."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, Pool(1, LIMIT_S) as pool:
        make_all(Path(folder))
        read = partial(read_annotation_case, folder=Path(folder), flip=damaged)
        for number, outcome in zip(numbers, pool.run(read, numbers)):
            if isinstance(outcome, Died):
                raise RuntimeError(f"annotation case {number} {outcome.reason}")
            counts[outcome] += 1
    return counts


def doors(numbers: list[int], workers: int) -> Counter[str]:
    """Outcomes of annotations, predictions, image names and settings in other dress."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, Pool(1, LIMIT_S) as pool:
        for number, outcome in zip(
            numbers, pool.run(partial(read_door_case, folder=Path(folder), flip=damaged), numbers)
        ):
            if isinstance(outcome, Died):
                raise RuntimeError(f"door case {number} {outcome.reason}")
            counts[outcome] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=3000, help="of each kind (%(default)s)")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=("clips", "annotations", "doors"))
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    numbers = list(range(args.first, args.first + args.cases))
    for kind, run in (("clips", clips), ("annotations", annotations), ("doors", doors)):
        if args.only not in (None, kind):
            continue
        started = time.monotonic()
        counts = run(numbers, args.workers)
        print(f"{kind}: {counts.total()} cases, no crash, no hang, {time.monotonic() - started:.0f} s")
        for outcome, count in sorted(counts.items()):
            print(f"  {outcome:24s} {count}")


if __name__ == "__main__":
    main()
