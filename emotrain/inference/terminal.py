"""A reading in the terminal: the likeliest labels as bars, then the time line that the model was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emotrain.inference.face_view import FaceState
from emotrain.inference.reading import Reading

if TYPE_CHECKING:
    from rich.console import Console

BAR = 24
"""Characters of a bar of probability one."""


def print_reading(reading: Reading, top: int, console: Console) -> None:
    """Print one reading: `top` labels with their probabilities, keyframe times, and what was told between them."""
    from rich.table import Table
    from rich.text import Text

    console.print(
        Text.assemble((reading.path, "bold"), f"  {reading.duration_s:.2f} s, label mass {reading.label_mass:.2f}")
    )
    labels = Table(box=None, show_header=False, padding=(0, 1))
    for name, share in reading.ranked[:top]:
        style = "bold" if name == reading.label else ""
        labels.add_row(Text(name, style), Text(f"{share:.1%}", style, justify="right"), bar(share))
    console.print(labels)
    if reading.coverage is not None:
        console.print(Text(f" {set_in_words(reading)}"))
    if reading.face is not None:
        console.print(Text(f" {in_words(reading.face)}", "dim"))
    if reading.damage is not None:
        console.print(Text(f" read in part: {reading.damage}", "yellow"))
    line = Table(box=None, show_header=False, padding=(0, 1))
    for start, what in timeline(reading):
        line.add_row(Text(start, "dim", justify="right"), Text(what))
    console.print(line)
    console.print()


def set_in_words(reading: Reading) -> str:
    """What may be said of a clip with the promised coverage; of several labels, or of none, that it is not known."""
    said = f"{reading.coverage:.0%} set: "
    if len(reading.possible) == 1:
        return f"{said}{reading.possible[0]}"
    if not reading.possible:
        return f"{said}none; I do not know: no held-out clip of any label looked like this one"
    return f"{said}{', '.join(reading.possible[:-1])} or {reading.possible[-1]}; I do not know which"


def in_words(face: FaceState) -> str:
    """Whose face was read, and how well it could be seen."""
    which = f"face {face.track} of {face.faces} from the left" if face.faces > 1 else "the only face"
    turned = f", turned {abs(face.yaw):.0f} degrees" if abs(face.yaw) > 30 else ""
    return f"{which}, seen {face.seen:.0%} of the time, {face.width_px:.0f} px wide{turned}; read: {face.read}"


def bar(share: float) -> str:
    """A bar in eighths of a character."""
    eighths = round(share * BAR * 8)
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def timeline(reading: Reading) -> list[tuple[str, str]]:
    """(time, what) in order of time: keyframes at their times, the words of a gap under the stretch they tell of."""
    rows = [(frame.time_s, 1, f"{frame.time_s:.2f} s", "keyframe") for frame in reading.keyframes]
    rows += [
        (gap.start_s, 2, f"{gap.start_s:.2f}-{gap.end_s:.2f} s", gap.text)
        for gap in reading.gaps
        if gap.end_s > gap.start_s and gap.text
    ]
    return [(time, what) for _, _, time, what in sorted(rows)]
