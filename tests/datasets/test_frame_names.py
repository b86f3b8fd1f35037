"""Images come in the order in which they were taken, whatever their names look like, or a note says what is unsure."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrain.datasets.frame_folder import FrameFolder
from emotrain.datasets.frame_names import arranged

NAMES: dict[str, Callable[[int], str]] = {
    "face index last": lambda i: f"frame_{i}_crop_0.jpg",
    "size last": lambda i: f"{i}_224x224.jpg",
    "score last": lambda i: f"frame{i}_0.{37 * i % 100:02d}.jpg",
    "version last": lambda i: f"s01_{i}_v2.jpg",
    "a decimal that says nothing": lambda i: f"{i}.0.jpg",
    "number in the middle": lambda i: f"clip1-{i}(1).jpg",
    "number in brackets": lambda i: f"clip1-1({i}).jpg",
    "subject first": lambda i: f"006_{i:05d}.jpg",
    "seconds": lambda i: f"t_{i / 25:.3f}.jpg",
    "number and milliseconds": lambda i: f"{i}_{40 * i}.jpg",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_number_that_varies_gives_the_order(name: str) -> None:
    names = [NAMES[name](i) for i in range(1, 131)]
    shuffled = random.Random(0).sample(names, len(names))
    found = arranged(shuffled)
    assert list(found.names) == names
    assert found.notes == ()
    folder = FrameFolder(found.names, found.numbers)
    assert folder.times_s(25) == pytest.approx([i / 25 for i in range(130)])


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (["onset.jpg", "apex.jpg", "offset.jpg"], "follow several patterns"),
        (["0_9.jpg", "0_10.jpg", "1_9.jpg"], "no single number tells them apart"),
        (["1_9.jpg", "2_8.jpg", "3_7.jpg"], "two numbers in their names order them differently"),
        (["a1.jpg", "b2.jpg", "c10.jpg"], "in the order of the last number: a1.jpg, b2.jpg, c10.jpg"),
    ],
)
def test_an_order_that_cannot_be_told_is_noted(names: list[str], note: str) -> None:
    found = arranged(names)
    assert sorted(found.names) == sorted(names)
    assert len(found.notes) == 1
    assert note in found.notes[0]


@pytest.mark.parametrize(
    ("other", "note"),
    [
        ([f"{i:03d}_mask.png" for i in range(20)], "no frames by their names are left out: 20, first 000_mask.png"),
        ([f"{i:03d}.png" for i in range(20)], "those with .jpg are the frames"),
        (["thumbnail.jpg"], "no frames by their names are left out: 1, first thumbnail.jpg"),
        (["face.jpg"], "without a number are left out: 1, first face.jpg"),
    ],
)
def test_masks_and_thumbnails_among_frames_are_left_out_with_a_note(other: list[str], note: str) -> None:
    frames = [f"{i:03d}.jpg" for i in range(20)]
    found = arranged([*other, *frames])
    assert list(found.names) == frames
    assert found.numbers == tuple(range(20))
    assert note in found.notes[0]


def test_a_word_that_all_names_have_leaves_nothing_out() -> None:
    assert len(arranged([f"depth_{i}.png" for i in range(5)]).names) == 5


@given(st.sets(st.text(alphabet="0123456789abc_.-() ", min_size=1, max_size=9), max_size=12))
def test_any_names_come_once_and_ascend_or_carry_a_note(stems: set[str]) -> None:
    names = [f"{stem}.jpg" for stem in stems]
    found = arranged(names)
    assert len(set(found.names)) == len(found.names)
    assert set(found.names) <= set(names)
    assert found.numbers == () or list(found.numbers) == sorted(set(found.numbers))
    assert found.notes or len(found.numbers) == len(found.names) == len(names)


def test_a_long_hole_is_told_with_its_place() -> None:
    numbers = (*range(50), *range(1550, 1600))
    folder = FrameFolder(tuple(f"{n}.jpg" for n in numbers), numbers)
    assert folder.hole(25) == "no image for 60.00 s after 49.jpg"
    assert folder.hole(None) == "no image for 1500 frames after 49.jpg"
    assert FrameFolder(("1.jpg", "2.jpg", "9.jpg"), (1, 2, 9)).hole(25) is None
