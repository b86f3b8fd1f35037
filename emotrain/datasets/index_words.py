"""What an index found, in words: for `data_prep/index_clips.py` and for `emotrain prep` and `study` alike."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from emotrain.datasets.clips import CLIPS_FILE
from emotrain.datasets.index import REPORT_FILE, IndexReport

SHOWN_A_KIND = 3


def show(report: IndexReport, out: Path, counts_to: TextIO) -> None:
    """Counts, then warnings and quarantined clips (the first few of each kind) on standard error."""
    print(f"{report.dataset}: {report.clips} clips, label set {report.label_set!r}", file=counts_to)
    for label, counts in report.counts.items():
        parts = ", ".join(f"{name} {count}" for name, count in counts.items() if name != "all")
        said = f"   ({parts})" if parts and len(counts) <= 6 else ""
        print(f"  {label:<16} {counts['all']:>6}{said}", file=counts_to)
    for kind, messages in report.warnings.items():
        print(f"warning, {kind}: {len(messages)}", file=sys.stderr)
        for message in messages[:SHOWN_A_KIND]:
            print(f"  {message}", file=sys.stderr)
    if report.quarantined:
        print(f"quarantined: {len(report.quarantined)} ({report.bad_share:.2%})", file=sys.stderr)
        for row in report.quarantined[:SHOWN_A_KIND]:
            print(f"  {row['clip_id']}: {row['reason']}", file=sys.stderr)
    print(f"written: {out / CLIPS_FILE}, {out / REPORT_FILE}", file=counts_to)
