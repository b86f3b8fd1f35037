"""Annotation tables, label words and action-unit cells, whatever they hold."""

import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.datasets.action_units import parse_action_units
from emotrain.datasets.reading import LayoutError, Reading, UnknownLabel, read_label
from emotrain.datasets.tables import Row, read_list, read_table
from emotrain.emotions import ALIASES, LABEL_SETS, canonical

OLD_WORKBOOK = Path(__file__).parent / "old_workbook.xls"
"""A hidden sheet of notes, and a coding sheet below a title: written by Excel's format of 1997."""
UNIT = re.compile(r"[LR]?[1-9]\d?")


@pytest.mark.parametrize(
    ("cell", "units", "odd"),
    [
        ("4+7+L10", ("4", "7", "L10"), 0),
        ("R12 + R15", ("R12", "R15"), 0),
        ("R14A", ("R14",), 0),
        ("12B+6C+45", ("12", "6", "45"), 0),
        ("1，2、4", ("1", "2", "4"), 0),
        ("AU4+AU07", ("4", "7"), 0),
        ("4+4", ("4",), 0),
        ("12 or 14", ("12",), 1),
        ("4+R12orR15", ("4", "R12"), 1),
        ("4+?", ("4",), 0),
        ("/", (), 0),
        (None, (), 0),
        ("4+smile", ("4",), 1),
        ("120", (), 1),
    ],
)
def test_action_unit_cells(cell, units, odd):
    found, messages = parse_action_units(cell)
    assert found == units
    assert len(messages) == odd


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=20), st.text(alphabet="LRABE0123456789+,， or/?()", max_size=20)))
def test_any_cell_gives_well_formed_units_without_repeats(cell):
    units, messages = parse_action_units(cell)
    assert all(UNIT.fullmatch(unit) for unit in units)
    assert len(set(units)) == len(units)
    assert all(messages)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(st.text(max_size=12), st.sampled_from([a for words in ALIASES.values() for a in words]).map(str.title)),
    st.sampled_from(sorted(LABEL_SETS)),
)
def test_a_label_is_a_name_of_the_set_or_an_error_that_names_its_place(word, name):
    known = LABEL_SETS[name]
    if canonical(word) in known.labels:
        assert read_label(word, known, "list.csv row 3") == canonical(word)
    else:
        found = re.escape(f"list.csv row 3: label {word!r} is not in label set {name!r}")
        with pytest.raises(UnknownLabel, match=f"^{found}"):
            read_label(word, known, "list.csv row 3")


LIST = {"clip": ("clip", "name"), "label": ("label",)}


@contextmanager
def suppress_named(kind: type[Exception], name: str) -> Iterator[None]:
    """An error of this kind is fine when it says which file it is about."""
    try:
        yield
    except kind as error:
        if name not in str(error):
            raise


def read_list_of(data: bytes, folder: Path) -> list[Row]:
    (folder / "list.txt").write_bytes(data)
    return read_list(folder / "list.txt", LIST, Reading("x", LABEL_SETS["dfew"]))


