"""Small trees in the official layouts, with invented names; files hold a byte where only their presence matters."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., None]:
    """touch("a/b.mp4", "c/d.jpg"): files of one byte below tmp_path."""

    def make(*paths: str) -> None:
        for path in paths:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")

    return make


@pytest.fixture
def frames(touch: Callable[..., None]) -> Callable[..., None]:
    """frames("sub01/clip", range(40, 60), "img{}.jpg"): a folder of numbered images."""

    def make(folder: str, numbers: Sequence[int], name: str = "{}.jpg") -> None:
        touch(*(f"{folder}/{name.format(number)}" for number in numbers))

    return make


@pytest.fixture
def text(tmp_path: Path) -> Callable[..., Path]:
    """text("a.csv", "path,label\\n", encoding="utf-8"): a text file below tmp_path."""

    def make(path: str, content: str, encoding: str = "utf-8") -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode(encoding))
        return file

    return make


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    """sheet("a.xlsx", [[...], ...], title="label"): a workbook with that sheet after an empty one."""

    def make(path: str, rows: Sequence[Sequence[Any]], title: str = "Sheet1", before: Sequence[str] = ()) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name in before:
            book.create_sheet(name).append(["nothing of interest"])
        page = book.create_sheet(title)
        for row in rows:
            page.append(list(row))
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        book.save(file)
        return file

    return make
