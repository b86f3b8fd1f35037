"""Summarise in words what happens between the keyframes of every clip, without naming an emotion.

    python data_prep/summarize_frames.py --data DATA --backend motion
    python data_prep/summarize_frames.py --data DATA --backend vlm --model Qwen/Qwen2.5-VL-7B-Instruct
    python data_prep/summarize_frames.py --data DATA --backend openai --model NAME --base-url http://127.0.0.1:8000/v1
    python data_prep/summarize_frames.py --data DATA --backend precomputed --path my_texts.csv

Reads DATA/clips.parquet, DATA/frames/ and (motion) the videos, writes DATA/summaries/<backend>-<fingerprint>/. Run it
again after an interruption: finished parts and paid replies are kept. On a cluster give each array task its part with
--shard I/N; under `accelerate launch` the processes of --backend vlm share the parts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emotrain.context.summarize import BACKENDS, summarize_clips
from emotrain.file_errors import in_words
from emotrain.stages.parts import parse_shard
from emotrain.stages.report import TooManyBadClips
from emotrain.stages.stage import ENGINES, check_numbers

OPTIONS = (
    ("--blinks", "tell blinks too (motion)", None),
    ("--cues", "CSV or folder of OpenFace, LibreFace or py-feat to use instead of flow (motion)", str),
    ("--model", "folder, Hub id, or the server's name for it (vlm, openai)", str),
    ("--revision", "revision of a Hub id (vlm)", str),
    ("--dtype", "bfloat16, float32, ... (vlm; default: the checkpoint's own)", str),
    ("--device", "cuda:0, cpu, ... (vlm; default: the GPU of the process; on a CPU only when asked for)", str),
    ("--device-map", "auto spreads one model over all GPUs (vlm)", str),
    ("--batch-size", "gaps answered together (vlm)", int),
    ("--max-new-tokens", "longest answer (vlm, openai)", int),
    ("--base-url", "address of the server, ending in /v1 (openai)", str),
    ("--key-variable", "environment variable that holds the key (openai; default OPENAI_API_KEY)", str),
    ("--concurrency", "requests under way at a time (openai)", int),
    ("--max-requests", "stop after so many requests (openai)", int),
    ("--max-tokens", "stop after so many tokens (openai)", int),
    ("--retries", "repetitions of a failed request (openai)", int),
    ("--timeout-s", "seconds a request may take (openai)", float),
    ("--path", "CSV or JSONL with clip_id, text and gap or time_s (precomputed)", str),
    ("--language", "en or zh: language of question and answer (vlm, openai, precomputed)", str),
    ("--leakage", "emotion words in texts: mask, drop or fail (vlm, openai, precomputed)", str),
)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, required=True, help="folder with clips.parquet and frames/")
    p.add_argument("--backend", choices=list(BACKENDS), default="motion", help="who writes the text (%(default)s)")
    for flag, text, kind in OPTIONS:
        if kind is None:
            p.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=text)
        else:
            p.add_argument(flag, type=kind, default=argparse.SUPPRESS, help=text)
    p.add_argument("--shards", type=int, default=8, help="number of parts (%(default)s)")
    p.add_argument("--shard", type=parse_shard, metavar="I/N", help="only the I-th of N parts, counted from 0")
    p.add_argument("--workers", type=int, help="processes (motion; default: one a core)")
    p.add_argument("--engine", choices=ENGINES, default="local", help="this machine, or Ray (motion; %(default)s)")
    p.add_argument("--ray-address", help="auto, local or HOST:PORT (ray; default RAY_ADDRESS, else local)")
    p.add_argument("--max-bad-share", type=float, default=0.01, help="share of unusable clips allowed (%(default)s)")
    return p


def main() -> int:
    given = vars(parser().parse_args())
    data, backend, only = given.pop("data"), given.pop("backend"), given.pop("shard")
    try:
        check_numbers(shards=given["shards"], workers=given["workers"], max_bad_share=given["max_bad_share"])
        report = summarize_clips(data, backend, only=only, **given)
    except (OSError, TooManyBadClips, ValueError) as error:
        print(f"summarize_frames.py: {in_words(error)}", file=sys.stderr)
        return 1
    print(report.in_words())
    return 0


if __name__ == "__main__":
    sys.exit(main())