def test_a_list_is_the_same_in_every_dress(tmp_path: Path) -> None:
    heads = ["", "label{0}extra{0}Name", "clip{0}label", "index{0}clip{0}label"]
    dresses = product(heads, " \t,;|", ["utf-8", "utf-8-sig", "utf-16", "gb18030"], ["\n", "\r\n", "\r"])
    for head, separator, encoding, newline in dresses:
        if separator == " " and head.count("{0}") > 1:
            continue
        given = {"clip": "愤怒/a b.mp4" if separator != " " else "愤怒.mp4", "label": "愤怒"}
        names = head.lower().replace("name", "clip").split("{0}") if head else ["clip", "label"]
        line = separator.join(given.get(name, "7") for name in names)
        text = newline.join([*([head.format(separator)] if head else []), line, "", line])
        rows = read_list_of(text.encode(encoding), tmp_path)
        assert [dict(row.cells) for row in rows] == [given, given], (head, separator, encoding, newline)
        assert [row.number for row in rows] == ([2, 4] if head else [1, 3])


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_a_reason(tmp_path_factory, data):
    rows: list[Row] = []
    with suppress_named(LayoutError, "list.txt"):
        rows = read_list_of(data, tmp_path_factory.mktemp("bytes"))
    numbers = [row.number for row in rows]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("愤怒,高兴,悲伤的人", "gb18030"),
        ("憤怒,高興,悲傷的人", "big5"),
        ("Müller,Jørgensen,Peña", "cp1252"),
    ],
)
def test_an_old_encoding_is_known_by_its_everyday_characters(tmp_path: Path, words: str, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(f"path,label,caption\n{words}\n".encode(encoding))
    table = read_table(tmp_path / "t.csv", {"path": ("path",), "label": ("label",), "caption": ("caption",)})
    assert ",".join(table.rows[0].cells.values()) == words
    assert table.notes == [f"t.csv: read as {encoding}, it is not UTF-8"]


def test_a_list_without_header_does_not_guess_which_columns_are_meant(tmp_path: Path) -> None:
    with pytest.raises(
        LayoutError, match=r"list\.txt row 1: 3 cells \(0, 1\.mp4, anger\), expected 2; name the columns"
    ):
        read_list_of(b"0,1.mp4,anger\n1,2.mp4,fear", tmp_path)
    with pytest.raises(LayoutError, match=r"list\.txt row 2: 3 cells"):
        read_list_of(b"1.mp4,anger,\n1,2.mp4,fear", tmp_path)


COLUMNS = {"b": ("b",), "subject": ("Subject",)}


def test_a_sheet_is_found_by_its_columns_below_any_preamble(sheet):
    file = sheet(
        "t.xlsx", [["notes"], [], ["B ", "Sub_ject", None], [1.0, "x", 9], [None, None], [2.5, None]], before=["a"]
    )
    rows = read_table(file, COLUMNS).rows
    assert [(row.number, dict(row.cells)) for row in rows] == [
        (4, {"b": "1", "subject": "x"}),
        (6, {"b": "2.5", "subject": ""}),
    ]
    assert rows[0].where == "t.xlsx row 4"
    assert rows[1].number_of("b") == 2.5
    assert rows[1].text("subject") is None


def book(file: Path, sheets: dict[str, tuple[str, list[list[object]]]]) -> Path:
    """A workbook of sheets, each "visible", "hidden" or "veryHidden"."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, (state, rows) in sheets.items():
        page = workbook.create_sheet(title)
        for row in rows:
            page.append(row)
        page.sheet_state = state
    workbook.save(file)
    return file


def test_of_several_sheets_the_visible_one_is_read_and_the_choice_is_said(tmp_path: Path) -> None:
    head = ["b", "Subject"]
    old, new = [head, [1, "old"]], [head, [1, "new"]]
    hidden = book(tmp_path / "a.xlsx", {"old": ("hidden", old), "new": ("visible", new)})
    table = read_table(hidden, COLUMNS)
    assert [row.cells["subject"] for row in table.rows] == ["new"]
    assert table.notes == ["a.xlsx: sheet 'new' is read; old would fit too and is not"]
    only_hidden = book(tmp_path / "b.xlsx", {"notes": ("visible", [["hello"]]), "old": ("veryHidden", old)})
    assert read_table(only_hidden, COLUMNS).notes == ["b.xlsx: only the hidden sheet 'old' fits: it is read"]
    two = book(tmp_path / "c.xlsx", {"first": ("visible", old), "second": ("visible", new)})
    with pytest.raises(
        LayoutError, match=r"c\.xlsx: 2 visible sheets .* differ: first, second; hide or delete all but"
    ):
        read_table(two, COLUMNS)
    assert read_table(two, COLUMNS, sheet="second").rows[0].cells["subject"] == "new"
    assert read_table(two, COLUMNS, only="first").rows[0].cells["subject"] == "old"
    with pytest.raises(LayoutError, match=r"no sheet 'third'; it has first, second"):
        read_table(two, COLUMNS, only="third")
    same = book(tmp_path / "d.xlsx", {"first": ("visible", old), "copy": ("visible", old)})
    assert len(read_table(same, COLUMNS).rows) == 1


def test_what_unpacks_or_widens_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = book(tmp_path / "a.xlsx", {"s": ("visible", [["b", "Subject"], [1, "x"]])})
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.xml", b"<a/>" * (30 << 20))
    assert file.stat().st_size < 1 << 20
    with pytest.raises(LayoutError, match=r"a\.xlsx: unpacks to 120 MiB, expected at most 100; save the table alone"):
        read_table(file, COLUMNS)
    wide = book(tmp_path / "w.xlsx", {"s": ("visible", [["b", "Subject"]])})
    workbook = openpyxl.load_workbook(wide)
    workbook.active.cell(2, 16384).value = "x"
    workbook.save(wide)
    with pytest.raises(LayoutError, match=r"w\.xlsx row 2: 16,384 cells, expected at most 1,000"):
        read_table(wide, COLUMNS)
    monkeypatch.setattr("emotrain.workbooks.MAX_CELLS", 3)
    with pytest.raises(LayoutError, match=r"d\.xlsx: more than 3 cells, expected one row a clip"):
        read_table(book(tmp_path / "d.xlsx", {"s": ("visible", [["b", "Subject"], [1, "x"]])}), COLUMNS)
    monkeypatch.setattr("emotrain.workbooks.MAX_ROWS", 1)
    with pytest.raises(LayoutError, match=r"d\.xlsx: 2 rows, expected at most 1; delete empty rows"):
        read_table(tmp_path / "d.xlsx", COLUMNS)
    (tmp_path / "m.csv").write_text("b,Subject" + ",x" * 1_000_000 + "\n")
    with pytest.raises(LayoutError, match=r"m\.csv row 1: 1,000,002 cells") as refused:
        read_table(tmp_path / "m.csv", COLUMNS)
    assert len(str(refused.value)) < 1000
    (tmp_path / "c.csv").write_text("b,Subject\n1," + "x" * (20 << 20))
    with pytest.raises(LayoutError, match=r"c\.csv, row that begins on line 2: .*field larger than field limit"):
        read_table(tmp_path / "c.csv", COLUMNS)
    monkeypatch.setattr("emotrain.text_tables.MAX_BYTES", 1 << 20)
    with pytest.raises(LayoutError, match=r"c\.csv: 20 MiB of text, expected at most 1; cut it"):
        read_table(tmp_path / "c.csv", COLUMNS)


def test_an_old_workbook_is_read_by_its_visible_sheet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("xlrd")  # of the extra `xls`, which the extra `dev` holds
    table = read_table(OLD_WORKBOOK, {"clip": ("Filename",), "subject": ("Subject",), "onset": ("OnsetFrame",)})
    assert [row.cells["clip"] for row in table.rows] == ["EP01_01f", "EP02_01f"]
    assert [(row.cells["subject"], row.cells["onset"]) for row in table.rows] == [("1", "46"), ("2", "10")]
    (tmp_path / "a.xls").write_bytes(OLD_WORKBOOK.read_bytes()[:900])
    with pytest.raises(LayoutError, match=r"a\.xls: not a readable \.xls workbook.* save it as \.xlsx"):
        read_table(tmp_path / "a.xls", COLUMNS)
    assert capfd.readouterr() == ("", "")  # xlrd's own remarks on the damage


def test_without_its_package_an_old_workbook_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlrd", None)
    with pytest.raises(
        LayoutError, match=r"old_workbook\.xls: an old \.xls .*`pip install xlrd`, or .* save it as \.xlsx"
    ):
        read_table(OLD_WORKBOOK, COLUMNS)
    (tmp_path / "b.xls").write_text("b\tSubject\n1\tx\n")
    assert read_table(tmp_path / "b.xls", COLUMNS).rows[0].cells == {"b": "1", "subject": "x"}
