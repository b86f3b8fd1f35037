"""Replies that were paid for are never asked for twice: an append-only file of one JSON line a question.

A part of the summarise stage, or an evaluation's predictions, appear only when they are whole; a run that is killed
half-way, or stopped by its budget, keeps what it has here. A last line that was cut off by a kill is dropped and asked
for again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

EMPTY = "the reply is empty"
"""Why a reply without words is refused."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a back end said about a gap, and what that cost.

    Where labels of whole clips are asked for, `gap` is the number of the question about the clip, and `scores` are
    log-likelihoods by label where the server gave any. `fault` says why there is no answer and that it is worth asking
    again; `refused`, that there will be no answer: the model declined, or the server rejected the request; `note` says
    why where that is known. Tokens are `estimated` where the server did not count them; `without` names parameters that
    it would not take.
    """

    clip_id: str
    gap: int
    text: str
    fault: str = ""
    refused: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    note: str = ""
    estimated: bool = False
    without: str = ""
    scores: dict[str, float] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Clip id and number of the gap."""
        return self.clip_id, self.gap


class Journal:
    """The replies of one shard. One process writes it; every reply is on disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.replies = {reply.key: reply for reply in read_journal(path)}
        _drop_cut_line(path)
        self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, replies: Iterable[Reply]) -> None:
        """Keep replies; a reply with a fault is kept too, and asked for again by the next run."""
        for reply in replies:
            self.replies[reply.key] = reply
            self._file.write(json.dumps(asdict(reply), ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def lacks(self, key: tuple[str, int]) -> bool:
        """Whether a gap has no reply, or one with a fault."""
        return key not in self.replies or bool(self.replies[key].fault)


def read_journal(path: Path) -> Iterator[Reply]:
    """The replies in a journal in the order they came; nothing when there is none. Raises ValueError for other text."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last line end was cut off
        try:
            yield Reply(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}:{number}: {line[:80]!r} is no reply; delete this line and run again") from error


def cost(journals: Path) -> dict[str, Any]:
    """What the replies in a folder of journals cost: requests, tokens, seconds of answering, refusals, faults, and how
    many replies have estimated tokens."""
    replies = [reply for file in sorted(journals.glob("*.jsonl")) for reply in read_journal(file)]
    return {
        "requests": len(replies),
        "tokens_in": sum(reply.tokens_in for reply in replies),
        "tokens_out": sum(reply.tokens_out for reply in replies),
        "estimated": sum(reply.estimated for reply in replies),
        "seconds": round(sum(reply.seconds for reply in replies), 3),
        "refused": sum(reply.refused for reply in replies),
        "faults": sum(bool(reply.fault) for reply in replies),
        "without": sorted({name for reply in replies for name in reply.without.split()}),
    }


def _drop_cut_line(path: Path) -> None:
    if path.exists():
        whole = path.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):
            os.truncate(path, end)
