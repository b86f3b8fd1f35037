"""The weights of face detectors: fetched once, checked by their digest, and usable without a network afterwards.

They are looked for in the folder that the variable EMOTRAIN_MODELS names, else in emotrain's cache, where they are
fetched to from the Hub. `emotrain faces fetch` does that where there is a network, for machines that have none. No file
is used whose sha256 is not the one written here, wherever it came from.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from emotrain.atomic_files import replacing

FOLDER = "EMOTRAIN_MODELS"
"""Environment variable: a folder that holds the weights; nothing is then fetched."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One file: its name, where the Hub has it, its licence, size in bytes and digest.

    The digest pins the content. `revision` only says where to look: a file that changed there is refused.
    """

    name: str
    repository: str
    path: str
    revision: str
    licence: str
    size: int
    sha256: str


WEIGHTS: dict[str, Weights] = {
    "yunet": Weights(
        "face_detection_yunet_2026may.onnx",
        "opencv/opencv_zoo",
        "models/face_detection_yunet/face_detection_yunet_2026may.onnx",
        "main",
        "MIT",
        229738,
        "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
    ),
}


class DamagedWeights(ValueError):
    """A weights file that is not what it should be; the message says what to do."""


class WeightsMissing(OSError):
    """Weights that are nowhere here and cannot be fetched; the message says what to do."""


def cache_folder() -> Path:
    """Where weights are fetched to: $XDG_CACHE_HOME/emotrain, by default ~/.cache/emotrain."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emotrain" / "models"


def weights_file(detector: str, fetch: bool = True) -> Path:
    """The checked weights of a detector, fetched if they are nowhere here and `fetch` is set.

    Raises DamagedWeights for a file with another digest, WeightsMissing for one that is not there and cannot be had.
    """
    weights = WEIGHTS[detector]
    named = os.environ.get(FOLDER)
    file = (Path(named) if named else cache_folder()) / weights.name
    if not file.exists():
        if named:
            raise WeightsMissing(
                f"{file} does not exist; {FOLDER} names this folder, so nothing is fetched: put {weights.name} there, "
                f"or unset {FOLDER} and run `emotrain faces fetch`"
            )
        if not fetch:
            raise WeightsMissing(_missing(weights, "it is not in the cache"))
        _store(weights, file)
    # Keyed by size and time, so that a file that is replaced in a long-lived process is looked at anew.
    state = file.stat()
    _check(file, weights, state.st_size, state.st_mtime_ns)
    return file


def fetch_weights(detector: str) -> Path:
    """`weights_file` for a login node: the same, and a damaged copy in the cache is replaced."""
    file = cache_folder() / WEIGHTS[detector].name
    if not os.environ.get(FOLDER) and file.exists() and _digest(file) != WEIGHTS[detector].sha256:
        _store(WEIGHTS[detector], file)
    return weights_file(detector)


@lru_cache(maxsize=8)
def _check(file: Path, weights: Weights, size: int, changed_ns: int) -> None:
    found = _digest(file)
    if found != weights.sha256:
        raise DamagedWeights(
            f"{file}: sha256 {found[:16]}... ({size} bytes), expected {weights.sha256[:16]}... ({weights.size} bytes): "
            "the file is damaged or another one; delete it and run `emotrain faces fetch`"
        )


def _digest(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsMissing(
            f"{file}: {error.strerror}; make it readable, or name another folder in {FOLDER}"
        ) from error


def _store(weights: Weights, file: Path) -> None:
    data = _download(weights)
    try:
        with replacing(file) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise WeightsMissing(
            f"{file.parent}: the face-detector weights cannot be stored there ({error.strerror}); set XDG_CACHE_HOME "
            f"to a folder that can be written, or {FOLDER} to one that holds {weights.name}"
        ) from error


def _download(weights: Weights) -> bytes:
    from tempfile import TemporaryDirectory

    from huggingface_hub import hf_hub_download

    from emotrain.hub_errors import HubError, explained

    where = f"{weights.repository} on the Hub"
    # A folder of its own: the file goes to emotrain's cache under a name that a person can find and copy.
    with TemporaryDirectory() as folder:
        try:
            with explained(f"fetching {weights.name} from {where}"):
                got = Path(
                    hf_hub_download(weights.repository, weights.path, revision=weights.revision, local_dir=folder)
                )
        except HubError as error:
            raise WeightsMissing(_missing(weights, str(error))) from error
        data = got.read_bytes()
    found = sha256(data).hexdigest()
    if found != weights.sha256:
        raise DamagedWeights(
            f"{where} gave {weights.path} with sha256 {found[:16]}... ({len(data)} bytes), expected "
            f"{weights.sha256[:16]}... ({weights.size} bytes); it was not stored. Get the file from another source and "
            f"name its folder in {FOLDER}"
        )
    return data


def _missing(weights: Weights, why: str) -> str:
    return (
        f"the face detector needs {weights.name} ({weights.size // 1000} kB): {why}. On a machine with a network run "
        f"`emotrain faces fetch`; without one, copy the file to {cache_folder()}, or name its folder in {FOLDER}"
    )
