"""The summarise stage for words that somebody else writes: a model that looks at frames, or a user's file.

Two steps a shard. First every gap without a reply is asked about, and replies go to the shard's journal as they come.
Then the shard's part is written from the journal at once. So a kill, a spent budget or a server that is down loses
nothing that was answered, and a part on disk is always whole. Emotion words are dropped, masked or refused in the
second step, so the policy can be changed without asking again.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json, write_text
from emotrain.clip_errors import ClipError, Damaged, LeftOutBefore
from emotrain.context.gap_request import clip_gaps, gap_requests
from emotrain.context.journal import Journal, Reply, cost, read_journal
from emotrain.context.leakage import Policy, apply_policy
from emotrain.context.precomputed import PrecomputedTexts
from emotrain.context.quiet import is_quiet
from emotrain.context.text_backend import TextBackend, Unanswered
from emotrain.datasets.clips import ClipIndex
from emotrain.progress import track
from emotrain.records import SUMMARIES, Clip, Gap, Summary
from emotrain.stages.clip_parts import Quarantined
from emotrain.stages.report import StageReport, TooManyBadClips
from emotrain.stages.run_shards import run_shards
from emotrain.stages.stage import Work
from emotrain.video.frame_store import Frames

FEW = 5
"""So many gaps without words are single pictures, whatever their share of a small set."""

AT_ONCE = 64
"""Clips whose frames are in memory together while a back end is asked."""

Words = Callable[[Clip, Sequence[Gap]], tuple[dict[int, str], str]]
"""The text of each gap of a clip that has one, and a note about what is missing ("" for nothing)."""


def summarize_texts(
    clips: ClipIndex,
    frames: Frames,
    backend: TextBackend | PrecomputedTexts,
    out: Path,
    *,
    journals: Path,
    shards: int,
    only: tuple[int, int] | None,
    leakage: Policy,
    max_bad_share: float,
    own: Sequence[str] = (),
) -> StageReport:
    """Write the summaries of the clips to `out`, replies to `journals`; see `summarize.summarize_clips` for the rest.

    `own` are a user's own labels, whose words give a class away as emotion words do.

    Without `only`, processes of `accelerate launch` share the shards. Raises Unanswered when gaps are left without a
    reply, and what the back end raises when it cannot go on; in both cases what was answered is kept.
    """
    leaks: dict[str, Counter[str]] = defaultdict(Counter)
    made: dict[Path, TellWords] = {}

    def work_of(part: Path, shard: int, total: int) -> Work:
        words: Words
        if isinstance(backend, PrecomputedTexts):
            words = _FromFile(backend)
        else:
            journal = journals / f"{part.stem}.jsonl"
            if not part.exists():
                _ask(clips, frames, backend, journal, shard, total)
            words = FromReplies({reply.key: reply for reply in read_journal(journal)})
        work = TellWords(words, frames, backend.name, leakage, leaks, tuple(own))
        if not part.exists():
            made[part] = work
        return work

    def finished(part: Path) -> None:
        if part in made:
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made.pop(part).written)
            write_text(lines, out / "leaks" / f"{part.stem}.jsonl")
            write_json({label: dict(found) for label, found in leaks.items()}, out / "leaks" / f"{part.stem}.json")
            leaks.clear()
        if not isinstance(backend, PrecomputedTexts):
            write_json(cost(journals), out / "cost.json")

    name = f"summarise ({backend.name})"
    report = run_shards(
        name, clips, work_of, SUMMARIES, out, shards=shards, only=only, max_bad_share=max_bad_share, finished=finished
    )
    if only is None and not isinstance(backend, PrecomputedTexts):
        _check_refused(journals, out, max_bad_share)
    return report


def _check_refused(journals: Path, out: Path, most: float) -> None:
    """Raise TooManyBadClips when a larger share of gaps than `most` got no words, a few single ones aside."""
    replies = [reply for file in sorted(journals.glob("*.jsonl")) for reply in read_journal(file)]
    last = {reply.key: reply for reply in replies}
    refused = [reply for reply in last.values() if reply.refused]
    if len(refused) > FEW and len(refused) > most * len(last):
        why = Counter(reply.note or "the model declined" for reply in refused).most_common(1)[0][0]
        raise TooManyBadClips(
            f"{out}: {len(refused)} of {len(last)} gaps have no words ({why}), more than --max-bad-share {most:g}; "
            f"another model may describe them, and {journals} removed, all are asked again"
        )


@dataclass(frozen=True, slots=True)
class TellWords:
    """The second step's work on one clip: words in, label-free summaries out, leaks counted by the clip's class."""

    words: Words
    frames: Frames
    backend: str
    leakage: Policy
    leaks: dict[str, Counter[str]]
    own: tuple[str, ...] = ()
    written: list[dict[str, Any]] = field(default_factory=list)
    """Texts with emotion words as they were before the policy: what the leak is measured by."""

    def __call__(self, clip: Clip) -> list[dict[str, Any]] | Damaged:
        try:
            gaps = clip_gaps(clip, self.frames.frames(clip.clip_id))
        except Quarantined as error:
            raise LeftOutBefore(str(error.args[0])) from error
        except KeyError as error:
            raise ClipError(f"no frames to summarise: {error.args[0]}") from error
        texts, note = self.words(clip, gaps)
        rows = []
        for gap in gaps:
            raw = texts.get(gap.gap, "")
            text, found = apply_policy(raw, self.leakage, self.own)
            if found:
                self.written.append({"clip_id": clip.clip_id, "gap": gap.gap, "text": raw})
            self.leaks[clip.label].update(leak.label for leak in found)
            changed = bool(text) and not is_quiet(text)
            rows.append(asdict(Summary(gap.clip_id, gap.gap, gap.start_s, gap.end_s, text, changed, self.backend)))
        return Damaged(rows, note) if note else rows


@dataclass(frozen=True, slots=True)
class FromReplies:
    """The words of a model's replies by (clip id, gap); gaps that it declined to describe have none and are noted."""

    replies: Mapping[tuple[str, int], Reply]

    def __call__(self, clip: Clip, gaps: Sequence[Gap]) -> tuple[dict[int, str], str]:
        found = {gap.gap: self.replies.get((clip.clip_id, gap.gap)) for gap in gaps}
        refused = {gap: reply.note for gap, reply in found.items() if reply is not None and reply.refused}
        texts = {gap: reply.text for gap, reply in found.items() if reply is not None and not reply.refused}
        each = (f"{gap} ({note})" if note else str(gap) for gap, note in refused.items())
        note = f"the model declined to describe gap {', '.join(each)}" if refused else ""
        return texts, note


