"""Gap summaries by a model behind an OpenAI-compatible endpoint: vLLM, `transformers serve`, a provider's own.

How it is asked, and what happens where it fails, is in chat_client.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from emotrain.context.asking import OBSERVED, check_observe, cleaned, observe_messages
from emotrain.context.chat_client import ChatClient, Question
from emotrain.context.gap_request import GapRequest
from emotrain.context.journal import Reply
from emotrain.context.text_backend import question_digest

VERSION = 2


@dataclass(slots=True)
class OpenaiBackend(ChatClient):
    """Words about gaps from the model that a ChatClient reaches."""

    language: str = "en"
    observe: str = "face"
    name: str = "openai"

    def __post_init__(self) -> None:
        ChatClient.__post_init__(self)
        check_observe(self.observe)

    def settings(self) -> Mapping[str, Any]:
        """Everything that changes the words; not where the server runs, nor how it is asked for them."""
        return {
            "version": VERSION,
            "model": self.model,
            "max_new_tokens": self.max_new_tokens,
            "language": self.language,
            "question": question_digest(self.language, self.observe),
            **({"observe": self.observe} if self.observe in OBSERVED[1:] else {}),
        }

    def answer(self, requests: Sequence[GapRequest], keep: Callable[[Iterable[Reply]], None]) -> None:
        """Answer the requests; each reply is handed over as it arrives. Raises what `ChatClient.ask` raises."""

        def messages(request: GapRequest) -> list[dict[str, Any]]:
            return observe_messages(request, self.language, inline=True, observe=self.observe)

        self.ask([Question(request.key, partial(messages, request), kept=cleaned) for request in requests], keep)
