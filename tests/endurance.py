"""Harm done to a small project, again and again: what comes out is whole and equal, or a message says file and remedy.

    python tests/endurance.py --damages 500 --kills 200 --out /tmp/endurance

Damages of every kind of file, SIGKILL at any moment of any stage, disks of several sizes that fill up, a clock that
jumps, folders that can only be read, two processes in one folder, a file server whose renames are slow. Prints a table;
status 1 when anything was lost, doubled, taken in silence, or told without its name. Disks need root (tmpfs).
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent / "makers")]

from damages import ANY, OF_JSON, Harm  # noqa: E402
from small_house import House, make_house, restore  # noqa: E402

REMEDY = re.compile(r"\b(run|delete|make|made|put|take|train|evaluate|choose|name|free|wait|correct|draw|goes on)\b")
FAILURES = ("silent", "nameless", "traceback", "unequal", "left over")


@dataclass
class Tally:
    """What came of each kind of harm, and a line about every failure."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, kind: str, outcome: str, about: str) -> None:
        self.counts.setdefault(kind, Counter())[outcome] += 1
        if outcome in FAILURES:
            self.failures.append(f"{kind}: {outcome}: {about}")
            print(self.failures[-1], file=sys.stderr, flush=True)

    def table(self) -> str:
        outcomes = sorted({name for found in self.counts.values() for name in found}, key=lambda name: name in FAILURES)
        lines = [f"| harm | tried | {' | '.join(outcomes)} |", f"|-|{'-|' * (len(outcomes) + 1)}"]
        for kind, found in self.counts.items():
            lines.append(f"| {kind} | {found.total()} | {' | '.join(str(found[name]) for name in outcomes)} |")
        return "\n".join(lines)


def attempt(*stages: Callable[[], None]) -> tuple[Exception | None, str]:
    """Run stages as the command would; the error that ended them, if any, and all that was said."""
    from emotrain import atomic_files

    atomic_files._sweep_once.cache_clear()  # as in a process of its own, which is what each attempt stands for
    said = io.StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(said):
            for stage in stages:
                stage()
    except Exception as error:
        return error, said.getvalue()
    return None, said.getvalue()


def judge_error(error: Exception, names: list[str]) -> str:
    """`named` for a message of the command with one of these names and a remedy."""
    from emotrain.cli import _is_users
    from emotrain.file_errors import in_words

    if not _is_users(error):
        return "traceback"
    text = in_words(error)
    return "named" if any(name in text for name in names) and REMEDY.search(text) else "nameless"


def damage(
    house: House, whole: Path, count: int, chance: random.Random, tally: Tally, ends: float, only: re.Pattern[str]
) -> None:
    """Harm one file of the whole project after another, of those whose path has `only`, and use what reads it."""
    restore(house, whole)
    expected = house.results()
    files = sorted(path for path in whole.rglob("*") if path.is_file() and path.name not in UNREAD)
    names = {path: path.relative_to(whole).as_posix() for path in files}
    groups = {
        kind: [path for path in files if belongs(names[path]) and only.search(names[path])] for kind, belongs in KINDS
    }
    kinds = [kind for kind, _ in KINDS if groups[kind]]
    for number in range(count):
        if time.monotonic() > ends:
            return
        kind = kinds[number % len(kinds)]
        path = chance.choice(groups[kind])
        harms: dict[str, Harm] = {**ANY, **(OF_JSON if path.suffix == ".json" else {})}
        name = chance.choice(list(harms))
        restore(house, whole)
        shutil.rmtree(house.folder / "out", ignore_errors=True)
        target = house.folder / path.relative_to(whole)
        others = [one for one in files if one.suffix == path.suffix and one.read_bytes() != path.read_bytes()]
        content = harms[name](path.read_bytes(), chance, chance.choice(others).read_bytes() if others else b"other")
        if content == path.read_bytes():
            continue
        target.unlink() if content is None else target.write_bytes(content)
        about = f"{path.relative_to(whole)}, {name}"
        tally.add(*outcome_of(house, kind, target, content, expected, about))


