"""A YAML file that a person wrote: nothing of it is dropped unsaid, and a fault is found by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from emotrain.yaml_files import read_mapping


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "settings.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_every_key_that_stands_twice_is_named_with_its_lines(tmp_path: Path) -> None:
    text = "a: 1\nb: {c: 1,\n    c: 2}\nd:\n  - e: 1\n  - 'a': 1\n    f: 2\n    f: 2\n    f: 3\n'a': 2\n"
    with pytest.raises(ValueError, match=r"3 repeated key") as caught:
        read_mapping(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "settings.yaml"))
    for said in ("'a' stands on lines 1 and 10;", "'c' stands on lines 2 and 3;", "'f' stands on lines 7, 8 and 9;"):
        assert said in str(caught.value)


def test_equal_keys_of_different_mappings_and_merged_ones_are_no_repetition(tmp_path: Path) -> None:
    text = "one: &one {x: 1, y: 1}\ntwo: &two {<<: *one, x: 2}\nthree: {<<: *two, x: 3}\n"
    expected = {"one": {"x": 1, "y": 1}, "two": {"x": 2, "y": 1}, "three": {"x": 3, "y": 1}}
    assert read_mapping(write(tmp_path, text)) == expected


def test_a_comment_in_a_chinese_encoding_is_said_with_its_line_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"settings\.yaml: not UTF-8 text .* on line 2\).*iconv -f GB18030"):
        read_mapping(write(tmp_path, "nodes: 2\n# 节点\n".encode("gb18030")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "expected `key: value` lines, found a list"),
        ("a: [", "not valid YAML"),
        ("a: 2024-13-45", "not valid YAML: month must be in"),
        ("a: !!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_what_is_no_mapping_is_said_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(KeyedFault, match=said) as caught:
        read_mapping(write(tmp_path, text), KeyedFault)
    assert "settings.yaml" in str(caught.value)


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert read_mapping(write(tmp_path, "# nothing yet\n")) == {}


class KeyedFault(ValueError):
    """A caller's own kind of error."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a0: &a0 [1, 1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)), "20,000 values"),
        ("a: " + "[" * 5000 + "]" * 5000, "more than 40 levels deep"),
        ("a:\n" + "".join(f"{' ' * i}b:\n" for i in range(1, 500)), "more than 40 levels deep"),
        ("a: &a [1, *a]\n", r"\*a stands inside itself"),
        ("a: [" + "1," * 30_000 + "]", "20,000 values"),
        ("a: " + "x" * (1 << 21), "bytes, expected at most 1,048,576"),
    ],
    ids=["multiplied", "deep in brackets", "deep by lines", "in itself", "many", "large"],
)
def test_what_is_too_large_in_any_way_is_refused_at_once(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"settings\.yaml: .*{said}"):
        read_mapping(write(tmp_path, text))
