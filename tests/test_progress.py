"""Progress says what it counts."""

from __future__ import annotations

import pytest

from emotrain.progress import track


@pytest.mark.parametrize("unit", ["clips", "frames"])
def test_a_log_counts_in_its_unit_and_not_in_percent(unit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with track("train and score", 420, unit) as advance:
        advance(420)
    said = capsys.readouterr().err
    assert f"train and score: 420/420 {unit}, " in said
    assert f"{unit}/s" in said
    assert "%" not in said
