"""What a back end is that answers questions about stored frames, and what it can fail with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from emotrain.context.gap_request import GapRequest
from emotrain.context.journal import Reply


class TextBackend(Protocol):
    """A back end that is asked about gaps, many at a time. It lives in one process."""

    name: str
    language: str

    def settings(self) -> Mapping[str, Any]:
        """Everything that changes the words, as plain JSON values."""
        ...

    def answer(self, requests: Sequence[GapRequest], keep: Callable[[Iterable[Reply]], None]) -> None:
        """Answer the requests in any order, handing replies to `keep` as they come."""
        ...


class BudgetReached(ValueError):
    """The run may spend no more; what it has is kept."""


class Unanswered(ValueError):
    """Some gaps have no reply yet; a further run asks for them again."""


def question_digest(language: str, observe: str = "face") -> str:
    """Sixteen hex digits of the words that ask: edited ones are another back end."""
    from emotrain.context.asking import OBSERVED, observe_pieces
    from emotrain.context.prompt import TEMPLATES

    names = (f"{piece}.{language}.jinja" for piece in (*observe_pieces(observe), "keyframe"))
    text = b"\0".join(Path(TEMPLATES / name).read_bytes() for name in names)
    text += b"" if observe in OBSERVED else b"\0" + observe.encode()
    return blake2b(text, digest_size=8).hexdigest()