def outcome_of(
    house: House, kind: str, target: Path, content: bytes | None, expected: dict[str, Any], about: str
) -> tuple[str, str, str]:
    """What the commands that read a damaged file make of it."""
    stages: tuple[Callable[[], None], ...]
    if kind == "prepared data":
        shutil.rmtree(house.scores)
        stages = (house.prep, house.evaluate)
    elif kind == "checkpoint":
        for name in ("adapter_model.safetensors", "provenance.json", "digests.json"):
            (house.run / name).unlink()
        if chance_of(target):  # as if the run had ended there: the newest is the damaged one
            shutil.rmtree(house.run / "checkpoint-4", ignore_errors=True)
            if "checkpoint-4" in str(target):
                return kind, "not read", about
        stages = (house.train,)
    elif kind == "result":
        stages = (house.train, house.publish)
    elif kind == "result alone":
        for folder in house.run.glob("checkpoint-*"):
            shutil.rmtree(folder)
        stages = (house.publish,)
    else:
        stages = (house.publish,)
    error, said = attempt(*stages)
    part = target.name.split(".")[0]
    names = [target.name] + ([f"{part}.parquet"] if "digests" in target.name else []) + [f"{part}.digests.json"]
    if target.name == "digests.json":
        names += [one.name for one in target.parent.iterdir()]
    if error is not None:
        outcome = judge_error(error, names)
        return kind, outcome, f"{about}: {type(error).__name__}: {str(error)[:300]}"
    wrong = differing(house.results(), expected)
    if wrong:
        return kind, "silent", f"{about}: {', '.join(wrong[:3])} differ"
    if any(name in said for name in names):
        return kind, "said and made again", about
    now = target.read_bytes() if target.is_file() else None
    return kind, "not read" if now == content else "made again", about


def differing(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Names of results that are not equal."""
    return sorted(name for name in expected.keys() | found.keys() if not _equal(found.get(name), expected.get(name)))


def _equal(one: Any, other: Any) -> bool:
    tables = hasattr(one, "equals") and hasattr(other, "equals")
    return bool(one.equals(other, check_metadata=True) if tables else one == other)


def chance_of(target: Path) -> bool:
    return target.stat().st_ino % 3 == 0 if target.exists() else False


def kill(house: House, whole: Path, count: int, chance: random.Random, tally: Tally) -> None:
    """SIGKILL a process in the middle of all stages, as often as asked, going on each time; then compare."""
    restore(house, whole)
    expected = house.results()
    kills = 0
    while kills < count:
        shutil.rmtree(house.folder)
        house.folder.mkdir()
        here, limit_s = 0, 25
        while here < limit_s:
            child = started(house.prep, house.train, house.evaluate)
            status = waited(child, chance.choice((0.2, 1.0, 3.0)) * chance.random() * 2)
            if status is not None:
                break
            kills, here = kills + 1, here + 1
        else:
            status = waited(started(house.prep, house.train, house.evaluate), None)
        wrong = differing(house.results(), expected) if status == 0 else [f"status {status}"]
        left = [path.name for path in house.folder.rglob("*.tmp")]
        outcome = "unequal" if wrong else "left over" if left else "equal"
        for _ in range(max(here, 1)):
            tally.add("SIGKILL while preparing, training, scoring", outcome, f"{', '.join(wrong[:3])} {left[:2]}")


def started(*stages: Callable[[], None]) -> int:
    """A child of this process that runs stages: it has imported everything already."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            error, said = attempt(*stages)
            status = 0 if error is None else 3
            if error is not None and os.environ.get("ENDURANCE_SHOW"):
                os.write(2, f"{type(error).__name__}: {error}\n{said[-300:]}\n".encode())
        finally:
            os._exit(status)
    return child


def waited(child: int, kill_after_s: float | None) -> int | None:
    """The child's status; None when it was killed because it took longer."""
    ends = None if kill_after_s is None else time.monotonic() + kill_after_s
    while True:
        done, status = os.waitpid(child, os.WNOHANG if ends is not None else 0)
        if done:
            return os.waitstatus_to_exitcode(status)
        if ends is not None and time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.005)


def full_disk(house: House, whole: Path, sizes: list[int], tally: Tally) -> None:
    """The whole way on disks that are too small; then the disk grows, and the way is gone to its end."""
    restore(house, whole)
    expected = house.results()
    shutil.rmtree(house.folder)
    for kilobytes in sizes:
        with disk(house.folder, f"size={kilobytes}k"):
            error, said = attempt(house.prep, house.train, house.evaluate)
            outcome = "fits" if error is None else judge_error(error, [str(house.folder)])
            if error is not None and outcome == "named" and "No space left" not in str(error):
                outcome = "nameless"
            about = f"{kilobytes} KB: {type(error).__name__}: {str(error)[:300]} {said[-200:] if error else ''}"
            if outcome in FAILURES:
                tally.add("full disk", outcome, about)
                continue
            subprocess.run(["mount", "-o", "remount,size=200m", str(house.folder)], check=True)
            error, _ = attempt(house.prep, house.train, house.evaluate)
            wrong = [str(error)] if error is not None else differing(house.results(), expected)
            left = [path.name for path in house.folder.rglob("*.tmp")]
            tally.add("full disk", "unequal" if wrong else "left over" if left else outcome, f"{about}: {wrong} {left}")


