"""Places a project can be unlucky in: full disks, folders that can only be read, company, odd clocks, slow renames.

File systems of their own need root (tmpfs).
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from kills import DONE, FAULT, empty, fork, run_stages, waited
from small_house import House, restore
from tally import FAILURES, Tally, attempt, differing, judge_error


def full_disks(house: House, whole: Path, count: int, tally: Tally) -> None:
    """The whole way on `count` disks, all too small; then the disk grows, and the way is gone to its end."""
    restore(house, whole)
    expected = house.results()
    needed = sum(path.stat().st_size // 4096 + 1 for path in whole.rglob("*")) * 4  # KB, in pages of 4 KB as on a tmpfs
    empty(house)
    for number in range(count):
        kilobytes = needed * (number + 1) // (count + 1)
        with disk(house.folder, f"size={kilobytes}k"):
            error, said = attempt(house.prep, house.train, house.evaluate)
            outcome = "fits" if error is None else judge_error(error, [str(house.folder)])
            if error is not None and outcome == "named" and "No space left" not in str(error):
                outcome = "nameless"
            about = f"{kilobytes} KB: {type(error).__name__}: {str(error)[:300]} {said[-200:] if error else ''}"
            if outcome not in FAILURES:
                subprocess.run(["mount", "-o", "remount,size=200m", str(house.folder)], check=True)
                outcome, found = _gone_on(house, expected, outcome)
                about += found
            tally.add("full disk", outcome, about)


def _gone_on(house: House, expected: dict[str, Any], else_: str) -> tuple[str, str]:
    """`else_` where all stages, run once more, give what is expected and leave nothing over."""
    error, _ = attempt(house.prep, house.train, house.evaluate)
    wrong = [str(error)] if error is not None else differing(house.results(), expected)
    left = [path.name for path in house.folder.rglob("*.tmp")]
    return "unequal" if wrong else "left over" if left else else_, f" {wrong[:3]} {left[:3]}"


def read_only(house: House, whole: Path, tally: Tally) -> None:
    """Each stage in a folder that may not be written to."""
    for there, stage in (
        ((), house.prep),
        (("data",), house.train),
        (("data", "run"), house.evaluate),
        (("data", "run", "scores"), house.publish),
    ):
        shutil.rmtree(house.folder, ignore_errors=True)
        with disk(house.folder, "size=100m"):
            for part in there:
                shutil.copytree(whole / part, house.folder / part)
            subprocess.run(["mount", "-o", "remount,ro", str(house.folder)], check=True)
            error, _ = attempt(stage)
            outcome = "silent" if error is None else judge_error(error, [str(house.folder)])
            tally.add("folder that can only be read", outcome, f"{stage.__name__}: {type(error).__name__}: {error}")


def together(house: House, whole: Path, times: int, tally: Tally, *, slow: bool) -> None:
    """Two processes run all stages in one folder; one of them may be told to wait, and both leave one result."""
    restore(house, whole)
    expected = house.results()
    kind = "two processes, renames slow and out of turn" if slow else "two processes in one folder"
    for _ in range(times):
        empty(house)
        with slow_renames() if slow else nullcontext():
            children = [fork(lambda: run_stages(house, house.prep, house.train, house.evaluate)) for _ in range(2)]
            statuses = {waited(child) for child in children}
        # A process that was refused (the other one trains) is run again, as a person would.
        outcome, about = _gone_on(house, expected, "equal")
        tally.add(kind, outcome if statuses <= {DONE, FAULT} else "unequal", f"statuses {statuses} {about}")


def clock(house: House, whole: Path, tally: Tally) -> None:
    """A clock that jumps by years, both ways, in the middle of each stage."""
    restore(house, whole)
    expected = house.results()
    now = time.time
    for years in (-30, 30):
        empty(house)
        time.time = _jumping(now, years)  # type: ignore[assignment]
        try:
            error, _ = attempt(house.prep, house.train, house.evaluate, house.train)
        finally:
            time.time = now
        for path in house.folder.rglob("*"):
            os.utime(path, (now() + years * 3.15e7,) * 2)
        outcome, about = ("unequal", str(error)) if error is not None else _gone_on(house, expected, "equal")
        tally.add("a clock that jumps", outcome, f"{years} years: {about}")


def _jumping(now: Callable[[], float], years: int) -> Callable[[], float]:
    """A clock that is years off for three of seven looks at it."""
    looks = iter(range(1_000_000_000))
    return lambda: now() + years * 3.15e7 * (next(looks) % 7 > 3)


@contextmanager
def disk(folder: Path, options: str) -> Iterator[None]:
    """A file system of its own at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def slow_renames() -> Iterator[None]:
    """Each rename takes up to a fifth of a second, as on a busy file server; children that fork inherit this."""
    rename = os.replace

    def slowly(source: Any, target: Any, **more: Any) -> None:
        time.sleep(0.2 * random.Random(f"{source}").random())
        rename(source, target, **more)

    os.replace = slowly  # type: ignore[assignment]
    try:
        yield
    finally:
        os.replace = rename
