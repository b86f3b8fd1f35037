"""Rows arrive as they were written, and what is wrong with a file is said with its row."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from emotrain.metrics.row_files import Rows, read_rows


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_only_a_newline_ends_a_line_of_json(tmp_path: Path, mark: str) -> None:
    rows = [{"clip": "a", "reply": f"He is angry.{mark}Yes."}, {"clip": "b", "reply": "fear"}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows)
    (tmp_path / "p.jsonl").write_bytes(text.encode())
    assert read_rows(tmp_path / "p.jsonl") == Rows(rows)


def test_cells_may_be_as_long_as_reasoning_gets(tmp_path: Path) -> None:
    limit, reply = csv.field_size_limit(), "angry, " * 40_000
    (tmp_path / "p.CSV").write_text(f'clip,reply\na,"{reply}"\n', encoding="utf-8-sig")
    assert read_rows(tmp_path / "p.CSV").rows == [{"clip": "a", "reply": reply}]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", b"clip,reply\na,angry, very\nb,fear\n", r"row 1 \(line 2\): 3 cells under 2 columns .*put quotes"),
        ("p.tsv", b"clip\treply\na\tangry\tvery\n", r"row 1 \(line 2\): 3 cells under 2 columns"),
        (
            "p.csv",
            b'clip,reply\na,"He is angry\nb,fear\n',
            r"line 2: not readable as CSV \(unexpected end of data\); put",
        ),
        ("p.csv", b"clip,pred,pred\na,fear,anger\n", "column pred occurs more than once"),
        ("p.jsonl", '{"clip": "café"}\n'.encode("latin1"), "byte 13 is not UTF-8 .*save the file as UTF-8"),
        ("p.json", b'[{"clip": "a"}, 7]', "item 2: expected an object"),
        ("p.json", b'{\n"clip": oops\n}', "not JSON .*line 2"),
        ("p.csv", b"clip,pred" + b",x" * 5000 + b"\na,b", r"row 1: 5,002 cells, expected at most 1,000"),
        ("p.xlsx", b"PK\x03\x04 no zip", "not a readable .xlsx workbook"),
        ("p.jsonl", b'{"clip": "a"}\n{oops\n', "line 2: not JSON"),
        ("p.jsonl", b'{"clip": "a"}\n\n[1]\n', "line 3: expected an object"),
        ("p.jsonl", b'{"clip": ' + b"1" * 5000 + b"}", "line 1: JSON that cannot be read"),
        ("p.jsonl", b'{"clip": ' + b"[" * 100_000, "line 1: JSON that cannot be read"),
        ("p.parquet", b"PAR1xxxx", "not a parquet file"),
        ("p.txt", b"a", r"not '\.txt'"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_rows(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
