"""Find the faces in every indexed clip: who is where, when, and whom the clip is about.

    python data_prep/find_faces.py --data DATA

Reads DATA/clips.parquet, writes DATA/faces/. Run it again after an interruption: finished parts are kept. On a cluster
give each array task its part with --shard I/N, or take the workers of a Ray cluster with --engine ray. Machines without
a network need the detector's weights first: run `emotrain faces fetch` where there is one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emotrain.faces.detectors import DETECTORS
from emotrain.faces.settings import FaceSettings
from emotrain.faces.stage import CLIP_LIMIT_S, MOST_FACELESS, find_faces_stage
from emotrain.file_errors import in_words
from emotrain.stages.parts import parse_shard
from emotrain.stages.report import TooManyBadClips
from emotrain.stages.stage import ENGINES
from emotrain.video.decode import DECODERS


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, required=True, help="folder with clips.parquet")
    p.add_argument("--detector", choices=tuple(DETECTORS), default="yunet", help="(%(default)s)")
    p.add_argument("--tracks", help="file or folder of a detector that reads what you already have (docs/faces.md)")
    p.add_argument("--size", type=int, default=640, help="longer side in pixels of the frames looked at (%(default)s)")
    p.add_argument("--face", default="largest", help="largest, central, left, right, or N from the left (%(default)s)")
    p.add_argument("--decoder", choices=DECODERS, default="auto", help="(%(default)s)")
    p.add_argument("--shards", type=int, help="number of parts (default: parts of 4096 clips)")
    p.add_argument("--shard", type=parse_shard, metavar="I/N", help="only the I-th of N parts, counted from 0")
    p.add_argument("--workers", type=int, help="processes (default: one a core)")
    p.add_argument("--engine", choices=ENGINES, default="local", help="this machine, or a Ray cluster (%(default)s)")
    p.add_argument("--ray-address", help="auto, local or HOST:PORT (ray; default RAY_ADDRESS, else local)")
    p.add_argument(
        "--limit-s", type=float, default=CLIP_LIMIT_S, help="seconds after which a clip counts as stuck (%(default)s)"
    )
    p.add_argument("--max-bad-share", type=float, default=0.01, help="share of unreadable clips allowed (%(default)s)")
    p.add_argument(
        "--max-faceless-share", type=float, default=MOST_FACELESS, help="share of clips without a face (%(default)s)"
    )
    return p


def main(arguments: list[str] | None = None) -> int:
    args = vars(parser().parse_args(arguments))
    try:
        settings = FaceSettings(**{name: args.pop(name) for name in ("detector", "size", "face", "tracks", "decoder")})
        print(find_faces_stage(args.pop("data"), settings, only=args.pop("shard"), **args).in_words())
    except (OSError, ImportError, TooManyBadClips, ValueError) as error:
        print(f"error: {in_words(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
