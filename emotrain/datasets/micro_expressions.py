"""What the laboratory micro-expression sets share: a frame folder a clip, frame numbers for onset, apex and offset.

Times count from the first image of the folder, by the numbers in the images' names, as the frames are later read
(frame_folder.py). Folds are leave-one-subject-out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from emotrain.clip_errors import ClipError
from emotrain.datasets.action_units import parse_action_units
from emotrain.datasets.frame_folder import FrameFolder
from emotrain.datasets.media import Listing
from emotrain.datasets.reading import Reading
from emotrain.datasets.tables import Row
from emotrain.emotions import canonical
from emotrain.records import Clip


@dataclass(slots=True)
class MicroReader:
    """Collects the rows of one set into `reading`; `fps` is the set's camera rate.

    A folder that holds every fourth image only has a quarter of that rate; its times are the same.
    """

    reading: Reading
    listing: Listing
    fps: float
    _seen: set[str] = field(default_factory=set)

    def add(self, row: Row, clip_id: str, path: str, label: str, subject: str) -> None:
        """One annotated row; what is wrong with it becomes warnings that name the row."""
        try:
            folder = self.listing.frames(path)
        except ClipError as error:
            self.reading.quarantine(clip_id, label, path, f"{row.where}: {error}")
            return
        if clip_id in self._seen:
            self.reading.quarantine(
                clip_id, label, path, f"{row.where}: duplicate of an earlier row with the same subject and file name"
            )
            return
        self._seen.add(clip_id)
        units, odd = parse_action_units(row.text("action_units"))
        for message in odd:
            self.reading.warn("action units", f"{row.where} ({clip_id}): {message}")
        onset, apex, offset = self._times(row, clip_id, folder)
        self.reading.clips.append(
            Clip(
                clip_id=clip_id,
                path=path,
                label=label,
                subject=subject,
                kind="micro",
                fps=self.fps / folder.step,
                onset_s=onset,
                apex_s=apex,
                offset_s=offset,
                action_units=units,
            )
        )

    def incomplete(self, row: Row) -> None:
        """A row that lacks its subject, file name, onset or label."""
        cells = ", ".join(f"{name} {value!r}" for name, value in row.cells.items() if name != "action_units")
        word = row.cells.get("label", "")
        known = canonical(word)
        label = word if known is None else known
        self.reading.quarantine(row.cells.get("file", ""), label, "", f"{row.where}: incomplete row ({cells})")

    def _times(self, row: Row, clip_id: str, folder: FrameFolder) -> tuple[float | None, float | None, float | None]:
        marks = {name: self._mark(row, name, clip_id) for name in ("onset", "apex", "offset") if name in row.cells}
        onset, apex, offset = marks.get("onset"), marks.get("apex"), marks.get("offset")
        if onset is not None and offset is not None and offset < onset:
            self._warn(row, clip_id, "offset before onset", f"onset {onset}, offset {offset}: the offset was dropped")
            offset = None
        early = apex is not None and onset is not None and apex < onset
        late = apex is not None and offset is not None and apex > offset
        if early or late:
            message = f"onset {onset}, apex {apex}, offset {offset}: the apex was dropped"
            self._warn(row, clip_id, "apex outside onset and offset", message)
            apex = None
        if not folder.numbers:
            if folder.names and (onset, apex, offset) != (None, None, None):
                message = f"onset {onset}, apex {apex}, offset {offset} were dropped: the images are not numbered apart"
                self._warn(row, clip_id, "images without numbers", message)
            return None, None, None
        onset, apex, offset = self._renumbered(row, clip_id, folder.numbers, onset, apex, offset)
        if onset is not None and offset is not None:
            self._warn_missing(row, clip_id, folder.numbers, onset, offset)
        rate = self.fps / folder.step
        times = [None if mark is None else folder.time_of(mark, rate) for mark in (onset, apex, offset)]
        return times[0], times[1], times[2]

    def _warn_missing(self, row: Row, clip_id: str, numbers: Sequence[int], onset: int, offset: int) -> None:
        there = {number for number in numbers if onset <= number <= offset}
        annotated = offset - onset + 1
        if len(there) < annotated:
            first = next(number for number in count(onset) if number not in there)
            message = f"{annotated - len(there)} of the {annotated} annotated frames have no image, first: {first}"
            self._warn(row, clip_id, "missing frames", message)

    def _mark(self, row: Row, name: str, clip_id: str) -> int | None:
        try:
            value = row.number_of(name)
        except ValueError as error:
            self.reading.warn("frame number", f"{error}: taken as missing ({clip_id})")
            return None
        if value is None:
            self._warn(row, clip_id, f"missing {name}", f"{name} is {row.cells.get(name, '')!r}")
            return None
        return round(value)

    def _renumbered(
        self, row: Row, clip_id: str, numbers: Sequence[int], onset: int | None, apex: int | None, offset: int | None
    ) -> tuple[int | None, int | None, int | None]:
        """The marks in the folder's own numbers: some copies number the images of every clip from 1 (or 0).

        Marks that leave the folder are moved together when onset to offset is exactly as long as the folder.
        """
        marks = [mark for mark in (onset, apex, offset) if mark is not None]
        if not marks or (numbers[0] <= min(marks) and max(marks) <= numbers[-1]):
            return onset, apex, offset
        if onset is not None and offset is not None and numbers[-1] - numbers[0] == offset - onset:
            shift = numbers[0] - onset
            return numbers[0], None if apex is None else apex + shift, numbers[-1]
        self._warn(
            row,
            clip_id,
            "frame numbers outside the folder",
            f"annotated {min(marks)}..{max(marks)}, images {numbers[0]}..{numbers[-1]}: marks outside were dropped",
        )

        def within(mark: int | None) -> int | None:
            return mark if mark is not None and numbers[0] <= mark <= numbers[-1] else None

        return within(onset), within(apex), within(offset)

    def _warn(self, row: Row, clip_id: str, kind: str, message: str) -> None:
        self.reading.warn(kind, f"{row.where} ({clip_id}): {message}")


def numbered(subject: str | None, digits: int) -> str | None:
    """The number of a subject in `digits` digits ("1", "sub01" and "S1" are all "01"); None when there is none."""
    found = re.fullmatch(r"[A-Za-z]*0*(\d{1,4})", subject) if subject is not None else None
    return found[1].zfill(digits) if found is not None else None
