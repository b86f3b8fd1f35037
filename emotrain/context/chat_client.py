"""Asking a model behind an OpenAI-compatible endpoint many questions: for summaries of gaps, or labels of clips.

Requests run side by side up to `concurrency`; the openai library repeats those that meet 429, 5xx or a timeout, waiting
longer each time. What still fails is a fault in the journal and is asked for again by the next run; what asking again
will not mend (a request that the server rejects, a reply that stays empty) is refused there, with the reason. The key
is read from an environment variable and stands in no file, log or message.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emotrain.context.chat_completion import Words, tokens_used, words_of
from emotrain.context.journal import EMPTY, Reply
from emotrain.context.text_backend import BudgetReached, Unanswered
from emotrain.file_errors import visible
from emotrain.secret_words import check_address, check_key_variable

log = logging.getLogger(__name__)

NO_KEY = "none"
"""Servers on one's own machine take any key; the library wants one."""

MOST_BYTES = 4_000_000
"""Bytes of an answer; one with some hundred words has a few thousand."""

IN_A_ROW = 20
"""So many rejections before any reply, requests that fail or replies without words are the server's doing, not the
clips'."""

REJECTIONS = (400, 413, 422)
"""Statuses of a request that the server will not answer as it is: content filter, broken picture, too long."""

_STATUS = "status "