def read_only(house: House, whole: Path, tally: Tally) -> None:
    """The stages in a folder that may not be written to."""
    for name, stages in (
        ("nothing there", (house.prep,)),
        ("prepared", (house.train,)),
        ("trained", (house.evaluate,)),
    ):
        shutil.rmtree(house.folder, ignore_errors=True)
        with disk(house.folder, "size=100m"):
            keep = {"nothing there": (), "prepared": ("data",), "trained": ("data", "run")}[name]
            for part in keep:
                shutil.copytree(whole / part, house.folder / part)
            subprocess.run(["mount", "-o", "remount,ro", str(house.folder)], check=True)
            error, _ = attempt(*stages)
            outcome = "silent" if error is None else judge_error(error, [str(house.folder)])
            tally.add("folder that can only be read", outcome, f"{name}: {type(error).__name__}: {error}")


def together(house: House, whole: Path, times: int, tally: Tally, *, slow: bool) -> None:
    """Two processes run all stages in one folder; one of them may be told to wait, and both leave one result."""
    restore(house, whole)
    expected = house.results()
    kind = "two processes, renames slow and out of turn" if slow else "two processes in one folder"
    for _ in range(times):
        shutil.rmtree(house.folder)
        house.folder.mkdir()
        with slow_renames() if slow else _nothing():
            children = [started(house.prep, house.train, house.evaluate) for _ in range(2)]
            statuses = [waited(child, None) for child in children]
        # A process that was refused (status 3: the other one trains) is run again, as a person would.
        error, _ = attempt(house.prep, house.train, house.evaluate)
        wrong = [str(error)] if error is not None else differing(house.results(), expected)
        if not set(statuses) <= {0, 3}:
            wrong.append(f"statuses {statuses}")
        left = [path.name for path in house.folder.rglob("*.tmp")]
        tally.add(kind, "unequal" if wrong else "left over" if left else "equal", f"{wrong[:3]} {left}")


def clock(house: House, whole: Path, tally: Tally) -> None:
    """A clock that jumps by years, both ways, in the middle of each stage."""
    restore(house, whole)
    expected = house.results()
    now = time.time
    for years in (-30, 30):
        shutil.rmtree(house.folder)
        house.folder.mkdir()
        time.time = _jumping(now, years)  # type: ignore[assignment]
        try:
            error, _ = attempt(house.prep, house.train, house.evaluate, house.train)
        finally:
            time.time = now
        for path in house.folder.rglob("*"):
            os.utime(path, (now() + years * 3.15e7,) * 2)
        if error is None:
            error, _ = attempt(house.prep, house.train, house.evaluate)
        wrong = [str(error)] if error is not None else differing(house.results(), expected)
        tally.add("a clock that jumps", "unequal" if wrong else "equal", f"{years} years: {wrong[:3]}")


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


@contextmanager
def _nothing() -> Iterator[None]:
    yield


UNREAD = ("README.md", "progress.json", "index_report.json", "report.json", "confusion.png", "owner.lock")
"""Files that no command reads: they are for people, or of the moment."""

KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("prepared data", lambda name: name.startswith("data/")),
    ("checkpoint", lambda name: name.startswith("run/checkpoint-")),
    ("prepared data", lambda name: name.startswith("data/")),
    ("result", lambda name: name.startswith("run/") and "checkpoint-" not in name),
    ("result alone", lambda name: name.startswith("run/") and "checkpoint-" not in name),
    ("scores", lambda name: name.startswith("scores/")),
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--damages", type=int, default=500)
    parser.add_argument(
        "--only", type=re.compile, default=re.compile(""), help="damage files whose path has this alone"
    )
    parser.add_argument("--minutes", type=float, default=1e9, help="most that the damages may take")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument(
        "--disks", type=int, nargs="*", default=[100, 250, 400, 700, 1000, 1400, 1800, 2200, 2600], metavar="KB"
    )
    parser.add_argument("--pairs", type=int, default=3, help="times that two processes run in one folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "emotrain-endurance")
    asked = parser.parse_args(arguments)
    chance, tally = random.Random(asked.seed), Tally()
    house, whole = make_house(asked.out / "work", asked.out / "made"), asked.out / "whole"
    if not whole.is_dir():
        shutil.rmtree(house.folder)
        house.folder.mkdir()
        error, said = attempt(house.prep, house.train, house.evaluate)
        if error is not None:
            print(said, file=sys.stderr)
            raise error
        shutil.copytree(house.folder, whole)
    damage(house, whole, asked.damages, chance, tally, time.monotonic() + 60 * asked.minutes, asked.only)
    kill(house, whole, asked.kills, chance, tally)
    if os.geteuid() == 0:
        full_disk(house, whole, asked.disks, tally)
        read_only(house, whole, tally)
    if asked.pairs:
        together(house, whole, asked.pairs, tally, slow=False)
        together(house, whole, asked.pairs, tally, slow=True)
        clock(house, whole, tally)
    print(tally.table())
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
