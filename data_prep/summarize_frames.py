"""Summarise in words what happens between the keyframes of every clip, without naming an emotion.

    python data_prep/summarize_frames.py --data DATA --backend motion

Reads DATA/clips.parquet, DATA/frames/ and the videos, writes DATA/summaries/<backend>-<fingerprint>/. Run it again
after an interruption: finished parts are kept. On a cluster give each array task its part with --shard I/N.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emotrain.context.summarize import BACKENDS, summarize_clips
from emotrain.shards import TooManyBadClips, parse_shard


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, required=True, help="folder with clips.parquet and frames/")
    p.add_argument("--backend", choices=list(BACKENDS), default="motion", help="who writes the text (%(default)s)")
    p.add_argument("--blinks", action="store_true", help="tell blinks too (motion)")
    p.add_argument("--shards", type=int, default=8, help="number of parts (%(default)s)")
    p.add_argument("--shard", type=parse_shard, metavar="I/N", help="only the I-th of N parts, counted from 0")
    p.add_argument("--workers", type=int, help="processes (default: one a core)")
    p.add_argument("--max-bad-share", type=float, default=0.01, help="share of unusable clips allowed (%(default)s)")
    return p


def main() -> int:
    a = parser().parse_args()
    try:
        report = summarize_clips(
            a.data,
            a.backend,
            shards=a.shards,
            only=a.shard,
            workers=a.workers,
            max_bad_share=a.max_bad_share,
            blinks=a.blinks,
        )
    except (TooManyBadClips, FileNotFoundError, ValueError) as error:
        print(f"summarize_frames.py: {error}", file=sys.stderr)
        return 1
    print(
        f"summaries: {report.done.total()} clips done, {report.quarantined.total()} quarantined, {report.seconds:.1f} s"
    )
    for label, count in sorted(report.quarantined.items()):
        print(f"  quarantined {count:6d}  {label}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
