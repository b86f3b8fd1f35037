"""A sheet of faces for the reader's eye: every class on several people, and one micro-expression frame by frame.

python -m emotrain.synthetic.contact_sheet docs/assets/faces.png
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.emotions import label_set
from emotrain.synthetic.action_units import AUS, INDEX, PROTOTYPES, Prototype
from emotrain.synthetic.face import Face, Pose
from emotrain.synthetic.identity import sample_identity
from emotrain.synthetic.performance import FPS, Script, envelope

Image = NDArray[np.uint8]

PEOPLE_SEED = 33
_GAP, _TEXT, _STRIP_LABEL = 3, 17, "surprise"


def main(out: Path) -> None:
    """Draw the sheet and write it to `out` as a PNG of at most 256 colours."""
    from PIL import Image as Picture

    from emotrain.atomic_files import replacing

    sheet = Picture.fromarray(contact_sheet())
    with replacing(out) as temporary:
        sheet.quantize(256, dither=Picture.Dither.NONE).save(temporary, format="PNG", optimize=True)


def contact_sheet(people: int = 4, size: int = 88, seed: int = PEOPLE_SEED) -> Image:
    """Classes across, people down, each at full intensity; below, one burst of 0.33 s: (H, W, 3) uint8 RGB."""
    faces = [Face(sample_identity(np.random.default_rng([seed, i])), 2 * size) for i in range(people)]
    labels = label_set("mafw").labels
    rows = [_captions(labels, size)]
    for i, face in enumerate(faces):
        shown = [PROTOTYPES[label][i % len(PROTOTYPES[label])] for label in labels]
        rows.append(np.concatenate([_cell(face, units_of(prototype), size) for prototype in shown], axis=1))
    times, units = burst(len(labels))
    rows.append(_captions([f"{time:.2f} s" for time in times], size))
    rows.append(np.concatenate([_cell(faces[1], frame, size) for frame in units], axis=1))
    return np.concatenate(rows)


def burst(frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Times (T,) and units (T, 19) of consecutive frames around one micro-expression of 0.33 s."""
    start = 1.0
    script = Script(_STRIP_LABEL, "micro", 4.0, start, start + 0.15, start + 0.33, 0.04, (0.0,) * len(AUS))
    times = np.asarray(start + np.arange(frames) / FPS, np.float32)
    peak = 0.7 * units_of(PROTOTYPES[_STRIP_LABEL][0])
    return times, envelope(script.moves[0], times)[:, None] * peak


def units_of(prototype: Prototype) -> NDArray[np.float32]:
    """A prototype's intensities as a vector in the order of AUS."""
    units = np.zeros(len(AUS), np.float32)
    for name, value in prototype.items():
        units[INDEX[name]] = value
    return units


def _cell(face: Face, units: NDArray[np.float32], size: int) -> Image:
    small = cv2.resize(face.render(units, Pose()), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(small, 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT, value=(255,) * 3), np.uint8)


def _captions(texts: Sequence[str], size: int) -> Image:
    strip = np.full((_TEXT, len(texts) * (size + _GAP), 3), 255, np.uint8)
    for i, text in enumerate(texts):
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.36, 1)
        at = (i * (size + _GAP) + (size - width) // 2, _TEXT - 5)
        cv2.putText(strip, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (40, 40, 40), 1, cv2.LINE_AA)
    return strip


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m emotrain.synthetic.contact_sheet OUT.png")
    main(Path(sys.argv[1]))
