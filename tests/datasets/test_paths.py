"""A path from an annotation file may not leave the data root, neither by its text nor through a link."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.clip_errors import ClipError
from emotrain.datasets.paths import PathOutsideRoot, inside


@pytest.mark.parametrize(
    "path",
    [
        "../x.mp4",
        "a/../../x",
        "/etc/passwd",
        "..",
        "C:\\x.mp4",
        "\\\\host\\x",
        "a\\..\\..\\x",
        "",
        "a\0b",
        "a\\b/../../x",
    ],
)
def test_a_path_that_leaves_the_root_is_refused(path):
    with pytest.raises(PathOutsideRoot, match="leaves the data root"):
        inside(Path("/data"), path)


def test_a_detour_that_stays_inside_is_accepted(tmp_path):
    assert inside(tmp_path, "x/../y.mp4") == tmp_path / "y.mp4"
    assert inside(tmp_path, "..x/y") == tmp_path / "..x" / "y"


def test_a_link_is_followed_when_it_leads_below_the_root_and_refused_when_it_leads_out(tmp_path):
    root, disk = tmp_path / "root", tmp_path / "disk"
    (root / "real").mkdir(parents=True)
    disk.mkdir()
    (root / "within").symlink_to(root / "real")
    (root / "out").symlink_to(disk)
    (tmp_path / "alias").symlink_to(root)
    assert inside(root, "within/a.mp4") == root / "within" / "a.mp4"
    assert inside(tmp_path / "alias", "real/a.mp4"), "the root itself may be a link"
    for path in ("out/a.mp4", "out", "within/../out/a.mp4"):
        with pytest.raises(PathOutsideRoot, match=f"through a link to {disk}"):
            inside(root, path)


def test_every_stage_can_quarantine_it():
    assert issubclass(PathOutsideRoot, ClipError)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab./\\~ :\0", max_size=12))
def test_every_accepted_path_lies_below_the_root(path):
    root = Path("/data/set")
    try:
        accepted = inside(root, path)
    except PathOutsideRoot:
        return
    assert accepted.resolve().is_relative_to(root)
