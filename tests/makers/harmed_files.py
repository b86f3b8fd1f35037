"""One file after another of a small project comes to harm; what the commands that read it make of that."""

from __future__ import annotations

import random
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from damages import ANY, OF_JSON, Harm
from small_house import House, restore
from tally import Stages, Tally, attempt, differing, judge_error

UNREAD = ("README.md", "progress.json", "index_report.json", "report.json", "confusion.png", "owner.lock")
"""Files that no command reads: they are for people, or of the moment."""

KINDS: dict[str, Callable[[str], bool]] = {
    "prepared data": lambda name: name.startswith("data/"),
    "checkpoint": lambda name: name.startswith("run/checkpoint-"),
    "result": lambda name: name.startswith("run/") and "checkpoint-" not in name,
    "result alone": lambda name: name.startswith("run/") and "checkpoint-" not in name,
    "scores": lambda name: name.startswith("scores/"),
}
TURNS = ("prepared data", "checkpoint", "prepared data", "result", "prepared data", "result alone", "scores")
"""There are most kinds of files among the prepared data."""


def damage(
    house: House, whole: Path, count: int, seed: int, tally: Tally, only: re.Pattern[str], first: int = 1
) -> None:
    """Harm one file of the whole project after another, of those whose path has `only`, and use what reads it.

    Every kind of file has its turn: in each group files go round by suffix and stage, and within those by chance. A
    damage is a function of the seed and its number (from `first`), so that one that shows a fault can be done again.
    """
    restore(house, whole)
    expected = house.results()
    files = sorted(path for path in whole.rglob("*") if path.is_file() and path.name not in UNREAD)
    names = {path: path.relative_to(whole).as_posix() for path in files}
    groups = {
        kind: [path for path in files if belongs(names[path]) and only.search(names[path])]
        for kind, belongs in KINDS.items()
    }
    turns = [kind for kind in TURNS if groups[kind]]
    done, number = 0, first - 1
    while done < count:
        number += 1
        chance = random.Random(f"{seed} {number}")
        kind = turns[number % len(turns)]
        alike = sorted({_sort(path) for path in groups[kind]})
        sort = alike[number // len(turns) % len(alike)]
        path = chance.choice([path for path in groups[kind] if _sort(path) == sort])
        harms: dict[str, Harm] = {**ANY, **(OF_JSON if path.suffix == ".json" else {})}
        name = chance.choice(list(harms))
        others = [one for one in files if one.suffix == path.suffix and one.read_bytes() != path.read_bytes()]
        content = harms[name](path.read_bytes(), chance, chance.choice(others).read_bytes() if others else b"other")
        if content == path.read_bytes():
            continue
        restore(house, whole)
        shutil.rmtree(house.folder / "out", ignore_errors=True)
        target = house.folder / names[path]
        target.unlink() if content is None else target.write_bytes(content)
        about = f"{names[path]}, {name} (damage {number} of seed {seed})"
        tally.add(f"damage, {kind}", *outcome_of(house, kind, target, content, expected, about, chance))
        done += 1
        if done % 50 == 0:
            print(f"{done} damages", file=sys.stderr, flush=True)


def _sort(path: Path) -> str:
    """The kind of a file: parts of a stage are alike, and so are the files of two checkpoints."""
    return re.sub(r"part-\d+-of-\d+", "part", f"{re.sub('-.*', '', path.parent.name)}/{path.name}")


def outcome_of(
    house: House,
    kind: str,
    target: Path,
    content: bytes | None,
    expected: dict[str, Any],
    about: str,
    chance: random.Random,
) -> tuple[str, str]:
    """What the commands that read a damaged file make of it, and a line about it."""
    stages: Stages = (house.publish,)
    if kind == "prepared data":
        shutil.rmtree(house.scores)
        stages = (house.prep, house.evaluate)
    elif kind == "checkpoint":
        for name in ("adapter_model.safetensors", "provenance.json", "digests.json"):
            (house.run / name).unlink()
        if "checkpoint-2" in str(target) and chance.random() < 0.5:  # as if the run had ended there: it is the newest
            shutil.rmtree(house.run / "checkpoint-4")
        stages = (house.train,)
    elif kind == "result":
        stages = (house.train, house.publish)
    elif kind == "result alone":
        for folder in house.run.glob("checkpoint-*"):
            shutil.rmtree(folder)
    error, said = attempt(*stages)
    part = target.name.split(".")[0]
    names = [target.name] + ([f"{part}.parquet"] if "digests" in target.name else []) + [f"{part}.digests.json"]
    if target.name == "digests.json":
        names += [one.name for one in target.parent.iterdir()]
    if error is not None:
        return judge_error(error, names), f"{about}: {type(error).__name__}: {str(error)[:300]}"
    wrong = differing(house.results(), expected)
    if wrong:
        return "silent", f"{about}: {', '.join(wrong[:3])} differ"
    if any(name in said for name in names):
        return "said and made again", about
    now = target.read_bytes() if target.is_file() else None
    return "not read" if now == content else "made again", about
