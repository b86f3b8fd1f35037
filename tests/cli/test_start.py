"""What every command does before its verb."""

from __future__ import annotations

import warnings

import pytest

from emotrain import cli


def test_what_only_the_next_version_of_a_library_takes_away_is_not_told_and_other_warnings_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def verb(standalone_mode: bool) -> None:
        warnings.warn("`x` is deprecated and will be removed in version 6", FutureWarning, stacklevel=1)
        warnings.warn("the default of `y` will change", FutureWarning, stacklevel=1)

    monkeypatch.setattr(cli, "app", verb)
    monkeypatch.setattr(cli, "end_with_starter", lambda: None)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cli.main()
    assert [str(warning.message) for warning in told] == ["the default of `y` will change"]
