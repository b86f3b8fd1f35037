"""What one frame costs: visual tokens in the prompt, and the grid of patches that the vision tower reads.

The closed forms follow each family's processor, as `modeling/frame_side.py` sets it; where the processor is on this
machine, `prompts.py` asks it instead.

| family | visual tokens of a frame of h x w pixels |
|-|-|
| Qwen2-VL, Qwen2.5-VL, Qwen3-VL | h'w' / (patch x merge)^2; h', w' multiples of patch x merge within the area bounds |
| InternVL3 | (side / 28)^2: 256 at 448 pixels |
| SmolVLM2 | (patches / scale)^2 for one tile of a side; without `image_size`, 16 tiles and the whole frame |
| LLaVA-OneVision | 729 patches of 384 pixels and a line break |
| Gemma 3 | 256 at 896 pixels |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emotrain.planning.published import published
from emotrain.planning.shapes import Shapes


@dataclass(frozen=True, slots=True)
class FrameTokens:
    """One frame: `visual` tokens, the `grids` (rows, columns) of patches of its tiles, `marks` of text around it."""

    visual: int
    grids: tuple[tuple[int, int], ...]
    marks: int


CHAT_TOKENS: dict[str, int] = {
    "qwen2_vl": 19,
    "qwen2_5_vl": 19,
    "qwen3_vl": 8,
    "internvl": 8,
    "smolvlm": 7,
    "llava_onevision": 8,
    "gemma3": 9,
}
"""Tokens of the chat template around a prompt of one user turn, generation prompt included; counted on the templates'
text (Qwen2-VL and Qwen2.5-VL add a system turn), used where the tokenizer is not on this machine."""


def frame_tokens(shapes: Shapes, height: int, width: int, image_size: int | None) -> FrameTokens:
    """The cost of a stored frame of `height` x `width` pixels under the recipe's `image_size`.

    Raises ValueError for a family without a closed form here: its processor must be on this machine.
    """
    if shapes.family not in _FAMILIES:
        raise ValueError(
            f"{shapes.name}: the visual tokens of {shapes.family} are counted by its own processor, which is not on "
            "this machine; download the checkpoint's folder, or plan one of "
            f"{', '.join(_FAMILIES)}"
        )
    return _FAMILIES[shapes.family](shapes, height, width, image_size)


def _qwen(shapes: Shapes, height: int, width: int, image_size: int | None) -> FrameTokens:
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    tower = shapes.config.vision_config
    bounds = {"min_pixels": image_size**2, "max_pixels": image_size**2} if image_size is not None else _bounds(shapes)
    rows, columns = smart_resize(height, width, factor=tower.patch_size * tower.spatial_merge_size, **bounds)
    grid = (rows // tower.patch_size, columns // tower.patch_size)
    return FrameTokens(grid[0] * grid[1] // tower.spatial_merge_size**2, (grid,), 2)


def _bounds(shapes: Shapes) -> Mapping[str, int]:
    known = published().get(shapes.name, {}).get("image", {})
    if not known:
        raise ValueError(f"{shapes.name}: the processor's pixel bounds are not on this machine; name image_size")
    return known


def _internvl(shapes: Shapes, height: int, width: int, image_size: int | None) -> FrameTokens:
    side = _first(shapes.config.vision_config.image_size) if image_size is None else image_size
    patches = side // _first(shapes.config.vision_config.patch_size)
    return FrameTokens(round((patches * shapes.config.downsample_ratio) ** 2), ((patches, patches),), 3)


def _smolvlm(shapes: Shapes, height: int, width: int, image_size: int | None) -> FrameTokens:
    tower = shapes.config.vision_config
    patches = (tower.image_size if image_size is None else image_size) // tower.patch_size
    tiles = 17 if image_size is None else 1
    each = (patches // shapes.config.scale_factor) ** 2
    return FrameTokens(tiles * each, ((patches, patches),) * tiles, 3 if tiles == 1 else 3 + 16 * 2 + 4)


def _llava(shapes: Shapes, height: int, width: int, image_size: int | None) -> FrameTokens:
    patches = shapes.config.vision_config.image_size // shapes.config.vision_config.patch_size
    return FrameTokens(patches**2 + 1, ((patches, patches),), 1)


def _gemma(shapes: Shapes, height: int, width: int, image_size: int | None) -> FrameTokens:
    patches = shapes.config.vision_config.image_size // shapes.config.vision_config.patch_size
    return FrameTokens(shapes.config.mm_tokens_per_image, ((patches, patches),), 4)


_FAMILIES = {
    "qwen2_vl": _qwen,
    "qwen2_5_vl": _qwen,
    "qwen3_vl": _qwen,
    "internvl": _internvl,
    "smolvlm": _smolvlm,
    "llava_onevision": _llava,
    "gemma3": _gemma,
}


def _first(side: Any) -> int:
    return int(side) if isinstance(side, int) else int(side[0])