@dataclass(frozen=True, slots=True)
class _FromFile:
    texts: PrecomputedTexts

    def __call__(self, clip: Clip, gaps: Sequence[Gap]) -> tuple[dict[int, str], str]:
        if clip.clip_id not in self.texts.by_clip and not self.texts.sparse:
            raise ClipError(f"{self.texts.path} has no row for this clip")
        return self.texts.texts(gaps), ""


def _ask(clips: ClipIndex, frames: Frames, backend: TextBackend, journal: Path, shard: int, shards: int) -> None:
    """Fill the journal of one shard; raises Unanswered when some gap has only faults."""
    todo = clips.of_shard(shard, shards)
    faults: list[Reply] = []
    with (
        Journal(journal) as kept,
        track(f"ask {backend.name}, shard {shard} of {shards}", clips.shard_sizes(shards)[shard]) as advance,
    ):
        while batch := list(islice(todo, AT_ONCE)):
            requests = []
            for clip in batch:
                try:
                    requests += [request for request in gap_requests(clip, frames) if kept.lacks(request.key)]
                except ClipError:
                    continue  # quarantined with its reason when the part is written
            if requests:
                backend.answer(requests, kept.add)
            faults += [kept.replies[request.key] for request in requests if kept.lacks(request.key)]
            advance(len(batch))
    if faults:
        raise Unanswered(
            f"{journal}: {len(faults)} gap(s) have no reply, the first is clip {faults[0].clip_id!r} gap "
            f"{faults[0].gap}: {faults[0].fault}; the other replies are kept, run the stage again to ask for these"
        )
