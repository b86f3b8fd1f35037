"""Put valid annotations, predictions, image names and settings into other dress, or damage them, and read them.

What comes out is what the plain file says, or a reason that names the file: never a traceback, never something else in
silence. A case is a pure function of its number.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from annotation_fuzz import casme2, dfew, ferv39k, mafw, mmew, own_csv
from answer_doors import no_videos, pick, replies, servers, times

from emotrain.datasets.clips import read_clips
from emotrain.datasets.frame_names import arranged
from emotrain.datasets.index import index_clips
from emotrain.metrics.predictions import read_predictions
from emotrain.stages.report import TooManyBadClips
from emotrain.yaml_files import read_mapping

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030")
NEWLINES = ("\n", "\r\n", "\r")
LABELS = ("anger", "fear", "happiness", "neutral")
FILES = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".json", ".yaml")
LEFTOVERS = ("Thumbs.db", ".DS_Store", "._x.csv", "~$x.xlsx", "desktop.ini")


def read_door_case(number: int, folder: Path, flip: Callable[[bytes, int], bytes]) -> str:
    """The outcome, `DOOR same` or `DOOR reason`; AssertionError for anything read differently than it was written."""
    rng = np.random.default_rng([number, 2])
    doors = (lists, sheets, predictions, image_names, settings, replies, servers, times, no_videos)
    door = doors[number % len(doors)]
    place = folder / f"door {number}"
    place.mkdir()
    try:
        with redirect_stderr(io.StringIO()):
            same = door(rng, place, flip, number)
    except (ValueError, TooManyBadClips) as error:
        if isinstance(error, UnicodeError) or len(str(error)) < 20 or not any(suffix in str(error) for suffix in FILES):
            raise AssertionError(f"case {number} ({door.__name__}): no file named: {error!r}") from error
        return f"{door.__name__} reason"
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if not same:
        raise AssertionError(f"case {number} ({door.__name__}): read differently than it was written")
    return f"{door.__name__} same"


def index_of(dataset: str, root: Path, **options: str) -> set[tuple[Any, ...]]:
    out = root.parent / "out"
    index_clips(dataset, root, out, max_bad_share=0.0, **options)
    return {(c.clip_id, c.path, c.label, c.test_fold, c.split, c.onset_s, c.offset_s) for c in read_clips(out)}


def dressed(rows: list[list[str]], head: list[str], rng: np.random.Generator, separators: str, bare: bool) -> bytes:
    """A table in another dress: separator, encoding, line ends, order of columns, further columns, empty lines."""
    separator = pick(rng, separators)
    table = [head, *rows]
    if rng.random() < 0.5:
        table = [[*row, "" if at and rng.random() < 0.5 else f"x{at}"] for at, row in enumerate(table)]
    if rng.random() < 0.4:
        table = [[f"{at - 1}" if at else "", *row] for at, row in enumerate(table)]
    order = rng.permutation(len(table[0])) if rng.random() < 0.5 else np.arange(len(table[0]))
    table = [[row[i] for i in order] for row in table]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows if bare else table)
    lines = out.getvalue().splitlines()
    if rng.random() < 0.3:
        lines.insert(int(rng.integers(1, len(lines) + 1)), "")
    return pick(rng, NEWLINES).join(lines).encode(pick(rng, ENCODINGS))


def lists(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """Lists of DFEW, MAFW and FERV39k and a CSV, with what systems leave beside them."""
    name, make = pick(rng, {"dfew": dfew, "mafw": mafw, "ferv39k": ferv39k, "csv": own_csv}.items())
    root = place / "set"
    make(root)
    plain = index_of(name, root)
    bare = name != "csv" and rng.random() < 0.3
    files = [f for f in root.rglob("*") if f.suffix in (".csv", ".txt") and "with_caption" not in f.parts]
    for file in files:
        text = file.read_text()
        if name == "csv":
            head, *rows = csv.reader(io.StringIO(text))
        else:
            head = ["video_name", "label"]
            rows = [line.replace(",", " ").rsplit(" ", 1) for line in text.splitlines() if "video_name" not in line]
        if rng.random() < 0.3:
            rows = [[cell.replace("/", "\\") if at == 0 else cell for at, cell in enumerate(row)] for row in rows]
        file.write_bytes(dressed(rows, head, rng, ",;\t|", bare))
        (file.parent / pick(rng, LEFTOVERS)).write_bytes(b"\0\1leftover")
    return index_of(name, root) == plain


def sheets(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """A coding sheet under another name, as text, with other and hidden sheets and with other tables beside it."""
    name, make = pick(rng, {"casme2": casme2, "mmew": mmew}.items())
    root = place / "set"
    make(root)
    plain = index_of(name, root)
    (file,) = root.glob("*.xlsx")
    rows = [["" if cell is None else str(cell) for cell in row] for row in openpyxl.load_workbook(file).active.values]
    kind = int(rng.integers(4))
    if kind == 0:
        file.unlink()
        target = pick(rng, (file.with_suffix(".csv"), root / "my labels.csv", root / "a" / "labels.tsv"))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(dressed(rows[1:], rows[0], rng, ",;\t|", False))
    elif kind == 1:
        book = openpyxl.load_workbook(file)
        book.active.title = "data"
        for title in ("before", "old"):
            page = book.create_sheet(title, int(rng.integers(2)))
            for row in rows if rng.random() < 0.5 else [["notes"], *rows[1:]]:
                page.append(row if title == "before" else [cell.replace("46", "47") for cell in row])
            page.sheet_state = pick(rng, ("hidden", "hidden", "veryHidden", "visible"))
        book.save(file)
    elif kind == 2:
        file.rename(file.with_name(pick(rng, ("coding.xlsx", "Copy of coding.xlsx", "coding.xlsm"))))
        openpyxl.Workbook().save(root / "prices.xlsx")
    else:
        file.write_bytes(flip(file.read_bytes(), number))
        index_of(name, root)
        return True
    for leftover in LEFTOVERS:
        (root / leftover).write_bytes(b"\0\1leftover")
    return index_of(name, root) == plain


def predictions(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """A prediction file in the names and the form of another tool; a third of them damaged."""
    gold = [pick(rng, LABELS) for _ in range(6)]
    said = [f"The person shows {label}, I think." if rng.random() < 0.5 else label for label in gold]
    clip = pick(rng, ("clip_id", "id", "video", "videos", "doc_id", "", "images"))
    true = pick(rng, ("label", "labels", "target", "gt", "answer"))
    reply = pick(rng, ("response", "predict", "pred", "prediction", "model_output", "filtered_resps"))
    nested = clip in ("videos", "images")
    rows: list[dict[str, Any]] = []
    for at, (label, text) in enumerate(zip(gold, said)):
        row = {clip: [f"{at}.mp4"] if nested else f"{at}.mp4"} if clip else {}
        rows.append(
            {**row, true: label, reply: [text] if reply == "filtered_resps" else text, "prompt": 'a "b", c; d\te'}
        )
    form = int(rng.integers(5))
    flat = [{k: v[0] if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    if form == 0:
        path, data = place / "p.jsonl", "\n".join(map(json.dumps, rows)).encode()
    elif form == 1:
        path, data = place / "p.json", json.dumps(rows, indent=int(rng.integers(3)) or None).encode()
    elif form == 2:
        path, data = place / "p.json", json.dumps({"config": {}, "logs": rows}).encode()
    elif form == 3:
        path = place / pick(rng, ("p.csv", "p.tsv"))
        data = dressed([list(row.values()) for row in flat], list(flat[0]), rng, ",;\t|", False)
    else:
        path, out = place / "p.xlsx", io.BytesIO()
        book = openpyxl.Workbook()
        for cells in [list(flat[0]), *(list(row.values()) for row in flat)]:
            book.active.append(cells)
        book.save(out)
        data = out.getvalue()
    broken = rng.random() < 0.3
    path.write_bytes(flip(data, number) if broken else data)
    table = read_predictions(path, labels=LABELS)
    if broken:
        return all(row.label in LABELS for row in table.predictions)
    return [(row.label, row.predicted) for row in table.predictions] == list(zip(gold, gold))


def image_names(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """Names of images made from their number: in their order, or with a note."""
    count = int(rng.integers(2, 40))
    width, first = int(rng.integers(1, 6)), int(rng.integers(0, 100))
    parts = ["{i}", *(pick(rng, ("_", "-", "frame", "img", "(", " ", "s01_", "_v2", "224x224", ".")) for _ in range(3))]
    parts += [pick(rng, ("{noise}", "{const}", ""))]
    order = rng.permutation(len(parts))
    pattern = "_".join(parts[i] for i in order)
    const, noise = int(rng.integers(100)), rng.integers(0, 50, count)
    names = [
        pattern.format(i=f"{first + i:0{width}d}", const=const, noise=f"{noise[i]:02d}") + ".jpg" for i in range(count)
    ]
    if len(set(names)) < count:
        return True
    shuffled = [names[i] for i in rng.permutation(count)]
    found = arranged(shuffled)
    return bool(found.notes) or list(found.names) == names


def settings(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """YAML with anchors, brackets and indents, damaged: values, or a reason at once."""
    lines = [f"a0: &a0 [{', '.join('x' * int(rng.integers(1, 5)))}]"]
    for at in range(1, int(rng.integers(2, 30))):
        back = ", ".join(f"*a{int(rng.integers(at))}" for _ in range(int(rng.integers(0, 4))))
        lines.append(f"a{at}: &a{at} {pick(rng, ('{b: [%s]}', '[%s]', '[[%s]]'))}" % back)
    if rng.random() < 0.2:
        lines.append("deep: " + "[" * int(rng.integers(1, 3000)))
    data = "\n".join(lines).encode()
    path = place / "s.yaml"
    path.write_bytes(flip(data, number) if rng.random() < 0.5 else data)
    return isinstance(read_mapping(path), dict)
