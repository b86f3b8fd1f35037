"""Time and memory against the size of the index: opening it, and running a stage over clips that bring many bytes.

    python benchmarks/scale.py                     # up to a million rows; markdown tables on standard output

Every figure comes from a process of its own. "Added" is its peak resident memory less that of one that only imports.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 100_000
LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
PEAK = "import re; print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
HEAD = "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
IMPORTS = (
    "from emotrain.datasets.clips import read_index; from emotrain.datasets.clips import ClipIndex\n"
    "from emotrain.stages.stage import run_stage; import scale\n"
    "if __name__ == '__main__':\n"
)
OPENING = {
    "read_index": "read_index(Path(sys.argv[1]))",
    "read_index, first clip": "next(iter(read_index(Path(sys.argv[1]))))",
    "ClipIndex (what the stages open)": "ClipIndex(Path(sys.argv[1]))",
    "ClipIndex, a shard of 250 clips": "i = ClipIndex(Path(sys.argv[1])); list(i.of_shard(0, max(1, len(i) // 250)))",
}
STAGE = (
    "run_stage('s', ClipIndex(Path(sys.argv[1])), scale.two_megabytes, scale.BLOB, Path(sys.argv[1]) / 'out',"
    " shards=1, workers=2)"
)
BLOB = pa.schema([("clip_id", pa.string()), ("bytes", pa.binary())])


def two_megabytes(clip: object) -> list[dict[str, object]]:
    """Rows as heavy as the frames of a long clip; `run_stage` calls it in its workers."""
    name = clip.clip_id  # type: ignore[attr-defined]
    return [{"clip_id": name, "bytes": np.random.default_rng(len(name)).bytes(200_000)} for _ in range(10)]


def write_index(data: Path, rows: int) -> None:
    """An index of `rows` clips with the columns that the stages read."""
    data.mkdir(parents=True)
    schema = pa.schema(
        [("clip_id", pa.string()), ("path", pa.string()), ("label", pa.string()), ("duration_s", pa.float64())]
    )
    schema = schema.with_metadata({"root": str(data), "dataset": "csv", "label_set": "dfew"})
    with pq.ParquetWriter(data / "clips.parquet", schema, compression="zstd") as writer:
        for start in range(0, rows, BATCH):
            numbers = range(start, min(start + BATCH, rows))
            columns = {
                "clip_id": [f"clip-{i:07d}" for i in numbers],
                "path": [f"videos/some/folder/{i:07d}.mp4" for i in numbers],
                "label": [LABELS[i % len(LABELS)] for i in numbers],
                "duration_s": [2.0 + i % 50 / 10 for i in numbers],
            }
            writer.write_table(pa.table(columns, schema=schema), row_group_size=4096)


def measured(code: str, data: Path) -> tuple[float, float]:
    """(seconds of `code`, peak resident MiB of its process)."""
    body = f"    t = time.perf_counter(); {code}; print(time.perf_counter() - t); {PEAK}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(HEAD + IMPORTS + body)
        script.flush()
        command = [sys.executable, script.name, str(data), str(Path(__file__).parent)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = re.findall(r"[\d.e-]+", done.stdout)[-2:]
    return float(seconds), float(peak) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument(
        "--clips", type=int, nargs="+", default=[50, 1_000], help="clips of 2 MB that a stage runs over"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rows in {*args.rows, *args.clips}:
            write_index(Path(folder) / str(rows), rows)
        base = measured("pass", Path(folder))[1]
        print("| opening | " + " | ".join(f"{rows:,} rows" for rows in args.rows) + " |")
        print("|-|" + "-|" * len(args.rows))
        for name, code in OPENING.items():
            figures = [measured(code, Path(folder) / str(rows)) for rows in args.rows]
            print(f"| {name} | " + " | ".join(f"{s:.2f} s, {peak - base:.0f} MiB added" for s, peak in figures) + " |")
        print("\n| a stage over clips of 2 MB, two workers | peak of the parent, added |\n|-|-|")
        for clips in args.clips:
            print(f"| {clips:,} clips | {measured(STAGE, Path(folder) / str(clips))[1] - base:.0f} MiB |")


if __name__ == "__main__":
    main()
