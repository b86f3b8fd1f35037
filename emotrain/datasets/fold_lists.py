"""Merging the train and test lists of several official folds into one row a clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from emotrain.datasets.reading import LayoutError, Reading


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a split list: the clip's name there, its label, and "file row n"."""

    name: str
    label: str
    where: str


@dataclass(slots=True)
class FoldLists:
    """All split lists of a data set. `merged` gives each clip once, with the fold that tests on it."""

    reading: Reading
    _first: dict[str, Listed] = field(default_factory=dict)
    _parts: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    _test_fold: dict[str, int] = field(default_factory=dict)
    _disputed: dict[str, str] = field(default_factory=dict)

    def add(self, part: str, fold: int, listed: list[Listed]) -> None:
        """Take in one list, `part` "train" or "test"."""
        names = self._parts.setdefault((part, fold), set())
        for item in listed:
            first = self._first.setdefault(item.name, item)
            if first.label != item.label:
                self._disputed[item.name] = f"{first.where} says {first.label}, {item.where} says {item.label}"
            if item.name in names:
                self.reading.warn("duplicate row", f"{item.where}: clip {item.name} is listed twice in this file")
            names.add(item.name)
            if part == "test" and self._test_fold.setdefault(item.name, fold) != fold:
                self.reading.warn(
                    "test folds overlap",
                    f"{item.where}: clip {item.name} is in the test lists of folds "
                    f"{self._test_fold[item.name]} and {fold}: kept in fold {self._test_fold[item.name]}",
                )

    def merged(self, expected: str) -> Iterator[tuple[str, str, int | None]]:
        """(name, label, test fold) of every clip, sorted by name; `expected` names a list file for the error.

        Clips with two labels are quarantined. Raises LayoutError when no test list was found.
        """
        tested = sorted(fold for part, fold in self._parts if part == "test")
        if not tested:
            raise LayoutError(f"{expected}: not found, nor any other test list; the official split lists are needed")
        self._check(tested)
        for name, item in sorted(self._first.items()):
            if name in self._disputed:
                self.reading.quarantine(name, item.label, "", f"two labels: {self._disputed[name]}")
            else:
                yield name, item.label, self._test_fold.get(name)

    def _check(self, tested: list[int]) -> None:
        absent = [fold for fold in range(1, 6) if fold not in tested]
        if absent:
            self.reading.warn("folds", f"no test list for fold {', '.join(map(str, absent))}")
        for fold in tested:
            train, test = self._parts.get(("train", fold)), self._parts[("test", fold)]
            if train is None:
                self.reading.warn("folds", f"fold {fold} has no train list: all clips outside its test list are train")
                continue
            both = train & test
            if both:
                self.reading.warn(
                    "train and test overlap",
                    f"fold {fold}: {len(both)} clips are in both lists, first {min(both)}: they are test",
                )
            left_out = self._first.keys() - train - test
            if left_out:
                self.reading.warn(
                    "folds",
                    f"fold {fold}: {len(left_out)} clips of other folds are in neither list, first {min(left_out)}: "
                    "they are train",
                )
