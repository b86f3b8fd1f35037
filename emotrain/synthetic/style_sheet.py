"""A sheet of styles for the reader's eye: a row for each, the same expressions turned, lit and filmed.

python -m emotrain.synthetic.style_sheet docs/assets/styles.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.action_units import PROTOTYPES
from emotrain.synthetic.contact_sheet import units_of
from emotrain.synthetic.head_turn import HeadPose
from emotrain.synthetic.looks import look_of
from emotrain.synthetic.portrait import Lamp, Portrait
from emotrain.synthetic.styles import HELD_BACK, STYLES

Image = NDArray[np.uint8]

SHEET_SEED = 17
_GAP, _TEXT = 3, 18
_SHOTS: tuple[tuple[str, HeadPose, Lamp], ...] = (
    ("neutral", HeadPose(), Lamp()),
    ("happiness", HeadPose(yaw=-14, pitch=4), Lamp(-0.7, -0.3, 0.6)),
    ("surprise", HeadPose(yaw=25), Lamp(0.7, -0.3, 0.6, 1.0, 0.35)),
    ("anger", HeadPose(yaw=-20, pitch=12), Lamp(0.0, 0.7, 0.6)),
    ("sadness", HeadPose(pitch=-16, roll=9), Lamp(-0.3, -0.6, 0.6, 0.7)),
    ("disgust", HeadPose(pitch=10, yaw=6), Lamp(0.9, -0.2, 0.4, 1.1, 0.4)),
    ("contempt", HeadPose(yaw=16, pitch=-8, distance=2.2), Lamp(-0.8, -0.4, 0.5, 1.1)),
    ("fear", HeadPose(roll=-12, yaw=10), Lamp(0.3, -0.8, 0.5)),
)


def main(out: Path) -> None:
    """Draw the sheet and write it to `out` as a JPEG."""
    from emotrain.atomic_files import replacing

    _, encoded = cv2.imencode(".jpg", style_sheet()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
    with replacing(out) as temporary:
        temporary.write_bytes(encoded.tobytes())


def style_sheet(size: int = 96, people: int = 1, seed: int = SHEET_SEED) -> Image:
    """Expressions across, `people` of each style down, another person in every cell: (H, W, 3) uint8 RGB."""
    rows = []
    for style in STYLES:
        caption = np.full((_TEXT, len(_SHOTS) * (size + _GAP), 3), 255, np.uint8)
        said = f"{style} (held back)" if style == HELD_BACK else style
        cv2.putText(caption, said, (2, _TEXT - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
        rows.append(caption)
        for person in range(people):
            cells = []
            for at, (label, pose, lamp) in enumerate(_SHOTS):
                rng = np.random.default_rng([seed, STYLES.index(style), person, at])
                portrait = Portrait(look_of(style, rng, 2 * size), 2 * size)
                units = units_of(PROTOTYPES[label][at % len(PROTOTYPES[label])])
                small = cv2.resize(portrait.render(units, pose, lamp), (size, size), interpolation=cv2.INTER_AREA)
                cells.append(cv2.copyMakeBorder(small, 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT, value=(255,) * 3))
            rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m emotrain.synthetic.style_sheet OUT.jpg")
    main(Path(sys.argv[1]))
