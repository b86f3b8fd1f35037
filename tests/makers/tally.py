"""What came of each harm that was done to a project, counted, and how a stage's end is judged."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

REMEDY = re.compile(r"\b(run|delete|make|made|put|take|train|evaluate|choose|name|free|wait|correct|draw|goes on)\b")
FAILURES = ("silent", "nameless", "traceback", "unequal", "left over")

Stages = tuple[Callable[[], None], ...]


@dataclass
class Tally:
    """What came of each kind of harm, and a line about every failure."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, kind: str, outcome: str, about: str, times: int = 1) -> None:
        """Count an outcome; one that is a failure is told on stderr at once."""
        self.counts.setdefault(kind, Counter())[outcome] += times
        if outcome in FAILURES:
            self.failures.append(f"{kind}: {outcome}: {about}")
            print(self.failures[-1], file=sys.stderr, flush=True)

    def table(self) -> str:
        """A table in Markdown: a row a kind of harm, a column an outcome, failures last."""
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


def differing(found: dict[str, Any], expected: dict[str, Any], within: float = 0.0) -> list[str]:
    """Names of results that are not equal; numbers of a model may differ by `within`."""
    names = sorted(found.keys() | expected.keys())
    return [name for name in names if not _equal(found.get(name), expected.get(name), within)]


def _equal(one: Any, other: Any, within: float) -> bool:
    if hasattr(one, "equals") and hasattr(other, "equals"):
        if within and "logits" in one.column_names and "logits" in other.column_names:
            numbers = _equal(one["logits"].to_pylist(), other["logits"].to_pylist(), within)
            # Their metadata has the digest of the weights, which differ in the last digits.
            return numbers and bool(one.drop_columns("logits").equals(other.drop_columns("logits")))
        return bool(one.equals(other, check_metadata=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return not differing(one, other, within)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_equal(*pair, within) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= within
    if within and isinstance(one, bytes) and isinstance(other, bytes) and b'"dtype"' in one[:1000]:
        from safetensors.torch import load

        return _equal(
            *({name: value.flatten().tolist() for name, value in load(raw).items()} for raw in (one, other)), within
        )
    return bool(one == other)
