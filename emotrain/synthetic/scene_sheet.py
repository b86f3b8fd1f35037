"""A sheet of scenes for the reader's eye: clips of a synthetic set as a camera sees them, with the true face boxes.

python -m emotrain.synthetic.scene_sheet docs/assets/scenes.jpg
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrain.synthetic.clip_plan import plan_clips
from emotrain.synthetic.scene import render_scene
from emotrain.synthetic.scene_plan import SceneSettings, plan_scene

Image = NDArray[np.uint8]

SEED, ROWS, COLUMNS, WIDTH = 33, 4, 4, 240
_MAIN, _OTHER = (90, 235, 90), (250, 215, 60)


def main(out: Path) -> None:
    """Draw the sheet and write it to `out` as a JPEG."""
    from PIL import Image as Picture

    from emotrain.atomic_files import replacing

    with replacing(out) as temporary:
        Picture.fromarray(scene_sheet()).save(temporary, format="JPEG", quality=82, optimize=True)


def scene_sheet() -> Image:
    """One frame of each of ROWS x COLUMNS clips at its apex, people's true boxes drawn in: (H, W, 3) uint8 RGB."""
    settings = SceneSettings(width=2 * WIDTH, company=0.6)
    plans = plan_clips(train=0, validation=0, test=44, seed=SEED)[: ROWS * COLUMNS]
    cells = []
    for plan in plans:
        _, truth, frames = render_scene(plan_scene(plan, settings))
        at = int(np.argmin(np.abs(truth.time_s - (plan.script.apex_s or plan.script.duration_s / 2))))
        frame = next(islice(frames, at, None))
        for box, colour in ((truth.other_box[at], _OTHER), (truth.box[at], _MAIN)):
            if np.isfinite(box).all():
                low, high = (np.round(side * frame.shape[1::-1]).astype(int) for side in (box[:2], box[2:]))
                cv2.rectangle(frame, low.tolist(), high.tolist(), colour, 2, cv2.LINE_AA)
        size = (WIDTH, round(WIDTH * frame.shape[0] / frame.shape[1]))
        cells.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    rows = [np.concatenate(cells[row * COLUMNS : (row + 1) * COLUMNS], axis=1) for row in range(ROWS)]
    return np.concatenate(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m emotrain.synthetic.scene_sheet OUT.jpg")
    main(Path(sys.argv[1]))
