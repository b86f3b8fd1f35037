"""Gap summaries by a model behind an OpenAI-compatible endpoint: vLLM, `transformers serve`, a provider's own.

Requests run side by side up to `concurrency`; the openai library repeats those that meet 429, 5xx or a timeout, waiting
longer each time. What still fails is a fault in the journal and is asked for again by the next run; what asking again
will not mend (a request that the server rejects, a reply that stays empty) is refused there, with the reason. The key
is read from an environment variable and stands in no file, log or message.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emotrain.context.asking import cleaned, observe_messages
from emotrain.context.chat_completion import tokens_used, words_of
from emotrain.context.gap_request import GapRequest
from emotrain.context.journal import EMPTY, Reply
from emotrain.context.text_backend import BudgetReached, Unanswered, question_digest
from emotrain.secret_words import check_address, check_key_variable

log = logging.getLogger(__name__)

VERSION = 2
NO_KEY = "none"
"""Servers on one's own machine take any key; the library wants one."""

IN_A_ROW = 20
"""So many rejections before any reply, or requests without a connection, are the server's doing, not the clips'."""

REJECTIONS = (400, 413, 422)
"""Statuses of a request that the server will not answer as it is: content filter, broken picture, too long."""

_STATUS = "status "


@dataclass(slots=True)
class _Course:
    """How a run goes: an answer yet, rejections before it, lost connections in a row, answers without token counts."""

    answered: bool = False
    rejections: int = 0
    held: list[Reply] = field(default_factory=list)
    unconnected: int = 0
    uncounted: bool = False


