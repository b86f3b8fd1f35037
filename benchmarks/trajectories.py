"""Is the course of a clip in its words, and can it be read without their order: a markdown table.

    python benchmarks/trajectories.py --train 256 --test 160 --seed 0

Draws the classes of `trajectories` (the same muscles, another order, speed or repetition), tells each clip as the
motion summariser does, and fits a logistic regression to the words: counted as they are, and with the number of the
event they stand in and where in it its stated peak lies. The second line is what exact reading could reach.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from emotrain.context.facs_words import describe
from emotrain.motion.clip_events import clip_events
from emotrain.motion.face_motion import SIZE
from emotrain.progress import track
from emotrain.records import Event
from emotrain.synthetic.clip_set import write_clip_set
from emotrain.synthetic.trajectories import LABELS, NAME
from emotrain.video.decode import open_clip

Reader = Callable[[Sequence[Event]], list[str]]


def counted(events: Sequence[Event]) -> list[str]:
    """The words of a clip, figures among them."""
    return re.findall(r"[a-z]+|\d+", describe(events).lower())


def in_order(events: Sequence[Event]) -> list[str]:
    """The same words with the number of their event, and whether its peak lies early, midway or late in it."""
    words = []
    for number, event in enumerate(events):
        place = (event.apex_s - event.onset_s) / max(event.offset_s - event.onset_s, 1e-6)
        told = [*re.findall(r"[a-z]+", describe([event]).lower()), ("early", "midway", "late")[min(int(3 * place), 2)]]
        words += [f"{number} {word}" for word in told]
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=256)
    parser.add_argument("--test", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--clips", type=Path, metavar="FOLDER", help="keep the clips there, and use those that lie there"
    )
    given = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) if given.clips is None else given.clips
        write_clip_set(
            root, label_set=NAME, train=given.train, validation=2 * len(LABELS), test=given.test, seed=given.seed
        )
        rows = [row for row in pq.read_table(root / "annotations.parquet").to_pylist() if row["split"] != "validation"]
        told = []
        with track("spot", len(rows)) as advance:
            for row in rows:
                with open_clip(root / row["path"]) as reader:
                    told.append(clip_events(reader.grey(SIZE), reader.times_s).events)
                advance(1)
    print(f"seed {given.seed}, {given.train} clips to fit, {given.test} to score; right answers, %\n")
    print(f"| words | all | {' | '.join(LABELS)} |\n|-|-|{'-|' * len(LABELS)}")
    readers: dict[str, Reader] = {"counted": counted, "with the event they stand in": in_order}
    for name, read in readers.items():
        right, of = scored([read(events) for events in told], rows)
        shares = [100 * right[label] / of[label] for label in LABELS]
        print(f"| {name} | {np.mean(shares):.1f} | {' | '.join(f'{share:.0f}' for share in shares)} |")


def scored(words: Sequence[Sequence[str]], rows: Sequence[dict[str, str]]) -> tuple[Counter[str], Counter[str]]:
    """Test clips told right, and all test clips, for each class."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    fit = [i for i, row in enumerate(rows) if row["split"] == "train"]
    test = [i for i, row in enumerate(rows) if row["split"] == "test"]
    counts = TfidfVectorizer(analyzer=lambda some: some)
    model = LogisticRegression(C=10, max_iter=2000)
    model.fit(counts.fit_transform([words[i] for i in fit]), [rows[i]["label"] for i in fit])
    found = model.predict(counts.transform([words[i] for i in test]))
    right = Counter(rows[i]["label"] for i, label in zip(test, found) if rows[i]["label"] == label)
    return right, Counter(rows[i]["label"] for i in test)


if __name__ == "__main__":
    main()
