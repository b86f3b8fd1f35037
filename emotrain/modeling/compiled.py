"""torch.compile where it pays: the decoder blocks of the language model, one by one and in place.

A vision-language model compiled as one falls into dozens of graphs, since its tower reads image sizes off tensors, and
each is compiled again when the length of a prompt changes. The blocks are all alike and know no images: they share a
few graphs, which hold for every length. In place, the names of weights stay what they are, and hooks, wrappers,
gradient checkpointing and label scoring find the model that they know.
"""

from __future__ import annotations

from torch import nn

from emotrain.modeling.families import language_model


def compile_blocks(model: nn.Module) -> int:
    """Let inductor compile the language model's blocks when they are first called; returns how many there are.

    Adapters may still be put into them before that. Raises ValueError for a language model without `layers`.
    """
    blocks = getattr(language_model(model), "layers", None)
    if not isinstance(blocks, nn.ModuleList):
        raise ValueError(
            f"torch_compile: {type(language_model(model)).__name__} keeps its blocks elsewhere than in `layers`; "
            "remove torch_compile from the recipe"
        )
    for block in blocks:
        block.compile(dynamic=True)
    return len(blocks)
