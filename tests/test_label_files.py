"""A label set may be a file: its order counts, values make it a scale, and what is wrong with it is said by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from emotrain.datasets.reading import UnknownLabel, read_label
from emotrain.emotions import label_set, portable_name


def test_a_file_of_labels_is_a_label_set_in_its_order_and_travels_as_its_labels(tmp_path: Path) -> None:
    lines = tmp_path / "mine.txt"
    lines.write_text("# what happens\nis pushed\n\nfalls over\n", encoding="utf-8")
    assert label_set(str(lines)).labels == ("is pushed", "falls over")
    assert label_set(str(lines)).values == ()
    assert portable_name(str(lines)) == "is pushed, falls over"
    assert label_set(portable_name(str(lines))).labels == label_set(str(lines)).labels
    assert portable_name("mafw") == "mafw"


def test_values_make_a_scale_whose_ratings_are_read_as_the_nearest_label(tmp_path: Path) -> None:
    scale = tmp_path / "scale.yaml"
    scale.write_text("labels: {not at all: 0, somewhat: 2, wholly: 4}\n", encoding="utf-8")
    found = label_set(str(scale))
    assert found.values == (0.0, 2.0, 4.0)
    assert [read_label(word, found, "row 2") for word in ("0", "2.9", "3.1", "wholly")] == [
        "not at all",
        "somewhat",
        "wholly",
        "wholly",
    ]
    assert read_label("5", label_set("valence"), "row 2") == "very positive"
    with pytest.raises(UnknownLabel, match=r"row 7: rating '6' is outside 0 to 4"):
        read_label("6", found, "row 7")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "one\n", "2 to 1000 different labels.*found 1 different ones of 1"),
        ("a.txt", "one\none\n", "found 1 different ones of 2"),
        ("a.txt", "one\ntwo, three\n", "without commas, found 'two, three'"),
        ("a.yaml", "names: [one, two]\n", "`labels:` expected.*found None"),
        ("a.yaml", "labels: {one: 1, two: x}\n", "a number of its own.*see two"),
        ("a.yaml", "labels: {one: 1, two: 1}\n", "share a value"),
        ("a.yaml", "labels: {one: 1, two: null}\n", "share a value or lack one"),
    ],
)
def test_a_file_that_is_no_label_set_is_refused_by_name(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"label_set: .*{name}: .*{said}"):
        label_set(str(tmp_path / name))
    with pytest.raises(ValueError, match="no such file"):
        label_set(str(tmp_path / "missing.txt"))
