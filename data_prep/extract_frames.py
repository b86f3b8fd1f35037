"""Extract keyframes and in-between frames of every indexed clip.

    python data_prep/extract_frames.py --data DATA --policy segment_centres --keyframes 8 --between 4 --size 224

Reads DATA/clips.parquet, writes DATA/frames/. Run it again after an interruption: finished parts are kept. On a cluster
give each array task its part with --shard I/N, or take the workers of a Ray cluster with --engine ray.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from emotrain.faces.framing import framing_of
from emotrain.file_errors import in_words
from emotrain.stages.parts import parse_shard
from emotrain.stages.report import TooManyBadClips
from emotrain.stages.stage import ENGINES
from emotrain.video.decode import DECODERS
from emotrain.video.extract import CLIP_LIMIT_S, extract_frames
from emotrain.video.frame_settings import read_frames_header
from emotrain.video.framing import CROPS, VIEWS


def number_or(word: str) -> Callable[[str], int | None]:
    """An argparse type: a whole number, or `word` for None."""

    def read(text: str) -> int | None:
        return None if text == word else int(text)

    read.__name__ = f"whole number or {word!r}"
    return read


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, required=True, help="folder with clips.parquet")
    p.add_argument(
        "--policy",
        default="segment_centres",
        help="segment_centres, endpoints, fps:N, stratified, motion or onset_apex_offset (%(default)s)",
    )
    p.add_argument("--keyframes", type=int, default=8, help="keyframes a clip; fps:N decides by itself (%(default)s)")
    p.add_argument("--between", type=number_or("all"), default=4, help="in-between frames a gap, or all (%(default)s)")
    p.add_argument(
        "--size", type=number_or("native"), default=224, help="longer side in pixels, or native (%(default)s)"
    )
    p.add_argument("--quality", type=int, default=95, help="JPEG quality (%(default)s)")
    p.add_argument(
        "--crop",
        choices=CROPS,
        default="none",
        help="face (of data_prep/find_faces.py), none (clips that are aligned crops), centre square, or boxes of "
        "DATA/boxes.parquet (%(default)s)",
    )
    p.add_argument("--view", choices=VIEWS, default="face", help="what keyframes show with --crop face (%(default)s)")
    p.add_argument("--decoder", choices=DECODERS, default="auto", help="(%(default)s)")
    p.add_argument("--seed", type=int, default=0, help="for the stratified policy (%(default)s)")
    p.add_argument("--shards", type=int, help="number of parts (default: parts of about 160 MB)")
    p.add_argument("--shard", type=parse_shard, metavar="I/N", help="only the I-th of N parts, counted from 0")
    p.add_argument("--workers", type=int, help="processes (default: one a core)")
    p.add_argument("--engine", choices=ENGINES, default="local", help="this machine, or a Ray cluster (%(default)s)")
    p.add_argument("--ray-address", help="auto, local or HOST:PORT (ray; default RAY_ADDRESS, else local)")
    p.add_argument(
        "--limit-s", type=float, default=CLIP_LIMIT_S, help="seconds after which a clip counts as stuck (%(default)s)"
    )
    p.add_argument("--max-bad-share", type=float, default=0.01, help="share of unusable clips allowed (%(default)s)")
    return p


def p_miss(data: Path) -> str:
    stated = read_frames_header(data)
    table = None if stated is None else stated.get("p_miss")
    if table is None:
        return "  P(miss) of the keyframes alone: unknown, the index names no durations"
    figures = ", ".join(f"{miss:.2f} for {event} s" for event, miss in table.items())
    return f"  P(miss) of the keyframes alone, by length of the event: {figures}"


def main(arguments: list[str] | None = None) -> int:
    args = vars(parser().parse_args(arguments))
    try:
        data = args.pop("data")
        framing = framing_of(data, args["crop"], args["view"])
        print(extract_frames(data, only=args.pop("shard"), framing=framing, **args).in_words())
        print(p_miss(data))
    except (OSError, ImportError, TooManyBadClips, ValueError) as error:
        print(f"error: {in_words(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
