"""A Qwen vision tower asked with all that a loader's worker worked out, so that it need not ask the device itself.

transformers cuts the tower's output into one piece an image, by sizes that it reads off the device, and joins the
pieces again a line later. The model takes an output that was computed before; so it is computed right before, inside
the model's own forward, where sharded weights are whole and gradients flow as usual.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from emotrain.modeling.families import family_of
from emotrain.modeling.image_features import TOLD
from emotrain.modeling.wrapped_model import unwrapped

GRID, PIXELS = "image_grid_thw", "pixel_values"


def ask_tower_first(model: nn.Module) -> None:
    """Hook it into a model of a family with such a tower; batches without a layout go transformers' own way."""
    if family_of(model).positions == "axes":
        unwrapped(model).model.register_forward_pre_hook(_see, with_kwargs=True)


def _see(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    told = {name: value for name, value in kwargs.items() if name.startswith(TOLD) and name != GRID}
    if not told or kwargs.get(PIXELS) is None:
        return None
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    tower = module.visual
    given = {name.removeprefix(TOLD): value for name, value in told.items()}
    found = tower(kwargs[PIXELS].type(tower.dtype), grid_thw=kwargs[GRID], return_dict=True, **given)
    seen: Any = BaseModelOutputWithPooling(pooler_output=(found.pooler_output,))
    later = getattr(found, "deepstack_features", None)
    if later:
        seen.deepstack_features = [(level,) for level in later]
    kept = {name: value for name, value in kwargs.items() if name not in told and name != PIXELS}
    return args, kept | {"mm_encoder_outputs": {"image": seen}}