@dataclass(slots=True)
class _Course:
    """How a run goes: an answer yet, rejections before it, lost connections and replies without words in a row, answers
    without token counts, and the parameters that the server would not take."""

    answered: bool = False
    rejections: int = 0
    held: list[Reply] = field(default_factory=list)
    unconnected: int = 0
    barren: int = 0
    why: str = ""
    uncounted: bool = False
    without: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what its reply is known by, and the chat, which is made when its turn has come.

    `more` are parameters of the request besides the client's own, or in their place. `kept` is what is kept of the
    words, `scores` reads label scores out of a completion: None where it has none.
    """

    key: tuple[str, int]
    messages: Callable[[], list[dict[str, Any]]]
    more: Mapping[str, Any] = field(default_factory=dict)
    kept: Callable[[str], str] = str.strip
    scores: Callable[[Any], dict[str, float] | None] = lambda answer: None


@dataclass(slots=True)
class ChatClient:
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
    spent: dict[str, int] = field(default_factory=lambda: {"requests": 0, "tokens": 0})
    _course: _Course = field(default_factory=_Course, init=False, repr=False)

    def __post_init__(self) -> None:
        check_key_variable(self.key_variable)
        check_address(self.base_url)

    def ask(self, questions: Sequence[Question], keep: Callable[[Iterable[Reply]], None]) -> None:
        """Ask the questions; each reply is handed over as it arrives.

        Raises BudgetReached when the budget of the run is spent, Unanswered when the server is gone or says nothing
        (IN_A_ROW requests without a connection, or replies without words), and ValueError for what no repetition mends:
        a wrong key, address or model name, no quota, or a server that rejects the first IN_A_ROW requests.
        """
        asyncio.run(self._ask_all(questions, keep))

    async def _ask_all(self, questions: Sequence[Question], keep: Callable[[Iterable[Reply]], None]) -> None:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        key = os.environ.get(self.key_variable, NO_KEY)
        waiting = iter(questions)
        async with AsyncOpenAI(
            base_url=self.base_url,
            api_key=key,
            max_retries=self.retries,
            timeout=self.timeout_s,
            # Frames go to the address that was named, and not to where it points.
            http_client=DefaultAsyncHttpxClient(
                event_hooks={
                    "request": [self._count_attempt],
                    "response": [self._whole, _no_repetition_in_vain],
                },
                follow_redirects=False,
            ),
        ) as client:
            halted = False

            async def worker() -> None:
                nonlocal halted
                try:
                    for question in waiting:
                        if halted:
                            return
                        self._check_budget()
                        keep(self._sorted(await self._ask(client, question)))
                        self._check_course()
                except BaseException:
                    halted = True
                    raise

            tasks = [asyncio.create_task(worker()) for _ in range(min(self.concurrency, len(questions)))]
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
                    f"{reply.clip_id!r} gap {reply.gap}: {reply.note}; check what the server and model "
                    f"{self.model!r} accept (pictures? max_new_tokens?) and run again"
                )
            return []
        if reply.text or reply.scores is not None:
            course.barren = 0
        elif reply.fault or reply.note:  # a model that declines in words of its own has no note
            course.barren, course.why = course.barren + 1, reply.fault or reply.note
        if reply.fault:
            return [reply]
        course.answered = True
        return [*self._release(), reply]

    def _release(self) -> list[Reply]:
        held, self._course.held = self._course.held, []
        return held

    def _check_course(self) -> None:
        if self._course.unconnected >= IN_A_ROW:
            raise Unanswered(
                f"{self.base_url}: {self._course.unconnected} requests in a row found no server or no answer in "
                f"{self.timeout_s:g} s; see whether it runs and base_url is right, then run again: replies so far "
                "are kept"
            )
        if self._course.barren >= IN_A_ROW:
            raise Unanswered(
                f"{self.base_url}: {self._course.barren} replies in a row had no words, the last: {self._course.why}; "
                f"what was paid is kept and not asked again: see what the server and model {self.model!r} need "
                f"(max_new_tokens is {self.max_new_tokens}), then run again"
            )

    async def _count_attempt(self, _: Any) -> None:
        """Called for each attempt: the openai library's repetitions are requests as well."""
        self._check_budget()
        self.spent["requests"] += 1

    async def _whole(self, response: Any) -> None:
        """Read the answer here: within `timeout_s` as a whole, and no more of it than MOST_BYTES, unpacked."""

        async def read() -> bytes:
            held = bytearray()
            async for part in response.aiter_bytes():
                held += part
                if len(held) > MOST_BYTES:
                    raise _NoEnd(f"the answer has more than {MOST_BYTES:,} bytes")
            return bytes(held)

        # What Response.aread keeps; it has no bound.
        try:
            response._content = await asyncio.wait_for(read(), self.timeout_s)
        except asyncio.TimeoutError as error:
            raise _NoEnd(f"no whole answer in {self.timeout_s:g} s") from error

    def _check_budget(self) -> None:
        for what, limit in (("requests", self.max_requests), ("tokens", self.max_tokens)):
            if limit is not None and self.spent[what] >= limit:
                spent = f"budget: {self.spent[what]} {what} of {limit} are spent"
                raise BudgetReached(f"{spent}; replies so far are kept, run again (with more max_{what}) to go on")

    async def _ask(self, client: Any, question: Question) -> Reply:
        """The reply to a request; an empty one is asked for once more, and then taken as refused."""
        first = await self._ask_once(client, question)
        if first.text.strip() or first.refused or first.fault or first.scores is not None:
            return first
        try:
            again = await self._ask_once(client, question)
        except BudgetReached:
            return replace(first, fault=EMPTY)
        silent = not (again.text.strip() or again.refused or again.fault or again.scores is not None)
        return replace(
            again,
            refused=again.refused or silent,
            note=EMPTY if silent else again.note,
            tokens_in=first.tokens_in + again.tokens_in,
            tokens_out=first.tokens_out + again.tokens_out,
            estimated=first.estimated or again.estimated,
            seconds=first.seconds + again.seconds,
        )

    async def _ask_once(self, client: Any, question: Question) -> Reply:
        import openai

        course, started, scores = self._course, time.monotonic(), None
        messages = question.messages()
        try:
            answer = await self._completion(client, messages, question.more)
        except BudgetReached:
            raise
        except (openai.APIConnectionError, _NoEnd) as error:
            course.unconnected += 1
            why = error.__cause__ if isinstance(error.__cause__, _NoEnd) else error
            return Reply(*question.key, "", fault=f"{type(error).__name__}: {self._said(why)}")
        except openai.APIStatusError as error:
            course.unconnected = 0
            return self._rejected(question, error)
        except (openai.OpenAIError, ValueError, RecursionError) as error:  # cut off, no JSON, or without end
            answer, words = None, Words(fault=f"{type(error).__name__}: {self._said(error)}")
        else:
            words = words_of(answer, self.max_new_tokens)
            scores = question.scores(answer)
        course.unconnected = 0
        tokens_in, tokens_out, estimated = tokens_used(getattr(answer, "usage", None), messages, words.text)
        self.spent["tokens"] += tokens_in + tokens_out
        if estimated and not words.fault and not course.uncounted:
            course.uncounted = True
            log.warning("%s counts no tokens: the cost and max_tokens go by an estimate", self.base_url)
        return Reply(
            *question.key,
            question.kept(words.text),
            fault=words.fault,
            refused=scores is None and (words.refused or bool(words.lost)),
            note=words.lost if scores is None else "",
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            estimated=estimated,
            seconds=time.monotonic() - started,
            without=" ".join(sorted(course.without)),
            scores=scores,
        )

    async def _completion(self, client: Any, messages: Any, more: Mapping[str, Any]) -> Any:
        """One chat completion; a parameter that the server will not take is left out from then on."""
        import openai

        while True:
            given = {"max_completion_tokens": self.max_new_tokens, "temperature": 0.0, "seed": 0, **more}
            given = {name: value for name, value in given.items() if name not in self._course.without}
            if "max_completion_tokens" not in given and "max_tokens" not in self._course.without:
                given["max_tokens"] = self.max_new_tokens  # its older name
            try:
                return await client.chat.completions.create(model=self.model, messages=messages, extra_body=given)
            except openai.APIStatusError as error:
                name = _unsupported(error, given)
                if name is None:
                    raise
                if name not in self._course.without:  # requests beside this one may have been told as well
                    self._course.without |= {name, *_USELESS_WITHOUT.get(name, ())}
                    log.warning("%s takes no %s: asked without it from now on; the cost says so", self.base_url, name)

    def _rejected(self, question: Question, error: Any) -> Reply:
        """What a status other than success comes to; raises ValueError for those that every request will meet."""
        status = error.status_code
        if _out_of_quota(error):
            raise ValueError(
                f"{self.base_url}: the account of {self.key_variable} has no quota left (status {status}): "
                f"{self._said(error)}; replies so far are kept, run again when it has"
            ) from None
        wait_s = _long_wait(error.response) if status == 429 else None
        if wait_s is not None:
            raise ValueError(
                f"{self.base_url}: the server takes no more for {wait_s:.0f} s (status {status}): {self._said(error)}; "
                "replies so far are kept, run again after that"
            ) from None
        if status in (401, 403):
            raise ValueError(
                f"{self.base_url}: the server refused the key in {self.key_variable} (status {status}); "
                "set that variable to a valid key"
            ) from None
        if status == 404 or error.code == "model_not_found":
            raise ValueError(
                f"{self.base_url}: the server cannot answer for model {self.model!r} (status {status}): "
                f"{self._said(error)}; check base_url and model"
            ) from None
        if status in REJECTIONS:
            return Reply(*question.key, "", refused=True, note=f"{_STATUS}{status}: {self._said(error)}")
        return Reply(*question.key, "", fault=f"{type(error).__name__}: {self._said(error)}")

    def _said(self, error: BaseException) -> str:
        """The error's message, short, without the key: servers repeat what they were sent."""
        key = os.environ.get(self.key_variable, NO_KEY)
        text = _words(error)
        return visible(text if key in ("", NO_KEY) else text.replace(key, "[key]"))[:200]


