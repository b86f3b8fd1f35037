"""Making every frame a square of a given side: each processor has its own knobs for that.

Frames are stored small and square is what a face fills best, so tiling (several crops of one image) is switched off:
it would spend visual tokens on pixels that the stored frame does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_AREA = 1 << 24
MOST_SIDE = 4096
MOST_TILES = 64
"""Pixels, side and tiles that the files of a base may make of one image, however small it was stored."""


def square_area(processor: Any, config: Any, side: int) -> None:
    """Qwen-VL: the area of every image is pinned to side x side, its shape kept, both sides multiples of a token's."""
    step = config.vision_config.patch_size * config.vision_config.spatial_merge_size
    if side < step:
        raise ValueError(f"image_size: {side} is smaller than one visual token of this model, {step} pixels")
    processor.image_processor.size = {"shortest_edge": side**2, "longest_edge": side**2}


def interpolated_side(processor: Any, config: Any, side: int) -> None:
    """InternVL: one square tile; the tower interpolates its position embeddings to any multiple of a token's side."""
    patch = _one(config.vision_config.patch_size)
    step = round(patch / config.downsample_ratio)
    _check_multiple(side, step)
    processor.image_processor.size = {"height": side, "width": side}
    # The processor's call asks for tiles; of the tilings of one tile at most there is only one.
    processor.image_processor.min_patches = processor.image_processor.max_patches = 1
    processor.image_seq_length = (side // step) ** 2


def smolvlm_side(processor: Any, config: Any, side: int) -> None:
    """SmolVLM: one tile; positions are fractions of the side, so any side does whose patches can be merged evenly."""
    patch, largest = _one(config.vision_config.patch_size), _one(config.vision_config.image_size)
    patches = side // patch
    if patches == 0 or patches % config.scale_factor or side > largest:
        step = patch * config.scale_factor
        raise ValueError(
            f"image_size: {side} is {patches} patches of {patch} pixels, which do not merge in groups of "
            f"{config.scale_factor} within {largest} pixels; take a multiple of {step}, such as "
            f"{max(min(side, largest) // step, 1) * step}"
        )
    processor.image_processor.size = {"longest_edge": side}
    processor.image_processor.max_image_size = {"longest_edge": side}
    processor.image_processor.do_image_splitting = False
    processor.image_seq_len = (patches // config.scale_factor) ** 2


def fixed_side(processor: Any, config: Any, side: int) -> None:
    """LLaVA-OneVision, Gemma 3: their SigLIP tower has learned positions for one side only."""
    only = _one(config.vision_config.image_size)
    if side != only:
        raise ValueError(
            f"image_size: {side}, but the vision tower of {config.model_type} reads {only} pixels and no other side; "
            f"set image_size: {only} or null"
        )
    processor.image_processor.size = {"height": side, "width": side}
    if hasattr(processor.image_processor, "do_pan_and_scan"):
        processor.image_processor.do_pan_and_scan = False


def check_enlarged(processor: Any, name: str) -> None:
    """Raise ValueError for a processor that would blow every image up beyond all bounds."""
    images = processor.image_processor
    found: dict[str, int] = {}
    for attribute in ("size", "max_image_size"):
        size = getattr(images, attribute, None)
        sides = dict(size) if isinstance(size, Mapping) else dict(vars(size)) if hasattr(size, "__dict__") else {}
        found |= {f"{attribute}.{key}": side for key, side in sides.items() if isinstance(side, int)}
    # Qwen-VL's are areas, and its longest_edge makes images smaller only.
    by_area = hasattr(images, "merge_size")
    most = MOST_AREA if by_area else MOST_SIDE
    odd = {key: side for key, side in found.items() if side > most and not (by_area and key.endswith("longest_edge"))}
    for key in ("min_patches", "max_patches"):
        if isinstance(tiles := getattr(images, key, None), int) and tiles > MOST_TILES:
            odd[key] = tiles
    if odd:
        said = ", ".join(f"{key} {value:,}" for key, value in odd.items())
        raise ValueError(
            f"{name}: its image processor makes every image larger than a model reads ({said}; at most {most:,} pixels "
            f"and {MOST_TILES} tiles); say --image-size, or name another base with --base"
        )


def _one(side: Any) -> int:
    """Sides stand in configurations as a number or as a pair."""
    return int(side) if isinstance(side, int) else int(side[0])


def _check_multiple(side: int, step: int) -> None:
    if side < step or side % step:
        nearest = max(side // step, 1) * step
        raise ValueError(f"image_size: {side} is no multiple of {step}, the side of a visual token; take {nearest}")
