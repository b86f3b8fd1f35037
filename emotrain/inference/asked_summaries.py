"""The summaries of one video by a back end that asks a model: what training asked is asked again, of the same model.

The contract says which model and which question training had, to be compared with. Who is asked now (the model, its
server, whose key is sent) the caller says as `summarizer_options`: an adapter comes from anybody, and what it names is
neither loaded nor shown a frame.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from threading import Lock
from typing import Any, cast

from emotrain.clip_errors import ClipError, Damaged
from emotrain.context.gap_request import gap_requests
from emotrain.context.journal import Reply
from emotrain.context.leakage import FILTER, EmotionWordFound, Policy, own_labels
from emotrain.context.openai_backend import OpenaiBackend
from emotrain.context.summarize import BACKENDS, make_backend
from emotrain.context.text_backend import TextBackend
from emotrain.context.text_stage import FromReplies, TellWords
from emotrain.examples.input_contract import InputContract
from emotrain.records import Clip, Summary
from emotrain.video.frame_store import Frames

WITHOUT = (
    'or do without: summarizer="motion" (--summarizer motion) measures changes and tells them in other words than '
    'training did, context="none" (--context none) shows keyframes alone'
)
_NOT_SETTINGS = ("backend", "leakage", "labels")
_CONTRACTS = ("language", "dtype", "max_new_tokens", "observe")
"""Options that the contract may fill in: they change words and cost, not who is asked."""

_EXAMPLES = {"openai": "model: NAME, base_url: http://127.0.0.1:8000/v1", "vlm": "model: NAME"}


@dataclass(frozen=True, slots=True)
class AskedSummaries:
    """A back end with the filter that training put behind it; `own` are labels that no list of emotion words knows."""

    backend: TextBackend
    leakage: Policy
    own: tuple[str, ...]
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def where(self) -> str:
        """Who is shown the frames, in a sentence."""
        back = self.backend
        if isinstance(back, OpenaiBackend):
            return f"frames of every clip go to {back.base_url} (model {back.model!r}, key from ${back.key_variable})"
        return f"frames of every clip are described by model {getattr(back, 'model', back.name)!r} on this machine"

    def tell(self, clip: Clip, frames: Frames) -> tuple[list[Summary], str | None]:
        """The summaries of a clip, and which gaps the model declined to describe (None: it described all).

        Raises ClipError when a gap has no reply or a word that the policy forbids, and the back end's own ValueError
        when it cannot answer at all.
        """
        requests = gap_requests(clip, frames)
        replies: dict[tuple[str, int], Reply] = {}

        def keep(new: Iterable[Reply]) -> None:
            replies.update((reply.key, reply) for reply in new)

        if requests:
            # A thread of its own: the back end may start an event loop, and a notebook's thread has one already.
            with self._lock, ThreadPoolExecutor(1) as pool:
                pool.submit(self.backend.answer, requests, keep).result()
        for request in requests:
            reply = replies.get(request.key)
            if reply is None or reply.fault:
                why = "no reply" if reply is None else reply.fault
                raise ClipError(f"gap {request.gap.gap} has no summary by {self.backend.name}: {why}; ask again later")

        leaks: dict[str, Counter[str]] = defaultdict(Counter)
        work = TellWords(FromReplies(replies), frames, self.backend.name, self.leakage, leaks, self.own)
        try:
            made = work(clip)
        except EmotionWordFound as error:
            raise ClipError(
                f"a summary names an emotion, and leakage: fail was chosen for training: {error}"
            ) from error
        rows, note = (made.rows, made.note) if isinstance(made, Damaged) else (made, None)
        return [Summary(**row) for row in rows], note


def changed_since(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A clause for each of a back end's settings of training that this version would not set so."""
    return [f"{key} {then[key]!r} then, {now.get(key)!r} now" for key in then if then[key] != now.get(key)]


def asked_summaries(contract: InputContract, between: int | None) -> AskedSummaries:
    """The text back end of an adapter's training, with the options of the caller.

    `between` is the number of frames stored in each gap. Raises ValueError, with the remedy, for texts that came from a
    file, for an option that the caller has to give, and where this version would ask differently.
    """
    saved: dict[str, Any] = dict(contract.summarizer or {})
    name = str(saved["backend"])
    if name in ("precomputed", "speech"):
        raise ValueError(
            f"the adapter was trained with summaries from a file (summarizer: {name}), and a video alone has none; "
            f"evaluate it where the file is, {WITHOUT}"
        )
    if between is not None and between < 1:
        raise ValueError(
            f"summaries by {name} look at frames between the keyframes, and the adapter's clips have none "
            f"(between: 0); train one with between: 4, {WITHOUT}"
        )
    settings = {key: value for key, value in saved.items() if key not in _NOT_SETTINGS}
    kind: Any = BACKENDS[name]
    mine = {entry.name for entry in fields(kind) if entry.init}
    given = {"language": contract.prompt["language"], **{key: settings[key] for key in _CONTRACTS if key in settings}}
    given = {key: value for key, value in given.items() if key in mine}
    given |= dict(contract.context.get("summarizer_options", {}))
    try:
        backend = cast(TextBackend, make_backend(name, given))
    except ValueError as error:
        model = f", there {settings['model']!r}" if "model" in settings else ""
        raise ValueError(
            f"the adapter was trained with summaries by a model ({name}{model}), and an adapter does not choose who is "
            f"shown your frames. {error}; say who is with summarizer_options={{...}} (--summarizer-options "
            f"'{{{_EXAMPLES.get(name, 'key: value')}}}'), {WITHOUT}"
        ) from error
    odd = changed_since(settings, {**backend.settings(), "filter": FILTER})
    if odd:
        raise ValueError(
            f"the {name} summaries asked for are not those of training ({'; '.join(odd)}); give the same options, "
            f"install emotrain {contract.emotrain}, or pass summarizer={name!r} to take them as they are"
        )
    leakage = saved.get("leakage", contract.context.get("leakage", "mask"))
    own = saved.get("labels", own_labels(contract.labels))
    return AskedSummaries(backend, leakage, tuple(own))
