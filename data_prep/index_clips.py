"""Index a data set in its official layout: one row a clip, with label, folds, times and subject.

python data_prep/index_clips.py --dataset dfew --root /data/DFEW --out prepared/dfew

Writes OUT/clips.parquet and OUT/index_report.json. Layouts, options and traps of each data set: docs/datasets.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emotrain.datasets.index import READERS, index_clips
from emotrain.datasets.index_words import show
from emotrain.datasets.media import Probe
from emotrain.file_errors import in_words
from emotrain.stages.report import TooManyBadClips

READER_OPTIONS = {
    "media": "which form of the clips to index, for example clip_224x224 (DFEW), or the folder that holds the frames",
    "labels": "MAFW: single (default) or compound",
    "caption": "MAFW: en or zh fills the caption column",
    "label_set": "folder, csv: the known label set that all labels must belong to, for example mafw",
    "annotation": "csv and micro-expression sets: the annotation, FILE or FILE#SHEET (default: found in the root)",
}


def parser() -> argparse.ArgumentParser:
    """The command line; reader options that a data set does not know are refused by `index_clips`."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--dataset", required=True, choices=list(READERS))
    parse.add_argument("--root", required=True, type=Path, help="folder of the data set as its authors ship it")
    parse.add_argument("--out", required=True, type=Path, help="folder for the index and all later stages")
    parse.add_argument("--validation-share", type=float, default=0.1, help="part of train kept for validation")
    parse.add_argument("--seed", type=int, default=0, help="seed of the validation part and of assigned folds")
    parse.add_argument("--max-bad-share", type=float, default=0.01, help="fail past this share of unusable clips")
    parse.add_argument("--assume-fps", type=float, help="frame rate of frame folders whose annotation names none")
    parse.add_argument("--long-tail", type=float, help="cut training clips to a long tail: 20 for 20 to 1")
    parse.add_argument("--long-tail-seed", type=int, default=0, help="seed of which classes are rare and what stays")
    parse.add_argument("--probe", action="store_true", help="decode each video once for its rate and length (slow)")
    parse.add_argument("--workers", type=int, help="processes that probe (default: one a core)")
    parse.add_argument("--limit-s", type=float, default=300.0, help="seconds after which a probe counts as stuck")
    for name, text in READER_OPTIONS.items():
        parse.add_argument("--" + name.replace("_", "-"), help=text)
    return parse


def main() -> int:
    """Index, say what was found; 0 on success, 1 with the reason on bad input."""
    args = parser().parse_args()
    try:
        report = index_clips(
            args.dataset,
            args.root,
            args.out,
            probe=_probe() if args.probe else None,
            probe_timed=_probe() if args.dataset == "csv" else None,
            **{key: value for key, value in vars(args).items() if key not in ("dataset", "root", "out", "probe")},
        )
    except (ValueError, OSError, TooManyBadClips) as error:
        print(f"index_clips: {in_words(error)}", file=sys.stderr)
        return 1
    show(report, args.out, sys.stdout)
    return 0


def _probe() -> Probe:
    """Imported where it is used: OpenCV and PyAV take a second to load."""
    from emotrain.video.probe import probe

    return probe


if __name__ == "__main__":
    sys.exit(main())
