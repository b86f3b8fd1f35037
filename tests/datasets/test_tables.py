"""Annotation tables, label words and action-unit cells, whatever they hold."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.datasets.action_units import parse_action_units
from emotrain.datasets.reading import LayoutError, UnknownLabel, read_label
from emotrain.datasets.tables import read_lines, read_sheet
from emotrain.emotions import ALIASES, LABEL_SETS, canonical

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


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n\ufeff", exclude_categories=["Cs"]))))
def test_lines_keep_their_numbers_and_text_in_both_encodings(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("lines") / "list.txt"
    expected = [(n, line.strip(" ")) for n, line in enumerate(lines, start=1) if line.strip()]
    for newline in ("\n", "\r\n"):
        file.write_bytes(newline.join(lines).encode("utf-8"))
        assert read_lines(file) == expected
    chinese = "\n".join(f"{n}\t愤怒 {n}" for n in range(1, 4))
    file.write_bytes(chinese.encode("gb18030"))
    assert read_lines(file) == [(n, f"{n}\t愤怒 {n}") for n in range(1, 4)]


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_are_lines(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("bytes") / "list.txt"
    file.write_bytes(data)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        with pytest.raises(LayoutError, match=r"list\.txt: the text is encoded as UTF-16"):
            read_lines(file)
        return
    numbers = [number for number, _ in read_lines(file)]
    assert numbers == sorted(set(numbers))


def test_a_sheet_is_found_by_its_columns_below_any_preamble(sheet):
    file = sheet(
        "t.xlsx", [["notes"], [], ["B ", "Sub_ject", None], [1.0, "x", 9], [None, None], [2.5, None]], before=["a"]
    )
    rows = read_sheet(file, {"b": ("b",), "subject": ("Subject",)})
    assert [(row.number, dict(row.cells)) for row in rows] == [
        (4, {"b": "1", "subject": "x"}),
        (6, {"b": "2.5", "subject": ""}),
    ]
    assert rows[0].where == "t.xlsx row 4"
    assert rows[1].number_of("b") == 2.5
    assert rows[1].text("subject") is None
