"""Reading video: each decoder on a clip that is written for it, and the weights of the face detector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from emotrain.doctor.finding import Finding

FRAMES, SIDE_PX = 8, 96


def look() -> Iterator[Finding]:
    """The decoders, `auto` (PyAV) before those that are there for comparison, then the weights."""
    from emotrain.synthetic.h264 import write_mp4
    from emotrain.video.decode import DECODERS

    with TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_mp4(_brightening(), clip, SIDE_PX, 25)
        for decoder in DECODERS[1:]:
            yield _decoder(decoder, clip)
    yield _faces()


def _brightening() -> Iterator[np.ndarray]:
    for index in range(FRAMES):
        yield np.full((SIDE_PX, SIDE_PX, 3), 32 + 24 * index, np.uint8)


def _decoder(decoder: str, clip: Path) -> Finding:
    from emotrain.clip_errors import ClipError
    from emotrain.video.decode import open_clip

    # PyAV is what every stage takes unless a recipe says otherwise, so the others are no fault when they are missing.
    bad = "fault" if decoder == "pyav" else "note"
    instead = (
        "pip install --force-reinstall av" if decoder == "pyav" else "recipes do without: decoder: auto takes pyav"
    )
    try:
        with open_clip(clip, decoder) as reader:
            used, means = reader.decoder, reader.grey(SIDE_PX).mean((1, 2))
    except (ImportError, ClipError) as error:
        return Finding(f"decoder {decoder}", " ".join(str(error).split()), bad, instead)  # type: ignore[arg-type]
    if used != decoder or len(means) != FRAMES or not (np.diff(means) > 10).all():
        said = f"read {len(means)} of {FRAMES} frames by {used}, mean grey {means.round().astype(int).tolist()}"
        return Finding(f"decoder {decoder}", said, bad, instead)  # type: ignore[arg-type]
    return Finding(f"decoder {decoder}", f"{_version(decoder)}: {FRAMES} of {FRAMES} frames in order")


def _version(decoder: str) -> str:
    if decoder == "pyav":
        import av

        return f"PyAV {av.__version__}, FFmpeg libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"
    from importlib.metadata import version

    return version({"opencv": "opencv-python-headless"}.get(decoder, decoder))


def _faces() -> Finding:
    from emotrain.faces.weights import DamagedWeights, WeightsMissing, weights_file

    try:
        return Finding("face weights", str(weights_file("yunet", fetch=False)))
    except WeightsMissing:
        remedy = "fetched when crop: face first needs them; for machines without a network: emotrain faces fetch"
        return Finding("face weights", "not here yet", "note", remedy)
    except DamagedWeights as error:
        return Finding("face weights", str(error), "fault", "delete the file and run emotrain faces fetch")
