"""Harm done to a small project, again and again: what comes out is whole and equal, or a message says file and remedy.

    python tests/endurance.py --damages 500 --kills 1000 --out /tmp/endurance

Damages of every kind of file, SIGKILL at any moment of any stage in worlds of one and two processes, disks of several
sizes that fill up, a clock that jumps, folders that can only be read, two processes in one folder, a file server whose
renames are slow. Prints a table; status 1 when anything was lost, doubled, taken in silence, or told without its name.
Disks need root (tmpfs).
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent / "makers")]

from harmed_files import damage  # noqa: E402
from kills import kill  # noqa: E402
from small_house import make_house  # noqa: E402
from tally import Tally, attempt  # noqa: E402
from unlucky_places import clock, full_disks, read_only, together  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--damages", type=int, default=500)
    parser.add_argument(
        "--only", type=re.compile, default=re.compile(""), help="damage files whose path has this alone"
    )
    parser.add_argument("--first", type=int, default=1, metavar="N", help="begin with the damage of this number")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--disks", type=int, default=12, help="sizes of disks that are too small, evenly spread")
    parser.add_argument("--pairs", type=int, default=3, help="times that two processes run in one folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "emotrain-endurance")
    asked = parser.parse_args(arguments)
    tally, started = Tally(), time.monotonic()
    house, whole = make_house(asked.out / "work", asked.out / "made"), asked.out / "whole"
    if not whole.is_dir():
        shutil.rmtree(house.folder)
        house.folder.mkdir()
        error, said = attempt(house.prep, house.train, house.evaluate)
        if error is not None:
            print(said, file=sys.stderr)
            raise error
        shutil.copytree(house.folder, whole)

    def end(*_: object) -> None:
        # Not by an exception: one that comes in the middle of a fork is thrown away.
        print(f"ended before its time; until then:\n\n{tally.table()}", flush=True)
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    if asked.disks and os.geteuid() == 0:
        full_disks(house, whole, asked.disks, tally)
        read_only(house, whole, tally)
    if asked.pairs:
        together(house, whole, asked.pairs, tally, slow=False)
        together(house, whole, asked.pairs, tally, slow=True)
        clock(house, whole, tally)
    damage(house, whole, asked.damages, asked.seed, tally, asked.only, asked.first)
    if asked.kills:
        kill(house, asked.kills, random.Random(asked.seed), tally)
    print(tally.table())
    print(f"\n{(time.monotonic() - started) / 60:.0f} minutes, seed {asked.seed}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