class _NoEnd(ConnectionError):
    """An answer that is too long or too slow to be read."""


def _words(error: BaseException) -> str:
    """What an error says; the library leaves out a body that is no object, such as a list of one error."""
    text, body = str(error), getattr(error, "body", None)
    return f"{text} - {body}" if body and not isinstance(body, dict) and str(body) not in text else text


def _unsupported(error: Any, given: Mapping[str, Any]) -> str | None:
    """The parameter of `given` that a server says it does not take, or None when it rejects something else."""
    text = _words(error)
    if error.status_code not in (400, 422) or not _NOT_TAKEN.search(text):
        return None
    return next((name for name in given if re.search(rf"\b{name}\b", text)), None)


LONGEST_WAIT_S = 60.0
"""A run waits so long when a server asks it to; the openai library keeps to the same bound."""

_USELESS_WITHOUT = {"logprobs": ("top_logprobs",), "top_logprobs": ("logprobs",)}

_NOT_TAKEN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|cannot find|extra",
    re.IGNORECASE,
)


def _out_of_quota(error: Any) -> bool:
    return getattr(error, "code", None) == "insufficient_quota" or "insufficient_quota" in _words(error)


async def _no_repetition_in_vain(response: Any) -> None:
    """Keep the openai library from repeating what more money or another day alone would mend."""
    if response.status_code == 429:
        await response.aread()
        if b"insufficient_quota" in response.content or _long_wait(response) is not None:
            response.headers["x-should-retry"] = "false"


def _long_wait(response: Any) -> float | None:
    """The seconds that a server asks to wait, where they are more than a run waits."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:  # a date, or nothing
        return None
    return seconds if seconds > LONGEST_WAIT_S else None
