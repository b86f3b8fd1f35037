"""Whatever an annotation holds, a reader gives clips of its label set, or stops with an error that names the file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.datasets.dfew import read_dfew
from emotrain.datasets.ferv39k import read_ferv39k
from emotrain.datasets.mafw import read_mafw
from emotrain.datasets.media import Listing, check_media
from emotrain.datasets.micro_expressions import MicroReader
from emotrain.datasets.reading import LayoutError, Reading, UnknownLabel
from emotrain.datasets.tables import Row
from emotrain.emotions import LABEL_SETS

WORDS = [
    "1",
    "00002",
    "3.mp4",
    "00004.mp4",
    "anger",
    "Happy",
    "anger_disgust",
    "Snxiety",
    "7",
    "7.0",
    "0",
    "Scene/Happy/0001",
]
PIECE = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
LINE = st.lists(st.tuples(PIECE, st.sampled_from([",", " ", "\t", "_", ""])), max_size=4).map(
    lambda parts: "".join(word + separator for word, separator in parts)
)
LIST_FILES = {
    "dfew": (read_dfew, "EmoLabel_DataSplit/test(single-labeled)/set_1.csv", "Clip/original"),
    "mafw": (read_mafw, "Train & Test Set/single/no_caption/set_1/test.txt", "data/clips"),
    "ferv39k": (read_ferv39k, "4_setups/All_scenes/test_All.csv", "2_ClipsforFaceCrop"),
}


@pytest.mark.parametrize("name", LIST_FILES)
@settings(deadline=None, max_examples=80)
@given(lines=st.lists(LINE, max_size=5), encoding=st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_any_split_list_is_read_or_refused_by_name(tmp_path_factory, name, lines, encoding):
    read, path, media = LIST_FILES[name]
    root = tmp_path_factory.mktemp(name)
    for file in (root / path, root / path.replace("test", "train")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes("\n".join(lines).encode(encoding, errors="ignore"))
    (root / media).mkdir(parents=True)
    refused = ""
    reading = Reading(name, LABEL_SETS[name])
    try:
        reading = read(root, Listing(root))
    except (LayoutError, UnknownLabel) as error:
        refused = str(error)
    assert not refused or Path(path).name in refused or Path(path.replace("test", "train")).name in refused
    annotated = len(reading.clips)
    check_media(reading, Listing(root))
    assert not reading.clips
    assert sum(row["reason"].startswith(("missing: ", "path ")) for row in reading.quarantined) == annotated


CELL = st.one_of(
    st.text(max_size=6),
    st.integers(-5, 60).map(str),
    st.sampled_from(["/", "", "nan", "1e9", "-inf", "R12 or 15", "4+7", "12.5", "１２"]),
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.fixed_dictionaries({"onset": CELL, "apex": CELL, "offset": CELL, "action_units": CELL}), max_size=4),
    st.sets(st.integers(0, 50), max_size=12),
)
def test_any_marks_give_ordered_times_inside_the_clip_or_none(tmp_path_factory, rows, numbers):
    root = tmp_path_factory.mktemp("micro")
    (root / "clip").mkdir()
    for number in numbers:
        (root / "clip" / f"img{number}.jpg").touch()
    reading = Reading("casme2", LABEL_SETS["casme2"])
    micro = MicroReader(reading, Listing(root), 200.0)
    for at, cells in enumerate(rows):
        micro.add(Row(root / "coding.xlsx", at + 2, cells), f"clip {at}", "clip", "disgust", "sub01")
    assert len(reading.clips) == len(rows)
    for clip in reading.clips:
        times = [time for time in (clip.onset_s, clip.apex_s, clip.offset_s) if time is not None]
        assert times == sorted(times)
        assert all(0 <= time <= (max(numbers) - min(numbers)) / 200 for time in times)
    messages = [message for found in reading.warnings.values() for message in found]
    assert all(message.startswith("coding.xlsx row ") for message in messages)
