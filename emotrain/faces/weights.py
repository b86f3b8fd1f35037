"""The weights of face networks: fetched once, checked by their digest, and usable without a network afterwards.

They are looked for in the folder that the variable EMOTRAIN_MODELS names, else in emotrain's cache, where they are
fetched to from their home. `emotrain faces fetch` does that where there is a network, for machines that have none. No
file is used whose sha256 is not the one written here, wherever it came from.
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
    """One file: its name, what needs it, its home, its licence, size in bytes and digest.

    The home is an address, or `repository/path` on the Hub. The digest pins the content: a file that changed at home is
    refused.
    """

    name: str
    use: str
    home: str
    licence: str
    size: int
    sha256: str

    @property
    def where(self) -> str:
        """The home in words."""
        return self.home if "://" in self.home else f"{'/'.join(self.home.split('/')[:2])} on the Hub"


WEIGHTS: dict[str, Weights] = {
    "yunet": Weights(
        "face_detection_yunet_2026may.onnx",
        "the face detector",
        "opencv/opencv_zoo/models/face_detection_yunet/face_detection_yunet_2026may.onnx",
        "MIT",
        229738,
        "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
    ),
    "landmarker": Weights(
        "face_landmarker.task",
        "the evidence of blendshapes",
        "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
        "Apache-2.0",
        3758596,
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    ),
}


class DamagedWeights(ValueError):
    """A weights file that is not what it should be; the message says what to do."""


class WeightsMissing(OSError):
    """Weights that are nowhere here and cannot be fetched; the message says what to do."""


def cache_folder() -> Path:
    """Where weights are fetched to: $XDG_CACHE_HOME/emotrain, by default ~/.cache/emotrain."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emotrain" / "models"


def weights_file(name: str, fetch: bool = True) -> Path:
    """The checked weights file of this name in WEIGHTS, fetched if it is nowhere here and `fetch` is set.

    Raises DamagedWeights for a file with another digest, WeightsMissing for one that is not there and cannot be had.
    """
    weights = WEIGHTS[name]
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


def fetch_weights(name: str) -> Path:
    """`weights_file` for a login node: the same, and a damaged copy in the cache is replaced."""
    file = cache_folder() / WEIGHTS[name].name
    if not os.environ.get(FOLDER) and file.exists() and _digest(file) != WEIGHTS[name].sha256:
        _store(WEIGHTS[name], file)
    return weights_file(name)


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
            f"{file.parent}: {weights.name} cannot be stored there ({error.strerror}); set XDG_CACHE_HOME "
            f"to a folder that can be written, or {FOLDER} to one that holds {weights.name}"
        ) from error


def _download(weights: Weights) -> bytes:
    data = _of_address(weights) if "://" in weights.home else _of_hub(weights)
    found = sha256(data).hexdigest()
    if found != weights.sha256:
        raise DamagedWeights(
            f"{weights.where} gave {weights.name} with sha256 {found[:16]}... ({len(data)} bytes), expected "
            f"{weights.sha256[:16]}... ({weights.size} bytes); it was not stored. Get the file from another source and "
            f"name its folder in {FOLDER}"
        )
    return data


def _of_hub(weights: Weights) -> bytes:
    from tempfile import TemporaryDirectory

    from huggingface_hub import hf_hub_download

    from emotrain.hub_errors import HubError, explained

    owner, name, path = weights.home.split("/", 2)
    # A folder of its own: the file goes to emotrain's cache under a name that a person can find and copy.
    with TemporaryDirectory() as folder:
        try:
            with explained(f"fetching {weights.name} from {weights.where}"):
                return Path(hf_hub_download(f"{owner}/{name}", path, revision="main", local_dir=folder)).read_bytes()
        except HubError as error:
            raise WeightsMissing(_missing(weights, str(error))) from error


def _of_address(weights: Weights) -> bytes:
    from urllib.error import URLError
    from urllib.request import urlopen

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise WeightsMissing(_missing(weights, "HF_HUB_OFFLINE is set"))
    try:
        with urlopen(weights.home, timeout=30) as answer:
            data: bytes = answer.read(weights.size + 1)  # one byte more tells a longer file
            return data
    except (URLError, OSError) as error:
        raise WeightsMissing(_missing(weights, f"{weights.home}: {getattr(error, 'reason', error)}")) from error


def _missing(weights: Weights, why: str) -> str:
    return (
        f"{weights.use} needs {weights.name} ({weights.size // 1000} kB): {why}. On a machine with a network run "
        f"`emotrain faces fetch`; without one, copy the file to {cache_folder()}, or name its folder in {FOLDER}"
    )
