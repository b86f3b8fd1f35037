"""The same annotation, prediction file or image name in another dress is read as the same, or refused by name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from door_fuzz import read_door_case
from fuzzing import damaged

CASES = 45


def test_files_and_answers_in_other_dress_are_the_same_or_have_a_reason(tmp_path: Path) -> None:
    counts = Counter(read_door_case(number, tmp_path, damaged) for number in range(CASES))
    assert counts.total() == CASES
    assert {outcome.split()[1] for outcome in counts} == {"same", "reason"}
    assert counts["lists same"] == counts["image_names same"] == CASES / 9
