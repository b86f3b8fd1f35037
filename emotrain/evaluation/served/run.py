"""`emotrain evaluate RECIPE --server URL --model NAME`: any model behind a server as an arm.

What was answered stands in `OUT/replies/` the moment it arrives, so that nothing is paid for twice; predictions,
metrics and report are those of every other arm, with what it cost and what was left unanswered beside them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from emotrain.context.chat_client import ChatClient, Question
from emotrain.context.journal import Journal, Reply, cost
from emotrain.context.text_backend import Unanswered
from emotrain.emotions import label_set
from emotrain.evaluation.evaluate import deciding, write_scores
from emotrain.evaluation.served.dialects import DIALECTS
from emotrain.evaluation.served.label_logprobs import LEAST_MASS, prompt_score, reply_scores
from emotrain.evaluation.served.prompts import Prompts, prompts_of
from emotrain.evaluation.served.settings import ServerSettings
from emotrain.metrics.free_text import AMBIGUOUS, UNPARSED, score_reply
from emotrain.metrics.predictions import PredictionTable
from emotrain.progress import track
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Prediction

REPLIES = "replies"


def evaluate_served(recipe: Recipe, out: Path, server: ServerSettings) -> dict[str, Any]:
    """Score the recipe's split with a served model; writes and returns what `evaluate` does.

    Raises ValueError for recipe keys that need the model itself, and what `ChatClient.ask` raises; answers so far are
    kept then, and the same command goes on.
    """
    for key, usual in (("head", "none"), ("posthoc", "none"), ("option_orders", 1), ("calibrate", False)):
        value = getattr(recipe.evaluation, key)
        if value != usual:
            raise ValueError(f"{key}: {value} needs the model itself and this one is behind a server; remove it")
    asked = json.dumps([server.deciding(), deciding(recipe.values)], sort_keys=True, default=str)
    identity = f"server {blake2b(asked.encode(), digest_size=8).hexdigest()}"
    journal = out / REPLIES / f"{identity.split()[1]}.jsonl"
    return write_scores(
        recipe,
        out,
        lambda clips: answers_of(recipe, clips, ask(recipe, clips, server, journal)),
        identity=identity,
        about=lambda: {"adapter": None, "server": _about(server, journal)},
    )


def ask(recipe: Recipe, clips: Sequence[Clip], server: ServerSettings, journal: Path) -> dict[tuple[str, int], Reply]:
    """The replies to all questions about the clips, those in the journal not asked for again."""
    prompts = prompts_of(recipe, server.shots)
    with Journal(journal) as kept:
        todo = [one for clip in clips for one in questions(clip, prompts, server) if kept.lacks(one.key)]
        if todo:
            with track(f"ask {server.model}", len(todo)) as advance:

                def keep(replies: Sequence[Reply]) -> None:
                    kept.add(replies)
                    advance(len(replies))

                ChatClient(**server.client()).ask(todo, lambda replies: keep(list(replies)))
        faults = [kept.replies[one.key] for one in todo if kept.lacks(one.key)]
        if faults:
            raise Unanswered(
                f"{journal}: {len(faults)} question(s) have no answer, the first about clip {faults[0].clip_id!r}: "
                f"{faults[0].fault}; the other answers are kept, run again to ask for these"
            )
        return dict(kept.replies)


def questions(clip: Clip, prompts: Prompts, server: ServerSettings) -> list[Question]:
    """What is asked about a clip: one question for each sample, or for each label where likelihoods are asked for."""
    names = dict(zip(prompts.examples.labels, prompts.examples.names, strict=True))
    dialect = DIALECTS[server.kind]
    if server.answers == "likelihood":

        def own(label: str, word: str, answer: Any) -> dict[str, float] | None:
            score = prompt_score(answer, word)
            return None if score is None else {label: score}

        return [
            Question(
                (clip.clip_id, n),
                partial(prompts.chat, clip.clip_id, word),
                more=dialect.likelihood if dialect.likelihood is not None else {},
                scores=partial(own, label, word),
            )
            for n, (label, word) in enumerate(names.items())
        ]
    more: dict[str, Any] = {"temperature": server.heat}
    bound = server.answers == "choice" and dialect.choices is not None
    if bound and dialect.choices is not None:
        more |= dialect.choices(tuple(names.values()))
    if server.answers != "text" and server.samples == 1 and dialect.logprobs:
        more |= {"logprobs": True, "top_logprobs": server.top_logprobs}
    return [
        Question(
            (clip.clip_id, n),
            partial(prompts.chat, clip.clip_id),
            more={**more, "seed": n},
            # Bound to the labels, a reply begins one however little of the free probability they have.
            scores=partial(reply_scores, names=names, least=0.0 if bound else LEAST_MASS),
        )
        for n in range(server.samples)
    ]


def answers_of(recipe: Recipe, clips: Sequence[Clip], replies: Mapping[tuple[str, int], Reply]) -> PredictionTable:
    """Predictions by label scores where every clip that was answered has them, else by the words of the replies.

    A clip that was refused is one without an answer: an error, with scores that prefer no label.
    """
    labels = label_set(recipe.data.label_set).labels
    of_clip: dict[str, list[Reply]] = {clip.clip_id: [] for clip in clips}
    for reply in sorted(replies.values(), key=lambda reply: reply.key):
        if reply.clip_id in of_clip:
            of_clip[reply.clip_id].append(reply)
    scores = {clip_id: _scores(own, labels) for clip_id, own in of_clip.items()}
    scored = all(scores[clip_id] is not None or _refused(own) for clip_id, own in of_clip.items())
    scored = scored and any(scores.values())
    rows = []
    for clip in clips:
        own, given = of_clip[clip.clip_id], scores[clip.clip_id]
        logits: tuple[float, ...]
        if not scored:
            predicted, logits = voted([_said(reply, labels) for reply in own]), ()
        elif given is None:
            predicted, logits = UNPARSED, (0.0,) * len(labels)
        else:
            predicted, logits = max(labels, key=given.__getitem__), tuple(given[label] for label in labels)
        seed = recipe.sft.seed
        rows.append(
            Prediction(clip.clip_id, clip.test_fold, clip.label, predicted, logits, recipe.evaluation.arm, seed)
        )
    return PredictionTable(labels, tuple(rows))


def voted(answers: Sequence[str]) -> str:
    """The label that most samples name, of several the one said first; without any, ambiguous before unparsed."""
    named = [answer for answer in answers if answer not in (AMBIGUOUS, UNPARSED)]
    if named:
        votes = Counter(named)
        return max(named, key=lambda label: (votes[label], -named.index(label)))
    return AMBIGUOUS if AMBIGUOUS in answers else UNPARSED


def _said(reply: Reply, labels: Sequence[str]) -> str:
    return UNPARSED if reply.refused else score_reply(reply.text, labels)


def _refused(replies: Sequence[Reply]) -> bool:
    return all(reply.refused for reply in replies)


def _scores(replies: Sequence[Reply], labels: Sequence[str]) -> dict[str, float] | None:
    """The scores of a clip's replies put together; None unless they cover every label."""
    found: dict[str, float] = {}
    for reply in replies:
        found |= reply.scores if reply.scores is not None else {}
    return found if set(found) == set(labels) else None


def _about(server: ServerSettings, journal: Path) -> dict[str, Any]:
    """What the metrics say of a server arm: the settings that its answers hang on, and what all of it cost."""
    spent = cost(journal.parent)
    prices = (server.price_in, spent["tokens_in"]), (server.price_out, spent["tokens_out"])
    price = sum(each * tokens / 1e6 for each, tokens in prices if each is not None)
    priced = server.price_in is not None or server.price_out is not None
    return {**server.deciding(), "asked": {**spent, "price": round(price, 6) if priced else None}}