@dataclass(slots=True)
class OpenaiBackend:
    """`base_url` ends in /v1. `max_requests` and `max_tokens` bound one run: no request starts past them, repetitions
    included. Tokens are estimated where the server does not count them; those of requests under way are spent too."""

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
    _course: _Course = field(default_factory=_Course, init=False, repr=False)

    def __post_init__(self) -> None:
        check_key_variable(self.key_variable)
        check_address(self.base_url)

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

        Raises BudgetReached when the budget of the run is spent, Unanswered when the server is gone (IN_A_ROW requests
        without a connection), and ValueError for what no repetition mends: a wrong key, address or model name, or a
        server that rejects the first IN_A_ROW requests.
        """
        asyncio.run(self._answer_all(requests, keep))

    async def _answer_all(self, requests: Sequence[GapRequest], keep: Callable[[Iterable[Reply]], None]) -> None:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        key = os.environ.get(self.key_variable, NO_KEY)
        waiting = iter(requests)
        async with AsyncOpenAI(
            base_url=self.base_url,
            api_key=key,
            max_retries=self.retries,
            timeout=self.timeout_s,
            # Frames go to the address that was named, and not to where it points.
            http_client=DefaultAsyncHttpxClient(event_hooks={"request": [self._count_attempt]}, follow_redirects=False),
        ) as client:
            halted = False

            async def worker() -> None:
                nonlocal halted
                try:
                    for request in waiting:
                        if halted:
                            return
                        self._check_budget()
                        keep(self._sorted(await self._ask(client, request)))
                        self._check_connection()
                except BaseException:
                    halted = True
                    raise

            tasks = [asyncio.create_task(worker()) for _ in range(min(self.concurrency, len(requests)))]
            # Requests under way are waited for when one worker stops: they are paid for.
            done = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [fault for fault in done if isinstance(fault, BaseException)]
        if faults:
            # Rejections still held are dropped: no answer has shown yet that the server takes any request.
            raise next((fault for fault in faults if not isinstance(fault, BudgetReached)), faults[0])
        keep(self._release())

    def _sorted(self, reply: Reply) -> list[Reply]:
        """The replies to keep now: rejections wait for the first answer, which tells that it was not the server."""
        course = self._course
        if reply.note.startswith(_STATUS) and not course.answered:
            course.rejections += 1
            course.held.append(reply)
            if course.rejections >= IN_A_ROW:
                raise ValueError(
                    f"{self.base_url}: the first {course.rejections} requests were rejected, the last for clip "
                    f"{reply.clip_id!r} gap {reply.gap}: {reply.note}; check what the server and --model "
                    f"{self.model!r} accept (pictures? --max-new-tokens?) and run again"
                )
            return []
        if reply.fault:
            return [reply]
        course.answered = True
        return [*self._release(), reply]

    def _release(self) -> list[Reply]:
        held, self._course.held = self._course.held, []
        return held

    def _check_connection(self) -> None:
        if self._course.unconnected >= IN_A_ROW:
            raise Unanswered(
                f"{self.base_url}: {self._course.unconnected} requests in a row found no server or no answer in "
                f"{self.timeout_s:g} s; see whether it runs and --base-url is right, then run the stage again: replies "
                "so far are kept"
            )

    async def _count_attempt(self, _: Any) -> None:
        """Called for each attempt: the openai library's repetitions are requests as well."""
        self._check_budget()
        self.spent["requests"] += 1

    def _check_budget(self) -> None:
        for what, limit in (("requests", self.max_requests), ("tokens", self.max_tokens)):
            if limit is not None and self.spent[what] >= limit:
                spent = f"budget: {self.spent[what]} {what} of {limit} are spent"
                raise BudgetReached(f"{spent}; replies so far are kept, run again (with more --max-{what}) to go on")

    async def _ask(self, client: Any, request: GapRequest) -> Reply:
        """The reply to a request; an empty one is asked for once more, and then taken as refused."""
        first = await self._ask_once(client, request)
        if first.text.strip() or first.refused or first.fault:
            return first
        try:
            again = await self._ask_once(client, request)
        except BudgetReached:
            return replace(first, fault=EMPTY)
        silent = not (again.text.strip() or again.refused or again.fault)
        return replace(
            again,
            refused=again.refused or silent,
            note=EMPTY if silent else again.note,
            tokens_in=first.tokens_in + again.tokens_in,
            tokens_out=first.tokens_out + again.tokens_out,
            estimated=first.estimated or again.estimated,
            seconds=first.seconds + again.seconds,
        )

    async def _ask_once(self, client: Any, request: GapRequest) -> Reply:
        import openai

        course, started = self._course, time.monotonic()
        messages = observe_messages(request, self.language, inline=True)
        try:
            answer = await client.chat.completions.create(
                model=self.model,
                messages=messages,
                max_completion_tokens=self.max_new_tokens,
                temperature=0.0,
                seed=0,
            )
        except BudgetReached:
            raise
        except openai.APIConnectionError as error:
            course.unconnected += 1
            return Reply(*request.key, "", fault=f"{type(error).__name__}: {self._said(error)}")
        except openai.APIStatusError as error:
            course.unconnected = 0
            return self._rejected(request, error)
        except (openai.OpenAIError, ValueError) as error:  # cut off, or no JSON
            answer, text, refused, fault = None, "", False, f"{type(error).__name__}: {self._said(error)}"
        else:
            text, refused, fault = words_of(answer)
        course.unconnected = 0
        tokens_in, tokens_out, estimated = tokens_used(getattr(answer, "usage", None), messages, text)
        self.spent["tokens"] += tokens_in + tokens_out
        if estimated and not fault and not course.uncounted:
            course.uncounted = True
            log.warning("%s counts no tokens: cost.json and --max-tokens go by an estimate", self.base_url)
        return Reply(
            *request.key,
            cleaned(text),
            fault=fault,
            refused=refused,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            estimated=estimated,
            seconds=time.monotonic() - started,
        )

    def _rejected(self, request: GapRequest, error: Any) -> Reply:
        """What a status other than success comes to; raises ValueError for those that every request will meet."""
        status = error.status_code
        if status in (401, 403):
            raise ValueError(
                f"{self.base_url}: the server refused the key in {self.key_variable} (status {status}); "
                "set that variable to a valid key"
            ) from None
        if status == 404 or error.code == "model_not_found":
            raise ValueError(
                f"{self.base_url}: the server cannot answer for model {self.model!r} (status {status}): "
                f"{self._said(error)}; check --base-url and --model"
            ) from None
        if status in REJECTIONS:
            return Reply(*request.key, "", refused=True, note=f"{_STATUS}{status}: {self._said(error)}")
        return Reply(*request.key, "", fault=f"{type(error).__name__}: {self._said(error)}")

    def _said(self, error: Exception) -> str:
        """The error's message, short, without the key: servers repeat what they were sent."""
        key = os.environ.get(self.key_variable, NO_KEY)
        text = str(error)
        return (text if key in ("", NO_KEY) else text.replace(key, "[key]"))[:200]
