"""Gap summaries by a model behind an OpenAI-compatible endpoint: vLLM, `transformers serve`, a provider's own.

Requests run side by side up to `concurrency`; the openai library repeats those that meet 429, 5xx or a timeout, waiting
longer each time. What still fails is a fault in the journal and is asked for again by the next run. The key is read
from an environment variable and stands in no file, log or message.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emotrain.context.asking import cleaned, is_refusal, observe_messages
from emotrain.context.gap_request import GapRequest
from emotrain.context.journal import Reply
from emotrain.context.text_backend import BudgetReached, question_digest

VERSION = 1
NO_KEY = "none"
"""Servers on one's own machine take any key; the library wants one."""


@dataclass(slots=True)
class OpenaiBackend:
    """`base_url` ends in /v1. `max_requests` and `max_tokens` bound one run: no request starts past them."""

    model: str
    base_url: str
    key_variable: str = "OPENAI_API_KEY"
    concurrency: int = 8
    max_new_tokens: int = 96
    max_requests: int | None = None
    max_tokens: int | None = None
    retries: int = 5
    timeout_s: float = 60.0
    language: str = "en"
    name: str = "openai"
    spent: dict[str, int] = field(default_factory=lambda: {"requests": 0, "tokens": 0})

    def settings(self) -> Mapping[str, Any]:
        """Everything that changes the words; not where the server runs, nor how it is asked for them."""
        return {
            "version": VERSION,
            "model": self.model,
            "max_new_tokens": self.max_new_tokens,
            "language": self.language,
            "question": question_digest(self.language),
        }

    def answer(self, requests: Sequence[GapRequest], keep: Callable[[Iterable[Reply]], None]) -> None:
        """Answer the requests; each reply is handed over as it arrives.

        Raises BudgetReached when the budget of the run is spent, and ValueError for what no repetition mends: a wrong
        key, address or model name.
        """
        asyncio.run(self._answer_all(requests, keep))

    async def _answer_all(self, requests: Sequence[GapRequest], keep: Callable[[Iterable[Reply]], None]) -> None:
        from openai import AsyncOpenAI

        key = os.environ.get(self.key_variable, NO_KEY)
        waiting = iter(requests)
        async with AsyncOpenAI(
            base_url=self.base_url, api_key=key, max_retries=self.retries, timeout=self.timeout_s
        ) as client:

            async def worker() -> None:
                for request in waiting:
                    self._check_budget()
                    self.spent["requests"] += 1
                    reply = await self._ask(client, request)
                    self.spent["tokens"] += reply.tokens_in + reply.tokens_out
                    keep([reply])

            tasks = [asyncio.create_task(worker()) for _ in range(min(self.concurrency, len(requests)))]
            # Requests under way are waited for when one worker stops: they are paid for.
            done = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [fault for fault in done if isinstance(fault, BaseException)]
        if faults:
            raise next((fault for fault in faults if not isinstance(fault, BudgetReached)), faults[0])

    def _check_budget(self) -> None:
        for what, limit in (("requests", self.max_requests), ("tokens", self.max_tokens)):
            if limit is not None and self.spent[what] >= limit:
                raise BudgetReached(
                    f"budget: {self.spent[what]} {what} of {limit} are spent; replies so far are kept, "
                    f"run again (with more --max-{what}) to go on"
                )

    async def _ask(self, client: Any, request: GapRequest) -> Reply:
        import openai

        started = time.monotonic()
        try:
            answer = await client.chat.completions.create(
                model=self.model,
                messages=observe_messages(request, self.language, inline=True),
                max_completion_tokens=self.max_new_tokens,
                temperature=0.0,
                seed=0,
            )
            choice = answer.choices[0]
            text = choice.message.content or ""
            refused = bool(getattr(choice.message, "refusal", None)) or is_refusal(text)
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise ValueError(
                f"{self.base_url}: the server refused the key in {self.key_variable} (status {error.status_code}); "
                "set that variable to a valid key"
            ) from None
        except (openai.NotFoundError, openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise ValueError(
                f"{self.base_url}: the server cannot answer for model {self.model!r} (status {error.status_code}): "
                f"{str(error.message)[:300]}; check --base-url and --model"
            ) from None
        except (openai.OpenAIError, ValueError, IndexError, TypeError, AttributeError) as error:
            # Timeouts, servers that stay broken, replies that are cut off or no chat completion at all.
            return Reply(*request.key, "", fault=f"{type(error).__name__}: {str(error)[:200]}")
        usage = answer.usage
        return Reply(
            *request.key,
            cleaned(text),
            refused=refused,
            fault="" if text.strip() or refused else "the reply is empty",
            tokens_in=0 if usage is None else usage.prompt_tokens,
            tokens_out=0 if usage is None else usage.completion_tokens,
            seconds=time.monotonic() - started,
        )
