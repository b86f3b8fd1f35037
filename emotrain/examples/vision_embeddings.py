"""What the frozen vision side makes of each clip's keyframes, on disk: `data/embeddings/<fingerprint>/part-*.parquet`.

The numbers are those that training would compute, bit for bit as the model gave them. The folder's name is a hash of
everything that decides them, and each row names the pictures it was made of, so stale features are never read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from emotrain.examples.base_model import base_name, weights_digest
from emotrain.examples.prepared import frames_settings
from emotrain.launched import from_first
from emotrain.modeling.families import language_model
from emotrain.modeling.wrapped_model import unwrapped
from emotrain.recipe.recipe import Recipe
from emotrain.records import Frame
from emotrain.stages.clip_parts import ClipParts

VERSION = 1
SETTINGS = "embeddings.json"
REMEDY = "`emotrain prep` with this recipe"
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SCHEMA = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("pictures", pa.binary(), nullable=False),
        pa.field("shape", pa.list_(pa.int32()), nullable=False),
        pa.field("dtype", pa.string(), nullable=False),
        pa.field("values", pa.binary(), nullable=False),
    ]
)
"""One row a clip: a digest of its keyframes' bytes, and the features (F, T, D) as the bytes of a torch dtype."""


class Features(Protocol):
    """What the vision side makes of keyframes, known without asking it; `VisionEmbeddings` are those on disk."""

    def of(self, clip_id: str, frames: Sequence[Frame]) -> Tensor:
        """Features (F, T, D) of a clip that shows these keyframes."""


class VisionEmbeddings:
    """The features of one folder by clip id; FileNotFoundError when there are none."""

    def __init__(self, folder: Path) -> None:
        self._parts = ClipParts(folder, REMEDY)

    def of(self, clip_id: str, frames: Sequence[Frame]) -> Tensor:
        """Features (F, T, D) of a clip that shows these keyframes.

        Raises KeyError, with the reason, for a clip without features, and ValueError for features of other pictures, or
        of another shape than theirs.
        """
        (row,) = self._parts.rows(clip_id).to_pylist()
        if row["pictures"] != pictures_digest(frames):
            raise ValueError(
                f"{self._parts.folder}: the features of clip {clip_id!r} are of other keyframes than those stored now; "
                f"delete this folder and run {REMEDY}"
            )
        dtype = _DTYPES.get(row["dtype"])
        if dtype is None or len(row["shape"]) != 3 or prod(row["shape"]) * dtype.itemsize != len(row["values"]):
            raise ValueError(
                f"{self._parts.folder}: the features of clip {clip_id!r} are {len(row['values'])} bytes of "
                f"{row['dtype']} {row['shape']}, which do not fit; delete this folder and run {REMEDY}"
            )
        return torch.frombuffer(bytearray(row["values"]), dtype=dtype).view(row["shape"])


def stored_embeddings(recipe: Recipe) -> VisionEmbeddings | None:
    """The features that a recipe trains on; None where it computes them (`vision_embeddings: computed`).

    Raises FileNotFoundError when they are not there, ValueError for a recipe that shows no pictures.
    """
    if recipe.data.vision_embeddings == "computed":
        return None
    if not recipe.context.show_images:
        raise ValueError("vision_embeddings: stored, but show_images: false shows no keyframe; remove one of the two")
    from accelerate import PartialState

    # One process reads the weights for their hash; they may be 15 GB on a network disk.
    return VisionEmbeddings(from_first(embeddings_folder(recipe) if PartialState().is_main_process else Path()))


def check_sight_is_frozen(model: nn.Module) -> None:
    """Raise ValueError when something outside the language model is trained: its stored features would not follow."""
    inside = {id(parameter) for parameter in language_model(model).parameters()}
    inside |= {id(parameter) for parameter in unwrapped(model).get_output_embeddings().parameters()}
    odd = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in inside]
    if odd:
        raise ValueError(
            f"vision_embeddings: stored, but {len(odd)} weights of the vision side are trained ({odd[0]}, ...); remove "
            "lora_target_modules or say vision_embeddings: computed"
        )


def row_of(clip_id: str, frames: Sequence[Frame], features: Tensor) -> dict[str, Any]:
    """The row of a clip, by SCHEMA."""
    kept = features.detach().cpu().contiguous()
    return {
        "clip_id": clip_id,
        "pictures": pictures_digest(frames),
        "shape": list(kept.shape),
        "dtype": str(kept.dtype).removeprefix("torch."),
        "values": np.asarray(kept.view(torch.uint8)).tobytes(),
    }


def pictures_digest(frames: Sequence[Frame]) -> bytes:
    """Sixteen bytes that stand for the encoded pictures of frames, in order."""
    digest = blake2b(digest_size=16)
    for frame in frames:
        digest.update(len(frame.image).to_bytes(8, "big") + frame.image)
    return digest.digest()


def embedding_settings(recipe: Recipe) -> dict[str, Any]:
    """Everything that decides the features of a recipe's clips: weights, precision, image size, keyframes."""
    model = recipe.model
    return {
        "version": VERSION,
        "transformers": version("transformers"),
        "weights": weights_digest(base_name(recipe), model.model_revision),
        "dtype": model.dtype or "auto",
        "quantisation": [model.load_in_4bit, model.load_in_8bit, model.bnb_4bit_quant_type],
        "attn_implementation": recipe.data.vision_attention or model.attn_implementation,
        "image_size": recipe.data.image_size,
        "frames": frames_settings(Path(recipe.data.data)),
    }


def embeddings_folder(recipe: Recipe, settings: Mapping[str, Any] | None = None) -> Path:
    """The folder of the features of a recipe's settings, there or not."""
    decided = embedding_settings(recipe) if settings is None else settings
    name = blake2b(json.dumps(decided, sort_keys=True).encode(), digest_size=6).hexdigest()
    return Path(recipe.data.data) / "embeddings" / name
