"""Randomly damaged clips give frames or a reason: no crash, no hang, no other error."""

from __future__ import annotations

from pathlib import Path

from fuzzing import Case, outcomes, valid_files

CASES = 400


def test_four_hundred_damaged_clips_give_frames_or_a_reason(tmp_path: Path) -> None:
    sources = valid_files(tmp_path)
    counts = outcomes([Case(number, sources[number % len(sources)]) for number in range(CASES)], workers=1)
    assert counts.total() == CASES
    assert {outcome.split()[1] for outcome in counts} == {"frames", "reason"}
