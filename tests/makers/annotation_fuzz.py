"""Damage the annotation of a small valid data set and index it: an index or a reason must come out, never a crash.

A case is a pure function of its number: which layout, which of its annotation files, which damage. Text files lose,
gain or change bytes; workbooks do so too, or have cells replaced and stay readable.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow.parquet as pq

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError, UnknownLabel
from emotrain.emotions import LABEL_SETS
from emotrain.stages.report import TooManyBadClips

CELLS: tuple[Any, ...] = (
    None, "", "/", "nan", "-inf", "1e9", "0", -1, 5, 12.5, 10**12, "R12 or 15", "4，7", "１２", "a\0b", "../../x",
    "/etc/passwd", "C:\\x.mp4", "Snxiety", "disgustt", "anger", "anger_disgust", "happy", "00001", "1.mp4", "x" * 300,
    "表情", "\u2028", "=1+1", '"', "a;b\tc,d", True,
)  # fmt: skip
WORDS = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
MAFW = LABEL_SETS["mafw"].labels


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def write(root: Path, path: str, text: str, encoding: str = "utf-8") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text.encode(encoding))


def sheet(root: Path, path: str, rows: Sequence[Sequence[Any]], title: str = "label") -> None:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    book.save(root / path)


def dfew(root: Path) -> None:
    for part, numbers in (("train", range(1, 15)), ("test", range(15, 22))):
        lines = ["video_name,label", *(f"{n},{1 + n % 7}" for n in numbers)]
        write(root, f"EmoLabel_DataSplit/{part}(single-labeled)/set_1.csv", "\n".join(lines))
    touch(root, *(f"Clip/original/{n}.mp4" for n in range(1, 22)))
    rows = [[10 if 1 + n % 7 == c else 0 for c in range(1, 8)] + [n, 1 + n % 7] for n in range(1, 22)]
    head = [f"{i}{word}" for i, word in enumerate(WORDS, start=1)]
    sheet(root, "Annotation/annotation.xlsx", [[*head, "order", "label"], *rows])


def mafw(root: Path) -> None:
    for task in ("single", "compound"):
        for part, numbers in (("train", range(1, 23)), ("test", range(23, 34))):
            names = {n: MAFW[n % 11] if task == "single" or n % 2 else f"{MAFW[n % 4]}_sadness" for n in numbers}
            base = f"Train & Test Set/{task}"
            plain = "".join(f"{n:05d}.mp4 {label}\n" for n, label in names.items())
            write(root, f"{base}/no_caption/set_1/{part}.txt", plain)
            told = "\r\n".join(f"{n:05d}.mp4\t{label}\t第{n}人皱眉\tPerson {n}." for n, label in names.items())
            write(root, f"{base}/with_caption/set_1/{part}.txt", told, "gb18030")
    touch(root, *(f"data/clips/{n:05d}.mp4" for n in range(1, 34)))
    rows = [[f"{n:05d}.mp4", *(float(MAFW[n % 11] == name) for name in MAFW)] for n in range(1, 34)]
    sheet(root, "Labels/annotation.xlsx", [["clip", *MAFW], *rows])


def ferv39k(root: Path) -> None:
    rows = [f"Kitchen/{word.title()}/{n:04d} {word.title()}" for word in WORDS for n in range(4)]
    touch(root, *(f"2_ClipsforFaceCrop/{row.split()[0]}/{i}.jpg" for row in rows for i in range(2)))
    write(root, "4_setups/All_scenes/train_All.csv", "\n".join(rows[::2]))
    write(root, "4_setups/All_scenes/test_All.csv", "\n".join(rows[1::2]))


def casme2(root: Path) -> None:
    head = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units"]
    rows = [[s, f"EP{s}", None, 46, "/" if s % 2 else 59, 86, None, "4+R12"] for s in range(1, 6)]
    emotions = ["disgust", "happiness", "surprise", "repression", "others"]
    rows = [[*row, emotion] for row, emotion in zip(rows, emotions)]
    sheet(root, "CASME2-coding-20990101.xlsx", [[*head, "Estimated Emotion"], *rows])
    touch(root, *(f"CASME2_RAW_selected/sub{s:02d}/EP{s}/img{i}.jpg" for s in range(1, 6) for i in range(46, 90, 4)))


def samm(root: Path) -> None:
    head = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro"]
    emotions = ["Anger", "Contempt", "Happiness", "Other"]
    rows = [[f"00{s}", f"00{s}_1", "x", 50, 60, 70, 21, "Yes", "4+7", emotions[s - 6], 1, None] for s in range(6, 10)]
    head += ["Action Units", "Estimated Emotion", "Objective Classes", "Notes"]
    sheet(root, "SAMM_Micro_FACS_Codes_v9.xlsx", [["SAMM"], [], ["note"], head, *rows], "MICRO_ONLY")
    touch(root, *(f"00{s}/00{s}_1/00{s}_{i:05d}.jpg" for s in range(6, 10) for i in range(50, 71, 4)))


def casme3(root: Path) -> None:
    head = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    rows = [[f"spNO.{s}", "a", 10 * s, 10 * s + 4, 10 * s + 9, "4", "I", WORDS[s % 2]] for s in range(1, 7)]
    sheet(root, "annotation/cas(me)3_part_A_ME_label_JpgIndex_v9.xlsx", [head, *rows])
    frames = "Part_A_ME_clip/frame"
    touch(root, *(f"{frames}/spNO.{s}_a_{10 * s}/{i}.jpg" for s in range(1, 7) for i in range(10 * s, 10 * s + 10)))


def smic(root: Path) -> None:
    clips = [(s, emotion) for s in (1, 3, 4) for emotion in ("negative", "positive", "surprise")]
    rows = [[i, f"s{s}", f"s{s}_{e}", e, 1000, 1030] for i, (s, e) in enumerate(clips)]
    sheet(root, "smic.xlsx", [[None, "subject", "material", "emotion", "onset", "offset"], *rows])
    touch(root, *(f"HS/s{s}/micro/{e}/s{s}_{e}/image{i:06d}.jpg" for s, e in clips for i in range(1000, 1031, 5)))


def mmew(root: Path) -> None:
    head = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
    rows = [[s, f"S0{s}-1", 5, 9, 14, "4", ("disgust", "happiness", "others")[s % 3], None] for s in range(1, 7)]
    sheet(root, "MMEW_Micro_Exp.xlsx", [[*head, "remarks"], *rows])
    touch(root, *(f"Micro_Expression/{row[6]}/{row[1]}/{i}.jpg" for row in rows for i in range(1, 21, 3)))


def megc2019(root: Path) -> None:
    for make in (smic, casme2, samm):
        make(root / make.__name__)
    lines = ["casme2,sub01,EP1,0", "samm,006,006_1,0", "smic,s01,s1_negative,0", "smic,s03,s3_positive,1"]
    write(root, "combined_3class_gt.csv", "\n".join(lines))


def own_csv(root: Path) -> None:
    rows = [["path", "label", "subject", "fps", "onset_s", "offset_s", "action_units", "caption", "test_fold"]]
    rows += [
        [f"v/{i}.mp4", WORDS[i % 3], f"p{i % 5}", "25", "0.1", "0.4", "4+R12", "a, b", f"{1 + i % 5}"]
        for i in range(15)
    ]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    write(root, "clips.csv", out.getvalue())
    touch(root, *(f"v/{i}.mp4" for i in range(15)))


LAYOUTS: dict[str, tuple[Callable[[Path], None], dict[str, str]]] = {
    "dfew": (dfew, {}),
    "mafw": (mafw, {"caption": "en"}),
    "mafw compound": (mafw, {"labels": "compound"}),
    "ferv39k": (ferv39k, {}),
    "casme2": (casme2, {}),
    "samm": (samm, {}),
    "casme3": (casme3, {}),
    "smic": (smic, {}),
    "mmew": (mmew, {}),
    "megc2019": (megc2019, {}),
    "csv": (own_csv, {}),
}
REASONS = (LayoutError, UnknownLabel, TooManyBadClips, ValueError)
ANNOTATIONS = (".csv", ".txt", ".xlsx")


def make_all(folder: Path) -> None:
    """Every layout once, each valid: `read_annotation_case` damages copies of their annotation files."""
    for name, (make, _) in LAYOUTS.items():
        make(folder / name)


def damaged_sheet(data: bytes, rng: np.random.Generator) -> bytes:
    """The workbook with one to six cells replaced, and sometimes a row or a column taken out."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    page = book.active
    for _ in range(int(rng.integers(1, 7))):
        cell = page.cell(int(rng.integers(1, page.max_row + 2)), int(rng.integers(1, page.max_column + 1)))
        value = CELLS[int(rng.integers(len(CELLS)))]
        cell.value = value.replace("\0", "") if isinstance(value, str) else value
    if rng.random() < 0.2:
        page.delete_rows(int(rng.integers(1, page.max_row + 1)))
    if rng.random() < 0.1:
        page.delete_cols(int(rng.integers(1, page.max_column + 1)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def damaged_text(data: bytes, rng: np.random.Generator) -> bytes:
    """The text with one to six words replaced, so that most lines stay lines."""
    text = data.decode("gb18030", errors="replace")
    for _ in range(int(rng.integers(1, 7))):
        words = [at for at, char in enumerate(text) if char in ", \t\n"] + [len(text)]
        at = int(rng.integers(len(words)))
        start = 0 if at == 0 else words[at - 1] + 1
        text = text[:start] + str(CELLS[int(rng.integers(len(CELLS)))]) + text[words[at] :]
    return text.encode("utf-8", errors="replace")


def read_annotation_case(number: int, folder: Path, flip: Callable[[bytes, int], bytes]) -> str:
    """Index a damaged copy of a layout of `make_all(folder)`; the outcome is `NAME index` or `NAME reason`.

    AssertionError when the index breaks a promise; any other exception than a stated reason passes through.
    """
    rng = np.random.default_rng([number, 1])
    name = list(LAYOUTS)[number % len(LAYOUTS)]
    root, out = folder / name, folder / f"out {number}"
    files = sorted(file for file in root.rglob("*") if file.suffix in ANNOTATIONS)
    file = files[int(rng.integers(len(files)))]
    whole = file.read_bytes()
    kind = int(rng.integers(4))
    mild = damaged_sheet if file.suffix == ".xlsx" else damaged_text
    file.write_bytes(mild(whole, rng) if kind else flip(whole, number))
    try:
        bad_share = float(rng.choice([0.01, 1.0]))
        with redirect_stderr(io.StringIO()):  # thousands of progress lines
            report = index_clips(name.split()[0], root, out, max_bad_share=bad_share, **LAYOUTS[name][1])
    except (ValueError, TooManyBadClips) as error:
        named = file.suffix in str(error) or str(folder) in str(error) or type(error) is ValueError
        if type(error) not in REASONS or len(str(error)) < 20 or not named:
            raise AssertionError(f"case {number} ({file}): no reason given: {error!r}") from error
        return f"{name} reason"
    else:
        check(report.clips, out, number)
        return f"{name} index"
    finally:
        file.write_bytes(whole)
        shutil.rmtree(out, ignore_errors=True)


def check(clips: int, out: Path, number: int) -> None:
    """What an index promises: ids once, known labels, times in order, a reason for everything left out."""
    index = read_index(out)
    labels = json.loads(pq.read_schema(out / "clips.parquet").metadata[b"labels"])
    ids = [clip.clip_id for clip in index]
    written = json.loads((out / "index_report.json").read_text())
    times = [[t for t in (clip.onset_s, clip.apex_s, clip.offset_s) if t is not None] for clip in index]
    wrong = [
        len(ids) != clips or len(set(ids)) != len(ids),
        any(clip.label not in labels for clip in index),
        any(not index.path(clip).exists() for clip in index),
        any(row["reason"] == "" for row in written["quarantined"]),
        index.dataset != "csv" and any(found != sorted(found) for found in times),
    ]
    if any(wrong):
        raise AssertionError(f"case {number}: broken promises {wrong}")
