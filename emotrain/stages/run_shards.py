"""Shard after shard in this very process: for work that holds a model or talks to a server, and cannot be copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from emotrain.launched import launched_place
from emotrain.stages.parts import part_path
from emotrain.stages.report import StageReport, check_bad_share
from emotrain.stages.stage import Clips, Work, run_stage


def run_shards(
    stage: str,
    clips: Clips,
    work_of: Callable[[Path, int, int], Work],
    schema: pa.Schema,
    out: Path,
    *,
    shards: int,
    only: tuple[int, int] | None,
    max_bad_share: float,
    finished: Callable[[Path], None] = lambda part: None,
) -> StageReport:
    """Run a stage whose work on a shard is `work_of(part, shard, shards)`; `finished(part)` is called after it.

    `only` is as in `run_stage`; without it, processes of `accelerate launch` share the shards. Raises TooManyBadClips
    past `max_bad_share`, when all is written.
    """
    process, processes = launched_place() if only is None else (0, 1)
    mine, total = (range(process, shards, processes), shards) if only is None else ([only[0]], only[1])
    report = StageReport(stage)
    for shard in mine:
        part = part_path(out, shard, total)
        work = work_of(part, shard, total)
        report.add(run_stage(stage, clips, work, schema, out, only=(shard, total), workers=1, max_bad_share=1.0))
        finished(part)
    check_bad_share(report, max_bad_share, out)
    return report
